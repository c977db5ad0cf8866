"""A server that stops hands its sessions over, whatever is said in them, and our client comes back by itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np
import pytest
from realtime_client import connect

from realtime.core.snapshot import decode_position
from realtime.providers.journal import Journal, Kept
from realtime.providers.testing import FakeTranscriber, FakeVad
from realtime.server.app import drain
from realtime.server.run import running
from realtime.server.state import REGISTRY, SETTINGS, runtime_of
from tests.cluster.moving import (
    LONG,
    NUMBERS,
    QUERY,
    SLOW,
    in_mid_answer,
    live_at,
    open_nodes,
    query_of,
    texts,
    words,
)
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.proxy import proxy_to
from tests.server.resuming import session_of
from tests.terminal.test_coming_back import Listener

RATE = 24_000
LOUD = (np.full(RATE // 50, 20_000, np.int16)).tobytes()  # 20 ms
QUIET = bytes(len(LOUD))


pytestmark = pytest.mark.usefixtures("soon")


async def test_an_answer_is_handed_over_in_the_middle_and_no_word_is_lost(kept_server: RedisServer) -> None:
    async with open_nodes(kept_server, 2, *SLOW) as (one, two), one.connect(QUERY) as old:
        first = await in_mid_answer(old)
        await until(lambda: not live_at(one, old).session.responses.writing)
        await drain(one.server.app)
        assert await old.closed() == (1012, "server_restarting")
        assert "response.done" not in old.types
        query = query_of(old, item_id=first["item_id"], played_ms=500)
        async with two.open_socket(query) as new:
            cut = await new.until("conversation.item.truncated")
            await new.until("response.done", 2)
            rest = new.of("conversation.item.done")[-1]["item"]
            assert words(cut["transcript"]) + words(texts(rest)) == NUMBERS


async def test_without_redis_at_that_moment_the_session_is_over_as_ever(server: RedisServer) -> None:
    async with open_nodes(server, 1) as (one,), one.connect(QUERY) as old:
        server.kill()
        await drain(one.server.app)
        assert await old.closed() == (1012, "server_draining")
        server.start()


@dataclass
class Heard:
    """What one server heard."""

    transcriber: FakeTranscriber

    @property
    def seconds(self) -> list[float]:
        return [seconds for seconds, final in self.transcriber.asked if final]


async def test_half_a_sentence_is_heard_whole_at_the_next_server(kept_server: RedisServer) -> None:
    """Our client sends again what the first server has heard of it, and plays what comes."""
    both = [Heard(FakeTranscriber(["What is the sea?"], interim=False)) for _ in range(2)]
    async with open_nodes(kept_server, 1, *SLOW) as (node,):
        settings = node.server.app[SETTINGS]
        given = [{"vad": FakeVad(), "transcriber": heard.transcriber} for heard in both]
        async with (
            running(settings, providers=given[0]) as one,
            running(settings, providers=given[1]) as two,
            proxy_to(urlsplit(one.url).port) as proxy,
            connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime") as conversation,
        ):
            listener = Listener(conversation)
            for sound in [QUIET] * 50 + [LOUD] * 50:
                await conversation.append(sound)
            await listener.until("input_audio_buffer.speech_started")
            proxy.target_port = urlsplit(two.url).port
            await drain(one.app)
            resumed = await listener.until("session.resumed")
            assert resumed["restored"]
            assert 0 < resumed["input_audio_ms"] < 1000
            for sound in [LOUD] * 25 + [QUIET] * 75:
                await conversation.append(sound)
            done = await listener.until("response.done")
            assert done["response"]["status"] == "completed"
            assert (both[0].seconds, len(both[1].seconds)) == ([], 1)
            assert both[1].seconds[0] >= 1.5  # 1 s before, 0.5 s after
            users = [
                event["item"]
                for event in listener.of("conversation.item.done")
                if event["item"].get("role") == "user"
            ]
            assert len(users) == 1
            await listener.aclose()


async def test_a_turn_that_waits_for_its_words_is_heard_anew(kept_server: RedisServer) -> None:
    """Its item stays, and gets its words from the same sound: one question, one answer."""
    first = Heard(FakeTranscriber(["never"], interim=False, delay_s=600.0))
    second = Heard(FakeTranscriber(["What is the sea?"], interim=False))
    async with open_nodes(kept_server, 1, *SLOW) as (node,):
        settings = node.server.app[SETTINGS]
        given = [{"vad": FakeVad(), "transcriber": heard.transcriber} for heard in (first, second)]
        async with (
            running(settings, providers=given[0]) as one,
            running(settings, providers=given[1]) as two,
            proxy_to(urlsplit(one.url).port) as proxy,
            connect(f"ws://127.0.0.1:{proxy.port}/v1/realtime") as conversation,
        ):
            listener = Listener(conversation)
            for sound in [QUIET] * 50 + [LOUD] * 50 + [QUIET] * 75:
                await conversation.append(sound)
            await listener.until("input_audio_buffer.committed")
            (live,) = one.app[REGISTRY]
            await live.save_all()
            await live.journaled.write()
            proxy.target_port = urlsplit(two.url).port
            proxy.reset()
            await listener.until("session.resumed")
            done = await listener.until("response.done")
            assert done["response"]["status"] == "completed"
            assert not listener.of("conversation.item.deleted")
            assert len(listener.of("input_audio_buffer.committed")) == 1
            (live,) = two.app[REGISTRY]
            items = live.session.conversation.items
            assert [item.role for item in items] == ["user", "assistant"]
            await listener.aclose()
            await asyncio.sleep(0)


class SlowJournal:
    """Its answers take a while."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getattr__(self, name: str):
        return getattr(self._journal, name)

    def write(self, *arguments, **fields) -> asyncio.Future[Kept]:
        kept = self._journal.write(*arguments, **fields)

        async def later() -> Kept:
            await asyncio.sleep(0.3)
            return await kept

        return asyncio.ensure_future(later())


