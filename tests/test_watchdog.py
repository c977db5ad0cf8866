"""The inactivity timeout: it runs in `waiting` blocks, activity restarts it, `excused` blocks stop it."""

import asyncio

import pytest

from realtime.watchdog import Watchdog
from tests import virtual_time
from tests.conversing import scripted

TIMEOUT_S = 20.0


async def timed_out_after_s(activity) -> float:
    """Loop seconds until the watchdog ends a block that runs `activity` and then waits."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def watched() -> None:
        async with Watchdog(TIMEOUT_S) as watchdog:
            await activity(watchdog)
            with watchdog.waiting():
                await asyncio.sleep(10_000)

    with pytest.raises(TimeoutError):
        await watched()
    return loop.time() - began_s


@scripted
async def test_a_wait_without_activity_times_out():
    assert await timed_out_after_s(lambda _: asyncio.sleep(0)) == pytest.approx(TIMEOUT_S)


@scripted
async def test_only_waits_count():
    """A wait after a long time of something else has all of its time, wherever the watchdog looks."""
    for idle_s in (0.0, 1.0, 19.0, 20.0, 21.0, 39.5, 1_000.0):
        took_s = await timed_out_after_s(lambda _, idle_s=idle_s: asyncio.sleep(idle_s))
        assert took_s == pytest.approx(idle_s + TIMEOUT_S), idle_s


@scripted
async def test_activity_restarts_the_timeout():
    async def activity(watchdog):
        with watchdog.waiting():
            for _ in range(5):
                await asyncio.sleep(TIMEOUT_S * 0.9)
                watchdog.alive()

    assert await timed_out_after_s(activity) == pytest.approx(TIMEOUT_S * 5.5)


@scripted
async def test_short_waits_do_not_add_up():
    async def activity(watchdog):
        for _ in range(5):
            with watchdog.waiting():
                await asyncio.sleep(TIMEOUT_S * 0.9)

    assert await timed_out_after_s(activity) == pytest.approx(TIMEOUT_S * 5.5)


@scripted
async def test_a_second_wait_does_not_help_the_first():
    async def activity(watchdog):
        with watchdog.waiting():
            while True:
                with watchdog.waiting():
                    await asyncio.sleep(TIMEOUT_S * 0.4)

    assert await timed_out_after_s(activity) == pytest.approx(TIMEOUT_S)


@scripted
async def test_a_second_wait_has_all_of_its_time_after_the_first():
    async def activity(watchdog):
        first = watchdog.waiting()
        first.__enter__()
        await asyncio.sleep(TIMEOUT_S * 0.9)
        with watchdog.waiting():
            first.__exit__(None, None, None)
            await asyncio.sleep(10_000)

    assert await timed_out_after_s(activity) == pytest.approx(TIMEOUT_S * 1.9)


@scripted
async def test_an_excused_block_does_not_count():
    async def activity(watchdog):
        with watchdog.waiting(), watchdog.excused():
            await asyncio.sleep(TIMEOUT_S * 3)

    assert await timed_out_after_s(activity) == pytest.approx(TIMEOUT_S * 4)


@scripted
async def test_a_block_that_ends_in_time_is_not_cancelled():
    async with Watchdog(TIMEOUT_S) as watchdog:
        with watchdog.waiting():
            await asyncio.sleep(TIMEOUT_S * 0.9)
    await asyncio.sleep(TIMEOUT_S * 2)


def test_no_timer_is_left_behind():
    """A timer that outlives its block would end whatever runs in the task then."""

    async def watched():
        loop = asyncio.get_running_loop()
        async with Watchdog(60.0) as watchdog:
            watchdog.alive()
            await asyncio.sleep(1)
        return [handle for handle in loop._scheduled if not handle.cancelled()]

    assert virtual_time.run(watched()) == []


async def test_other_errors_pass_through():
    with pytest.raises(KeyError):
        async with Watchdog(TIMEOUT_S):
            raise KeyError
