"""A connection to Redis that dies without a word in a quiet hour: nobody gets a packet, and nobody is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from realtime.providers import redis_link
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_link import CONVERSATIONS, RedisLink
from realtime.providers.redis_store import RedisStore
from realtime.providers.store import FIRST_EPOCH, Changes
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.proxy import Proxy

ANSWERS_S = 1.0


class Line(Proxy):
    """To a socket in a folder. `dark`: nothing passes on new connections either."""

    def __init__(self, server: RedisServer) -> None:
        super().__init__(0)
        self.server = server
        self.dark = False
        self._over, self._in_the_dark = asyncio.Event(), set[asyncio.Task[object]]()

    async def reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.dark and (task := asyncio.current_task()) is not None:
            self._in_the_dark.add(task)
            await self._over.wait()
            raise ConnectionRefusedError
        return await asyncio.open_unix_connection(str(self.server.path))

    async def aclose(self) -> None:
        self._over.set()
        await asyncio.gather(*self._in_the_dark)
        await super().aclose()


@asynccontextmanager
async def store_behind_a_line(server: RedisServer) -> AsyncIterator[tuple[RedisStore, Line]]:
    """A store that has just been used."""
    line = Line(server)
    path = server.folder / "line.sock"
    listening = await asyncio.start_unix_server(line.connected, str(path))
    link = RedisLink(partial(open_redis, f"unix://{path}", ANSWERS_S), name=CONVERSATIONS, quiet=True)
    store = RedisStore(link, "rt:", own=True)
    try:
        await store.save("me", "conv_1", FIRST_EPOCH, Changes(("a",), {"a": b"{}"}, ()))
        yield store, line
    finally:
        await store.aclose()
        listening.close()
        await line.aclose()


async def test_the_first_save_and_load_after_it_succeed(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "STALE_S", 0.0)
    async with store_behind_a_line(server) as (store, line):
        line.stall()
        assert await store.load("me", "conv_1") == (b"{}",)
        line.stall()
        await store.save("me", "conv_1", FIRST_EPOCH, Changes(("a", "b"), {"b": b"{}"}, ()))
        assert len(await store.load("me", "conv_1") or ()) == 2


async def test_who_says_nothing_notices_it_and_that_redis_is_back(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "QUIET_S", 0.05)
    async with store_behind_a_line(server) as (store, line):
        line.dark = True
        line.stall()
        await until(lambda: not store._link.up)
        line.dark = False
        line.reset()
        await until(lambda: store._link.up)
        assert await store.load("me", "conv_1") == (b"{}",)
