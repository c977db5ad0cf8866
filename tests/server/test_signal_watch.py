"""A thread hears signals while the event loop is blocked, and the loop still gets them."""

import asyncio
import os
import signal
import threading

import pytest

from realtime.server.signal_watch import SignalWatch

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
TIMEOUT_S = 20.0


async def test_a_signal_is_heard_while_the_loop_is_blocked_and_the_loop_gets_it_then():
    loop, got, heard, numbers = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), []

    def note(number: int) -> None:
        numbers.append(number)
        heard.set()

    loop.add_signal_handler(signal.SIGUSR1, got.set)
    watch = SignalWatch(note)
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        assert heard.wait(TIMEOUT_S), "this call blocks the loop"
        assert not got.is_set()
        async with asyncio.timeout(TIMEOUT_S):
            await got.wait()
        assert numbers == [signal.SIGUSR1]
        watch.close()
        got.clear()
        os.kill(os.getpid(), signal.SIGUSR1)
        async with asyncio.timeout(TIMEOUT_S):
            await got.wait()
        assert numbers == [signal.SIGUSR1], "it is closed"
    finally:
        watch.close()
        loop.remove_signal_handler(signal.SIGUSR1)


async def test_who_takes_the_signals_after_it_keeps_them():
    """As a library does that sets a handler in the loop."""
    loop, got = asyncio.get_running_loop(), asyncio.Event()
    watch = SignalWatch(lambda number: None)
    loop.add_signal_handler(signal.SIGUSR1, got.set)
    try:
        watch.close()
        os.kill(os.getpid(), signal.SIGUSR1)
        async with asyncio.timeout(TIMEOUT_S):
            await got.wait()
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)
