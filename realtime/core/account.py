"""Whether an account has a turn a minute for one more session, and which of several has the most left.

A session costs the account only when somebody talks, so two things have to come together before it is full: shared
equally, the limit is less than a turn a minute for each session, and a good part of the last minute's requests is
really used (docs/operations.md, "The account is full"). Of several accounts a session gets the one where, after a turn
a minute for each of its sessions, most is left (docs/scale.md 5). Knows numbers of requests; no provider and no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TURN_REQUESTS = 2.0  # of each kind: a spoken turn costs 1.5 to 2.3 speech requests, and a chat request or two
USED_SHARE = 0.5  # of the limit: while less is used, those who are here leave enough for one more
NEW_S = 60.0  # a session that is younger has not shown what it uses: a turn is expected of it


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the account: requests a minute, and how many of them are left now."""

    per_minute: float
    left: float


@dataclass(frozen=True, slots=True)
class AccountUse:
    """An account as it is now. `sessions`: how many it has, `new`: how many of them are younger than NEW_S."""

    limits: tuple[Limit, ...]
    sessions: int
    new: int

    @property
    def exhausted(self) -> bool:
        """Whether one more session would leave less than a turn a minute for each."""
        return exhausted(self.limits, self.sessions, self.new)

    @property
    def turns_left(self) -> float:
        """Turns a minute that are left after what its sessions need; below 0 where they need more than there is.

        The scarcest limit counts, for the minutes to come and for this one.
        """
        ahead = (limit.per_minute - TURN_REQUESTS * self.sessions for limit in self.limits)
        now = (limit.left - TURN_REQUESTS * self.new for limit in self.limits)
        return min((*ahead, *now), default=float("inf")) / TURN_REQUESTS


def exhausted(limits: Iterable[Limit], sessions: int, new: int) -> bool:
    """Whether one more session would leave less than a turn a minute for each.

    `sessions`: how many there are, `new`: how many of them are younger than NEW_S. A limit may be infinite.
    """
    return any(_exceeded(limit, sessions + 1, new + 1) for limit in limits)


def roomiest(accounts: Sequence[AccountUse]) -> int:
    """Which of these (at least one) a session should get, by its place in the list.

    One that is not exhausted, if there is any; of these the one with the most turns left; of equals the one with
    fewest sessions, then the first.
    """
    return min(
        range(len(accounts)),
        key=lambda n: (accounts[n].exhausted, -accounts[n].turns_left, accounts[n].sessions),
    )


def _exceeded(limit: Limit, sessions: int, new: int) -> bool:
    if limit.per_minute >= TURN_REQUESTS * sessions:
        return False
    expected = limit.per_minute - limit.left + TURN_REQUESTS * new
    return expected > USED_SHARE * limit.per_minute
