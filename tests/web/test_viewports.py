"""Small and low windows: the button, the text field and the answer stay usable, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest

from tests.web.conftest import browser_with
from tests.web.fake_server import RATE, Script, serving
from tests.web.test_page import session_of, type_, wait_until_played

SIZES = {
    "desktop": (1280, 800), "phone": (390, 844), "phone on its side": (640, 320), "small phone": (320, 568),
    "keyboard up": (390, 380), "keyboard up, on its side": (640, 170), "zoom 200 %": (640, 360),
    "zoom 400 %": (320, 256), "narrow": (320, 480),
}  # fmt: skip
LONG = (
    *(f"A **sentence** with a number {number}.\n\n" for number in range(30)),
    "https://e.org/" + "x" * 300,
)
BOXES = """() => Object.fromEntries(["talk", "message", "send", "captions"].map((id) => {
    const { left, top, right, bottom } = document.getElementById(id).getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const hit = document.elementFromPoint(x, y);
    return [id, { left, top, right, bottom, hit: Boolean(hit?.closest(`#${id}`)) }];
}))"""


def assert_usable(boxes: dict[str, Any], ids: tuple[str, ...], name: str) -> None:
    """Inside the window, not covered, and large enough for a finger."""
    width, height = SIZES[name]
    for id in ids:
        box = boxes[id]
        assert box["left"] >= 0, (name, id, box)
        assert box["top"] >= 0, (name, id, box)
        assert box["right"] <= width + 0.5, (name, id, box)
        assert box["bottom"] <= height + 0.5, (name, id, box)
        assert box["hit"], f"{name}: {id} is covered"
    for id in ("talk", "send"):
        assert boxes[id]["right"] - boxes[id]["left"] >= 38, (name, id)
        assert boxes[id]["bottom"] - boxes[id]["top"] >= 38, (name, id)
    assert boxes["message"]["right"] - boxes["message"]["left"] >= 100, name


# The layout and what follows from it (`ResizeObserver`) are done.
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


async def each_size(page: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    for name, (width, height) in SIZES.items():
        await page.set_viewport_size({"width": width, "height": height})
        await page.evaluate(TWO_FRAMES)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        yield name, await page.evaluate(BOXES)


async def test_everything_can_be_used(open_page: Any) -> None:
    """With a notice, before the first word and with a long answer."""
    script = Script(
        reply=np.zeros(RATE, np.int16), send_factor=0.02, ready={"sandbox": True}, reply_words=LONG
    )
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await page.wait_for_selector("[data-id=sandbox]")
        async for name, boxes in each_size(page):
            assert_usable(boxes, ("talk", "message", "send"), name)
        await type_(page, "Tell me something long")
        await wait_until_played(await session_of(server))
        async for name, boxes in each_size(page):
            assert_usable(boxes, tuple(boxes), name)
            room = boxes["captions"]["bottom"] - boxes["captions"]["top"]
            assert room >= 0.3 * SIZES[name][1], f"{name}: room for the answer"


TEXT_SIZES_PX = (16, 24, 32)  # of the browser's settings; 24 is its "very large"
SET_TEXT_SIZE = """(px) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:root { font-size: ${px}px }`);
    document.adoptedStyleSheets = [sheet];
}"""
CONTROLS = (
    "talk",
    "message",
    "send",
    "captions",
    "settings-toggle",
    "drawer-toggle",
    "new",
    "mute",
    "interrupt",
)
CUT_OFF = """(ids) => ids.filter((id) => {
    const { left, top, right, bottom } = document.getElementById(id).getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return left < 0 || top < 0 || right > innerWidth + 0.5 || bottom > innerHeight + 0.5 || !hit?.closest(`#${id}`);
})"""


@pytest.mark.parametrize("setting", ["of the browser", "of the page"])
async def test_everything_can_be_used_with_large_text(open_page: Any, setting: str) -> None:
    """While an answer sounds. The browser's setting also counts for the widths at which the layout changes."""
    script = Script(reply=np.zeros(8 * RATE, np.int16), send_factor=0.02, reply_words=LONG, detects=False)
    async with serving(script) as server:
        for px in TEXT_SIZES_PX:
            async with AsyncExitStack() as stack:
                if setting == "of the page":
                    page = await open_page(server.url)
                    await page.evaluate(SET_TEXT_SIZE, px)
                else:
                    switch = f"--blink-settings=defaultFontSize={px}"
                    page = await (await stack.enter_async_context(browser_with(switch))).new_page()
                    await page.goto(server.url)
                size = await page.evaluate("getComputedStyle(document.documentElement).fontSize")
                assert size == f"{px}px"
                await page.click("#talk")
                await type_(page, "Tell me something long")
                await page.wait_for_selector("#interrupt:not([hidden])")
                await page.wait_for_selector("#mute:not([hidden])")
                for name in ("desktop", "phone", "low phone"):
                    width, height = {**SIZES, "low phone": (360, 640)}[name]
                    await page.set_viewport_size({"width": width, "height": height})
                    await page.evaluate(TWO_FRAMES)
                    where = f"{name}, {px} px"
                    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
                    assert await page.evaluate(CUT_OFF, CONTROLS) == [], where
                    assert (
                        await page.evaluate("document.getElementById('captions').clientHeight")
                        >= 0.15 * height
                    ), where


