"""EndOfTurnDelay with silence: a block in which nothing happens for too long ends in TimeoutError.

Saying that something happened moves no timer, so that it can be said of every frame of sound. It does not know what is
awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType


class Watchdog:
    """`async with Watchdog(20.0) as watchdog:`; for use in one task's block, once."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._timeout = asyncio.timeout(None)
        self._alive_s = 0.0  # when something happened last
        self._excuses = 0  # why silence is nobody's fault at the moment
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Watchdog:
        await self._timeout.__aenter__()
        self.alive()
        self._look()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def alive(self) -> None:
        """Something happened: patience begins anew."""
        self._alive_s = self._loop.time()

    @contextmanager
    def excused(self) -> Iterator[None]:
        """Meanwhile silence has another reason, and does not count."""
        self._excuses += 1
        try:
            yield
        finally:
            self._excuses -= 1
            self.alive()

    def _look(self) -> None:
        now_s = self._loop.time()
        due_s = (now_s if self._excuses else self._alive_s) + self._timeout_s
        if due_s > now_s:
            self._timer = self._loop.call_at(due_s, self._look)
        else:
            self._timeout.reschedule(now_s)
