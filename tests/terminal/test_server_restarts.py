"""The Python client while its server stops and another one starts on the same port."""

import asyncio
import contextlib
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import numpy as np
import pytest
from realtime_client import connect
from realtime_client.files import FileSpeaker

from realtime.providers import FakeChat, FakeSpeech, FakeTranscriber, FakeVad
from realtime.server.run import running
from realtime.server.state import DRAIN, METRICS, REGISTRY
from realtime.settings import Settings
from tests.eventually import eventually
from tests.ports import free_port
from tests.terminal.test_coming_back import Listener

LOUD = (np.sin(np.arange(2_400) / 3) * 12_000).astype("<i2").tobytes()  # 100 ms
SILENT = bytes(4_800)


def settings_of(port: int = 0, **more) -> Settings:
    return Settings(port=port, transcriber="none", speculate="off", **more)


@asynccontextmanager
async def talking(url: str, **more):
    """A client that outlives its server."""
    async with connect(url, **more) as conversation:
        listener = Listener(conversation)
        try:
            yield listener
        finally:
            await listener.aclose()


@asynccontextmanager
async def server(settings: Settings, said: str):
    """A server whose user says this, and whose model answers."""
    own = {
        "vad": FakeVad(),
        "transcriber": FakeTranscriber([said] * 9, delay_s=0.0),
        "end_of_turn": None,
        "chat": FakeChat([[(0.0, "Yes, of course.")]] * 9),
        "speech": FakeSpeech(first_s=0.0, factor=1000),
    }
    async with asyncio.timeout(60), running(settings, providers=own) as started:
        yield started, own


async def speak(listener: Listener, times: int) -> None:
    for _ in range(times):
        await listener.conversation.append(LOUD)
        await asyncio.sleep(0)


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
async def test_the_next_server_gets_the_conversation_and_the_half_said_sentence(binary):
    async with contextlib.AsyncExitStack() as stack:
        async with server(settings_of(free_port(), drain_s=600.0), "Hello.") as (first, _):
            settings = settings_of(urlsplit(first.url).port)
            listener = await stack.enter_async_context(talking(first.url, binary=binary))
            await listener.conversation.say("My name is Ada.")
            await listener.until("response.done")
            await speak(listener, 10)
            await listener.until("input_audio_buffer.speech_started")
            first.app[DRAIN].hurry()
        await speak(listener, 5)  # nobody is there to hear it
        async with server(settings, "Do you hear me?") as (second, own):
            await listener.until("session.created", 2)
            for _ in range(15):
                await listener.conversation.append(SILENT)
            await listener.until("response.done", 2)
            asked = [(m.role, m.content) for m in own["chat"].requests[-1].messages if m.role != "system"]
            assert asked == [
                ("user", "My name is Ada."),
                ("assistant", "Yes, of course."),
                ("user", "Do you hear me?"),
            ]
            assert not listener.of("error"), (
                "a server that has said that it stops is not asked for the session"
            )
            assert listener.failure is None
            await stack.aclose()
            await eventually(lambda: len(second.app[REGISTRY]) == 0)


async def test_a_client_that_is_refused_meanwhile_waits_for_the_next_server():
    """It comes back while the old server still stops."""
    async with contextlib.AsyncExitStack() as stack:
        async with server(settings_of(free_port(), drain_s=600.0), "Hello.") as (first, _):
            settings = settings_of(urlsplit(first.url).port)
            listener = await stack.enter_async_context(talking(first.url))
            (live,) = first.app[REGISTRY]
            first.app[DRAIN].begin()
            live.leave()
            await eventually(lambda: live.ended.is_set())
            await listener.conversation.say("Are you there?")
            await eventually(lambda: 'realtime_refused_total{reason="server_draining"}' in metrics_of(first))
        async with server(settings, "Hello."):
            done = await listener.until("response.done")
            assert done["response"]["status"] == "completed"
            assert listener.failure is None
            await stack.aclose()


def metrics_of(server) -> str:
    return server.app[METRICS].text().decode()


@pytest.mark.parametrize("by_voice", [True, False], ids=["voice", "program"])
async def test_what_the_last_server_said_is_stopped_and_the_next_one_knows_what_was_heard(by_voice):
    said = "".join(f"The number is {number}. " for number in range(15))

    def own():
        return {
            "vad": FakeVad(),
            "transcriber": FakeTranscriber(["Stop that now."] * 9, delay_s=0.0),
            "end_of_turn": None,
            "chat": FakeChat([[(0.0, said)]] * 9),
            "speech": FakeSpeech(first_s=0.0, factor=1000),
        }

    async with asyncio.timeout(60), contextlib.AsyncExitStack() as stack:
        async with running(settings_of(free_port(), drain_s=600.0), providers=own()) as first:
            settings = settings_of(urlsplit(first.url).port)
            speaker = FileSpeaker()
            listener = await stack.enter_async_context(talking(first.url, speaker=speaker, headphones=True))
            talk = listener.conversation
            await talk.say("Tell me a story.")
            await listener.until("response.done")
            await eventually(lambda: len(speaker.heard) > 96_000)
            first.app[DRAIN].hurry()
        providers = own()
        async with running(settings, providers=providers):
            await listener.until("session.created", 2)
            assert talk.playing
            if by_voice:
                await speak(listener, 10)
                await listener.until("input_audio_buffer.speech_started")
            else:
                await talk.interrupt()
            heard = (await listener.until("conversation.item.truncated"))["transcript"]
            assert said.startswith(heard)
            assert 0 < len(heard) < len(said.strip())
            assert not talk.playing
            if by_voice:
                for _ in range(15):
                    await talk.append(SILENT)
            else:
                await talk.say("Stop that now.")
            await listener.until("response.created", 2)
            await eventually(lambda: providers["chat"].requests)
            asked = [
                (m.role, m.content) for m in providers["chat"].requests[-1].messages if m.role != "system"
            ]
            assert [role for role, _ in asked] == ["user", "assistant", "user"]
            assert asked[1][1].startswith(heard)
            assert len(asked[1][1]) < len(heard) + 40, "perhaps with a note that it was interrupted"
            assert not listener.of("error")
            assert listener.failure is None
            await stack.aclose()
