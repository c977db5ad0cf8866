"""The requests that an account was asked in the last minute, for one limit: who may send now, and who waits how long.

An exact log, no token bucket: in no window of 60 s are there more requests than the limit. A place in it is *open*
until its request leaves, and counts as if that were now, so a request may leave as late as it likes within `HOLD_MS`.
Time is an argument, in whole milliseconds of any one clock. It knows neither requests nor Redis;
`providers/lua/quota.lua` has the same rules for several nodes, and tests compare the two (docs/scale.md).
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort

WINDOW_MS = 61_000  # 60 s, and a guard: what left in time may arrive late
HOLD_MS = 30_000  # a place is open for so long; then it counts as a request that has left at its end
LONGEST_WAIT_MS = WINDOW_MS - 1  # beyond it, it depends on when the open ones leave
LOWERED_MS = 60_000  # a refusal that the count did not foresee lowers the limit for so long ...
LOWERED_TO = 0.8  # ... to this share
SETTLE_MS = 10_000  # refusals within this time are one: their requests left before the limit was lowered
SILENT_MS = 3_000  # a node that says nothing for so long is cut off from the others, or gone ...
KNOWN_MS = 120_000  # ... and its share is kept aside until it was silent for so long
AHEAD_MS = 5_000  # between nodes a place is given at most so long ahead
TAG = 8  # characters with which all places of a node begin
LOOK_AT = 500  # of more places, those of a silent node are not told apart: all count beside its share
SAFE_SHARE = 0.9  # of the limit, for all nodes together while they cannot count together


def share_of(limit: int, nodes: int) -> int:
    """What one of so many nodes may use alone while it does not hear of the others."""
    return math.floor(limit * SAFE_SHARE / max(1, nodes))


def usable(limit: int, *, lowered: int = 0, aside: int = 0) -> int:
    """What is left of a limit that was lowered so often, less what is kept aside; at least 1."""
    return max(1, math.floor(limit * LOWERED_TO**lowered) - aside)


class QuotaLog:
    """The places of one account and kind of request, by the ids that their owners have chosen.

    Each has the time at which its request left. An open one has the end of its time, which lies ahead.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.shares: dict[str, int] = {}  # of nodes that are silent, by their tags
        self._at_ms: dict[str, int] = {}
        self._order: list[tuple[int, str]] = []
        self._refused_ms: list[int] = []

    def __repr__(self) -> str:
        return f"<QuotaLog {len(self._order)} of {self.limit}>"

    def take(
        self, place: str, now_ms: int, longest_wait_ms: float = LONGEST_WAIT_MS, not_before_ms: int = 0
    ) -> int:
        """How long this request has to wait, in ms. If that is not too long, the place is taken, and open from then on.

        A place that was taken before makes no difference. If the wait is too long it stays, open from now on: between
        nodes this question may have been on its way for long, and its request may have left.
        """
        had = self.give_back(place)
        wait_ms = max(self._free_at(now_ms), not_before_ms) - now_ms
        if wait_ms <= min(longest_wait_ms, LONGEST_WAIT_MS):
            self.hold(place, now_ms + wait_ms)
        elif had:
            self.hold(place, now_ms)
        return wait_ms

    def hold(self, place: str, from_ms: int) -> None:
        """A place is open from this time on, whatever the limit."""
        self.write(place, from_ms + HOLD_MS)

    def give_back(self, place: str) -> bool:
        """Free a place that was not used; whether there was one. One that is unknown, or over, is no error."""
        if (at_ms := self._at_ms.pop(place, None)) is None:
            return False
        del self._order[bisect_right(self._order, (at_ms, place)) - 1]
        return True

    def write(self, place: str, at_ms: int) -> None:
        """A request has left at this time, whatever the limit. The same id twice is one place."""
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
        if not self._refused_ms and not self.shares:  # nearly always, and asked at each delta of an answer
            return max(1, self.limit)
        return usable(self.limit, lowered=len(self._refused_ms), aside=sum(self.shares.values()))

    def left(self, now_ms: int) -> int:
        """How many requests can be sent now."""
        return max(0, self.usable(now_ms) - len(self._counted()))

    def places(self, now_ms: int) -> list[tuple[str, int]]:
        """Those of the last minute and the open ones, with their times in ms, oldest first."""
        self._expire(now_ms)
        return [(place, at_ms) for at_ms, place in self._order]

    def _free_at(self, now_ms: int) -> int:
        """The first time at which one more request would be within the limit, if the open ones leave by then.

        Whoever takes a place counts all the others: those that may still leave, and those that left less than one
        window before it. So the last place that was given in a window has counted the whole window.
        """
        limit = self.usable(now_ms)  # forgets what is over
        counted = self._counted()
        surplus = len(counted) - limit
        if surplus < 0:
            return now_ms
        over_ms = counted[surplus][0]
        return WINDOW_MS + (over_ms if over_ms <= now_ms else max(now_ms, over_ms - HOLD_MS))

    def _counted(self) -> list[tuple[int, str]]:
        """Without the newest ones of a silent node, as many as its share: nobody else gets them when they are over."""
        if not self.shares or len(self._order) > LOOK_AT:
            return self._order
        rest, counted = dict(self.shares), []
        for at_ms, place in reversed(self._order):
            if rest.get(place[:TAG], 0) > 0:
                rest[place[:TAG]] -= 1
            else:
                counted.append((at_ms, place))
        return counted[::-1]

    def _expire(self, now_ms: int) -> None:
        if self._order and self._order[0][0] <= now_ms - WINDOW_MS:
            over = bisect_right(self._order, now_ms - WINDOW_MS, key=lambda entry: entry[0])
            for _, place in self._order[:over]:
                del self._at_ms[place]
            del self._order[:over]
        while self._refused_ms and self._refused_ms[0] <= now_ms - LOWERED_MS:
            del self._refused_ms[0]
