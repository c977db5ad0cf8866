"""The stock agents client in a browser: subprotocol `realtime`, a client secret, a page from another origin."""

from __future__ import annotations

import base64
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.server.harness import Harness, open_harness
from tests.stock.npm import HERE
from tests.stock.pages import page_with_bundle
from tests.stock.record import record
from tests.stock.speech import QUESTION, said, spoken
from tests.wer import word_error_rate

pytest.importorskip(
    "playwright", reason="the browser tests need playwright: pip install 'minimax-realtime[dev]'"
)

KEY = "sk-real"


async def mint(harness: Harness) -> str:
    """Create a client secret, like the server of such a page."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(harness.server.url + "/v1/realtime/client_secrets", headers=headers, json={}) as answer,
    ):
        return str((await answer.json())["value"])


async def visit(harness: Harness, secret: str, question: bytes = b"") -> dict[str, Any]:
    """Run `page.js` in Chromium; returns its report. Fails if the page throws an error."""
    from tests.web.conftest import browser_with

    thrown: list[str] = []
    job = {"url": harness.ws_url, "secret": secret, "question": base64.b64encode(question).decode()}
    async with page_with_bundle() as address, browser_with() as browser:
        page = await browser.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        await page.goto(address)
        seen: dict[str, Any] = await page.evaluate((HERE / "page.js").read_text("utf-8"), job)
    record("agents-js Chromium", sent=seen["sent"], received=seen["types"])
    assert thrown == []
    return seen


async def test_text_and_speech_with_a_client_secret():
    pytest.importorskip("faster_whisper", reason="no transcriber: pip install 'minimax-realtime[local]'")
    async with open_harness(transcriber="local", language="en", api_keys=(KEY,)) as harness:
        lead = np.zeros(9_600, np.int16)
        seen = await visit(harness, await mint(harness), lead.tobytes() + spoken(QUESTION).tobytes())
    assert seen.get("failed") is None
    assert seen["protocol"] == "realtime"
    assert seen["errors"] == []
    assert seen["audioBytes"] > 48_000
    assert [item["role"] for item in seen["history"]] == ["user", "assistant", "user", "assistant"]
    assert word_error_rate([(said(QUESTION), seen["history"][2]["text"])]) <= 0.35
    assert all(item["text"] for item in seen["history"])


async def test_a_wrong_secret_is_an_error_event():
    """A page cannot read an HTTP 401, so the server sends an `error` and closes."""
    async with open_harness(api_keys=(KEY,)) as harness:
        seen = await visit(harness, "ek_wrong")
    assert seen["failed"]
    assert any("invalid_api_key" in error for error in seen["errors"])
