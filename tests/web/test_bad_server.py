"""A server that is silent, hidden behind a proxy, at a path, or without what speech needs: what the page says and does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from tests.eventually import eventually
from tests.web.conftest import STILL, browser_with
from tests.web.fake_server import RATE, FakeServer, Script, serving
from tests.web.test_page import (
    MIC_RATE,
    RAW,
    WITHIN_S,
    arrived,
    microphone,
    session_of,
    speech,
    type_,
    wait_for_status,
    wait_until_played,
)

NOTICED_S = 3.5  # of the page's clock: 3 s, and the page looks every 250 ms
GIVEN_UP_S = 10.0
STEP_MS = 250
FRAME_MS = 16  # the page draws with its clock's next frame


# --- the page's clock: silence is measured in its seconds, and takes none of ours ---


async def stop_clock(page: Any) -> None:
    """From now on the page's timers and `performance.now` wait for `pass_until`, or for `page.clock.resume()`."""
    await page.clock.install(time=0)
    await page.clock.pause_at(3600)


async def pass_until(page: Any, words: str, within_s: float) -> None:
    """Let the page's clock go on, in steps, until the page shows `words`: at most `within_s` of its seconds."""
    passed_ms = 0
    while words not in (now := await page.inner_text("#state")):
        assert passed_ms <= within_s * 1000, (
            f"after {passed_ms} ms it should show {words!r}, but shows {now!r}"
        )
        await page.clock.run_for(STEP_MS)
        passed_ms += STEP_MS


async def drawn(page: Any, words: str) -> None:
    """Wait until the page with the stopped clock shows `words`. Its clock goes on by a frame now and then, far slower
    than ours: what it waits for comes before it can find the server silent."""
    async with asyncio.timeout(WITHIN_S):
        while words not in await page.inner_text("#state"):
            await page.clock.run_for(FRAME_MS)
            await asyncio.sleep(FRAME_MS / 100)


# --- silence ---


async def test_a_server_that_does_not_answer_the_page_is_noticed(open_page: Any) -> None:
    """/readyz is taken and never answered: after 3 s the page says so, and goes on when the server does."""
    script = Script()
    async with serving(script) as server:
        page = await open_page(server.url)
        script.answering.clear()
        await stop_clock(page)
        await page.reload()
        await pass_until(page, "The server does not answer", NOTICED_S)
        assert await page.is_visible("#reconnect")
        script.answering.set()
        await drawn(page, "Press to talk")
        assert await page.is_hidden("#reconnect")


async def test_a_server_that_opens_no_session_is_noticed(open_page: Any) -> None:
    script = Script(reply=speech(1)[:RATE])
    async with serving(script) as server:
        page = await open_page(server.url, device=False)
        await wait_for_status(page, "Press to talk")
        script.answering.clear()
        await stop_clock(page)
        await type_(page, "Hello")
        await pass_until(page, "The server does not answer", NOTICED_S)
        await page.clock.resume()
        script.answering.set()
        await page.wait_for_selector(".caption.assistant.final")


@pytest.mark.parametrize("wire", ["binary with extensions", "stock JSON"])
async def test_a_server_that_falls_silent_is_noticed_while_listening(open_page: Any, wire: str) -> None:
    """The connection stays open and nothing comes: noticed within 3 s, and after some more it is made anew."""
    stock = wire == "stock JSON"
    script = Script(binary=not stock, extensions=() if stock else ("playback", "words", "latency"))
    async with serving(script) as server:
        page = await open_page(server.url)
        await stop_clock(page)
        await page.click("#talk")
        await drawn(page, "Listening")
        script.answering.clear()
        await pass_until(page, "The server does not answer", NOTICED_S)
        await pass_until(page, "econnecting", GIVEN_UP_S)
        await page.clock.resume()
        script.answering.set()
        await wait_for_status(page, "Listening")
        await eventually(lambda: len(server.sessions) > 1, "another session")


async def test_a_short_silence_costs_nothing(open_page: Any) -> None:
    """The server comes back before the page gives up: the same session goes on."""
    script = Script()
    async with serving(script) as server:
        page = await open_page(server.url)
        await stop_clock(page)
        await page.click("#talk")
        await drawn(page, "Listening")
        script.answering.clear()
        await pass_until(page, "The server does not answer", NOTICED_S)
        script.answering.set()
        await pass_until(page, "Listening", NOTICED_S)
        assert len(server.sessions) == 1


async def test_a_quiet_server_is_not_asked_while_nobody_waits(open_page: Any) -> None:
    """Only somebody who waits makes the page ask for a sign of life."""
    async with serving(Script(reply=speech(1)[:RATE])) as server:
        page = await open_page(server.url, device=False)
        await page.clock.install()
        await type_(page, "Hello")
        session = await session_of(server)
        await wait_until_played(session)
        await wait_for_status(page, "Press to talk")
        await arrived(page, session)
        probes = session.probes
        await page.clock.run_for(60_000)
        await arrived(page, session)
        assert session.probes == probes


async def test_reconnect_now(open_page: Any) -> None:
    """The button does not wait for the end of the countdown."""
    server = FakeServer(Script())
    await server.start()
    try:
        page = await open_page(server.url)
        await stop_clock(page)
        await page.click("#talk")
        await drawn(page, "Listening")
        await server.stop()
        # Its clock stands still: the countdown does not end.
        await page.wait_for_function("() => realtimeDebug.voice.connection.state === 'waiting'")
        await server.start()
        states = await page.evaluate("""() => {
            const { connection } = realtimeDebug.voice, before = connection.state;
            document.getElementById("reconnect").click();
            return [before, connection.state];
        }""")
        assert states == ["waiting", "connecting"]
        await drawn(page, "Listening")
        assert await page.is_hidden("#reconnect")
    finally:
        await server.stop()


