"""What the user did is kept: before the key dialog, over a reload, while the page loads, and when an answer fails."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np

from tests.eventually import eventually
from tests.web.fake_server import RATE, FakeServer, Script, serving
from tests.web.test_page import session_of, speech, type_, wait_for_status, wait_until_played


def created(session: Any) -> list[tuple[str, str]]:
    """The messages that a session was sent, in order."""
    items = [event["item"] for event in session.of("conversation.item.create")]
    return [(item["role"], item["content"][0]["text"]) for item in items]


def short() -> np.ndarray:
    return speech(1)[:RATE]


async def shown(page: Any) -> list[str]:
    return await page.eval_on_selector_all(".caption .text", "all => all.map((element) => element.innerText)")


async def is_shown(page: Any, *texts: str) -> bool:
    return await shown(page) == list(texts)


# --- the key ---


async def test_a_message_typed_before_the_key_is_answered_after_it(open_page: Any) -> None:
    """Two messages before the key, a wrong key in between: both are sent once, in their order, with one question."""
    async with serving(Script(key="correct", reply=short())) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "First thing")
        await page.wait_for_selector("#key-dialog[open]")
        await page.click("#key-cancel")
        await type_(page, "Second thing")
        await page.wait_for_selector("#key-dialog[open]")
        await page.fill("#key", "wrong")
        await page.press("#key", "Enter")
        await page.locator("#key-error", has_text="did not accept").wait_for()
        await page.fill("#key", "correct")
        await page.press("#key", "Enter")
        session = await session_of(server)
        await page.wait_for_selector(".caption.assistant.final")
        assert created(session) == [("user", "First thing"), ("user", "Second thing")]
        assert len(session.of("response.create")) == 1
        await eventually(
            lambda: is_shown(page, "First thing", "Second thing", "Well, here you are."), "these captions"
        )


async def test_a_message_without_the_key_can_be_sent_later(open_page: Any) -> None:
    """Who closes the dialog sees that the message was not sent, and a button that asks again."""
    async with serving(Script(key="correct", reply=short())) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        await page.wait_for_selector("#key-dialog[open]")
        await page.click("#key-cancel")
        await page.locator(".trouble", has_text="Not sent.").wait_for()
        await page.click(".trouble button")
        await page.wait_for_selector("#key-dialog[open]")
        await page.fill("#key", "correct")
        await page.press("#key", "Enter")
        await page.wait_for_selector(".caption.assistant.final")
        assert created(server.sessions[0]) == [("user", "Hello")]
        assert await page.locator(".trouble").count() == 0


# --- a reload ---


async def test_a_reload_keeps_the_conversation(open_page: Any) -> None:
    """A server without a store gets the items again; the next message follows them."""
    async with serving(Script(reply=short())) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Remember **me**")
        await wait_until_played(await session_of(server))
        await page.reload()
        await eventually(lambda: is_shown(page, "Remember **me**", "Well, here you are."), "these captions")
        assert await page.locator(".trouble").count() == 0
        await type_(page, "Who am I?")
        session = await session_of(server, 1)
        await wait_until_played(session)
        assert server.asked_for == [None, "conv_1"]
        assert created(session) == [
            ("user", "Remember **me**"), ("assistant", "Well, here you are."), ("user", "Who am I?"),
        ]  # fmt: skip
        assert len(session.of("response.create")) == 1
        await page.reload()
        assert len(await shown(page)) == 4


async def test_a_reload_continues_a_stored_conversation(open_page: Any) -> None:
    """A server with a store sends the items itself: the page sends only what is new, and asks when it has come."""
    script = Script(reply=short())
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Remember me")
        await wait_until_played(await session_of(server))
        items = await page.evaluate(
            "realtimeDebug.voice.conversation.items.map(({ id, role, text }) => ({ id, role, text }))"
        )
        part = {"user": "input_text", "assistant": "output_text"}
        script.stored = tuple(
            {"id": item["id"], "type": "message", "role": item["role"], "status": "completed",
             "content": [{"type": part[item["role"]], "text": item["text"]}]}
            for item in items
        )  # fmt: skip
        await page.reload()
        await type_(page, "Who am I?")
        session = await session_of(server, 1)
        await wait_until_played(session)
        assert server.asked_for[1] == "conv_1"
        assert created(session) == [("user", "Who am I?")]
        await eventually(
            lambda: is_shown(page, "Remember me", "Well, here you are.", "Who am I?", "Well, here you are."),
            "these captions",
        )


async def test_a_reload_during_an_answer_keeps_what_was_heard(open_page: Any) -> None:
    async with serving(Script(reply=np.tile(speech(1), 4), send_factor=0.05)) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "A long one")
        await page.wait_for_selector(".caption.assistant .said")
        await page.reload()
        texts = await shown(page)
        assert texts[0] == "A long one"
        assert texts[1] in ("Well,", "Well, here", "Well, here you")
        assert await page.locator(".caption.truncated").count() == 1


async def test_a_new_conversation_is_empty_also_after_a_reload(open_page: Any) -> None:
    async with serving(Script(reply=short())) as server:
        page = await open_page(server.url, device=False)
        assert await page.is_hidden("#new")
        await type_(page, "Remember me")
        await wait_until_played(await session_of(server))
        await page.click("#new")
        await page.wait_for_selector("#new", state="hidden")
        assert await page.locator(".caption").count() == 0
        await page.reload()
        assert await page.locator(".caption").count() == 0
        await type_(page, "Who am I?")
        session = await session_of(server, 1)
        await eventually(lambda: created(session), "the new message")
        assert created(session) == [("user", "Who am I?")]
        assert server.asked_for == [None, None]


async def test_an_unanswered_message_can_be_asked_again_after_a_reload(open_page: Any) -> None:
    async with serving(Script(reply=short(), think_s=60.0)) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        await session_of(server)
        await wait_for_status(page, "Thinking")
        server.script.think_s = 0.1
        await page.reload()
        await page.locator(".trouble", has_text="No answer.").wait_for()
        await page.click(".trouble button")
        await page.wait_for_selector(".caption.assistant.final")
        assert created(server.sessions[1]) == [("user", "Hello")]


async def test_damaged_memory_is_ignored(open_page: Any) -> None:
    """Whatever stands in sessionStorage, the page begins empty and works."""
    async with serving(Script(reply=short())) as server:
        page = await open_page(server.url, device=False)
        for value in ("", "null", "[]", "{", '{"items": 5}', '{"items": [{"id": 1}], "id": {}}', '"x"', "{}"):
            await page.evaluate("(value) => sessionStorage.setItem('realtime.conversation', value)", value)
            await page.evaluate(
                "addEventListener('pagehide', (event) => event.stopImmediatePropagation(), true)"
            )
            await page.reload()
            await wait_for_status(page, "Press to talk")
            assert await page.locator(".caption").count() == 0
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")


async def test_a_page_that_may_store_nothing_works(open_page: Any) -> None:
    """As in a frame of another site, where sessionStorage throws."""
    async with serving(Script(reply=short())) as server:
        page = await open_page(server.url, device=False)
        await page.add_init_script(
            "Object.defineProperty(window, 'sessionStorage', { get() { throw new DOMException('no', 'SecurityError'); } })"
        )
        await page.reload()
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")


async def test_a_key_is_kept_where_nothing_may_be_stored(open_page: Any) -> None:
    """Until the page is left: storage that is full throws, too."""
    async with serving(Script(key="correct", reply=short())) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate(
            "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
        )
        await type_(page, "Hello")
        await page.fill("#key", "correct")
        await page.press("#key", "Enter")
        await page.wait_for_selector(".caption.assistant.final")
        assert await page.evaluate("sessionStorage.length") == 0


# --- while the page loads ---


async def test_a_click_while_the_page_loads_is_kept(open_page: Any) -> None:
    async with serving() as server:
        page = await open_page(server.url)
        gate = asyncio.Event()

        async def late(route: Any) -> None:
            await gate.wait()
            await route.continue_()

        await page.route("**/demo.js", late)
        await page.reload(wait_until="commit")
        await page.click("#talk")
        await wait_for_status(page, "Loading… then we talk")
        assert not server.sessions
        gate.set()
        await wait_for_status(page, "Listening")


async def test_a_message_sent_while_the_page_loads_is_kept(open_page: Any) -> None:
    """Enter does not load the page again."""
    async with serving(Script(reply=short())) as server:
        page = await open_page(server.url, device=False)
        gate = asyncio.Event()

        async def late(route: Any) -> None:
            await gate.wait()
            await route.continue_()

        await page.route("**/sdk/realtime.js", late)
        await page.reload(wait_until="commit")
        await type_(page, "Too early?")
        await wait_for_status(page, "Loading… then it is sent")
        gate.set()
        await page.wait_for_selector(".caption.assistant.final")
        assert created(server.sessions[0]) == [("user", "Too early?")]
        assert page.url == f"{server.url}/"


async def test_a_message_before_the_greeting_is_answered_after_it(open_page: Any) -> None:
    async with serving(Script(reply=short(), greeting=True)) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        session = await session_of(server)
        await eventually(lambda: len(session.of("response.create")) == 2, "the question after the greeting")
        await wait_until_played(session, 2)
        assert await page.locator("[data-id=problem]").count() == 0


# --- failures ---


async def test_a_failed_answer_can_be_tried_again(open_page: Any) -> None:
    """The button stands at the message; pressed, it asks again and is gone."""
    script = Script(reply=short(), fail={"code": "upstream_timeout", "message": "Too late."})
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.user .trouble button")
        script.fail = None
        await page.click(".trouble button")
        await page.wait_for_selector(".caption.assistant.final")
        assert await page.locator(".trouble").count() == 0
        assert await page.locator("[data-id=problem]").count() == 0
        session = server.sessions[0]
        assert created(session) == [("user", "Hello")]
        assert len(session.of("response.create")) == 2


async def test_an_answer_that_breaks_off_can_be_tried_again(open_page: Any) -> None:
    """The connection is lost during the answer; the half answer is replaced by the whole one."""
    server = FakeServer(Script(reply=np.tile(speech(1), 4), send_factor=0.8))
    await server.start()
    try:
        page = await open_page(server.url, device=False)
        await type_(page, "A long one")
        await page.wait_for_selector(".caption.assistant .said")
        await server.stop()
        server.script.reply, server.script.send_factor = short(), 0.02
        await server.start()
        await page.wait_for_selector(".caption.assistant .trouble button")
        assert "broke off" in await page.inner_text(".trouble")
        await page.click(".trouble button")
        await page.wait_for_selector(".caption.assistant.final")
        await page.wait_for_selector(".trouble", state="detached")
        await eventually(lambda: is_shown(page, "A long one", "Well, here you are."), "the new answer alone")
        assert server.sessions[1].of("conversation.item.delete")
    finally:
        await server.stop()


async def test_what_only_operators_understand_is_not_shown(open_page: Any) -> None:
    """Addresses, commands, settings and class names of a failure are replaced by a sentence."""
    technical = [
        {"code": "upstream_unavailable", "message": "MiniMax: the connection to http://10.0.0.7:99/v1 failed (ClientConnectorError)."},
        {"code": "transcription_unavailable", "message": "No transcriber: pip install 'minimax-realtime[local]'."},
        {"code": "invalid_api_key", "message": "Set MINIMAX_API_KEY and start again."},
        {"code": "internal_error", "message": "ValueError in /srv/app/realtime.py"},
        {"code": None, "message": "run realtime setup turn"},
        {"code": "x", "message": ""},
    ]  # fmt: skip
    async with serving() as server:
        page = await open_page(server.url, device=False)
        script = "async (errors) => { const { problemText } = await import('/page/texts.js'); return errors.map(problemText); }"
        for text in await page.evaluate(script, technical):
            assert text.endswith(".")
            assert not any(
                word in text for word in ("http", "Error", "pip", "MINIMAX", "/srv", "setup", "undefined")
            )
        plain = await page.evaluate(
            script, [{"code": "invalid_voice", "message": "There is no voice named Bob."}]
        )
        assert plain == ["There is no voice named Bob."]
