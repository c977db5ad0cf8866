"""Bad days of the talk page: refused sockets, an expired key, storms of messages, a server of another version."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web

from tests.web.fake_server import RATE, FakeServer, Script, serving
from tests.web.test_page import session_of, speech, type_, wait_for_status, wait_until_played


class Refusing(FakeServer):
    """Its files and /readyz are served; each socket is refused with `status`, and foreign origins as well with `origin`."""

    status: int | None = 503
    origin = False

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self.status:
            raise _http(self.status)
        return await super()._socket(request)

    async def _secret(self, request: web.Request) -> web.Response:
        assert request.headers["Origin"] == self.url
        if self.origin:
            raise web.HTTPForbidden(text="The origin is not allowed.")
        return await super()._secret(request)


def _http(status: int) -> web.HTTPException:
    return {503: web.HTTPServiceUnavailable, 403: web.HTTPForbidden}[status](text="no")


@pytest.mark.parametrize("origin", [False, True], ids=["full", "wrong origin"])
async def test_a_refused_socket_is_explained_and_the_message_kept(open_page: Any, origin: bool) -> None:
    """The server answers, but takes no socket: the page says why and what to do; later the message is answered."""
    server = Refusing(Script(reply=speech(1)[: RATE // 2]))
    server.origin, server.status = origin, 403 if origin else 503
    await server.start()
    try:
        page = await open_page(server.url, device=False)
        await type_(page, "Keep this")
        words = "does not accept this page's address" if origin else "takes no conversation now"
        await wait_for_status(page, words)
        told = await page.inner_text("[data-id=cause]")
        assert ("its operator" if origin else "Your conversation is kept") in told
        server.status = None
        await page.evaluate("realtimeDebug.voice.connection.retryNow()")
        await page.locator(".caption.assistant.final").wait_for()
        assert await page.locator("[data-id=cause]").count() == 0
        assert await page.locator(".caption.user .text").all_inner_texts() == ["Keep this"]
    finally:
        await server.stop()


KEEP_STATUS = """() => {
    const line = document.getElementById("state");
    window.told = [];
    new MutationObserver(() => told.push(line.textContent)).observe(line, { childList: true, characterData: true, subtree: true });
}"""


async def test_a_server_without_room_for_a_resumed_session_says_so(open_page: Any) -> None:
    """A close with a reason needs no guess."""
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        session = await session_of(server)
        await page.evaluate(KEEP_STATUS)
        await session.socket.close(code=1013, message=b"server_overloaded")
        told = "() => window.told.some((text) => text.startsWith('The server is full. Trying again'))"
        await page.wait_for_function(told)  # half a second later there is room


async def test_a_refused_session_ends_the_microphone(open_page: Any) -> None:
    """Nobody listens any more; one press of the button starts again, as the page says."""
    async with serving(Script()) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await wait_for_status(page, "Listening")
        session = await session_of(server)
        await session.socket.close(code=1008, message=b"session_taken_over")
        await wait_for_status(page, "continues in another window")
        await page.wait_for_function("() => realtimeDebug.voice.microphone.state === 'off'")
        await page.click("#talk")
        await wait_for_status(page, "Listening")


@pytest.mark.parametrize(
    ("answer", "words"),
    [((426, ""), "blocked on its way"), ((503, "server_overloaded"), "server is full"), ((503, "account_exhausted"), "account behind this server"), ((503, "x"), "takes no conversation")],
)  # fmt: skip
async def test_what_the_server_says_of_its_room(open_page: Any, answer: tuple[int, str], words: str) -> None:
    """A page cannot read why a handshake failed: it asks the same address without one."""
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        status, code = answer
        error = {"error": {"code": code, "message": "no"}}
        await page.route("**/v1/realtime", lambda route: route.fulfill(status=status, json=error))
        await page.route_web_socket("**/v1/realtime*", lambda socket: socket.close(code=1006))
        await type_(page, "Keep this")
        await wait_for_status(page, words)


KEEP_CAUSES = """() => {
    window.causes = [];
    const look = () => causes.push(...[...document.querySelectorAll("[data-id=cause]")].map((notice) => notice.textContent));
    new MutationObserver(look).observe(document.getElementById("notices"), { childList: true, characterData: true, subtree: true });
}"""


async def test_a_server_that_is_gone_is_not_said_to_answer(open_page: Any) -> None:
    """It answered a moment ago; that it takes no conversation would send the person after the wrong thing."""
    async with serving(Script()) as server:
        page = await open_page(server.url, device=False)
        await page.evaluate("realtimeDebug.voice.connect()")
        await session_of(server)
        await page.evaluate(KEEP_CAUSES)
        async with page.expect_event(
            "requestfailed", lambda request: request.url == f"{server.url}/v1/realtime"
        ):
            await server.stop()  # the page asks why there is no socket, and gets no answer
        await wait_for_status(page, "Connection lost")
        assert await page.evaluate("() => causes") == []


class Expired(FakeServer):
    """It hands out secrets and then says of each that it has expired."""

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["realtime"])
        await socket.prepare(request)
        error = {
            "type": "authentication_error",
            "code": "invalid_api_key",
            "message": "This key has expired.",
        }
        await socket.send_json({"type": "error", "event_id": "event_1", "error": error})
        await socket.close(code=1008, message=b"invalid_api_key")
        return socket


async def test_an_expired_key_is_told_from_a_wrong_one(open_page: Any) -> None:
    server = Expired(Script(key="one"))
    await server.start()
    try:
        page = await open_page(server.url, device=False)
        await page.evaluate("sessionStorage.setItem('realtime.key', 'one')")
        await type_(page, "Keep this")
        await page.locator("#key-error", has_text="That key has expired. Ask for a new one.").wait_for()
        assert await page.locator(".caption.user .text").all_inner_texts() == ["Keep this"]
    finally:
        await server.stop()


async def test_a_storm_of_messages_is_drawn_in_frames(open_page: Any) -> None:
    """Thousands of events: nothing is lost, the log stays bounded, and the page is not drawn for each of them."""
    count = 3000
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        await page.evaluate("""() => {
            window.draws = 0;
            const original = document.body.toggleAttribute;
            document.body.toggleAttribute = (name, ...rest) => {
                if (name === "data-empty") window.draws += 1;
                return original.call(document.body, name, ...rest);
            };
        }""")
        item = {"id": "storm", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        await session.send("conversation.item.added", item=item, previous_item_id=session.items[-1])
        for number in range(count):
            await session.send("response.output_text.delta", item_id="storm", delta=f"{number} ")
            if number % 200 == 0:
                await asyncio.sleep(0)
        await page.locator(".caption", has_text=f" {count - 1}").wait_for()
        assert await page.evaluate("draws") < count / 3
        assert await page.evaluate("realtimeDebug.log.length") == 2000


async def test_a_server_of_another_version(open_page: Any) -> None:
    """Unknown events and missing fields: the page shows no exception, keeps the conversation and goes on."""
    odd: list[tuple[str, dict[str, Any]]] = [
        ("session.telepathy", {"thought": {"deep": [1, 2]}}), ("response.latency.done", {}),
        ("conversation.item.added", {"item": {"id": "item_Z", "type": "hologram"}}), ("rate_limits.updated", {}),
        ("conversation.item.added", {}), ("response.output_audio_transcript.done", {"item_id": "item_1"}), ("error", {}),
        ("response.done", {}), ("response.done", {"response": {"id": "resp_1"}}), ("response.output_audio.delta", {}),
        ("response.latency.done", {"response_id": "resp_1", "origin": "a_new_one", "marks": {"warped": 3, "chat_request": "x"}}),
    ]  # fmt: skip
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False)
        await page.keyboard.press("F2")
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        for kind, fields in odd:
            await session.send(kind, **fields)
        await page.wait_for_function(
            "() => realtimeDebug.log.some(({ event }) => event.origin === 'a_new_one')"
        )
        await type_(page, "Still there?")
        await wait_until_played(session, 2)
        await page.locator(".caption.user").nth(1).wait_for()
        assert await page.locator(".caption.user").count() == 2
        assert "Error" not in await page.inner_text("main")
