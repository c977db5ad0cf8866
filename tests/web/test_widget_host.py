"""The widget on host pages that are unkind: mistakes of the page, its style sheets, a slow backend, no way through for a socket."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from tests.web.fake_server import FakeServer, Script, serving
from tests.web.host_page import hosting
from tests.web.test_page import session_of
from tests.web.test_widget import OPEN, TEXT_OF, tone
from tests.web.widget_page import heard, on, open_widget, type_, until

TOOLS = """
const element = document.querySelector("realtime-voice");
window.reported = [];
addEventListener("error", (event) => { reported.push(event.message); event.preventDefault(); });
element.tools = [{ name: "no name", run: () => 1 }];
"""


async def test_a_wrong_tool_is_reported_and_costs_nothing_else(open_page: Any) -> None:
    """Set before the element is defined it goes to the page's error log; afterwards whoever sets it gets the TypeError."""
    early = f"{OPEN}<script type=module src=page.js></script>"
    async with (
        serving(Script(reply=tone(0.1))) as server,
        hosting(server.url, element=early, script=TOOLS) as host,
    ):
        page = await open_widget(open_page, host)
        assert "name of a tool" in (await page.evaluate("reported"))[0]
        page.errors.clear()
        wrong = "try { element.tools = [{ name: 'good', run: () => 1 }, { name: 'bad' }]; return 'taken'; } catch (error) { return error.name; }"
        assert await on(page, wrong) == "TypeError"
        assert await on(page, "element.tools = null; return element.tools") == []
        await type_(page, "Hello")
        await heard(page, "message", 2)


async def test_the_language_comes_through_shadow_roots(open_page: Any) -> None:
    room, html = "<div id=room></div>", '<html lang="zh-CN">'
    async with serving(Script()) as server, hosting(server.url, element=room, html=html) as host:
        page = await open_widget(open_page, host)
        title = await page.evaluate("""() => {
            const element = document.createElement("realtime-voice");
            room.attachShadow({ mode: "open" }).append(element);
            return element.shadowRoot.querySelector(".title").textContent;
        }""")
        assert title == "语音助手"


async def test_the_language_follows_the_document(open_page: Any) -> None:
    """A page that changes its own language changes the widget, until the element is removed."""
    async with serving(Script()) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await page.evaluate("document.documentElement.lang = 'zh_CN'")  # as some write it
        await until(page, "root.querySelector('.title').textContent === '语音助手'")
        assert await on(page, "return root.querySelector('.panel').lang") == "zh-CN"
        await page.evaluate("document.body.lang = 'en'")  # a part of the page may have its own
        await until(page, "root.querySelector('.title').textContent === 'Voice assistant'")
        ended = await on(
            page,
            """let ended = 0;
            const { disconnect } = MutationObserver.prototype;
            MutationObserver.prototype.disconnect = function () { ended += 1; disconnect.call(this); };
            element.remove();
            await 0; await 0;
            return ended;""",
        )
        assert ended == 1


async def test_a_screen_reader_is_told_which_language_each_text_has(open_page: Any) -> None:
    """The page's label and greeting have the page's language, what is said any, and the rest the widget's."""
    element = '<realtime-voice open label="Gärtnerei" greeting="Guten Tag"></realtime-voice>'
    speaks = """const of = (selector) => root.querySelector(selector).closest("[lang]").lang;"""
    async with (
        serving(Script(reply=tone(0.1))) as server,
        hosting(server.url, element=element, html='<html lang="de">') as host,
    ):
        page = await open_widget(open_page, host)
        assert await on(page, f"{speaks} return ['.title', '.lead', '.state'].map(of)") == ["de", "de", "en"]
        await on(
            page, "element.removeAttribute('label'); element.removeAttribute('greeting'); element.lang = 'zh'"
        )
        assert await on(page, f"{speaks} return ['.title', '.lead', '.state'].map(of)") == ["zh-CN"] * 3
        await type_(page, "Hello")
        await heard(page, "message", 2)
        assert await on(page, f"{speaks} return ['.message .text', '[role=log] span'].map(of)") == ["", ""]
        lines = await on(
            page, "return [...root.querySelectorAll('[role=log] p')].map((line) => line.textContent)"
        )
        assert lines == ["你：Hello", "回答：Well, here you are."]


