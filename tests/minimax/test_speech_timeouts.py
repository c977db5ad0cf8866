"""Every wait for a speech socket has a timeout: hosts that accept and then do nothing, at each step."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from realtime.errors import ProviderTimeout
from realtime.minimax.speech import SpeechClient, Transport
from realtime.minimax.speech_protocol import ReceivedAudio
from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts

TIMEOUTS = SpeechTimeouts(connect_s=0.2, ready_s=0.2, first_audio_s=0.2, gap_s=0.2, finish_s=0.2)
GOOD = {"base_resp": {"status_code": 0, "status_msg": "success"}}
LONG_S = 60.0  # a test that reaches this has found a wait without a timeout


@asynccontextmanager
async def host(silent_after: str) -> AsyncIterator[str]:
    """A speech host that sends nothing after this event, whether the client or the host sends it."""

    over = asyncio.Event()

    async def talk(socket: ServerConnection) -> None:
        async def silence() -> None:
            await over.wait()
            socket.transport.abort()

        async def say(event: str, **fields: object) -> None:
            await socket.send(json.dumps({"event": event, **GOOD, **fields}))

        if silent_after == "handshake":
            await silence()
            return
        await say("connected_success")
        async for message in socket:
            event = json.loads(message)["event"]
            if silent_after == event:
                await silence()
                return
            if event == "task_start":
                await say("task_started")
            elif event == "task_continue":
                await say("task_continued", data={"audio": "0102" * 10}, is_final=False)
                if silent_after == "audio":
                    await silence()

    async with serve(talk, "127.0.0.1", 0, max_queue=1) as server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            over.set()


@asynccontextmanager
async def unanswering_port() -> AsyncIterator[str]:
    """A port that takes connections and never answers."""
    over = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.close()


async def receive_all(session: SpeechSession) -> None:
    while True:
        assert isinstance((await session.receive())[0], ReceivedAudio)


async def say_all(session: SpeechSession) -> None:
    """Send more than all buffers can hold."""
    for _ in range(5000):
        await session.say("word " * 1900)


def client(url: str) -> SpeechClient:
    return SpeechClient((url,), "k", timeouts=TIMEOUTS)


async def test_a_port_that_never_answers() -> None:
    async with unanswering_port() as url:
        speech = client(url)
        async with asyncio.timeout(LONG_S):
            with pytest.raises(ProviderTimeout, match="no connection"):
                await speech.connect(speech.config(), url)
        await speech.aclose()


@pytest.mark.parametrize(
    ("silent_after", "problem"),
    [("handshake", "did not send connected_success"), ("task_start", "did not start the task")],
)
async def test_a_host_that_does_not_get_ready(silent_after: str, problem: str) -> None:
    async with host(silent_after) as url:
        speech = client(url)
        async with asyncio.timeout(LONG_S):
            with pytest.raises(ProviderTimeout, match=problem):
                await speech.connect(speech.config(), url)
        await speech.aclose()


@pytest.mark.parametrize(
    ("silent_after", "problem"), [("task_continue", "sent no audio"), ("audio", "stopped sending audio")]
)
async def test_a_host_that_stops_sending_audio(silent_after: str, problem: str) -> None:
    async with host(silent_after) as url:
        speech = client(url)
        session = await speech.connect(speech.config(), url)
        await session.say("Good evening.")
        async with asyncio.timeout(LONG_S):
            with pytest.raises(ProviderTimeout, match=problem):
                await receive_all(session)
        await session.aclose()
        await speech.aclose()


async def test_an_interruption_that_is_never_confirmed_closes_the_connection() -> None:
    async with host("task_cancel") as url:
        speech = client(url)
        session = await speech.connect(speech.config(), url, Transport.BIDI)
        await session.say("Good evening.")
        await session.receive()
        async with asyncio.timeout(LONG_S):
            assert not await session.cancel()
        assert not session.usable
        await speech.aclose()


async def test_an_interruption_has_a_shorter_timeout_than_the_first_audio() -> None:
    """The next reply may be waiting for this connection."""
    async with host("task_cancel") as url:
        speech = SpeechClient((url,), "k")
        session = await speech.connect(speech.config(), url, Transport.BIDI)
        await session.say("Good evening.")
        await session.receive()
        async with asyncio.timeout(speech.timeouts.first_audio_s - 1):
            assert not await session.cancel()
        await speech.aclose()


async def test_a_host_that_accepts_no_more_text() -> None:
    async with host("task_continue") as url:
        speech = client(url)
        session = await speech.connect(speech.config(), url)
        async with asyncio.timeout(LONG_S):
            with pytest.raises(ProviderTimeout, match="does not accept more text"):
                await say_all(session)
            await session.aclose()
        await speech.aclose()
