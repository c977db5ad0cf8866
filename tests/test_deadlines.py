"""Deadlines are exact while the loop runs, and read before they judge where it stood still.

The loop is virtual: `stand_still` moves its clock as if the process had been stopped, with what comes meanwhile in a
socket. The same with a process that is really stopped: tests/server/test_stood_still.py.
"""

import asyncio
import gc
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime import deadlines
from realtime.deadlines import MAX_PUT_OFF, READ_S, Alarm
from realtime.watchdog import Watchdog
from tests import virtual_time
from tests.conversing import scripted


def stand_still(seconds: float) -> None:
    """As if the process were stopped for so long."""
    asyncio.get_running_loop().skip(seconds)


def now_s() -> float:
    return asyncio.get_running_loop().time()


def rings_after_s(delay_s: float, *stops: tuple[float, float]) -> float:
    """When an alarm in `delay_s` rings, of a loop that after `at_s` stands still for `for_s`, for each stop."""

    async def run() -> float:
        rang, began_s = asyncio.get_running_loop().create_future(), now_s()
        alarm = Alarm(lambda: rang.set_result(now_s() - began_s))
        alarm.set_in(delay_s)
        timers = [asyncio.get_running_loop().call_later(at_s, stand_still, for_s) for at_s, for_s in stops]
        after_s = await rang
        for timer in timers:
            timer.cancel()
        assert alarm.when_s is None
        return after_s

    return virtual_time.run(run())


@given(st.floats(0.001, 100_000))
def test_the_time_is_exact_while_the_loop_runs(delay_s):
    assert delay_s <= rings_after_s(delay_s) <= delay_s + 1e-6 * max(1.0, delay_s)


def test_a_time_that_is_over_rings_at_once():
    assert rings_after_s(-5.0) == rings_after_s(0.0) == 0.0


@given(
    delay_s=st.floats(0.01, 60),
    share=st.floats(0, 0.999),
    stop_s=st.floats(0.2, 100),
)
def test_after_a_stop_there_is_time_to_read(delay_s, share, stop_s):
    at_s = delay_s * share
    rang_s = rings_after_s(delay_s, (at_s, stop_s))
    runs_again_s = at_s + stop_s
    assert rang_s >= delay_s - 1e-6
    if runs_again_s > delay_s + deadlines.LATE_S:
        assert rang_s == pytest.approx(runs_again_s + READ_S, abs=1e-5)
    else:
        assert rang_s <= max(delay_s, runs_again_s) + READ_S + 1e-5


def test_a_loop_that_is_always_late_does_not_put_it_off_for_ever():
    async def run() -> float:
        loop, rang, began_s = asyncio.get_running_loop(), asyncio.Event(), now_s()

        async def block_often() -> None:
            while not rang.is_set():
                await asyncio.sleep(0.01)
                stand_still(0.4)

        async with asyncio.TaskGroup() as group:
            group.create_task(block_often())
            Alarm(rang.set).set(loop.time() + 20.0)
        return now_s() - began_s

    assert 20.0 <= virtual_time.run(run()) < 20.0 + MAX_PUT_OFF * (READ_S + 0.5) + 0.5


def test_it_can_be_set_again_and_cancelled():
    async def run() -> list[float]:
        rang: list[float] = []
        alarm = Alarm(lambda: rang.append(now_s() - began_s))
        began_s = now_s()
        alarm.set_in(5)
        alarm.set_in(50)
        await asyncio.sleep(60)
        alarm.set_in(5)
        alarm.set_in(2)
        await asyncio.sleep(60)
        alarm.set_in(5)
        alarm.cancel()
        await asyncio.sleep(60)
        assert all(handle.cancelled() for handle in asyncio.get_running_loop()._scheduled)
        return rang

    assert virtual_time.run(run()) == pytest.approx([50, 62])


# -- a block with a deadline -----------------------------------------------------------------------------------------


@scripted
async def test_a_block_ends_like_that_of_asyncio():
    for seconds in (0.0, 0.5, 30.0):
        began_s = now_s()
        with pytest.raises(TimeoutError):
            async with deadlines.timeout(seconds) as timeout:
                await asyncio.sleep(1_000)
        assert timeout.expired()
        assert now_s() - began_s == pytest.approx(seconds)
    async with deadlines.timeout(None), deadlines.timeout_at(None):
        await asyncio.sleep(1_000)
    async with deadlines.timeout(5.0) as timeout:
        await asyncio.sleep(4)
    assert not timeout.expired()
    await asyncio.sleep(10)


@scripted
async def test_a_block_can_be_ended_at_once():
    began_s, timeout = now_s(), deadlines.timeout(60.0)
    asyncio.get_running_loop().call_later(3, lambda: timeout.reschedule(now_s()))
    with pytest.raises(TimeoutError):
        async with timeout:
            await asyncio.sleep(1_000)
    assert now_s() - began_s == pytest.approx(3)


@scripted
async def test_other_errors_and_cancellations_pass():
    with pytest.raises(KeyError):
        async with deadlines.timeout(1.0):
            raise KeyError

    async def block() -> None:
        async with deadlines.timeout(100.0):
            await asyncio.sleep(1_000)

    task = asyncio.create_task(block())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@scripted
async def test_a_block_that_has_ended_gets_no_other_end():
    """As with asyncio's own: a timer that was set now would end whatever runs in the task then."""
    async with deadlines.timeout(1.0) as deadline:
        pass
    with pytest.raises(RuntimeError):
        deadline.reschedule(asyncio.get_running_loop().time() + 1.0)
    await asyncio.sleep(2)
    assert deadline.when_s is None


@scripted
async def test_what_waits_in_the_socket_comes_in_time():
    """The fault itself: asyncio's own timeout ends the wait for data that is there."""
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)

    async def read(timeout) -> bytes:
        stop = asyncio.get_running_loop().call_later(1.0, lambda: (there.send(b"sound"), stand_still(25.0)))
        try:
            async with timeout(20.0):
                return await reader.readexactly(5)
        finally:
            stop.cancel()

    assert await read(deadlines.timeout) == b"sound"
    with pytest.raises(TimeoutError):
        await read(asyncio.timeout)
    there.close()
    writer.close()
    await writer.wait_closed()


@scripted
async def test_the_watchdog_reads_first():
    here, there = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=here)
    async with Watchdog(20.0) as watchdog:
        for _ in range(10):
            asyncio.get_running_loop().call_later(7.0, lambda: (there.send(b"sound"), stand_still(25.0)))
            with watchdog.waiting():
                await reader.readexactly(5)
                watchdog.alive()
    there.close()
    writer.close()
    await writer.wait_closed()


@scripted
async def test_no_cycle_is_left_for_the_garbage_collector():
    """Thousands of deadlines are made in a reply."""
    gc.freeze()  # what exists by now is not looked at
    gc.disable()
    try:
        async with Watchdog(20.0) as watchdog:
            for _ in range(100):
                with watchdog.waiting():
                    async with deadlines.timeout(5.0):
                        await asyncio.sleep(0.01)
        del watchdog
        left = [each for each in gc.get_objects() if isinstance(each, deadlines.Timer)]
        assert len(left) < 5
    finally:
        gc.enable()
        gc.unfreeze()
