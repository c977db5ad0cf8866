"""An inactivity timeout: raises TimeoutError in a block without activity for too long.

Reporting activity sets no timer, so it is cheap enough for every audio frame. Does not know what the block waits for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Watchdog:
    """`async with Watchdog(20.0) as watchdog:`; use it once, in one task."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._active_s = 0.0  # time of the last activity
        self._excuses = 0  # open `excused` blocks
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Watchdog:
        await self._timeout.__aenter__()
        self.alive()
        self._check()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        timeout, self._timeout = (
            self._timeout,
            asyncio.timeout(None),
        )  # it knows its task, and the task its error
        await timeout.__aexit__(kind, error, trace)

    def alive(self) -> None:
        """Report activity: the timeout starts again."""
        self._active_s = self._loop.time()

    @contextmanager
    def excused(self) -> Iterator[None]:
        """A block in which the timeout does not run."""
        self._excuses += 1
        try:
            yield
        finally:
            self._excuses -= 1
            self.alive()

    def _check(self) -> None:
        now_s = self._loop.time()
        due_s = (now_s if self._excuses else self._active_s) + self._timeout_s
        if due_s > now_s:
            self._timer = self._loop.call_at(due_s, self._check)
        else:
            self._timeout.reschedule(now_s)
