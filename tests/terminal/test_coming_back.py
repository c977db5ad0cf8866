"""The Python client over a line that breaks, with a real server: nothing is lost, and nothing comes twice."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from realtime_client import ConnectionLost, connect

from realtime.protocol.server_events import ResponseOutputAudioDelta
from realtime.server.run import running
from realtime.server.state import REGISTRY
from tests.eventually import eventually
from tests.proxy import proxy_to
from tests.server.harness import open_harness

LONG = "Count to twenty."
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while


@asynccontextmanager
async def broken_line(*options, server=None, **more):
    """A server, a proxy in front of it, and a conversation through that; the events are collected."""
    async with (
        asyncio.timeout(60),
        open_harness(*options, **(server or {})) as harness,
        proxy_to(urlsplit(harness.ws_url).port) as proxy,
        connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime", **more) as conversation,
    ):
        listener = Listener(conversation)
        try:
            yield harness, proxy, listener
        finally:
            await listener.aclose()


class Listener:
    """Reads a conversation all the time."""

    def __init__(self, conversation):
        self.conversation = conversation
        self.events = []
        self.failure = None
        self._task = asyncio.create_task(self._read())

    async def _read(self):
        try:
            async for event in self.conversation:
                self.events.append(event)
        except ConnectionLost as lost:
            self.failure = lost

    async def aclose(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def of(self, kind):
        return [event for event in self.events if event["type"] == kind]

    async def until(self, kind, count=1):
        await eventually(lambda: len(self.of(kind)) >= count, f"{count} of {kind}")
        return self.of(kind)[count - 1]

    @property
    def sound(self):
        return b"".join(event["pcm"] for event in self.of("response.output_audio.delta"))


def numbers_of(listener):
    return [event["seq"] for event in listener.events if "seq" in event]


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
@pytest.mark.parametrize("cut", ["reset", "stall"])
async def test_the_answer_goes_on_where_it_stopped(binary, cut):
    """Cut twice in one answer: the sound has the samples of the server's, each once."""
    more = {"silence_timeout_s": 0.5} if cut == "stall" else {}
    async with broken_line(*SLOW, binary=binary, **more) as (harness, proxy, listener):
        sent = spy(harness)
        await listener.conversation.say(LONG)
        for times in (1, 2):
            seen = len(listener.sound)
            await eventually(lambda seen=seen: len(listener.sound) > seen + 24_000)
            getattr(proxy, cut)()
            await listener.until("session.resumed", times)
        done = await listener.until("response.done")
        assert done["response"]["status"] == "completed"
        assert listener.sound == bytes(sent)
        numbers = numbers_of(listener)
        assert numbers == sorted(set(numbers))
        assert len(listener.of("response.created")) == 1


def spy(harness):
    """All audio of replies that the server makes from now on."""
    pcm = bytearray()
    (live,) = harness.server.app[REGISTRY]
    number = live._number

    def numbered(outgoing):
        if isinstance(outgoing.event, ResponseOutputAudioDelta):
            pcm.extend(outgoing.event.delta)
        return number(outgoing)

    live._number = numbered
    return pcm


async def test_what_is_said_while_the_line_is_down_is_said_once():
    async with broken_line() as (_, proxy, listener):
        proxy.refusing = True
        proxy.reset()
        await eventually(lambda: proxy.opened > 1)
        await listener.conversation.write("My name is Ada.")
        await listener.conversation.say("What is two plus three?")
        proxy.refusing = False
        await listener.until("response.done")
        users = [
            event["item"]
            for event in listener.of("conversation.item.done")
            if event["item"]["role"] == "user"
        ]
        assert [item["content"][0]["text"] for item in users] == [
            "My name is Ada.",
            "What is two plus three?",
        ]
        assert not listener.of("error")


@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
async def test_every_sample_of_the_microphone_arrives_once(binary):
    """Also with pieces that are no whole milliseconds."""
    async with broken_line(binary=binary) as (harness, proxy, listener):
        (live,) = harness.server.app[REGISTRY]
        session = live.session
        sent_ms = 0.0
        for piece in range(60):
            if piece in (20, 40):
                proxy.reset()
            samples = 480 + piece % 7
            await listener.conversation.append(bytes(2 * samples))
            sent_ms += samples / 24
            await asyncio.sleep(0)
        await listener.until("session.resumed")
        await eventually(lambda: session.input_audio_ms >= int(sent_ms))
        await asyncio.sleep(0.05)
        assert abs(session.input_audio_ms - sent_ms) < 1
        assert not listener.of("error")


async def test_a_new_server_gets_the_conversation_as_text():
    async with broken_line(session={"instructions": "Be brief."}) as (harness, proxy, listener):
        await listener.conversation.say("My name is Ada.")
        await listener.until("response.done")
        async with running(harness.server.runtime.settings) as another:
            proxy.target_port = urlsplit(another.url).port
            proxy.reset()
            await listener.until("session.created", 2)
            await listener.conversation.say("What is two plus three?")
            await listener.until("response.done", 2)
            assert listener.conversation.session["instructions"] == "Be brief."
            began = [event["type"] for event in listener.events].index("session.created", 1)
            again = [e["item"] for e in listener.events[began:] if e["type"] == "conversation.item.added"]
            assert [item["role"] for item in again] == ["user", "assistant", "user", "assistant"]
            assert again[0]["content"] == [{"type": "input_text", "text": "My name is Ada."}]
            assert again[1]["content"][0]["text"]
            assert [error["error"]["code"] for error in listener.of("error")] == ["session_not_resumable"]


async def test_an_answer_that_a_new_server_cannot_go_on_with_is_ended():
    async with broken_line(*SLOW) as (harness, proxy, listener):
        await listener.conversation.say(LONG)
        await eventually(lambda: len(listener.sound) > 48_000)
        async with running(harness.server.runtime.settings) as another:
            proxy.target_port = urlsplit(another.url).port
            proxy.reset()
            done = (await listener.until("response.done"))["response"]
            assert done["status_details"]["error"]["code"] == "connection_lost"
            kinds = [event["type"] for event in listener.events]
            assert kinds.index("response.output_audio.done") < kinds.index("response.done")
            await listener.conversation.say("What is two plus three?")
            answer = (await listener.until("response.done", 2))["response"]
            assert answer["status"] == "completed"


async def test_a_server_that_never_comes_back_is_lost():
    async with broken_line(return_timeout_s=0.5) as (_, proxy, listener):
        proxy.refusing = True
        proxy.reset()
        await eventually(lambda: listener.failure)
        with pytest.raises(ConnectionLost):
            await listener.conversation.say("Hello?")


async def test_a_client_that_is_done_is_forgotten_at_once():
    async with open_harness() as harness:
        async with connect(harness.ws_url):
            assert harness.sessions == 1
        await eventually(lambda: harness.sessions == 0)
