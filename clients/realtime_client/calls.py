"""Calls of PortAudio, each in a thread of its own: a sound server that hangs holds that thread and nobody else.

A thread that does not come back in time is abandoned. It closes what it has opened if it does come back, and the end of
the process does not wait for it.
"""

from __future__ import annotations

import asyncio
import atexit
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from realtime.ending import OF_THIS_PROCESS

from .errors import DeviceError

OPEN_S = 5.0  # a device that works is open in far less than a second, also through a sound server that has to start
CLOSE_S = 0.8
HANGING_S = 0.2  # instead, while another call does not come back: it is the same sound server


_hanging: list[threading.Thread] = []


async def opened(opening: Callable[[], None], close: Callable[[], None], what: str, instead: str) -> None:
    """`opening()`. Cancelled meanwhile, or too late, what it has opened is closed: else the microphone would listen on.

    Raises what `opening` raises, and DeviceError if `what` does not answer; `instead` names another way.
    """
    call = _Call(opening, undo=close)
    try:
        over = await call.over(OPEN_S)
    except asyncio.CancelledError:
        await _ended(call.leave())
        raise
    if not over:
        _abandon(call.leave())
        raise DeviceError(
            f"The {what} does not answer: its sound server hangs, or the device does. "
            f"Start them again, or {instead}."
        )
    call.result()


async def closed(close: Callable[[], None]) -> None:
    """`close()`, or no more than a moment of it. Raises what `close` raises."""
    call = _Call(close)
    if not await _ended(call):
        return
    call.result()


async def _ended(call: _Call) -> bool:
    """Wait for a call as long as for any that closes, also if this is cancelled; then nobody waits for it."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + (HANGING_S if any(thread.is_alive() for thread in _hanging) else CLOSE_S)
    cancelled: asyncio.CancelledError | None = None
    while not call.is_over and loop.time() < until_s:
        try:
            await call.over(until_s - loop.time())
        except asyncio.CancelledError as error:
            cancelled = error
    if not call.is_over:
        _abandon(call)
    if cancelled is not None:
        raise cancelled
    return call.is_over


class _Call:
    """`work()` in a thread of its own. Left before it has worked, it calls `undo` after it."""

    def __init__(self, work: Callable[[], None], undo: Callable[[], None] = lambda: None) -> None:
        self._work, self._undo = work, undo
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._left = self._worked = False
        self._error: BaseException | None = None
        self._over = asyncio.Event()
        self.thread = threading.Thread(target=self._run, name="sound device", daemon=True)
        self.thread.start()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    async def over(self, within_s: float) -> bool:
        """Whether it is over, in this time at the latest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._over.wait()
        return self.is_over

    def result(self) -> None:
        """Of a call that is over. Raises what its work has raised."""
        if self._error is not None:
            raise self._error

    def leave(self) -> _Call:
        """Nobody wants what it does. Returns the call that is over when it is undone."""
        with self._lock:
            self._left = True
            undone = not self._worked or self._error is not None
        return self if undone else _Call(self._undo)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # raised where it is waited for
            self._error = error
        with self._lock:
            self._worked = True
            undo = self._left and self._error is None
        if undo:
            with suppress(Exception):
                self._undo()
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._over.set)


def _abandon(call: _Call) -> None:
    _hanging[:] = [*filter(threading.Thread.is_alive, _hanging), call.thread]
    OF_THIS_PROCESS.abandon(call.thread)
    # At the end of Python it would wait for the same device
    atexit.unregister(getattr(sys.modules.get("sounddevice"), "_exit_handler", None))  # type: ignore[arg-type]