async def test_a_backend_that_does_not_answer_is_named(open_page: Any) -> None:
    """And not the server, which has never been asked."""
    fast = "const own = setTimeout; window.setTimeout = (run, ms) => own(run, ms === 8000 ? 80 : ms);"
    element = '<realtime-voice open token-url="/slow"></realtime-voice>'
    async with serving(Script()) as server, hosting(server.url, element=element, script=fast) as host:
        page = await open_widget(open_page, host)
        await page.route("**/slow", lambda route: None)
        await type_(page, "Hello")
        assert (await heard(page, "error"))[0]["code"] == "token"
        assert "Hello" in await on(page, f"return {TEXT_OF}")


async def test_a_storm_of_messages_is_drawn_in_frames(open_page: Any) -> None:
    count = 2000
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        await heard(page, "message", 2)
        session = await session_of(server)
        await on(
            page,
            """window.drawn = 0;
            const own = Element.prototype.replaceChildren;
            Element.prototype.replaceChildren = function (...all) { drawn += this.className === "text"; own.apply(this, all); };""",
        )
        item = {"id": "storm", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await session.send("conversation.item.added", item=item, previous_item_id=session.items[-1])
        for number in range(count):
            await session.send("response.output_text.delta", item_id="storm", delta=f"{number} ")
        await until(page, f"root.querySelector('.list').innerText.includes(' {count - 1}')")
        assert await page.evaluate("drawn") < count / 3


# What a page may say of its elements: a small root, capitals everywhere, its own idea of buttons.
LOUD = """
const sheet = new CSSStyleSheet();
sheet.replaceSync(`html { font-size: 10px; } * { text-transform: uppercase; letter-spacing: 4px; word-spacing: 9px; text-indent: 3em;
  line-height: 3; font: italic bold 30px serif; white-space: pre; text-align: center; color: red; text-shadow: 2px 2px red; cursor: wait; }`);
document.adoptedStyleSheets = [sheet];
"""
LOOK = """
const names = ["fontSize", "fontStyle", "fontFamily", "textTransform", "letterSpacing", "wordSpacing", "textIndent", "whiteSpace", "textAlign",
  "textShadow", "color", "cursor", "width", "height"];
return [...root.querySelectorAll(".launch, .panel, .title, .state, .lead, .talk, .close, input, .send")].map((each) => {
  const style = getComputedStyle(each);
  return [each.className || each.tagName, ...names.map((name) => `${name}: ${style[name]}`)];
});
"""


@pytest.mark.parametrize(
    "element", [OPEN, '<realtime-voice mode="inline"></realtime-voice>'], ids=["floating", "inline"]
)
async def test_the_page_s_style_sheets_do_not_reach_inside(open_page: Any, element: str) -> None:
    async with serving(Script()) as server:
        looks = []
        for script in ("", LOUD):
            async with hosting(server.url, element=f"<div>{element}</div>", script=script) as host:
                looks.append(await on(await open_widget(open_page, host), LOOK))
        assert looks[1] == looks[0]


class Refusing(FakeServer):
    """Every handshake fails; asked without one, it answers as the server does."""

    answer: tuple[int, str] = (426, "invalid_request_error")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        status, code = self.answer
        return web.json_response({"error": {"code": code, "message": "no"}}, status=status)


@pytest.mark.parametrize(
    ("answer", "code"),
    [((426, ""), "blocked"), ((503, "server_overloaded"), "full"), ((503, "server_draining"), "full"), ((503, "account_exhausted"), "account_exhausted"), ((502, ""), "no_room")],
)  # fmt: skip
async def test_why_there_is_no_socket(open_page: Any, answer: tuple[int, str], code: str) -> None:
    """What the server says itself is told, once; where it says nothing, no more than that."""
    server = Refusing(Script())
    server.answer = answer
    await server.start()
    try:
        async with hosting(server.url, element=OPEN) as host:
            page = await open_widget(open_page, host)
            await type_(page, "Hello")
            await heard(page, "error")
            await on(page, "element.voice.connection.retryNow()")
            await until(page, "element.voice.connection.state === 'waiting'")
            assert [one["code"] for one in await heard(page, "error")] == [code]
            assert await page.is_visible("realtime-voice .problem")
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("script", "element", "code"),
    [
        ("delete window.WebSocket;", OPEN, "no_websocket"),
        ("", '<realtime-voice open server="ftp://host/"></realtime-voice>', "address"),
        ("window.WebSocket = class { constructor() { throw new DOMException('no', 'SecurityError'); } };", OPEN, "address"),
    ],
)  # fmt: skip
async def test_a_socket_that_cannot_be_made(open_page: Any, script: str, element: str, code: str) -> None:
    """It is told at once, and no exception leaves the widget."""
    async with serving(Script()) as server, hosting(server.url, element=element, script=script) as host:
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        assert (await heard(page, "error"))[0]["code"] == code


