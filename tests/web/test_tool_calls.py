"""Tool calls and interruptions in the conversation on the page: shown as text, in their place."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import classes_when_said, session_of, speech, type_, wait_until_played

HTML = "<img src=x onerror=document.title='hit'>"


def call(number: int, **fields: Any) -> dict[str, Any]:
    item = {
        "id": f"item_F{number}",
        "type": "function_call",
        "call_id": f"call_{number}",
        "status": "completed",
    }
    return item | {"name": "weather", "arguments": json.dumps({"city": HTML})} | fields


def output(number: int, text: str) -> dict[str, Any]:
    item = {"id": f"item_O{number}", "type": "function_call_output", "call_id": f"call_{number}"}
    return item | {"output": text, "status": "completed"}


async def test_tool_calls_are_shown_with_arguments_and_result(open_page: Any) -> None:
    """One runs, one is done, one has failed; whatever they say, it is text. An odd item does no harm."""
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        items = [
            call(1), output(1, json.dumps({"sky": HTML})), call(2), output(2, json.dumps({"error": HTML})),
            call(3, name=None, arguments=None), {"id": "item_X", "type": "of_a_later_version"}, output(9, "nobody asked"),
            call(4, arguments="no JSON " + HTML),
        ]  # fmt: skip
        for item in items:
            await session.send("conversation.item.added", item=item, previous_item_id=session.items[-1])
            session.items.append(item["id"])
        await page.locator(".tool-call").nth(3).wait_for()
        states = await page.locator(".tool-state").all_inner_texts()
        assert states == ["done", "failed", "running", "running"]
        assert await page.locator(".tool-brief").nth(1).inner_text() == HTML
        await page.click(".tool-call summary")
        await page.locator(".tool-call[open] pre").nth(1).wait_for()
        texts = await page.locator(".tool-call[open] pre").all_inner_texts()
        assert [json.loads(text) for text in texts] == [{"city": HTML}, {"sky": HTML}]
        assert await page.locator("#captions img").count() == 0
        assert await page.title() == "Realtime"
        order = await page.eval_on_selector_all(".caption", "all => all.map((each) => each.classList[1])")
        assert order == ["user", "assistant", "call", "call", "call", "call"]


async def test_what_was_not_heard_is_struck(open_page: Any) -> None:
    """After Escape the answer ends where the listener heard it; the rest stands below, for a screen reader as not heard."""
    script = Script(reply=np.concatenate([speech(1), speech(3)] * 4), send_factor=0.02)
    script.reply_words = tuple(f"word{number} " for number in range(240))
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "One")
        await classes_when_said(page, ".caption.assistant p > span", 2)
        await page.keyboard.press("Escape")
        struck = page.locator(".caption.truncated .unheard")
        await struck.wait_for()
        heard = (await page.inner_text(".caption.truncated .text")).split()
        rest = (await struck.text_content()).removeprefix("Not heard: ").split()
        assert heard == [f"word{number}" for number in range(len(heard))]
        assert rest[0] == f"word{len(heard)}"
        assert len(" ".join(rest)) < 300, "a long rest is cut"
