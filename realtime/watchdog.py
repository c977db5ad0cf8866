"""An inactivity timeout: raises TimeoutError in a block in which somebody was waited for too long in vain.

Time counts only inside `waiting` blocks. Reporting activity sets no timer, so it is cheap enough for every audio frame.
Does not know what the block waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from realtime.deadlines import Timer

TIMER_S = 0.001  # a timer may ring so much too early


class Waiting:
    """One open wait. A class, because a generator costs three times as much, and there is one for each message."""

    __slots__ = ("_began_s", "_open")

    def __init__(self, open: list[float], began_s: float) -> None:
        self._open = open
        self._began_s = began_s

    def __enter__(self) -> None:
        self._open.append(self._began_s)

    def __exit__(self, *_: object) -> None:
        self._open.remove(self._began_s)


class Watchdog(Timer):
    """`async with Watchdog(20.0) as watchdog:`; use it once, in one task. Its `waiting` blocks can be in any task."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__()
        self._timeout_s = timeout_s
        self._timeout = asyncio.timeout(None)
        self._active_s = 0.0  # time of the last activity
        self._waits: list[float] = []  # when the open `waiting` blocks began
        self._excuses = 0  # open `excused` blocks

    async def __aenter__(self) -> Watchdog:
        await self._timeout.__aenter__()
        self.alive()
        self.set(self._active_s + self._timeout_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cancel()
        # A timeout knows its task, and the task its error: keep neither.
        timeout, self._timeout = self._timeout, asyncio.timeout(None)
        await timeout.__aexit__(kind, error, trace)

    def alive(self) -> None:
        """Report activity: the timeout starts again."""
        self._active_s = self._loop.time()

    def waiting(self) -> Waiting:
        """A block that waits for somebody else. The timeout runs, from the begin of the oldest block that is open."""
        return Waiting(self._waits, self._loop.time())

    @contextmanager
    def excused(self) -> Iterator[None]:
        """A block in which the timeout does not run, whoever waits meanwhile."""
        self._excuses += 1
        try:
            yield
        finally:
            self._excuses -= 1
            self.alive()

    def _ring(self) -> None:
        now_s = self._loop.time()
        counts = self._waits and not self._excuses
        due_s = (max(self._active_s, min(self._waits)) if counts else now_s) + self._timeout_s
        if due_s > now_s + TIMER_S:
            self.set(due_s)
        else:
            self._timeout.reschedule(now_s)
