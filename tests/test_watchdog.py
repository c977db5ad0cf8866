"""EndOfTurnDelay with silence: it begins anew with every sign of life, and does not run while there is an excuse."""

import asyncio

import pytest

from realtime.watchdog import Watchdog

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


async def test_other_errors_pass_through():
    with pytest.raises(KeyError):
        async with Watchdog(PATIENCE_S):
            raise KeyError
