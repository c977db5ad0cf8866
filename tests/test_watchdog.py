"""The inactivity timeout: activity restarts it, and it does not run in an `excused` block."""

import asyncio

import pytest

from realtime.watchdog import Watchdog
from tests import virtual_time

TIMEOUT_S, LONG_S = 0.1, 30.0


async def timed_out_after_s(activity):
    """Loop seconds until the watchdog ends a block that first runs `activity`."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def watched():
        async with Watchdog(TIMEOUT_S) as watchdog:
            await activity(watchdog)
            await asyncio.sleep(LONG_S)

    with pytest.raises(TimeoutError):
        await watched()
    return loop.time() - began_s


async def test_a_block_without_activity_times_out():
    assert TIMEOUT_S <= await timed_out_after_s(lambda _: asyncio.sleep(0)) < LONG_S


async def test_activity_restarts_the_timeout():
    async def activity(watchdog):
        await asyncio.sleep(TIMEOUT_S / 2)
        watchdog.alive()

    assert TIMEOUT_S * 1.5 <= await timed_out_after_s(activity) < LONG_S


async def test_an_excused_block_does_not_count():
    async def activity(watchdog):
        with watchdog.excused():
            await asyncio.sleep(TIMEOUT_S * 3)

    assert TIMEOUT_S * 4 <= await timed_out_after_s(activity) < LONG_S


async def test_a_block_that_ends_in_time_is_not_cancelled():
    async with Watchdog(TIMEOUT_S):
        await asyncio.sleep(0)
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
