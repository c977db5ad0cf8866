"""The account's requests of the last minute, for one limit, without I/O: time is an argument, in seconds.

Knows how long the next request has to wait; the caller decides whether that is too long.
"""

from __future__ import annotations

from collections import deque

WINDOW_S = 60.0


class RequestBudget:
    """A sliding window of one minute. A reservation can lie in the future: its caller waits until then."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = max(1, per_minute)
        self._times: deque[float] = deque()

    def left(self, now_s: float) -> int:
        """How many requests can be made now."""
        self._expire(now_s)
        return max(0, self.per_minute - len(self._times))

    def wait_s(self, now_s: float) -> float:
        """How long a new request has to wait."""
        self._expire(now_s)
        if len(self._times) < self.per_minute:
            return 0.0
        return max(0.0, self._times[-self.per_minute] + WINDOW_S - now_s)

    def reserve(self, now_s: float) -> float:
        """Reserve the next free place. Returns its time, for `release`."""
        at_s = now_s + self.wait_s(now_s)
        self._times.append(at_s)
        return at_s

    def release(self, at_s: float) -> None:
        """Free a place that was not used."""
        if at_s in self._times:
            self._times.remove(at_s)

    def _expire(self, now_s: float) -> None:
        while self._times and self._times[0] <= now_s - WINDOW_S:
            self._times.popleft()
