"""The role `Journal`: keeps what other servers need to go on with a session, and who may write it. Knows no session."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

FIRST_EPOCH = 1  # of the server on which the session began


class Kept(Enum):
    """What has become of a write."""

    WRITTEN = auto()
    LOST = auto()  # perhaps: nobody knows
    INCOMPLETE = auto()  # the record was forgotten meanwhile, and is needed again
    REFUSED = auto()  # another server has the session by now


@dataclass(frozen=True, slots=True)
class Entry:
    """A record, the position that goes with it, and the epoch of who writes them."""

    epoch: int
    record: bytes
    position: bytes | None = None


class Journal(Protocol):
    """At any time one server has a session. Its epoch is higher than those of all that had it before it."""

    def write(
        self, session_id: str, epoch: int, *, record: bytes | None = None, position: bytes | None = None
    ) -> asyncio.Future[Kept]:
        """Keep these, whichever are given. Returns at once."""
        ...

    async def read(self, session_id: str) -> Entry | None:
        """What is kept; None if there is nothing. Raises ProviderUnavailable."""
        ...

    async def claim(self, session_id: str, epoch: int) -> Entry | None:
        """Give out the next epoch, if this is still the latest, and read in one step. Raises ProviderUnavailable."""
        ...

    def end(self, session_id: str, epoch: int) -> None:
        """The session is over: nobody goes on with it, and nobody writes it any more."""
        ...
