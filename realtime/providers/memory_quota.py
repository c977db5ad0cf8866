"""The role `Quota` for one process that has the account for itself: it takes a place when a request is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from realtime.core.quota import QuotaLog
from realtime.providers.quota import LATE_MS, Permit, Quota, Tally, nobody, use_place, used_up


class MemoryQuota(Quota):
    """At most `limit` requests of this kind (chat or speech) a minute."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind = kind
        self.log = QuotaLog(limit)
        self.tally = Tally()
        self._numbers = count()

    def __repr__(self) -> str:
        return f"<MemoryQuota {self.kind} {self.log!r}>"

    def ask(self, longest_wait_s: float) -> Permit:
        self.tally.asked += 1
        return MemoryPermit(self, str(next(self._numbers)), longest_wait_s)

    def left(self) -> int:
        return self.log.left(now_ms())

    def per_minute(self) -> int:
        return self.log.limit

    def refused(self) -> None:
        self.log.refused(now_ms())


class MemoryPermit(Permit):
    """Takes its place when it is used."""

    def __init__(self, quota: MemoryQuota, place: str, longest_wait_s: float) -> None:
        self._quota = quota
        self._place = place
        self._longest_wait_s = longest_wait_s
        self._over = False  # used or given back
        self._used_ms = 0

    async def use(self, tell: Callable[[float], None] = nobody) -> None:
        self._over = True
        log, tally = self._quota.log, self._quota.tally
        wait_s = log.take(self._place, now_ms(), self._longest_wait_s * 1000) / 1000
        if wait_s > self._longest_wait_s:
            tally.refused += 1
            raise used_up(self._quota.kind, wait_s)
        await use_place(wait_s, tell, tally, lambda: log.give_back(self._place))
        self._used_ms = now_ms()

    def leaves(self) -> None:
        if now_ms() - self._used_ms > LATE_MS:
            self._quota.log.write(self._place, now_ms())

    def give_back(self) -> None:
        """It has no place before it is used."""
        if not self._over:
            self._over = True
            self._quota.tally.returned += 1


def now_ms() -> int:
    """The event loop's clock."""
    return int(asyncio.get_running_loop().time() * 1000)
