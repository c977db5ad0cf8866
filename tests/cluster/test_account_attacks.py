"""Single moments at which an account could be overdrawn, in virtual time: each was found by somebody who looked for it.
Whole days at random are in test_account_days.py."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core.own_part import ALONE_MS
from realtime.core.quota import HOLD_MS, WINDOW_MS, share_of
from tests import virtual_time
from tests.cluster.virtual_account import VirtualAccount, most, sent, virtual_account

NEW = False
pytestmark = pytest.mark.usefixtures("redis_away")


def test_a_node_that_comes_back_keeps_its_share_until_its_places_are_written():
    """Its first words take a few round trips, and the others ask all the time."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1) as account:
            lost, other = account.nodes
            await account.send(lost, 9)
            await asyncio.sleep(0.05)
            lost.line.cut = True
            await asyncio.sleep(62.0)
            await account.send(lost, 20)
            await account.send(other, 20)
            lost.line.delays_s = (0.1, 0.1)
            lost.line.cut = False
            for _ in range(400):
                await account.send(other, 20)
                await asyncio.sleep(0.01)
            return account

    account = virtual_time.run(day())
    assert len(account.left_s) == 9 + 20
    assert most(account.left_s) == 20


def test_what_a_node_takes_by_itself_while_it_comes_back_is_counted_too():
    """Between its first word to Redis and the answer it is still alone."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1, spare=False) as account:
            lost, other = account.nodes
            lost.line.cut = True
            await asyncio.sleep(ALONE_MS / 1000)
            lost.line.delays_s = (0.1, 0.1)
            lost.line.cut = False
            for hundredth in range(500):
                await account.send(other, 20)
                if hundredth % 25 == 0:
                    await account.send(lost, 1)
                await asyncio.sleep(0.01)
            return account

    assert most(virtual_time.run(day()).left_s) == 20


def test_what_others_were_given_ahead_is_not_used_by_the_node_that_is_cut_off():
    """They wait for the moment at which its places are over."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1, spare=False) as account:
            lost, other = account.nodes
            await account.send(lost, 9)
            await asyncio.sleep(20.0)
            await account.send(other, 11)
            await asyncio.sleep(37.0)
            waiting = [asyncio.create_task(sent(account, other, longest_wait_s=5.0)) for _ in range(9)]
            await asyncio.sleep(0.1)
            lost.line.cut = True
            await asyncio.sleep(2.0)
            waiting += [asyncio.create_task(sent(account, lost, longest_wait_s=5.0)) for _ in range(9)]
            await asyncio.gather(*waiting)
            return account

    account = virtual_time.run(day())
    assert len(account.left_s) == 20 + 9
    assert most(account.left_s) == 20


def test_what_is_over_of_a_node_that_is_cut_off_is_given_to_nobody_ahead():
    """Its share is aside, and its places are a part of that."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1, spare=False) as account:
            lost, other = account.nodes
            await account.send(lost, 9)
            await asyncio.sleep(30.0)
            await account.send(other, 11)
            lost.line.cut = True
            await asyncio.sleep(27.0)
            waiting = [asyncio.create_task(sent(account, other, longest_wait_s=5.0)) for _ in range(9)]
            waiting += [asyncio.create_task(sent(account, lost, longest_wait_s=5.0)) for _ in range(9)]
            await asyncio.gather(*waiting)
            return account

    account = virtual_time.run(day())
    assert len(account.left_s) == 20 + 9
    assert most(account.left_s) == 20


def test_what_others_hold_for_long_is_over_before_a_node_that_is_cut_off_has_its_share():
    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1, spare=False) as account:
            lost, other = account.nodes
            permits = [other.quota.ask(0.0) for _ in range(20)]
            await asyncio.sleep(0.1)
            lost.line.cut = True
            await asyncio.sleep(HOLD_MS / 1000 - 1.0)
            await asyncio.gather(*(account.leave(permit) for permit in permits))
            for _ in range(80):
                await account.send(lost, 20)
                await asyncio.sleep(1.0)
            return account

    account = virtual_time.run(day())
    assert len(account.left_s) > 20
    assert most(account.left_s) == 20


def test_a_lost_answer_gives_no_place_to_a_node_that_is_heard_of_again():
    """By itself it would have one when its own are over. But all the others wait for these already."""

    async def day() -> VirtualAccount:
        async with virtual_account(4, 2, 1, spare=False) as account:
            one, other = account.nodes
            await account.send(one, 3)
            await account.send(other, 1)
            await asyncio.sleep(57.3)
            waiting = [asyncio.create_task(sent(account, other, longest_wait_s=5.0)) for _ in range(4)]
            await asyncio.sleep(0.3)
            one.line.deaf = True
            waiting.append(asyncio.create_task(sent(account, one, longest_wait_s=5.0)))
            await asyncio.sleep(0.2)
            one.line.deaf = False
            waited_s = await asyncio.gather(*waiting)
            assert waited_s[-1] is None
            return account

    account = virtual_time.run(day())
    assert len(account.left_s) == 4 + 4
    assert most(account.left_s) == 4


def test_a_node_that_redis_tells_to_wait_waits_although_its_own_part_has_room():
    """It has come back without a word of who Redis is, and waits for one that is silent."""

    async def day() -> tuple[VirtualAccount, float | None]:
        async with virtual_account(20, 3, 1, spare=False) as account:
            one, other, lost = account.nodes
            one.line.may_ask_info = False
            await account.send(one, 6)
            lost.line.cut = True
            await asyncio.sleep(10.0)
            await account.send(other, 8)
            await asyncio.sleep(20.0)
            one.line.cut = True
            await asyncio.sleep(1.0)
            one.line.cut = False
            await asyncio.sleep(WINDOW_MS / 1000 - 31.0 + 1.0)
            assert one.quota.apart
            assert not other.quota.apart
            await account.send(other, 6)
            await asyncio.sleep(4.5)
            return account, await sent(account, one, longest_wait_s=5.0)

    account, waited_s = virtual_time.run(day())
    assert len(account.left_s) == 6 + 8 + 6 + 1
    assert waited_s is not None
    assert waited_s > 4.0
    assert most(account.left_s) == 20 - share_of(20, 3), "the lost one may use its share"


def test_a_question_that_arrives_late_frees_no_place():
    """Its connection is closed, its request has left, and TCP brings it all the same, when it would be refused."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 1, 1, spare=False) as account:
            (large,) = account.nodes
            small = account.add("small", 5, spare=False)
            await asyncio.sleep(5.0)
            small.line.stuck = True
            asking = asyncio.create_task(sent(account, small, longest_wait_s=5.0))
            await asyncio.sleep(0.1)
            small.line.stuck = False
            assert await asking is not None
            await account.send(large, 20)
            await asyncio.sleep(1.0)
            small.line.arrive_late()
            await asyncio.sleep(2.0)  # it said of its node as well what was long ago
            await account.send(large, 20)
            return account

    assert len(virtual_time.run(day()).left_s) == 20