async def test_outside_of_a_page_it_connects_nowhere(open_page: Any) -> None:
    async with serving(Script()) as server, hosting(server.url) as host:
        page = await open_widget(open_page, host)
        state = await page.evaluate("""async () => {
            const element = document.createElement("realtime-voice");
            await element.say("Hello");
            return [element.voice.connection.state, element.voice.conversation.items.length];
        }""")
        assert state == ["closed", 0]


async def test_a_refused_session_ends_the_microphone(open_page: Any) -> None:
    """Nobody listens any more; "Try again" starts it again."""
    async with serving(Script(reply=tone(0.1))) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await page.click("realtime-voice .talk")
        talking = "element.voice.microphone.state === 'on' && element.voice.connection.state === 'open'"
        await until(page, talking)
        session = await session_of(server)
        await session.socket.close(code=1008, message=b"session_taken_over")
        assert (await heard(page, "error"))[0]["code"] == "taken_over"
        await until(page, "element.voice.microphone.state === 'off'")
        await page.click("realtime-voice .retry")
        await until(page, talking)


async def test_the_text_field_shows_its_focus_once(open_page: Any) -> None:
    """The form has the ring: an outline of the field inside of it would be a second one."""
    async with serving(Script()) as server, hosting(server.url, element=OPEN) as host:
        page = await open_widget(open_page, host)
        await page.focus("realtime-voice input")
        assert await on(page, "return getComputedStyle(root.querySelector('input')).outlineStyle") == "none"
        assert await on(page, "return getComputedStyle(root.querySelector('form')).boxShadow") != "none"


async def test_a_browser_of_2022_shows_it_too(open_page: Any) -> None:
    """Safari 15.4 has no constructed style sheets and no URL.canParse, which costs neither the look nor an answer with a link."""
    old = "delete ShadowRoot.prototype.adoptedStyleSheets; delete URL.canParse;"
    words = ("See ", "https://example.com/", " please.")
    early = f"<script type=module src=page.js></script>{OPEN}"
    async with (
        serving(Script(reply=tone(0.1), reply_words=words)) as server,
        hosting(server.url, element=early, script=old, style="'unsafe-inline'") as host,
    ):
        page = await open_widget(open_page, host)
        await type_(page, "Hello")
        await until(page, "root.querySelector('.list a')?.href === 'https://example.com/'")
        assert await on(page, "return root.querySelector('.panel').getBoundingClientRect().width") == 384
        await on(page, "element.setAttribute('mode', 'inline')")  # other elements, the same style
        assert await on(page, "return getComputedStyle(root.querySelector('.panel')).display") == "grid"
