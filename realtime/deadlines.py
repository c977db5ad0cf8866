"""Deadlines that read before they judge: what waits in a socket while the loop stood still still comes in time.

A process can be stopped for a while (a virtual machine that moves, a laptop that sleeps), or something can block its
loop. When it runs again, every timer of that while is due at once, before any socket has been read. So a deadline is
over only after the loop has run for `READ_S` before it: one that the loop is late for is put off by so much. For a loop
that runs, the times are exact. Does not know what is waited for, and is not for timers that set a pace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

READ_S = 1.0  # time to read what has come while the loop stood still
LATE_S = 0.1  # a timer that rings so late was not rung by a loop that runs
MAX_PUT_OFF = 3  # a loop that is always late must not put a deadline off for ever


class Timer:
    """Calls its `_ring` once at a time of the loop. It can be set again, and cancelled at any time.

    A base class instead of a callback: thousands are made in a reply, and none may be a reference cycle.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._when_s: float | None = None
        self._look_s = 0.0  # when the timer itself is due
        self._put_off = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'off' if self._when_s is None else f'at {self._when_s:.3f}'}>"

    @property
    def when_s(self) -> float | None:
        """When it rings, by the loop's clock; None while it is not set."""
        return self._when_s

    def set(self, when_s: float) -> None:
        """Ring at this time, and at no earlier one that was set before. A time that is over: at once."""
        if self._timer is not None:
            self._timer.cancel()
        self._when_s, self._put_off = when_s, 0
        now_s = self._loop.time()
        if when_s <= now_s:
            self._timer = self._loop.call_soon(self._over)
        else:
            self._look_at(when_s - READ_S if when_s - READ_S > now_s else when_s)

    def set_in(self, seconds: float) -> None:
        """Ring after so many seconds."""
        self.set(self._loop.time() + seconds)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._when_s = None

    def _ring(self) -> None:
        raise NotImplementedError

    def _look_at(self, when_s: float) -> None:
        self._look_s = when_s
        self._timer = self._loop.call_at(when_s, self._look)

    def _look(self) -> None:
        """The loop runs: ring if it is time and the loop was not late, else look again."""
        assert self._when_s is not None
        now_s = self._loop.time()
        if now_s - self._look_s > LATE_S and self._put_off < MAX_PUT_OFF:
            self._put_off += 1
            self._when_s = max(self._when_s, now_s + READ_S)
        if self._look_s < self._when_s:
            self._look_at(self._when_s)
        else:
            self._over()

    def _over(self) -> None:
        self._timer = self._when_s = None
        self._ring()


class Alarm(Timer):
    """A timer for a callback."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__()
        self._callback = ring

    def _ring(self) -> None:
        self._callback()


class Deadline(Timer):
    """`asyncio.Timeout` with such a timer: raises TimeoutError in its block at `when_s` (None: never)."""

    def __init__(self, when_s: float | None) -> None:
        super().__init__()
        self._first_s = when_s
        self._timeout = asyncio.timeout(None)
        self._inside = False  # the block runs

    async def __aenter__(self) -> Deadline:
        await self._timeout.__aenter__()
        self._inside = True
        self.reschedule(self._first_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inside = False
        self.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def reschedule(self, when_s: float | None) -> None:
        """Let the block end at another time. Raises RuntimeError if it does not run."""
        if not self._inside:
            raise RuntimeError("This block does not run.")
        if when_s is None:
            self.cancel()
        else:
            self.set(when_s)

    def expired(self) -> bool:
        """Whether the block was ended, or is being ended, because it took too long."""
        return self._timeout.expired()

    def _ring(self) -> None:
        self._timeout.reschedule(self._loop.time())


def timeout(seconds: float | None) -> Deadline:
    """Like `asyncio.timeout`."""
    return Deadline(None if seconds is None else asyncio.get_running_loop().time() + seconds)


def timeout_at(when_s: float | None) -> Deadline:
    """Like `asyncio.timeout_at`."""
    return Deadline(when_s)


def still_open(when_s: float) -> float:
    """This time or, if it was over long before the wait for it begins, a later one: nobody has read since."""
    now_s = asyncio.get_running_loop().time()
    return when_s if now_s - when_s <= LATE_S else now_s + READ_S