# --- behind a proxy ---


async def test_the_page_works_where_a_proxy_hides_its_state(open_page: Any) -> None:
    """As the documented nginx does: /readyz is 404 for the outside. With a key, the page finds out that it needs one."""
    async with serving(Script(hide_ready=True, reply=speech(1)[:RATE])) as server:
        page = await open_page(server.url, device=False)
        await wait_for_status(page, "Press to talk")
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")
        server.script.key = "correct"
        await page.reload()
        await type_(page, "Once more")
        await page.wait_for_selector("#key-dialog[open]")
        assert await page.inner_text("#key-error") == ""
        await page.fill("#key", "correct")
        await page.press("#key", "Enter")
        await page.locator(".caption.assistant.final").nth(1).wait_for()


@asynccontextmanager
async def proxy(target: str, path: str) -> AsyncIterator[str]:
    """A reverse proxy that serves `target` below `path`, and nothing else."""
    app = web.Application()
    async with aiohttp.ClientSession() as http:

        async def forward(request: web.Request) -> web.StreamResponse:
            url = f"{target}/{request.match_info['rest']}"
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await _join(http, request, url)
            body = await request.read()
            async with http.request(request.method, url, params=request.query, data=body) as answer:
                headers = {"Content-Type": answer.headers.get("Content-Type", "")}
                return web.Response(status=answer.status, body=await answer.read(), headers=headers)

        app.router.add_route("*", path + "{rest:.*}", forward)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
        finally:
            await runner.cleanup()


async def _join(http: aiohttp.ClientSession, request: web.Request, url: str) -> web.WebSocketResponse:
    offered = [name.strip() for name in request.headers["Sec-WebSocket-Protocol"].split(",")]
    async with http.ws_connect(url, params=request.query, protocols=offered) as inner:
        outer = web.WebSocketResponse(protocols=[inner.protocol] if inner.protocol else [])
        await outer.prepare(request)

        async def pump(source: Any, sink: Any) -> None:
            async for message in source:
                if message.type is WSMsgType.TEXT:
                    await sink.send_str(message.data)
                elif message.type is WSMsgType.BINARY:
                    await sink.send_bytes(message.data)
            await sink.close()

        await asyncio.gather(pump(inner, outer), pump(outer, inner), return_exceptions=True)
        return outer


@pytest.mark.parametrize("path", ["/voice/", "/a/b-c/~x/"])
async def test_a_spoken_turn_behind_a_proxy_at_a_path(open_page: Any, path: str, tmp_path: Any) -> None:
    """Page, SDK, worklets and socket: nothing is asked for outside of the path."""
    wav = microphone(tmp_path, 1.0, speech(0, MIC_RATE), 6.0)
    async with serving(Script(reply=speech(1)[:RATE])) as server, proxy(server.url, path) as url:
        page = await open_page(url, wav=wav)
        await page.evaluate(RAW)
        await page.click("#talk")
        await wait_for_status(page, "You are speaking")
        await wait_for_status(page, "Speaking")
        assert [asked for asked in page.requests if not asked.startswith((url, "blob:", "data:"))] == []
        await page.close()


# --- what the server lacks ---

DEAF = [
    {"hears": False, "transcriber": "local", "missing": [{"part": "voice detection", "message": "pip install x"}]},
    {"transcriber": "local", "missing": [{"part": "voice detection", "message": "pip install 'minimax-realtime[local]'"}]},
    {"transcriber": "none", "missing": [{"part": "transcription", "message": "No module named 'faster_whisper'"}]},
    {"transcriber": "none", "missing": []},
    {"hears": False},
]  # fmt: skip


async def test_a_server_that_cannot_hear_says_so(open_page: Any) -> None:
    """Never "Listening": the page does not open the microphone, names no command, and answers what is typed."""
    script = Script(reply=speech(1)[:RATE])
    async with serving(script) as server:
        page = await open_page(server.url)
        for script.ready in DEAF:
            await page.reload()
            await wait_for_status(page, "This server cannot hear")
            await page.wait_for_selector("[data-id=deaf]")
            text = await page.inner_text("body")
            assert not any(word in text for word in ("pip", "module", "Listening", "Press to talk"))
            await page.click("#talk")
            await page.wait_for_function("() => document.activeElement.id === 'message'")
            assert await page.evaluate("realtimeDebug.voice.microphone.state") == "off"
        await page.keyboard.type("Hello")
        await page.keyboard.press("Enter")
        await wait_for_status(page, "Speaking")


async def test_a_page_over_http_writes_its_answers(open_page: Any) -> None:
    """No secure context: one sentence says what is missing, and typed turns are answered in writing."""
    async with serving() as server:
        switch = "--host-resolver-rules=MAP voice.lan 127.0.0.1"
        async with browser_with(switch) as browser:
            page = await browser.new_page(reduced_motion=STILL)
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            await page.goto(f"http://voice.lan:{server.port}")
            assert await page.evaluate("isSecureContext") is False
            await wait_for_status(page, "Type, and read the answer")
            assert await page.locator(".notice").count() == 1
            assert "Over http" in await page.inner_text("[data-id=insecure]")
            assert "Say something" not in await page.inner_text("body")
            await page.click("#talk")
            await page.keyboard.type("Hello")
            await page.keyboard.press("Enter")
            session = await session_of(server)
            await eventually(lambda: session.of("response.create"), "the question")
            update = session.of("session.update")[0]
            assert update["session"]["output_modalities"] == ["text"]
            assert errors == []
            assert await page.locator(".notice.bad").count() == 0
            assert await page.is_hidden("#latency")
