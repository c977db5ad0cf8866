"""How fast a client may send: a bucket that fills with time. Beyond it we read more slowly; nothing is refused."""

from __future__ import annotations

import asyncio


class TokenBucket:
    """`per_s` in the long run, `at_once` in a burst. Units are whatever `keep` counts."""

    def __init__(self, per_s: float, at_once: float, now_s: float) -> None:
        self._per_s = per_s
        self._at_once = at_once
        self._left = at_once
        self._seen_s = now_s

    def __repr__(self) -> str:
        return f"<TokenBucket {self._left:.1f} of {self._at_once:g} left>"

    def spend(self, amount: float, now_s: float) -> float:
        """Count this much; returns the seconds to wait before going on."""
        self._left = min(self._at_once, self._left + (now_s - self._seen_s) * self._per_s) - amount
        self._seen_s = now_s
        return max(0.0, -self._left / self._per_s)

    async def keep(self, amount: float) -> None:
        """Count this much, and wait if it is too much by now."""
        wait_s = self.spend(amount, asyncio.get_running_loop().time())
        if wait_s > 0:
            await asyncio.sleep(wait_s)
