"""The clock of one sandbox: loop time, and an offset that tests move forward.

Every lifetime, every task and every rate window runs on it. Latencies do not: they are real waits.
Must be read on the event loop, not in a thread.
"""

from __future__ import annotations

import asyncio
import time


class Clock:
    """Seconds that only grow. Waits on it end early when it is moved."""

    def __init__(self) -> None:
        self.ahead_s = 0.0  # how far it was moved
        self._unix_s: float | None = None  # Unix time of loop time 0
        self._moved = asyncio.Event()

    def now_s(self) -> float:
        """Loop time plus all moves."""
        return asyncio.get_running_loop().time() + self.ahead_s

    def unix_s(self, at_s: float | None = None) -> int:
        """Unix time, in whole seconds, of a time of this clock (None: now)."""
        if self._unix_s is None:
            # Fixed once, so a change of the machine's own clock changes nothing here.
            self._unix_s = time.time() - asyncio.get_running_loop().time()
        return int(self._unix_s + (self.now_s() if at_s is None else at_s))

    def forward(self, seconds: float) -> None:
        """Move the clock. Raises ValueError for a negative number: lifetimes cannot be given back."""
        if not 0 <= seconds < float("inf"):
            raise ValueError(f"the clock only moves forward, not by {seconds:g} s")
        self.ahead_s += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def sleep_until(self, at_s: float) -> None:
        """Wait until a time of this clock; a move may end the wait at once."""
        while (left_s := at_s - self.now_s()) > 0:
            moved = self._moved
            try:
                async with asyncio.timeout(left_s):
                    await moved.wait()
            except TimeoutError:
                continue
