"""Keeps to the account's requests a minute, without I/O: when may the next request of a group be sent?

A window of one minute that slides, as the platform counts (docs/minimax/README.md 5). Time is an argument.
"""

from __future__ import annotations

from bisect import insort
from collections import deque

WINDOW_S = 60.0


class Pace:
    """One group of operations. None a minute: no limit."""

    def __init__(self, per_minute: int | None) -> None:
        self.per_minute = per_minute
        self._times_s: deque[float] = deque()

    def reserve(self, now_s: float) -> float:
        """Reserve the next free place in the window; returns the seconds to wait for it, 0 if it is free now."""
        if self.per_minute is None:
            return 0.0
        while self._times_s and self._times_s[0] <= now_s - WINDOW_S:
            self._times_s.popleft()
        at_s = now_s
        if len(self._times_s) >= self.per_minute:
            at_s = max(now_s, self._times_s[-self.per_minute] + WINDOW_S)
        insort(self._times_s, at_s)  # it may lie before others, where one was given back
        return at_s - now_s

    def give_back(self, at_s: float) -> None:
        """The place at this time was not used: the wait for it was cancelled. The places of others stay."""
        if self._times_s:
            self._times_s.remove(min(self._times_s, key=lambda other_s: abs(other_s - at_s)))
