"""The spare connections of a chat: what the service has closed is noticed and replaced, and nobody is asked too often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from realtime.core.messages import ChatMessage
from realtime.errors import ProviderUnavailable
from realtime.minimax import MiniMax
from realtime.minimax.http import HttpClient
from realtime.minimax.spares import CHECK_EVERY_S, WANTED_S, SpareConnections
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.conversing import scripted
from tests.minimax.scripted import until
from tests.ports import free_port

QUESTION = (ChatMessage("user", "What is two plus three?"),)
FAST = ("chat.first_ms=5", "chat.chunk_ms=5", "chat.tps=2000", "chat.plain_tps=2000")


class FakePool:
    """A pool in virtual time, and the service behind it. `lifetime_s`: how long the service keeps what is unused."""

    def __init__(self) -> None:
        self.used_s: list[float] = []
        self.lifetime_s = 1e9
        self.away = False
        self.asked_s: list[float] = []
        self.handshake_s = 0.08

    def idle_connections(self, *, younger_s: float = 120.0) -> int:
        since_s = now() - min(younger_s, self.lifetime_s)
        return sum(at_s > since_s for at_s in self.used_s)

    @asynccontextmanager
    async def request(self, method: str, path: str) -> AsyncIterator[Any]:
        self.asked_s.append(now())
        if self.away:
            raise ProviderUnavailable("It is away.", sent=False)
        await asyncio.sleep(0.08 if self.take() else self.handshake_s)
        yield self
        self.used_s.append(now())

    async def read(self) -> None:
        pass

    def take(self) -> bool:
        """One connection is used: whether one was there, and not a new one."""
        there = self.idle_connections() > 0
        if there:
            self.used_s.pop(0)
        return there

    def close_all(self) -> None:
        self.used_s.clear()


def now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def spares(pool: FakePool) -> AsyncIterator[SpareConnections]:
    kept = SpareConnections(pool, "/v1/models")
    try:
        await kept.prewarm()
        yield kept
    finally:
        await kept.aclose()


@scripted
async def test_what_the_service_closed_is_replaced_within_five_seconds_without_a_question() -> None:
    pool = FakePool()
    async with spares(pool):
        for quiet_s in (1.0, 7.5, 70.0):
            await asyncio.sleep(quiet_s)
            pool.close_all()
            await asyncio.sleep(5.0)
            assert pool.idle_connections() == 5


@scripted
async def test_a_service_that_starts_late_has_its_connections_five_seconds_later() -> None:
    pool = FakePool()
    pool.away = True
    async with spares(pool):
        await asyncio.sleep(61.0)
        assert len(pool.asked_s) <= 61 / CHECK_EVERY_S + 5, "five at the start, then one at every check"
        pool.away = False
        await asyncio.sleep(5.0)
        assert pool.idle_connections() == 5


@scripted
async def test_a_session_that_asks_for_spares_gets_them_at_once_after_a_loss() -> None:
    """Speech begins: the question follows in a second."""
    pool = FakePool()
    async with spares(pool) as kept:
        for _ in range(5):
            pool.close_all()
            await kept.prewarm()
            assert pool.idle_connections() == 5


@scripted
@pytest.mark.parametrize("lifetime_s", [0.01, 1.0, 5.0, 20.0])
async def test_a_service_that_soon_closes_what_is_unused_is_asked_less_and_less(lifetime_s: float) -> None:
    pool = FakePool()
    pool.lifetime_s = lifetime_s
    async with spares(pool) as kept:
        for _ in range(20):
            await asyncio.sleep(50.0)
            await kept.prewarm()
        rounds = len([at_s for at_s in pool.asked_s if at_s > now() - 500.0]) / 5
        assert rounds <= 21, "once for each session that asks, and once between"


@scripted
async def test_nothing_is_kept_for_a_service_that_nobody_talks_to() -> None:
    pool = FakePool()
    async with spares(pool):
        await asyncio.sleep(WANTED_S + CHECK_EVERY_S)
        asked = len(pool.asked_s)
        pool.close_all()
        await asyncio.sleep(3600.0)
        assert len(pool.asked_s) == asked


@scripted
@pytest.mark.parametrize("turns_apart_s", [1.0, 30.0, 100.0])
async def test_early_questions_that_are_dropped_one_after_the_other_leave_a_connection_for_the_next(
    turns_apart_s: float,
) -> None:
    """Each closes its connection; the eight of a turn come as fast as a decode takes, faster than a handshake."""
    pool = FakePool()
    pool.handshake_s = 0.4
    async with spares(pool) as kept:
        for _ in range(10):
            await asyncio.sleep(turns_apart_s)
            await kept.prewarm()
            for _ in range(8):
                kept.taking()
                assert pool.take(), "it would pay a handshake"
                await asyncio.sleep(0.25)


async def answered(mm: MiniMax) -> None:
    async for _ in mm.chat.stream(messages=QUESTION):
        pass


async def test_after_a_restart_of_the_platform_at_most_one_turn_pays_a_handshake() -> None:
    options = SandboxOptions.parse(sets=FAST)
    async with Sandbox(options, port=free_port()) as first, MiniMax("k", first.url) as mm:
        await mm.chat.prewarm()
        await answered(mm)
        idle = mm.chat._http.idle_connections
        assert idle() == 5
        await first.stop()
        await until(lambda: not idle())
        async with Sandbox(options, port=int(mm.base_url.rpartition(":")[2])) as second:
            await answered(mm)  # nobody has had the time to notice
            await until(lambda: idle() >= 5)
            opened = second.state.http_connections_opened
            for _ in range(
                3
            ):  # each drops a first guess, with its connection, for the question it asks in the end
                events = mm.chat.stream(messages=QUESTION)
                await anext(events)
                await events.aclose()
                await answered(mm)
                await until(lambda: idle() >= 3)
            assert opened <= 6
            assert second.state.http_connections_opened - opened <= 3 + 4, "replaced, never before a question"


async def test_a_platform_that_starts_after_its_client_is_found_before_the_first_question() -> None:
    port = free_port()
    mm = MiniMax("k", f"http://127.0.0.1:{port}")
    await mm.chat.prewarm()
    async with mm, Sandbox(SandboxOptions.parse(sets=FAST), port=port) as sandbox:
        await until(lambda: mm.chat._http.idle_connections() == 5)
        opened = sandbox.state.http_connections_opened
        await answered(mm)
        assert sandbox.state.http_connections_opened == opened == 5


async def test_only_connections_to_the_own_address_count_and_only_unused_ones() -> None:
    async with Sandbox() as one, Sandbox() as other:
        client = HttpClient(one.url, "k")
        assert client.idle_connections() == 0
        async with client.request("GET", "/v1/models", base_url=other.url) as response:
            await response.read()
        assert client.idle_connections() == 0
        async with client.request("GET", "/v1/models") as response:
            await response.read()
        assert client.idle_connections() == 1
        async with client.request("GET", "/v1/models"):
            assert client.idle_connections() <= 1, "a short answer is read before it is asked for"
        assert client.idle_connections(younger_s=0.0) == 0
        await client.aclose()
        assert client.idle_connections() == 0
    unusable = HttpClient("no address", "k")
    assert unusable.idle_connections() == 0
