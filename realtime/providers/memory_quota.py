"""The role `Quota` for one process that has the account for itself: it takes a place when a request is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from realtime.core.quota import HOLD_MS, LONGEST_WAIT_MS, QuotaLog
from realtime.providers.quota import Permit, Quota, Tally, nobody, used_up


class MemoryQuota(Quota):
    """At most `limit` requests of this kind (chat or speech) a minute."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind = kind
        self.log = QuotaLog(max(1, limit))
        self.tally = Tally()
        self._numbers = count()

    def __repr__(self) -> str:
        return f"<MemoryQuota {self.kind} {self.log!r}>"

    def ask(self, longest_wait_s: float) -> Permit:
        self.tally.asked += 1
        return MemoryPermit(self, longest_wait_s)

    def new_place(self) -> str:
        """An id of its own."""
        return str(next(self._numbers))

    def left(self) -> int:
        return self.log.left(now_ms())

    def per_minute(self) -> int:
        return self.log.limit

    def refused(self) -> None:
        self.log.refused(now_ms())


class MemoryPermit(Permit):
    """Takes its place when it is used."""

    def __init__(self, quota: MemoryQuota, longest_wait_s: float) -> None:
        self._quota = quota
        self._place = quota.new_place()
        self._longest_wait_s = longest_wait_s
        self._over = False
        self._until_ms: int | None = None  # None: not used yet

    @property
    def over(self) -> bool:
        return self._over

    async def use(self, tell: Callable[[float], None] = nobody) -> None:
        log, tally = self._quota.log, self._quota.tally
        longest_ms = int(min(self._longest_wait_s * 1000, LONGEST_WAIT_MS))
        wait_ms = log.take(self._place, now_ms(), longest_ms)
        if wait_ms > longest_ms:
            self._over = True
            log.give_back(self._place)
            tally.refused += 1
            raise used_up(self._quota.kind, wait_ms / 1000)
        self._until_ms = now_ms() + wait_ms + HOLD_MS
        if wait_ms > 0:
            tell(wait_ms / 1000)
            try:
                await asyncio.sleep(wait_ms / 1000)
            except asyncio.CancelledError:
                self._until_ms = None
                self.give_back()
                raise
            tally.waited += 1
        else:
            tally.granted += 1

    async def leaves(self) -> None:
        while self._over or self._until_ms is None or now_ms() >= self._until_ms:
            if self._over:  # its place belongs to the request that has left
                self._place, self._over, self._until_ms = self._quota.new_place(), False, None
            self._quota.tally.asked += 1
            await self.use()
        self._over = True
        self._quota.log.write(self._place, now_ms())

    def give_back(self) -> None:
        if self._over:
            return
        self._over = True
        if self._until_ms is None:
            self._quota.tally.returned += 1
        self._quota.log.give_back(self._place)


def now_ms() -> int:
    """The event loop's clock."""
    return int(asyncio.get_running_loop().time() * 1000)
