"""A token bucket: limits how fast a client is read. A client that sends faster is read later; nothing is rejected."""

from __future__ import annotations

import asyncio


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

    async def throttle(self, amount: float) -> None:
        """Take tokens, and wait if none are left."""
        wait_s = self.take(amount, asyncio.get_running_loop().time())
        if wait_s > 0:
            await asyncio.sleep(wait_s)
