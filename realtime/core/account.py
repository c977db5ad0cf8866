"""Whether the account has a turn a minute for one more session. Knows numbers of requests; no provider and no clock.

A session costs the account only when somebody talks, so two things have to come together: shared equally, the limit
is less than a turn a minute for each session, and a good part of the last minute's requests is really used
(docs/operations.md, "The account is full").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TURN_REQUESTS = 2.0  # of each kind: a spoken turn costs 1.5 to 2.3 speech requests, and a chat request or two
USED_SHARE = 0.5  # of the limit: while less is used, those who are here leave enough for one more
NEW_S = 60.0  # a session that is younger has not shown what it uses: a turn is expected of it


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of the account: requests a minute, and how many of them are left now."""

    per_minute: float
    left: float


def exhausted(limits: Iterable[Limit], sessions: int, new: int) -> bool:
    """Whether one more session would leave less than a turn a minute for each.

    `sessions`: how many there are, `new`: how many of them are younger than NEW_S. A limit may be infinite.
    """
    return any(_exceeded(limit, sessions + 1, new + 1) for limit in limits)


def _exceeded(limit: Limit, sessions: int, new: int) -> bool:
    if limit.per_minute >= TURN_REQUESTS * sessions:
        return False
    expected = limit.per_minute - limit.left + TURN_REQUESTS * new
    return expected > USED_SHARE * limit.per_minute
