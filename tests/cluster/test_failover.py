"""The master dies and a replica takes its place: nobody waits for it, and the budget is exact after it."""

from __future__ import annotations

import asyncio

from realtime.commands.redis_check import redis_findings
from realtime.settings import Settings
from tests.cluster.nodes import KEY, LIMIT, all_know, nodes_at, until
from tests.cluster.sentinels import sentinels

PLACES = f"{KEY}:speech"


async def test_the_budget_is_exact_after_a_fail_over() -> None:
    """What the replica has not got is written again by the nodes; what both have is counted once."""
    async with sentinels() as redis, nodes_at(redis.address, 2, limit_s=5.0, spare=True) as nodes:
        await all_know(nodes)
        sent = await nodes[0].take(4) + await nodes[1].take(3)
        assert sent == 7
        await until(lambda: all(any(spare.in_hand for spare in node.quota._spares) for node in nodes))
        redis.kill_master()
        sent += sum(await asyncio.gather(*(node.take(1) for node in nodes)))
        assert sent == 9, "each has one in hand, or it is given by the new master"
        await until(lambda: all(node.link.up and not node.quota.apart for node in nodes))
        client = redis.client(redis.replica)
        await until(lambda: client.zcount(PLACES, 0, client.time()[0] * 1000 + 1000) == sent)
        for _ in range(3):
            sent += sum(await asyncio.gather(*(node.take(LIMIT) for node in nodes)))
            await all_know(nodes)
        assert sent == LIMIT == client.zcard(PLACES)
        client.close()
        found = await redis_findings(Settings(api_key="k", redis=redis.address))
        assert found[0].text.startswith(("Redis ", "Valkey ")), found
        found = await redis_findings(Settings(api_key="k", redis=redis.address.replace("/shared", "/other")))
        assert "no master of this name" in found[0].text
