"""A token bucket, and two uses of it: how fast a client is read, and how often the log tells of one kind of event.

A client that sends faster is read later; nothing is rejected.
"""

from __future__ import annotations

import asyncio
import math


class TokenBucket:
    """`rate_per_s` on average, `burst` at once. The unit is whatever the caller counts."""

    def __init__(self, rate_per_s: float, burst: float, now_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._tokens = burst
        self._updated_s = now_s

    def __repr__(self) -> str:
        return f"<TokenBucket {self._tokens:.1f} of {self._burst:g} left>"

    def take(self, amount: float, now_s: float) -> float:
        """Take tokens; returns the seconds to wait before the next read. The count may go below zero."""
        refilled = self._tokens + (now_s - self._updated_s) * self._rate_per_s
        self._tokens = min(self._burst, refilled) - amount
        self._updated_s = now_s
        return max(0.0, -self._tokens / self._rate_per_s)

    def try_take(self, amount: float, now_s: float) -> bool:
        """Take tokens if there are enough."""
        if self.take(0.0, now_s) > 0 or self._tokens < amount:
            return False
        self._tokens -= amount
        return True

    async def throttle(self, amount: float, most_s: float = math.inf) -> None:
        """Take tokens, and wait if none are left, at most so many seconds: what is missing then stays missing."""
        wait_s = self.take(amount, asyncio.get_running_loop().time())
        if wait_s > 0:
            await asyncio.sleep(min(wait_s, most_s))


class Throttle:
    """Lets `burst` events of a kind through, then one in `every_s` seconds. Kinds must be few: they are kept."""

    def __init__(self, burst: int = 10, every_s: float = 10.0) -> None:
        self._burst = burst
        self._every_s = every_s
        self._buckets: dict[str, TokenBucket] = {}
        self._left_out: dict[str, int] = {}  # of a kind, since the last one that passed

    def allow(self, kind: str, now_s: float) -> int | None:
        """None: leave this one out. Else how many of the kind were left out since the last one."""
        bucket = self._buckets.setdefault(kind, TokenBucket(1 / self._every_s, self._burst, now_s))
        if bucket.try_take(1.0, now_s):
            return self._left_out.pop(kind, 0)
        self._left_out[kind] = self._left_out.get(kind, 0) + 1
        return None
