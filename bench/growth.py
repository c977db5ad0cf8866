"""What a conversation costs with 1, 2, 4 and 8 servers, and what Redis and the journal cost: row 12.

The same number of conversations in all, spread evenly, so that two cores suffice. The clients are those of `load.py`,
with `resume`, and the processor time is that of the processes (proc(5)).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from bench.cluster import Cluster, cluster
from bench.common import cpu_s, now_s
from bench.load import CYCLE_S, Clients
from bench.load_upstream import Upstream

IDLE_S = 5.0


@dataclass(frozen=True)
class Cost:
    """`idle_s`, `nodes_s`: processor seconds a minute of all servers, without and with conversations. For the
    conversations alone, `redis_s`: those of Redis; `entries`: scripts that it has run a second."""

    nodes: int
    conversations: int
    shared: bool  # with Redis
    idle_s: float
    nodes_s: float
    redis_s: float
    entries: float

    @property
    def per_conversation(self) -> float:
        """Processor seconds a minute of a conversation."""
        return self.nodes_s / self.conversations

    @property
    def without_idle(self) -> float:
        return (self.nodes_s - self.idle_s) / self.conversations

    @property
    def entry_us(self) -> float:
        return self.redis_s / 60 / self.entries * 1e6 if self.entries else 0.0


async def growth(counts: Sequence[int], conversations: int, seconds: float) -> list[Cost]:
    """One server without Redis, and then these numbers of servers with it."""
    found = [await cost(1, conversations, seconds, shared=False)]
    for count in counts:
        found.append(await cost(count, conversations, seconds))
        print(f"  {found[-1]}", flush=True)
    return found


async def cost(nodes: int, conversations: int, seconds: float, *, shared: bool = True) -> Cost:
    more = {} if shared else {"REALTIME_REDIS": ""}
    async with (
        Upstream().running() as upstream,
        cluster(upstream.url, nodes, balanced=False, keys=False, **more) as made,
    ):
        talking = [Clients(node.url, "resume") for node in made.nodes]
        jobs = [asyncio.create_task(each.run()) for each in talking]
        try:
            await asyncio.sleep(IDLE_S)  # nodes have heard of each other
            idle_s, redis_idle_s, idle_entries = await _used(made, IDLE_S)
            for each in talking:
                await each.grow(conversations // nodes)
            await asyncio.sleep(CYCLE_S)
            nodes_s, redis_s, entries = await _used(made, seconds)
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            for each in talking:
                each.close()
    redis_s, entries = max(0.0, redis_s - redis_idle_s), entries - idle_entries
    return Cost(nodes, conversations, shared, idle_s, nodes_s, redis_s, entries)


async def _used(made: Cluster, seconds: float) -> tuple[float, float, float]:
    """Processor seconds a minute of the servers and of Redis, and scripts a second."""
    assert made.redis.process is not None
    redis, began_s = made.redis.process.pid, now_s()
    before = sum(cpu_s(node.pid) for node in made.nodes), cpu_s(redis), scripts_run(made)
    await asyncio.sleep(seconds)
    after = sum(cpu_s(node.pid) for node in made.nodes), cpu_s(redis), scripts_run(made)
    passed_s = now_s() - began_s
    nodes_s, redis_s, entries = (two - one for one, two in zip(before, after, strict=True))
    return nodes_s / passed_s * 60, redis_s / passed_s * 60, entries / passed_s


def scripts_run(made: Cluster) -> int:
    """How many scripts Redis has run."""
    from redis import Redis

    with Redis(unix_socket_path=str(made.redis.path)) as client:
        stats = client.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {}).get("calls", 0)) for name in ("eval", "evalsha"))
