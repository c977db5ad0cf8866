"""A conversation in the store: saved a moment after an item is finished, and read back for a client that asks for it.

Saving waits for nobody and nobody waits for it: a store in trouble is a line in the log. Sound is never stored, and
neither are pictures that were sent as data.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from realtime.core.conversation import Conversation, ConversationError, Image, Item, Message
from realtime.errors import ProviderError
from realtime.protocol import objects as wire
from realtime.protocol import server_events as events
from realtime.providers.base import Store
from realtime.translate import to_core_item, to_wire_item

log = logging.getLogger(__name__)

BATCH_S = 0.25  # what is finished within this time is saved together
LAST_SAVE_S = 3.0  # patience with the store when a session ends
RETRY_S = 5.0

TELLING = (
    events.ConversationItemDone,
    events.ConversationItemDeleted,
    events.ConversationItemTruncated,
    events.ConversationItemInputAudioTranscriptionCompleted,
    events.ResponseDone,
)


class Persistence:
    """Keeps one conversation in the store. `owner` is whose it is (a key's name, never the key)."""

    def __init__(self, store: Store, owner: str, conversation_id: str, conversation: Conversation) -> None:
        self._store = store
        self._owner = owner
        self._id = conversation_id
        self._conversation = conversation
        self._saved: dict[str, Item] = {}
        self._order: list[str] = []
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Persistence {self._id}, {len(self._saved)} items saved>"

    def notice(self, event: events.ServerEvent) -> None:
        """Something was told to the client; perhaps an item is finished."""
        if isinstance(event, TELLING):
            self._changed.set()

    async def run(self) -> None:
        """Save whenever something changed, for ever."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(BATCH_S)
            self._changed.clear()
            if not await self._save():
                self._changed.set()
                await asyncio.sleep(RETRY_S)

    async def finish(self) -> None:
        """Save what is still unsaved."""
        try:
            async with asyncio.timeout(LAST_SAVE_S):
                await self._save()
        except TimeoutError:
            log.warning("conversation %s may miss its end: the store is slow", self._id)

    async def _save(self) -> bool:
        """Whether the store has everything now."""
        items = {item.id: item for item in self._conversation.items if item.status != "in_progress"}
        changed = [item for item in items.values() if self._saved.get(item.id) is not item]
        order = list(items)
        if not changed and order == self._order:
            return True
        try:
            bodies = await asyncio.to_thread(_bodies, changed)
            await self._store.save(self._owner, self._id, order, bodies)
        except ProviderError as error:
            log.warning("conversation %s is not saved: %s", self._id, error.message)
            return False
        self._saved, self._order = items, order
        return True


def _bodies(items: Iterable[Item]) -> dict[str, bytes]:
    return {item.id: msgspec.json.encode(to_wire_item(_without_pictures(item))) for item in items}


def _without_pictures(item: Item) -> Item:
    if not isinstance(item, Message):
        return item
    parts = tuple(
        part for part in item.parts if not (isinstance(part, Image) and part.url.startswith("data:"))
    )
    return Message(item.id, item.role, parts, item.status)


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A conversation that goes on in a new session."""

    conversation_id: str
    items: tuple[Item, ...]

    def restored(self) -> Conversation:
        """A conversation with these items; an output whose call was deleted is left out."""
        conversation = Conversation()
        for item in self.items:
            try:
                conversation.add(item)
            except ConversationError as error:
                log.warning("a stored item is left out: %s", error)
        return conversation


async def load_stored(store: Store, owner: str, conversation_id: str) -> StoredConversation | None:
    """A stored conversation; None if this owner has none of that id. Raises ProviderError."""
    bodies = await store.load(owner, conversation_id)
    return None if bodies is None else StoredConversation(conversation_id, tuple(_read(bodies)))


def _read(bodies: Sequence[bytes]) -> Iterable[Item]:
    for body in bodies:
        try:
            item: wire.Item = msgspec.json.decode(body, type=wire.Item)
        except msgspec.DecodeError as error:
            log.warning("a stored item cannot be read: %s", error)
            continue
        yield to_core_item(item)
