"""The role of a store: conversations that outlive their session. A conversation itself knows nothing of it.

The server saves and loads (`server/persistence.py`). For trouble of the store a method raises `ProviderError`, and only
that. `docs/extending.md` shows how to write one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

FIRST_EPOCH = 1  # of the session that began a conversation


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of a conversation since its session saved it last. `order` names every item that the session knows.

    The store may know more: such an item stays, after the one it follows (`stored_order.py`).
    """

    order: Sequence[str]
    changed: Mapping[str, bytes] = field(default_factory=dict)  # new or changed items, by id
    deleted: Collection[str] = ()  # ids


@dataclass(frozen=True, slots=True)
class Taken:
    """A conversation that has a new owner: every item, in order, and the owner's epoch."""

    items: tuple[bytes, ...]
    epoch: int = FIRST_EPOCH


@dataclass(frozen=True, slots=True)
class LateItem:
    """An item that a session could not save before it lost its conversation, and as it was saved before, if it was."""

    before: bytes | None
    now: bytes


class Store(Protocol):
    """Persistence: keeps conversations after their session. An item is JSON of the wire, without audio.

    `owner` is the user of the conversation: no owner finds the conversation of another. At any time one session has a
    conversation. Its epoch is higher than those of all sessions that had it before, and nothing that these save counts
    (docs/extending.md). In one process the server ends the older session before the newer one begins, so a store for
    one process alone needs neither `take` nor `add_late`.
    """

    async def save(self, owner: str, conversation_id: str, epoch: int, changes: Changes) -> None:
        """Keep these changes, all or none. Raises ConversationTakenOver if a higher epoch was given out, and
        ConversationForgotten if items of the order are lost: then all of them have to be saved again."""
        ...

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        """Every item, in order; None if this owner has no such conversation."""
        ...

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        """Load it and give out the next epoch, in one step; None if this owner has no such conversation."""
        items = await self.load(owner, conversation_id)
        return None if items is None else Taken(items)

    async def add_late(
        self, owner: str, conversation_id: str, order: Sequence[str], late: Mapping[str, LateItem]
    ) -> None:
        """Add what was said before a session knew that it was taken over. An item counts only if the stored one is
        still as this session has saved it: nobody's later change or deletion is undone. By default nothing is added."""
        return

    async def forget(self, owner: str, conversation_id: str) -> None:
        """Delete the conversation, if there is one. A session of another process that still has it is taken over."""
        ...

    async def aclose(self) -> None:
        """The server stops. Finish what has been started."""
        return


@dataclass(frozen=True, slots=True)
class StoredSummary:
    """A stored conversation in a list. The times are the system's; `opening` are the first items that are not large."""

    id: str
    created_unix_s: float
    updated_unix_s: float
    opening: tuple[bytes, ...] = ()


OPENING_ITEMS = 4  # of a summary; instructions and a greeting may come before the user's first words
OPENING_ITEM_BYTES = 16 * 1024


class ListsConversations(Protocol):
    """What a store may offer as well."""

    async def listing(self, owner: str, limit: int) -> Sequence[StoredSummary]:
        """The owner's conversations that were changed last, at most so many, the newest first."""
        ...


class DropsConversations(Protocol):
    """What a store needs as well if it drops conversations by itself."""

    def hold(self, owner: str, conversation_id: str, holder: object) -> None:
        """A session has this conversation open: do not drop it as long as `holder` lives, to be kept weakly. What the
        session saves next is only what has changed."""
        ...
