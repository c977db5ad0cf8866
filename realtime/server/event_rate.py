"""How fast the events of one client are taken in: 200 a second, after a free start (shared/realtime-wire.md 1.4).

Who sends more is read later, and never told off: the socket's own backpressure does the rest. Pure; time is an
argument, in seconds of the loop.
"""

from __future__ import annotations

EVENTS_PER_S = 200.0
BURST = 2_000  # a client that replays a whole conversation need not wait


class EventRate:
    """An allowance of events that fills up again at a steady rate."""

    def __init__(self, now_s: float, per_s: float = EVENTS_PER_S, burst: float = BURST) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._at_s = now_s

    def __repr__(self) -> str:
        return f"<EventRate {self._left:.0f} of {self._burst:.0f} left>"

    def take(self, now_s: float) -> float:
        """Count one event; returns how many seconds to wait before reading the next one."""
        self._left = min(self._burst, self._left + (now_s - self._at_s) * self._per_s) - 1
        self._at_s = now_s
        return max(0.0, -self._left / self._per_s)
