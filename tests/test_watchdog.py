"""The watchdog ends a block that is silent: every sign of life begins the wait anew, and an excused wait does not count."""

import asyncio

import pytest

from realtime.watchdog import Watchdog
from tests import virtual_time

PATIENCE_S, ENOUGH_S = 0.1, 30.0


async def ended_after_s(happens):
    """Loop seconds until the watchdog ends what `happens` does."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()

    async def watched():
        async with Watchdog(PATIENCE_S) as watchdog:
            await happens(watchdog)
            await asyncio.sleep(ENOUGH_S)

    with pytest.raises(TimeoutError):
        await watched()
    return loop.time() - began_s


async def test_silence_ends_the_block():
    assert PATIENCE_S <= await ended_after_s(lambda _: asyncio.sleep(0)) < ENOUGH_S


async def test_a_sign_of_life_begins_patience_anew():
    async def happens(watchdog):
        await asyncio.sleep(PATIENCE_S / 2)
        watchdog.alive()

    assert PATIENCE_S * 1.5 <= await ended_after_s(happens) < ENOUGH_S


async def test_excused_silence_does_not_count():
    async def happens(watchdog):
        with watchdog.excused():
            await asyncio.sleep(PATIENCE_S * 3)

    assert PATIENCE_S * 4 <= await ended_after_s(happens) < ENOUGH_S


async def test_what_ends_in_time_is_left_alone():
    async with Watchdog(PATIENCE_S):
        await asyncio.sleep(0)
    await asyncio.sleep(PATIENCE_S * 2)


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
        async with Watchdog(PATIENCE_S):
            raise KeyError
