"""The talk page for everybody: axe-core on the page, the drawer and the settings; all of it by keyboard."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest

from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import session_of, speech, type_, wait_until_played
from tests.web.test_settings import OFFERED
from tests.web.test_tool_calls import call, output

AXE = """async () => (await axe.run()).violations.filter(({ impact }) => ["serious", "critical"].includes(impact))
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])"""


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "zh-CN")])
async def test_axe_finds_nothing_serious(open_page: Any, scheme: str, locale: str) -> None:
    """With a conversation, a tool call and what was not heard; then with the drawer, then with the settings."""
    axe = pytest.importorskip("axe_playwright_python")
    code = importlib.resources.files(axe.__name__).joinpath("axe.min.js").read_text(encoding="utf-8")
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False, color_scheme=scheme, locale=locale, bypass_csp=True)
        await page.add_script_tag(content=code)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json=OFFERED))
        assert await page.evaluate(AXE) == []
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        cut = {"item_id": session.items[-1], "content_index": 0, "audio_end_ms": 100, "transcript": "Well,"}
        await session.send("conversation.item.truncated", **cut)
        for item in (call(1), output(1, '{"error": "closed"}')):
            await session.send("conversation.item.added", item=item, previous_item_id=session.items[-1])
        await page.click(".tool-call summary")
        await page.keyboard.press("F2")
        await page.click(".turns summary")
        await page.locator(".unheard").wait_for()
        assert await page.evaluate(AXE) == []
        await page.click("#settings-toggle")
        await page.locator(".voices .voice").nth(2).wait_for()
        assert await page.evaluate(AXE) == []


async def test_everything_can_be_reached_by_keyboard(open_page: Any) -> None:
    """Tab goes to each control of the page; a dialog keeps the focus, and gives it back."""
    async with serving() as server:
        page = await open_page(server.url, device=False)
        await page.keyboard.press("F2")
        await page.locator("#drawer h2").wait_for()
        reached = set()
        for _ in range(20):
            await page.keyboard.press("Tab")
            now = await page.evaluate(
                "(({ id, className, ariaLabel }) => id || ariaLabel || className)(document.activeElement)"
            )
            reached.add(now)
        assert {
            "drawer-toggle",
            "settings-toggle",
            "talk",
            "message",
            "Filter events",
            "Direction",
        } <= reached
        await page.focus("#settings-toggle")
        await page.keyboard.press("Enter")
        await page.locator("#settings[open]").wait_for()
        for _ in range(12):
            await page.keyboard.press("Tab")
            assert await page.evaluate(
                "document.activeElement === document.body || settings.contains(document.activeElement)"
            )
        await page.keyboard.press("Escape")
        await page.locator("#settings").wait_for(state="hidden")
        await page.wait_for_function("() => document.activeElement.id === 'settings-toggle'")


async def test_a_long_text_that_is_pasted_is_sent_whole(open_page: Any) -> None:
    """As long as the server takes it."""
    text = "word " * 39_000 + "What do you think?"
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        await page.click("#message")
        await page.keyboard.insert_text(text)
        assert await page.input_value("#message") == text
