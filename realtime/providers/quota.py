"""The role `Quota`: the requests a minute of one account and kind (chat or speech), of one process or of several nodes.

The platform's providers ask it before each request; conversations never see it. `memory_quota.py` counts for one
process, `redis_quota.py` for all nodes (docs/scale.md). Knows no clock and no service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from realtime.errors import ProviderRejected


def nobody(wait_s: float) -> None:
    """Nobody wants to know of a wait."""


@dataclass(slots=True)
class Tally:
    """What became of the permits that were asked for since the start; the rest of them is in hand."""

    asked: int = 0
    granted: int = 0  # without a wait
    waited: int = 0  # granted, after a wait
    refused: int = 0  # the wait would have been too long
    returned: int = 0  # not used


class Permit(Protocol):
    """The right to send one request. It counts as a request that leaves now, until it has left or is given back."""

    @property
    def over(self) -> bool:
        """Whether its request has left, or it was given back."""
        ...

    async def use(self, tell: Callable[[float], None] = nobody) -> None:
        """Return when the request may be sent. `tell` learns of a wait before it begins, in seconds. Whoever is
        cancelled here gives the permit back. Raises ProviderRejected if the wait is too long."""
        ...

    async def leaves(self) -> None:
        """The request is written now: call it directly before. Returns at once, unless the permit is over, or was in
        hand for longer than one is good for: then this is one more request, which may wait. Raises as `use` does."""
        ...

    def give_back(self) -> None:
        """No request was sent. After `leaves` this does nothing."""
        ...


class Quota(Protocol):
    """Gives permits, in the order in which they are asked for."""

    tally: Tally

    def ask(self, longest_wait_s: float) -> Permit:
        """Ask for a permit ahead of its request, which may need it later or not at all. Returns at once."""
        ...

    def left(self) -> int:
        """How many requests can be sent now, as far as is known here: the view may be a second old."""
        ...

    def per_minute(self) -> int:
        """How many can be sent in a minute: of an account that nodes share, this one's part."""
        ...

    def refused(self) -> None:
        """The service refused a request that had a permit (1002): the limit is lowered for a minute."""
        ...


class TakesQuota(Protocol):
    """What a provider may offer as well: to ask another quota, one that nodes share."""

    def use_quota(self, quota: Quota) -> None:
        """Ask this one from now on."""
        ...


def used_up(kind: str, wait_s: float) -> ProviderRejected:
    """The error of a request that would have to wait for too long. `kind` is chat or speech."""
    return ProviderRejected(
        f"The account's {kind} requests of this minute are used up. Try again in {wait_s:.0f} s.",
        code="rate_limit_exceeded",
        retryable=True,
        retry_after_s=wait_s,
    )