IN_SIGHT = """(selector) => {
    const { left, top, right, bottom } = document.querySelector(selector).getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight && Boolean(hit?.closest(selector));
}"""


async def test_the_key_dialog_can_be_used(open_page: Any) -> None:
    """Where it has no room, a wheel or a finger scrolls it: `click` alone scrolls also what a person cannot."""
    async with serving(Script(key="k")) as server:
        page = await open_page(server.url, device=False)
        for name in ("phone on its side", "zoom 400 %", "keyboard up", "keyboard up, on its side"):
            width, height = SIZES[name]
            await page.set_viewport_size({"width": width, "height": height})
            await type_(page, "Hello")
            await page.wait_for_selector("#key-dialog[open]")
            await page.mouse.move(width / 2, height / 2)
            for turns, seen in ((-2000, "#key-title"), (2000, "#key-cancel")):
                await page.mouse.wheel(0, turns)
                await page.wait_for_function(IN_SIGHT, arg=seen)
            await page.click("#key-cancel")
            await page.wait_for_selector("#key-dialog", state="hidden")


async def test_the_settings_fit(open_page: Any) -> None:
    """Also with the longest of earlier conversations: nothing stands outside of the sheet."""
    earlier = {"data": [{"id": "conv_1", "title": "word " * 30, "updated_at": 1_795_000_000}]}
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        await page.route("**/v1/capabilities", lambda route: route.fulfill(json={"conversations": True}))
        await page.route("**/v1/conversations", lambda route: route.fulfill(json=earlier))
        await page.click("#settings-toggle")
        await page.wait_for_selector(".earlier button")
        for name in ("desktop", "phone", "narrow"):
            width, height = SIZES[name]
            await page.set_viewport_size({"width": width, "height": height})
            outside = await page.evaluate("""() => [...document.querySelectorAll("#settings *")]
                .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth).map(({ outerHTML }) => outerHTML)""")
            assert outside == [], name


async def test_large_numbers_stay_in_their_tiles(open_page: Any) -> None:
    """After some minutes of talk there are thousands of events each way."""
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        await page.click("#drawer-toggle")
        await page.locator(".numbers dd").first.wait_for()
        many = """() => import("./page/panel_texts.js").then(({ numbersOf }) => {
            const stats = realtimeDebug.stats();
            const events = { ...stats.events, sent: 123456, received: 234567 };
            const rows = numbersOf({ ...stats, p50: 12345, bufferedMs: 123456, events });
            document.querySelectorAll(".numbers dd").forEach((cell, at) => { cell.textContent = rows[at][1]; });
            return [...document.querySelectorAll(".numbers div")].filter((tile) => tile.scrollWidth > tile.clientWidth).map((tile) => tile.textContent);
        })"""
        for width in (320, 375, 390, 1280):
            await page.set_viewport_size({"width": width, "height": 700})
            assert await page.evaluate(many) == [], width


async def test_a_wide_table_scrolls_and_keeps_its_rows_low(open_page: Any) -> None:
    """A cell outside the window must not make its row higher: the reader would see an empty gap."""
    table = "| City | Country | Population | Elevation | Founded in the year |\n|---|---|---|---|---|\n"
    rows = (
        "| La Paz | Bolivia | 816,000 | 3,640 m | sixteenth century |\n",
        "| Paris | France | 2,100,000 | 35 m | 250 BC |\n",
    )
    script = Script(reply=np.zeros(RATE, np.int16), send_factor=0.02, reply_words=(table, *rows))
    async with serving(script) as server:
        page = await open_page(server.url, device=False, viewport={"width": 320, "height": 568})
        await type_(page, "A table")
        await wait_until_played(await session_of(server))
        heights = await page.evaluate(
            "[...document.querySelectorAll('#captions tr')].map((row) => row.offsetHeight)"
        )
        assert len(heights) == 3
        assert max(heights) <= min(heights) + 2, heights
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_the_buttons_of_the_header_stand_together_at_its_end(open_page: Any) -> None:
    """Also where the server's name has no room, and before there is a conversation."""
    gaps = """() => {
        const [panels, settings] = ["drawer-toggle", "settings-toggle"].map((id) => document.getElementById(id).getBoundingClientRect());
        return [settings.left - panels.right, document.querySelector("header").getBoundingClientRect().right - settings.right];
    }"""
    async with serving(Script()) as server:
        for width in (320, 360, 390, 800):
            page = await open_page(server.url, device=False, viewport={"width": width, "height": 700})
            assert max(await page.evaluate(gaps)) <= 20, width
            await page.close()
