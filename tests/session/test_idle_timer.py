"""The timer of the idle timeout alone: it rings once, stops, and stands still while nobody listens."""

import asyncio

import pytest

from realtime.session.idle_timer import IdleTimer
from tests.conversing import scripted


class Ringing:
    """A timer and the times at which it rang, in seconds from its making."""

    def __init__(self) -> None:
        self.rang_s: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._made_s = self._loop.time()
        self.timer = IdleTimer(lambda: self.rang_s.append(self._loop.time() - self._made_s))


@scripted
async def test_it_rings_once():
    ringing = Ringing()
    ringing.timer.start(5)
    assert (ringing.timer.running, ringing.timer.left_s) == (True, 5)
    await asyncio.sleep(20)
    assert ringing.rang_s == pytest.approx([5])
    assert (ringing.timer.running, ringing.timer.left_s) == (False, None)


@scripted
async def test_a_start_begins_anew_and_a_stop_ends_it():
    ringing = Ringing()
    ringing.timer.start(5)
    await asyncio.sleep(3)
    ringing.timer.start(5)
    await asyncio.sleep(6)
    assert ringing.rang_s == pytest.approx([8])
    ringing.timer.start(5)
    ringing.timer.stop()
    await asyncio.sleep(20)
    assert len(ringing.rang_s) == 1
    assert (ringing.timer.running, ringing.timer.left_s) == (False, None)


@scripted
async def test_it_stands_still_and_goes_on_where_it_stood():
    ringing = Ringing()
    ringing.timer.start(5)
    await asyncio.sleep(3)
    ringing.timer.pause()
    ringing.timer.pause()
    assert (ringing.timer.running, ringing.timer.left_s) == (False, pytest.approx(2))
    await asyncio.sleep(100)
    ringing.timer.resume()
    assert (ringing.timer.running, ringing.timer.left_s) == (True, pytest.approx(2))
    await asyncio.sleep(20)
    assert ringing.rang_s == pytest.approx([105])


@scripted
async def test_what_does_not_run_is_not_resumed():
    ringing = Ringing()
    ringing.timer.resume()
    ringing.timer.start(5)
    ringing.timer.pause()
    ringing.timer.stop()
    ringing.timer.resume()
    await asyncio.sleep(20)
    assert ringing.rang_s == []