@pytest.mark.parametrize("part", ["places", "nodes", "known"])
def test_a_redis_that_loses_a_part_of_what_it_keeps_gets_it_again(part: str):
    """It may delete what it likes when its memory is full, unless it is told not to."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1, spare=False) as account:
            one, other = account.nodes
            await account.send(one, 20)
            await asyncio.sleep(1.0)
            account.server.model.lose(part)
            for _ in range(50):
                await account.send(other, 20)
                await asyncio.sleep(0.1)
            assert not other.quota.apart
            return account

    assert len(virtual_time.run(day()).left_s) == 20


def test_two_nodes_of_one_name_are_two_nodes():
    """Somebody has copied a machine with its name. Alone, each has the part of one of two."""

    async def day() -> VirtualAccount:
        async with virtual_account(20, 0, 1, spare=False) as account:
            account.add("same")
            await asyncio.sleep(5.0)
            account.add("same")
            await asyncio.sleep(5.0)
            assert [node.quota.nodes() for node in account.nodes] == [2, 2]
            account.server.die()
            await asyncio.sleep(ALONE_MS / 1000 + 5.0)
            for node in account.nodes:
                await account.send(node, 20)
            return account

    assert len(virtual_time.run(day()).left_s) == 2 * share_of(20, 2)


@pytest.mark.parametrize("ppm", [-80_000, 80_000])
def test_a_clock_that_is_slewed_for_minutes_changes_nothing(ppm: int):
    """chrony corrects a clock by up to 83,333 ppm; no step of it is large."""

    async def slew(account: VirtualAccount) -> None:
        while True:
            await asyncio.sleep(0.1)
            account.server.clock_ms += ppm // 10_000

    async def day() -> VirtualAccount:
        async with virtual_account(20, 2, 1) as account:
            slewing = asyncio.create_task(slew(account))
            await account.live(200.0, 40.0)
            slewing.cancel()
            await asyncio.gather(slewing, return_exceptions=True)
            return account

    account = virtual_time.run(day())
    assert most(account.left_s, 60.0) <= 20


def test_nodes_with_different_limits_use_no_more_than_the_largest():
    """While the limit is changed, one after the other. Each goes by its own."""

    async def day(account: VirtualAccount) -> None:
        for number, limit in enumerate((20, 5, 12)):
            account.add(f"other {number}", limit)
        await asyncio.sleep(6.0)
        living = asyncio.create_task(account.live(260.0, 60.0))
        await asyncio.sleep(70.0)
        account.nodes[0].line.cut = True
        await asyncio.sleep(70.0)
        account.server.die()
        await asyncio.sleep(70.0)
        account.nodes[0].line.cut = False
        account.server.come_back(empty=False)
        await living

    async def one() -> VirtualAccount:
        async with virtual_account(20, 0, 1) as account:
            await day(account)
            return account

    assert most(virtual_time.run(one()).left_s) <= 20
