"""Nodes of one account for the tests: each has its own link to Redis and its own quota."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from realtime.errors import ProviderRejected
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_link import RedisLink
from realtime.providers.redis_quota import RedisQuota

KEY = "rt:{test}"
LIMIT = 30
PROBE_S = (0.02, 0.05)
ANSWERS_S = 10.0  # for a Redis that answers: this machine may be busy


@dataclass
class Node:
    link: RedisLink
    quota: RedisQuota

    async def take(self, times: int = 1, wait_s: float = 0.0) -> int:
        """Ask so often; returns how many requests could be sent."""
        return sum(await asyncio.gather(*(self._one(wait_s) for _ in range(times))))

    async def _one(self, wait_s: float) -> bool:
        permit = self.quota.ask(wait_s)
        try:
            await permit.use()
            await permit.leaves()
        except ProviderRejected:
            return False
        return True


@asynccontextmanager
async def nodes_at(
    url: str,
    count: int,
    limit: int = LIMIT,
    *,
    name: str = "node",
    spare: bool = False,
    limit_s: float = ANSWERS_S,
) -> AsyncIterator[list[Node]]:
    """So many nodes that know of each other, if Redis is there. `limit_s`: how long the client waits for Redis."""
    async with AsyncExitStack() as stack:
        nodes = []
        for number in range(count):
            link = RedisLink(partial(open_redis, url, limit_s), PROBE_S)
            stack.push_async_callback(link.aclose)
            quota = RedisQuota(link, KEY, "speech", limit, f"{name} {number}", spare=spare)
            stack.push_async_callback(quota.aclose)
            nodes.append(Node(link, quota))
        yield nodes


async def all_know(nodes: list[Node], number: int | None = None) -> None:
    """Every node has heard from Redis that there are so many, and so has every other one."""
    await until(lambda: all(node.link.seen for node in nodes))
    for _ in range(3):  # to hear, to say so, and to hear of the others
        for node in nodes:
            await node.quota.send("look")
    assert {node.quota.nodes() for node in nodes} == {number or len(nodes)}
    assert not any(node.quota.apart for node in nodes)


async def until(condition: Callable[[], bool], most_s: float = 60.0) -> None:
    end_s = asyncio.get_running_loop().time() + most_s
    while not condition():
        assert asyncio.get_running_loop().time() < end_s, "it did not come to be"
        await asyncio.sleep(0.01)
