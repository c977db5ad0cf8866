"""The requests that an account was asked in the last minute, for one limit: who may send now, and who waits how long.

An exact log, no token bucket: in no window of 60 s are there more requests than the limit. A place in it can lie in the
future: its owner waits until then. Time is an argument, in whole milliseconds of any one clock. It knows neither
requests nor Redis; `providers/lua/quota.lua` has the same rules for several nodes, and tests compare the two
(docs/scale.md).
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort

WINDOW_MS = 61_000  # 60 s, and a guard: what left in time may arrive late
LOWERED_MS = 60_000  # a refusal that the count did not foresee lowers the limit for so long ...
LOWERED_TO = 0.8  # ... to this share
SETTLE_MS = 10_000  # refusals within this time are one: their requests left before the limit was lowered
SILENT_MS = 3_000  # a node that says nothing for so long is cut off from the others, or gone ...
KNOWN_MS = 120_000  # ... and its share is kept aside until it was silent for so long
SAFE_SHARE = 0.9  # of the limit, for all nodes together while they cannot count together


def share_of(limit: int, nodes: int) -> int:
    """What one of so many nodes may use alone while it does not hear of the others."""
    return math.floor(limit * SAFE_SHARE / max(1, nodes))


def usable(limit: int, *, lowered: int = 0, nodes: int = 1, silent: int = 0) -> int:
    """What is left of a limit that was lowered so often, less the shares of nodes that are silent; at least 1."""
    return max(1, math.floor(limit * LOWERED_TO**lowered) - silent * share_of(limit, nodes))


class QuotaLog:
    """The places of one account and kind of request, by the ids that their owners have chosen."""

    def __init__(self, limit: int) -> None:
        self.limit = max(1, limit)
        self.nodes = 1  # that use the account ...
        self.silent = 0  # ... and those of them that say nothing
        self._at_ms: dict[str, int] = {}
        self._order: list[tuple[int, str]] = []
        self._refused_ms: list[int] = []

    def __repr__(self) -> str:
        return f"<QuotaLog {len(self._order)} of {self.limit}>"

    def take(self, place: str, now_ms: int, longest_wait_ms: float = math.inf) -> int:
        """How long this request has to wait, in ms. If that is not too long, the place is taken.

        A place that was taken before is given back first, so that it can be dated anew.
        """
        self.give_back(place)
        wait_ms = self._free_at(now_ms) - now_ms
        if wait_ms <= longest_wait_ms:
            self.write(place, now_ms + wait_ms)
        return wait_ms

    def give_back(self, place: str) -> None:
        """Free a place that was not used. One that is unknown, or over, is no error."""
        if (at_ms := self._at_ms.pop(place, None)) is not None:
            del self._order[bisect_right(self._order, (at_ms, place)) - 1]

    def write(self, place: str, at_ms: int) -> None:
        """A request was or will be sent at this time, whatever the limit. The same id twice is one place."""
        self.give_back(place)
        self._at_ms[place] = at_ms
        insort(self._order, (at_ms, place))

    def refused(self, now_ms: int) -> None:
        """The service refused a request that had a place: somebody else uses the account as well."""
        self._expire(now_ms)
        if not self._refused_ms or self._refused_ms[-1] <= now_ms - SETTLE_MS:
            self._refused_ms.append(now_ms)

    def usable(self, now_ms: int) -> int:
        """The limit as it is now."""
        self._expire(now_ms)
        return usable(self.limit, lowered=len(self._refused_ms), nodes=self.nodes, silent=self.silent)

    def left(self, now_ms: int) -> int:
        """How many requests can be sent now."""
        return max(0, self.usable(now_ms) - len(self._order))

    def places(self, now_ms: int) -> list[tuple[str, int]]:
        """Those of the last minute and of the future, with their times in ms, oldest first."""
        self._expire(now_ms)
        return [(place, at_ms) for at_ms, place in self._order]

    def _free_at(self, now_ms: int) -> int:
        """The first time at which one more request would be within the limit.

        As many neighbours as the limit, within one window, forbid every time that is in one window with all of them.
        The forbidden times begin and end in the order of the places, so one pass is enough.
        """
        limit, at_ms = self.usable(now_ms), now_ms
        for first in range(len(self._order) - limit + 1):
            oldest_ms, newest_ms = self._order[first][0], self._order[first + limit - 1][0]
            forbidden = newest_ms - WINDOW_MS < at_ms < oldest_ms + WINDOW_MS
            if forbidden and newest_ms - oldest_ms < WINDOW_MS:
                at_ms = oldest_ms + WINDOW_MS
        return at_ms

    def _expire(self, now_ms: int) -> None:
        over = bisect_right(self._order, now_ms - WINDOW_MS, key=lambda entry: entry[0])
        for _, place in self._order[:over]:
            del self._at_ms[place]
        del self._order[:over]
        while self._refused_ms and self._refused_ms[0] <= now_ms - LOWERED_MS:
            del self._refused_ms[0]
