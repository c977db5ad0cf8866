"""The widget for everybody: keyboard, screen readers, phones, languages, themes; and plain words when something is wrong."""

from __future__ import annotations

import importlib.resources
from typing import Any

import pytest

from tests.web.fake_server import Script, serving
from tests.web.host_page import Host, hosting
from tests.web.test_widget import OPEN, TEXT_OF, tone
from tests.web.widget_page import heard, on, open_widget, type_, until

FOCUSED = "(root.activeElement?.getAttribute('part') ?? root.activeElement?.className ?? null)"


async def test_by_keyboard(open_page: Any) -> None:
    """Open, write, stop and close without a pointer; the focus comes back to the button."""
    async with serving(Script(reply=tone(60))) as server, hosting(server.url) as host:
        page = await open_widget(open_page, host)
        await page.focus("#own")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await until(page, f"{FOCUSED} === 'talk'")
        await page.keyboard.press("Tab")
        await until(page, f"{FOCUSED} === 'input'")
        await page.keyboard.type("Hello")
        await page.keyboard.press("Enter")
        await until(page, "element.voice.phase === 'speaking'")
        await page.keyboard.press("Escape")
        await until(page, "element.voice.phase === 'listening'")
        assert await on(page, "return element.open") is True
        await page.keyboard.press("Escape")
        await until(page, f"!element.open && {FOCUSED} === 'button'")
        await until(page, "element.voice.connection.state === 'closed'")
        assert [one["name"] for one in await page.evaluate("heard") if one["name"] != "message"] == [
            "open",
            "close",
        ]


KEYS = """window.keys = [];
for (const type of ["keydown", "keypress", "keyup"]) document.addEventListener(type, ({ key }) => keys.push(`${type} ${key}`));
document.addEventListener("keydown", (event) => { if (event.key === "/") { event.preventDefault(); document.getElementById("own").focus(); } });
"""


async def test_what_is_typed_is_not_for_the_shortcuts_of_the_page(open_page: Any) -> None:
    """They see an element that is no text field. Combinations, Tab and Escape are theirs as before. So are letters outside of
    the field, but not the keys that press a button or scroll.
    """
    async with serving(Script()) as server, hosting(server.url, element=OPEN, script=KEYS) as host:
        page = await open_widget(open_page, host)
        await page.focus("realtime-voice input")
        await page.keyboard.type("on 1/2 or 3?")
        for key in ("ArrowLeft", "Backspace", "F2", "Shift+A", "Enter"):
            await page.keyboard.press(key)
        assert await page.evaluate("keys") == []
        await heard(page, "message", 1)
        assert "on 1/2 or A?" in await on(page, f"return {TEXT_OF}")
        await page.focus("realtime-voice input")
        await page.keyboard.press("Control+k")
        await page.keyboard.press("Alt+x")
        await page.keyboard.press("Shift+Tab")
        seen = await page.evaluate("keys")
        pressed = ["Control", "k", "Alt", "x", "Tab"]
        assert [key for key in seen if key.startswith("keydown")] == [f"keydown {key}" for key in pressed]
        assert {"keyup Control", "keyup Alt"} <= set(seen), "the page knows that they are up again"
        await page.evaluate(
            "keys = []; document.addEventListener('keydown', (event) => event.preventDefault())"
        )
        await page.focus("realtime-voice .close")
        for key in ("ArrowDown", "m", "Enter"):
            await page.keyboard.press(key)
        assert await page.evaluate("keys") == ["keydown m", "keyup m"]
        await until(page, "!element.open")
        await page.focus("realtime-voice .launch")
        await page.keyboard.press("Space")
        await until(page, "element.open")


async def test_screen_reader_is_told_finished_messages(open_page: Any) -> None:
    """The live region has each message once, with who said it."""
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        await heard(page, "message", 2)
        lines = await on(
            page, "return [...root.querySelectorAll('[role=log] p')].map((line) => line.textContent)"
        )
        assert lines == ["You: Hello", "Answer: Well, here you are."]
        assert await on(page, "return root.querySelector('[role=log]').getAttribute('aria-live')") == "polite"


async def test_phone(open_page: Any) -> None:
    """On a phone the dialog takes the whole window, keeps the focus, and everything is large enough for a finger."""
    async with serving(Script()) as server, hosting(server.url) as host:
        page = await open_widget(open_page, host, viewport={"width": 360, "height": 640})
        await page.click("realtime-voice .launch")
        await page.locator("realtime-voice .panel").wait_for()
        box = await page.locator("realtime-voice .panel").bounding_box()
        assert box == {"x": 0, "y": 0, "width": 360, "height": 640}
        for part in ("talk", "close", "send", "input"):
            inside = await page.locator(f"realtime-voice [part={part}]").bounding_box()
            assert inside["x"] >= 0, part
            assert inside["x"] + inside["width"] <= 360, part
            assert inside["y"] + inside["height"] <= 640, part
            assert inside["height"] >= 36, part
        for _ in range(8):
            await page.keyboard.press("Tab")
            assert await page.evaluate("document.activeElement.id") != "own"
        await page.set_viewport_size({"width": 1000, "height": 700})
        await until(page, "root.querySelector('.panel').getBoundingClientRect().width < 500")
        assert await on(page, "return element.open") is True