async def test_nothing_leaves_after_the_last_record(kept_server: RedisServer) -> None:
    """What the client has of an answer is what the next server believes that it has."""
    slow = ("speech.factor=2", "chat.tps=1000", "chat.plain_tps=1000")
    async with open_nodes(kept_server, 2, *slow) as (one, two), one.connect(QUERY) as old:
        await old.say(LONG)
        await old.send("response.create")
        await old.until("response.output_audio.delta", 4)
        live = live_at(one, old)
        await until(lambda: live.can_move)
        live.journaled._journal = SlowJournal(live.journaled._journal)
        await drain(one.server.app)
        assert await old.closed() == (1012, "server_restarting")
        first = old.of("response.output_audio.delta")[0]
        got_ms = len(old.audio(first["response_id"])) * 1000 // 2 // RATE
        entry = await runtime_of(two.server.app).journal.read(session_of(old)["id"])
        assert decode_position(entry.position).sent_ms == pytest.approx(got_ms, abs=1)
        query = query_of(old, item_id=first["item_id"], played_ms=500, received_ms=got_ms)
        async with two.open_socket(query) as new:
            await new.until("response.done", 2)
            assert "output_audio_buffer.cleared" not in new.types


STARTED: list[str] = []


async def get_weather(city: str) -> str:
    """Get the current weather for a city."""
    STARTED.append(city)
    await asyncio.sleep(600)
    return "four degrees"


@pytest.mark.parametrize("store", ["memory", "redis"])
async def test_the_next_server_tells_of_a_tool_that_was_stopped(kept_server: RedisServer, store: str) -> None:
    """It is told once, and history has no item that the client does not know."""
    STARTED.clear()
    tools = (f"{__name__}:get_weather",)
    nodes = open_nodes(kept_server, 2, store=store, tools=tools, drain_s=0.1)
    async with nodes as (one, two), one.connect(QUERY) as old:
        await old.say("What's the weather in Paris?")
        await old.send("response.create")
        await until(lambda: bool(STARTED))
        await drain(one.server.app)
        assert await old.closed() == (1012, "server_restarting")
        async with two.open_socket(query_of(old)) as new:
            await until(lambda: "It may have happened" in str(new.of("conversation.item.done")))
            told = {
                event["item"]["id"] for wire in (old, new) for event in wire.of("conversation.item.added")
            }
            live = live_at(two, old)
            assert {item.id for item in live.session.conversation.items} <= told
