"""The role `Quota` for one process that has the account for itself: it takes a place when a request is ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count

from realtime.core.quota import QuotaLog
from realtime.providers.quota import Permit, Quota, nobody, used_up


class MemoryQuota(Quota):
    """At most `limit` requests of this kind (chat or speech) a minute."""

    def __init__(self, kind: str, limit: int) -> None:
        self.kind = kind
        self.log = QuotaLog(limit)
        self._numbers = count()

    def __repr__(self) -> str:
        return f"<MemoryQuota {self.kind} {self.log!r}>"

    def ask(self, longest_wait_s: float) -> Permit:
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

    async def use(self, tell: Callable[[float], None] = nobody) -> None:
        wait_s = self._quota.log.take(self._place, now_ms(), self._longest_wait_s * 1000) / 1000
        if wait_s > self._longest_wait_s:
            raise used_up(self._quota.kind, wait_s)
        if wait_s > 0:
            await wait_for_place(wait_s, tell, lambda: self._quota.log.give_back(self._place))

    def give_back(self) -> None:
        """It has no place before it is used."""


async def wait_for_place(wait_s: float, tell: Callable[[float], None], give_back: Callable[[], None]) -> None:
    """Wait for a place that lies in the future; whoever is cancelled meanwhile gives it back."""
    tell(wait_s)
    try:
        await asyncio.sleep(wait_s)
    except asyncio.CancelledError:
        give_back()
        raise


def now_ms() -> int:
    """The event loop's clock."""
    return int(asyncio.get_running_loop().time() * 1000)
