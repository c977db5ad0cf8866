"""The widget, the token backend of docs/clients.md as it is printed, and a server with keys: secrets that expire."""

from __future__ import annotations

import json
import runpy
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from realtime.server.access import CLOCK_LEEWAY_S
from tests.docs.readme import blocks
from tests.server.harness import open_harness
from tests.web.host_page import hosting
from tests.web.widget_page import heard, on, open_widget, type_

KEY = "sk-page-1"
ELEMENT = '<realtime-voice open token-url="/token"></realtime-voice>'
LIFE_S = 60  # of a secret of the example


async def test_an_expired_secret_is_replaced_at_the_next_connect(
    open_page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later connect has a secret of its own; one that expires on its way is replaced once more, and nobody sees it."""
    (block,) = [block for block in blocks("docs/clients.md") if block.language == "python"]
    (tmp_path / block.name).write_text(block.text, encoding="utf-8")
    handed: list[str] = []
    now, passed_s = time.time, [0.0]

    async with open_harness(api_keys=(KEY,)) as harness:
        monkeypatch.setenv("VOICE_SERVER", harness.server.url)
        monkeypatch.setenv("VOICE_KEY", KEY)
        monkeypatch.setattr("realtime.server.realtime_endpoint.time.time", lambda: now() + passed_s[0])
        example = runpy.run_path(str(tmp_path / block.name))["token"]

        async def token(request: web.Request) -> web.Response:
            answer = await example(request)
            handed.append(json.loads(answer.text)["value"])
            if len(handed) == 2:
                passed_s[0] += LIFE_S + CLOCK_LEEWAY_S + 1
            return answer  # type: ignore[no-any-return]

        async with hosting(harness.server.url, element=ELEMENT, token=token) as host:
            page = await open_widget(open_page, host)
            await type_(page, "Hello.")
            await heard(page, "message", 2)
            assert len(handed) == 1
            await on(page, "element.voice.connection.close()")
            await type_(page, "What is two plus three?")
            messages = await heard(page, "message", 4)
            assert [one["role"] for one in messages] == ["user", "assistant"] * 2
            assert len(set(handed)) == 3, "the first one, the one that came too late, and another"
            assert await page.evaluate("heard.filter(({ name }) => name === 'error')") == []
            await page.close()
