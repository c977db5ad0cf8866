"""Servers that go on with each other's sessions, for the tests: real ones, in one process, with one Redis and one sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from realtime.core.spoken import SpokenPart
from realtime.server.live_session import LiveSession
from realtime.server.run import running
from realtime.server.state import METRICS, REGISTRY, SETTINGS, runtime_of
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.server.harness import Harness, WireClient, open_harness
from tests.server.resuming import last_seq, session_of

LONG = "Count to twenty."
NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()  # the answer
SLOW = ("speech.factor=12",)  # so that a reply is not over at once; its text is
QUERY = "?extensions=resume,playback"


@asynccontextmanager
async def open_nodes(
    server: RedisServer, count: int = 2, *sets: str, stores: Sequence[str] = (), **settings: Any
) -> AsyncIterator[list[Harness]]:
    """So many servers. Each has heard from Redis. `stores`: of each one, where they differ."""
    if stores:
        count, settings["store"] = len(stores), stores[0]
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(
            open_harness(*sets, redis=server.url, node="node 0", **settings)
        )
        nodes = [first]
        for number in range(1, count):
            given = first.server.app[SETTINGS]
            more = replace(given, node=f"node {number}", store=stores[number] if stores else given.store)
            nodes.append(Harness(await stack.enter_async_context(running(more)), first.sandbox))
        for node in nodes:
            await until(lambda node=node: runtime_of(node.server.app).not_ready() is None)
        yield nodes


def live_at(node: Harness, wire: WireClient) -> LiveSession | None:
    return node.server.app[REGISTRY].get(session_of(wire)["id"])


def query_of(wire: WireClient, seq: int | None = None, **more: Any) -> str:
    """To resume the session of this client."""
    fields = {"resume": session_of(wire)["id"], "last_seq": last_seq(wire) if seq is None else seq, **more}
    return QUERY + "".join(f"&{name}={value}" for name, value in fields.items())


def lose(wire: WireClient) -> None:
    """The connection is gone, without a word."""
    wire.socket.transport.abort()


async def recorded(node: Harness, wire: WireClient) -> None:
    """All that has happened is in the journal."""
    live = live_at(node, wire)
    assert live is not None
    assert live.journaled is not None
    assert await live.save_all()
    await live.journaled.write()


def takeovers(node: Harness) -> dict[str, float]:
    """How many sessions changed their server, by outcome, as this one has counted."""
    samples = [sample for each in node.server.app[METRICS].takeovers.collect() for sample in each.samples]
    return {one.labels["outcome"]: one.value for one in samples if one.name.endswith("_total")}


async def in_mid_answer(wire: WireClient, deltas: int = 4) -> dict[str, Any]:
    """Ask for a long answer; returns the first event of its sound."""
    await wire.say(LONG)
    await wire.send("response.create")
    await wire.until("response.output_audio.delta", deltas)
    return wire.of("response.output_audio.delta")[0]


def everything_in(server: RedisServer) -> list[dict[bytes, bytes]]:
    """The hashes in this Redis."""
    from redis import Redis

    with Redis(unix_socket_path=str(server.path)) as client:
        return [client.hgetall(key) for key in client.scan_iter() if client.type(key) == b"hash"]


def ends_ms(server: RedisServer) -> list[int]:
    """How long each conversation in this Redis has to live."""
    from redis import Redis

    with Redis(unix_socket_path=str(server.path)) as client:
        return [client.pttl(key) for key in client.scan_iter(match="*:conversation")]


def words(text: str) -> list[str]:
    """The words of a text that counts, in small letters."""
    return text.lower().replace(",", " ").replace(".", " ").split()


def ends_with_a_word(spoken: SpokenPart, cut: dict[str, Any], arrived_ms: int) -> bool:
    """Whether the last word that counts is whole, and not more than one has begun after it."""
    assert spoken.last_whole_ms(cut["audio_end_ms"]) == cut["audio_end_ms"] <= arrived_ms
    return len(words(spoken.heard(arrived_ms))) - len(words(cut["transcript"])) in (0, 1)


def texts(item: dict[str, Any]) -> str:
    return "".join(part.get("text") or part.get("transcript") or "" for part in item["content"])
