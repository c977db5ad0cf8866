"""What an account that nodes share is used for, in virtual time: it never lies idle for long, no place is left behind,
and nobody waits for longer than he is ready to. That it is not overdrawn is in test_account_attacks.py."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core.quota import SILENT_MS, WINDOW_MS, share_of
from realtime.providers.memory_quota import now_ms
from realtime.providers.redis_address import LIMIT_S
from realtime.providers.redis_quota import RedisQuota
from tests import virtual_time
from tests.cluster.virtual_account import VirtualAccount, most, sent, virtual_account

NEW = False
pytestmark = pytest.mark.usefixtures("redis_away")


def test_who_lost_an_answer_asks_again_and_does_not_wait_until_it_is_alone():
    async def day() -> float | None:
        async with virtual_account(20, 2, 1, spare=False) as account:
            node = account.nodes[0]
            node.line.deaf = True
            asking = asyncio.create_task(sent(account, node, longest_wait_s=5.0))
            await asyncio.sleep(0.2)
            node.line.deaf = False
            return await asking

    took_s = virtual_time.run(day())
    assert took_s is not None
    assert took_s < SILENT_MS / 1000 / 2


def test_who_may_wait_for_longer_than_a_place_is_given_ahead_asks_again():
    async def day() -> tuple[float | None, int]:
        async with virtual_account(20, 2, 1, spare=False) as account:
            one, other = account.nodes
            await account.send(other, 20)
            await asyncio.sleep(40.0)
            before = one.quota.tally.asked
            return await sent(account, one, longest_wait_s=30.0), one.quota.tally.asked - before

    waited_s, asked = virtual_time.run(day())
    assert waited_s is not None
    assert abs(waited_s - (WINDOW_MS / 1000 - 40.0)) < 0.5
    assert asked == 1


def test_no_share_is_aside_for_a_node_that_was_started_again():
    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1, spare=False) as account:
            account.nodes[0].line.cut = True
            await asyncio.sleep(5.0)
            account.add("node 0", spare=False)
            await asyncio.sleep(2.0)
            assert account.nodes[1].quota.nodes() == 2
            await account.send(account.nodes[1], 20)
            return account

    assert len(virtual_time.run(day()).left_s) == 20


@pytest.mark.parametrize(("limit", "nodes"), [(1, 1), (1, 5), (3, 20), (30, 20)])
def test_more_nodes_than_requests_use_the_account_whole(limit: int, nodes: int):
    async def day() -> VirtualAccount:
        async with virtual_account(limit, nodes, 1) as account:
            await account.live(190.0, 4.0 * limit)
            return account

    account = virtual_time.run(day())
    assert most(account.left_s) <= limit
    assert len(account.left_s) >= 2 * limit


def used(account: VirtualAccount, from_s: float, to_s: float) -> int:
    return sum(from_s <= at_s < to_s for at_s in account.left_s)


def test_when_a_node_is_killed_the_others_go_on_with_all_but_its_share_at_once():
    """What it sent in its last minute is counted, and is not kept aside once more."""
    limit, nodes = 60, 3

    async def day() -> tuple[VirtualAccount, float]:
        async with virtual_account(limit, nodes, 1, spare=False) as account:
            for number in range(3 * limit):
                await account.send(account.nodes[number % nodes], 1)
                await asyncio.sleep(WINDOW_MS / 1000 / limit)
            account.nodes[0].alive, account.nodes[0].line.cut = False, True
            killed_s = asyncio.get_running_loop().time()
            for number in range(2 * limit):
                await account.send(account.nodes[1 + number % 2], 1)
                await asyncio.sleep(WINDOW_MS / 1000 / limit)
            return account, killed_s

    account, killed_s = virtual_time.run(day())
    rest = limit - share_of(limit, nodes)
    assert most(account.left_s) <= limit
    thirds = [used(account, killed_s + from_s, killed_s + from_s + 20.0) for from_s in range(0, 120, 20)]
    assert min(thirds) >= 0.9 * rest / 3, thirds


async def request(quota: RedisQuota) -> bool:
    """Whether it has left."""
    permit = quota.ask(5.0)
    try:
        await permit.use()
        await permit.leaves()
    finally:
        permit.give_back()
    return True


MOMENTS_S = [
    0.0,
    *(n / 5000 for n in range(1, 15)),
    *(n / 20 for n in range(1, 12)),
    *(n / 2 for n in range(2, 11)),
]


@pytest.mark.parametrize("trouble", ["none", "full", "deaf", "away", "apart"])
def test_who_is_cancelled_at_any_moment_leaves_no_place_behind(trouble: str):
    async def cancel_after(seconds: float) -> bool | None:
        async with virtual_account(2, 1, 1, spare=False) as account:
            node, server = account.nodes[0], account.server
            if trouble == "full":
                await account.send(node, 2)
                await asyncio.sleep(58.0)
            await asyncio.sleep(0.3)
            node.line.deaf = trouble == "deaf"
            if trouble in ("away", "apart"):
                server.die()
            if trouble == "apart":
                server.come_back(empty=False)
            task = asyncio.create_task(request(node.quota))
            await asyncio.sleep(seconds)
            task.cancel()
            (left,) = await asyncio.gather(task, return_exceptions=True)
            node.line.deaf = False
            if not server.up:
                server.come_back(empty=False)
            await asyncio.sleep(3.0)
            now_there_ms = now_ms() + server.clock_ms
            still_open = [at_ms for _, at_ms in server.model.log.places(now_there_ms) if at_ms > now_there_ms]
            assert still_open == []
            assert [at_ms for _, at_ms in node.quota._own.log.places(now_ms()) if at_ms > now_ms()] == []
            tally = node.quota.tally
            assert tally.asked == tally.granted + tally.waited + tally.refused + tally.returned
            return left is True

    left = [virtual_time.run(cancel_after(seconds)) for seconds in MOMENTS_S]
    assert not left[0]
    assert trouble in ("away", "deaf") or left[-1], "it was not cancelled before its end"


def test_the_longest_that_a_request_waits_is_what_its_caller_allows():
    """Whatever becomes of Redis meanwhile, it leaves or is refused by then."""

    async def day(trouble: str) -> float:
        async with virtual_account(2, 2, 1, spare=False) as account:
            node = account.nodes[0]
            await account.send(account.nodes[1], 2)
            loop = asyncio.get_running_loop()

            async def ask() -> float:
                began_s = loop.time()
                await sent(account, node, longest_wait_s=5.0)
                return loop.time() - began_s

            asking = asyncio.create_task(ask())
            await asyncio.sleep(0.0001)
            match trouble:
                case "dies":
                    account.server.die()
                case "deaf":
                    node.line.deaf = True
                case "stuck":
                    node.line.stuck = True
                case "flaps":
                    for _ in range(20):
                        account.server.die()
                        await asyncio.sleep(0.2)
                        account.server.come_back(empty=False)
                        await asyncio.sleep(0.2)
            return await asking

    for trouble in ("none", "dies", "deaf", "stuck", "flaps"):
        assert virtual_time.run(day(trouble)) < 5.0 + LIMIT_S, trouble
