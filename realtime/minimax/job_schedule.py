"""When to ask about a task: the times of one task, and the queries per second of a whole client.

Knows no endpoint and no task. Uses only the event loop's time, so a changed clock of the machine does nothing.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from realtime.minimax.loops import lock


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times at which a task is asked about.

    `early_s`: ages of a new task, in seconds, at which it is asked about first. After them comes `interval_s` (None:
    the interval of the kind). A task older than its typical time is asked about more rarely, at most `slowest` times
    as rarely. Every wait varies by up to the share `jitter` of itself. `least_gap_s` is the shortest time between two
    queries that hints (callbacks) can cause.
    """

    early_s: tuple[float, ...] = (1.0, 2.0, 4.0)
    interval_s: float | None = None
    slowest: float = 3.0
    jitter: float = 0.1
    least_gap_s: float = 2.0

    def delay_s(self, age_s: float, *, interval_s: float, typical_s: float, luck: float = 0.0) -> float:
        """The seconds until the next query of a task of this age. `luck` is between -1 and 1."""
        early = next((at_s - age_s for at_s in sorted(self.early_s) if at_s > age_s + 0.25), None)
        if early is not None:
            delay_s = early
        else:
            rarer = min(self.slowest, max(1.0, age_s / typical_s)) if typical_s > 0 else 1.0
            delay_s = (self.interval_s or interval_s) * rarer
        return delay_s * (1.0 + self.jitter * luck)


class QueryPace:
    """The most queries a second for all tasks of one kind in one client. The namespace owns it and shares it."""

    def __init__(self, per_s: float) -> None:
        self._gap_s = 1.0 / per_s
        self._next = float("-inf")
        self._lock = lock()

    def __repr__(self) -> str:
        return f"<QueryPace {1.0 / self._gap_s:g} a second>"

    async def turn(self) -> None:
        """Wait until the next query may be sent, first come, first served. A cancelled wait uses no turn."""
        loop = asyncio.get_running_loop()
        async with self._lock.here():
            while (wait_s := self._next - loop.time()) > 0:  # noqa: ASYNC110 - hold() may move it meanwhile
                await asyncio.sleep(wait_s)
            self._next = loop.time() + self._gap_s

    def hold(self, wait_s: float) -> None:
        """Send no query of this kind for some seconds: the platform refused one because of its rate."""
        self._next = max(self._next, asyncio.get_running_loop().time() + wait_s)