async def test_right_to_left_and_chinese(open_page: Any) -> None:
    """The button is where the page's lines end, and the texts follow the page's language, also when it changes."""
    right = '<html lang="ar" dir="rtl">'
    async with serving(Script()) as server, hosting(server.url, element=OPEN, html=right) as host:
        page = await open_widget(open_page, host)
        await page.locator("realtime-voice .panel").wait_for()
        box = await page.locator("realtime-voice .panel").bounding_box()
        assert box["x"] < 100
        bidi = "return getComputedStyle(root.querySelector('.lead')).unicodeBidi"
        assert await on(page, bidi) == "plaintext", (
            "the question mark stands at the end of the English question"
        )
        await on(page, "element.lang = 'zh-CN'")
        assert await on(page, "return root.querySelector('.title').textContent") == "语音助手"
        assert await page.get_attribute("realtime-voice .talk", "aria-label") == "开始通话"
        await on(page, "element.lang = 'en'")
        assert await page.get_attribute("realtime-voice .talk", "aria-label") == "Start talking"


async def test_theme_and_host_colours(open_page: Any) -> None:
    """Dark by the attribute or the system; the page's own colours count before both, and parts can be styled. Nothing of it
    is printed with the page.
    """
    look = "return getComputedStyle(root.querySelector('.panel')).backgroundColor"
    async with serving(Script()) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host, color_scheme="dark")
        assert await on(page, look) == "rgb(26, 27, 33)"
        await on(page, "element.setAttribute('theme', 'light')")
        assert await on(page, look) == "rgb(255, 255, 255)"
        await on(page, "element.style.setProperty('--realtime-background', 'rgb(1, 2, 3)')")
        assert await on(page, look) == "rgb(1, 2, 3)"
        await on(
            page,
            """const sheet = new CSSStyleSheet();
            sheet.replaceSync("realtime-voice::part(panel) { background: rgb(4, 5, 6); }");
            document.adoptedStyleSheets = [sheet];""",
        )
        assert await on(page, look) == "rgb(4, 5, 6)"
        await page.emulate_media(media="print")
        assert not await page.is_visible("realtime-voice .panel")


async def test_axe_finds_nothing_serious(open_page: Any) -> None:
    """axe-core on the closed and the open widget with a conversation, light and dark."""
    axe = pytest.importorskip("axe_playwright_python")
    code = importlib.resources.files(axe.__name__).joinpath("axe.min.js").read_text(encoding="utf-8")
    async with serving(Script(reply=tone(0.1))) as server:
        for scheme in ("light", "dark"):
            async with hosting(server.url) as host:
                page = await open_widget(open_page, host, color_scheme=scheme)
                await page.evaluate(code)
                assert await _serious(page) == []
                await page.click("realtime-voice .launch")
                assert await _serious(page) == []
                await type_(page, "Hello")
                await heard(page, "message", 2)
                assert await _serious(page) == []


async def _serious(page: Any) -> list[Any]:
    found = await page.evaluate(
        "async () => (await axe.run()).violations.map(({ id, impact, nodes }) => ({ id, impact, at: nodes.map(({ html }) => html) }))"
    )
    return [one for one in found if one["impact"] in ("serious", "critical")]


# --- what is wrong, and what to do ---


async def test_no_microphone(open_page: Any) -> None:
    """Without permission it says what to do, and who can do something; writing still works."""
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host, prompt="deny")
        await page.click("realtime-voice .talk")
        [error] = await heard(page, "error")
        assert error["code"] == "denied"
        shown = await page.inner_text("realtime-voice .problem p")
        assert shown == error["message"]
        assert "Allow it" in shown
        await page.evaluate(
            "document.featurePolicy.allowsFeature = (name) => name !== 'microphone'"
        )  # as in a frame
        await page.click("realtime-voice .retry")
        assert (await heard(page, "error", 2))[1]["code"] == "forbidden"
        assert not await page.is_visible("realtime-voice .retry")
        await type_(page, "Hello")
        await heard(page, "message", 2)


async def _refused(open_page: Any, host: Host, code: str) -> Any:
    page = await open_widget(open_page, host)
    await type_(page, "Hello")
    await page.wait_for_function(
        "(code) => heard.some((one) => one.name === 'error' && one.code === code)", arg=code
    )
    assert "Hello" in await on(page, f"return {TEXT_OF}")
    return page


async def test_key_and_token(open_page: Any) -> None:
    """A server with keys refuses a page without a token; a backend that hands out secrets lets it in, one that refuses does not."""
    async with serving(Script(reply=tone(0.1), key="secret")) as server:
        async with hosting(server.url, element=OPEN) as host:
            await _refused(open_page, host, "key")
        element = '<realtime-voice open token-url="token"></realtime-voice>'
        async with hosting(server.url, element=element, token=(403, {"error": "no"})) as host:
            page = await _refused(open_page, host, "token")
            server.secrets = 1
            host.token = (200, {"value": "ek_0001"})
            await page.click("realtime-voice .retry")
            await heard(page, "message", 2)
            assert host.tokens == 2


WATCH_STATUS = """
window.said = [];
for (const line of root.querySelectorAll("[role=status], [role=alert]")) {
  new MutationObserver(() => said.push(line.textContent)).observe(line, { childList: true, subtree: true, characterData: true });
}
"""


async def test_server_away_and_back(open_page: Any) -> None:
    """The message waits, and is answered when the server is there; without any error text of the browser. A screen reader is
    told once that it is away, and not of every try; where the browser says that the network is back, the next one is at once.
    """
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await server.stop()
        await type_(page, "Hello")
        await page.wait_for_function("() => heard.some((one) => one.code === 'away')")
        assert "cannot be reached" in await page.inner_text("realtime-voice .problem")
        await on(page, WATCH_STATUS)
        for again in ("element.voice.connection.retryNow()", "dispatchEvent(new Event('online'))"):
            assert await on(page, f"{again}; return element.voice.connection.state") == "connecting", again
            await until(
                page,
                "element.voice.connection.state === 'waiting' && root.querySelector('.state').textContent === 'Not connected'",
            )
        assert await page.evaluate("said") == []
        await server.start()
        await page.click("realtime-voice .retry")
        await heard(page, "message", 2)
        await until(page, "root.querySelector('.problem').hidden")
