"""A line that is lost for a server without resume: the next connection asks for its conversation, and the sound ends."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.eventually import eventually
from tests.web.fake_server import RATE, Script, serving
from tests.web.tap import assert_once, tap, tapped
from tests.web.test_page import arrived, session_of, speech, type_, wait_for_status


def cut(session: Any) -> None:
    """Reset the socket, as a network does."""
    session.socket._req.transport.abort()


async def test_each_connection_asks_for_the_conversation_of_the_page(open_page: Any) -> None:
    """Also one that the page opens by itself: a server with a store goes on with it."""
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")
        cut(await session_of(server))
        await session_of(server, 1)
        assert server.asked_for == [None, "conv_1"]
        await page.evaluate("realtimeDebug.voice.reset()")
        await type_(page, "Another one")
        await session_of(server, 2)
        assert server.asked_for[2] is None


async def test_an_answer_that_broke_off_is_played_to_its_end(open_page: Any) -> None:
    """What came of it is heard; then the page listens again, though its end never came."""
    script = Script(reply=np.tile(speech(1), 4), stalls={60: 600.0}, send_factor=0.05)
    came = script.reply[: 60 * script.frame_ms * RATE // 1000]
    async with serving(script) as server:
        page = await open_page(server.url, device=False, bypass_csp=True)
        await tap(page)
        await type_(page, "Hello")
        await wait_for_status(page, "Speaking")
        await page.wait_for_function(
            "(ms) => [...realtimeDebug.voice.player.parts.values()].some(({ receivedMs }) => receivedMs >= ms)",
            arg=len(came) * 1000 / RATE,
        )
        cut(await session_of(server))
        await session_of(server, 1)
        await page.wait_for_function("() => !realtimeDebug.voice.player.playing")
        await eventually(
            lambda: page.evaluate("realtimeDebug.voice.phase === 'listening'"), "the end of the sound"
        )
        assert_once(came, (await tapped(page)).pcm)


async def test_a_session_that_can_be_resumed_is_told_everything_once(open_page: Any) -> None:
    """What was kept for it is audio: the events of its beginning have been sent."""
    extensions = ("playback", "words", "latency", "resume")
    async with serving(Script(reply=speech(1)[: RATE // 2], extensions=extensions)) as server:
        page = await open_page(server.url)
        await page.click("#talk")
        await type_(page, "Hello")
        await page.wait_for_selector(".caption.assistant.final")
        session = await session_of(server)
        await arrived(page, session)
        assert session.received, "the microphone's audio"
        for kind in ("session.update", "conversation.item.create", "response.create"):
            assert len(session.of(kind)) == 1, kind


async def test_the_traffic_of_all_connections_is_measured(open_page: Any) -> None:
    """In bytes of the wire, audio included; a new conversation begins at nothing."""
    async with serving(Script(reply=speech(1)[: RATE // 2])) as server:
        page = await open_page(server.url, device=False)
        await type_(page, "你好")
        await page.wait_for_selector(".caption.assistant.final")
        # at once: the page tells what has been played as it goes on
        stats, sent = await page.evaluate("""() => [
            realtimeDebug.stats(),
            realtimeDebug.log.filter(({ from }) => from === "client")
                .reduce((sum, { event }) => sum + new TextEncoder().encode(JSON.stringify(event)).length, 0),
        ]""")
        assert stats["events"]["bytes"]["received"] > RATE  # half a second of 16 bit
        assert stats["events"]["bytes"]["sent"] >= sent > 0
        assert len(stats["turns"]) == 1
        await page.evaluate("realtimeDebug.voice.reset()")
        again = await page.evaluate("realtimeDebug.stats()")
        assert (again["turns"], again["events"]["bytes"]) == ([], {"sent": 0, "received": 0})
