"""Saves a conversation to the store shortly after an item is finished, and loads stored conversations.

Saving runs in the background and never delays the session: a store that fails is only logged. Audio is never stored,
and neither are images that were sent as data.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from realtime import deadlines
from realtime.core.conversation import MAX_ITEMS, Conversation, ConversationError, Image, Item, Message
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.protocol import objects as wire
from realtime.protocol import server_events as events
from realtime.providers.base import Store
from realtime.translate import to_core_item, to_wire_item

log = logging.getLogger(__name__)

BATCH_S = 0.25  # items that are finished within this time are saved together
FINAL_SAVE_TIMEOUT_S = 3.0  # when the session ends
RETRY_S = 5.0

SAVE_TRIGGERS = (
    events.ConversationItemDone,
    events.ConversationItemDeleted,
    events.ConversationItemTruncated,
    events.ConversationItemInputAudioTranscriptionCompleted,
    events.ResponseDone,
)


class Persistence:
    """Saves one conversation. `owner` is the name of the client's key, never the key itself."""

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

    def on_event(self, event: events.ServerEvent) -> None:
        """Called for every event to the client: some of them mean that an item has changed."""
        if isinstance(event, SAVE_TRIGGERS):
            self._changed.set()

    async def run(self) -> None:
        """Save after every change. Never returns."""
        while True:
            await self._changed.wait()
            await asyncio.sleep(BATCH_S)
            self._changed.clear()
            if not await self._save():
                self._changed.set()
                await asyncio.sleep(RETRY_S)

    async def finish(self) -> None:
        """Save the last changes."""
        try:
            async with deadlines.timeout(FINAL_SAVE_TIMEOUT_S):
                await self._save()
        except TimeoutError:
            log.warning("the last items of conversation %s may be lost: the store is slow", self._id)

    async def _save(self) -> bool:
        """Save what changed; returns whether the store is up to date."""
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
        except Exception as error:  # of a store from anywhere
            log.error("conversation %s is not saved", self._id, exc_info=error)
            return False
        self._saved, self._order = items, order
        return True


def _bodies(items: Iterable[Item]) -> dict[str, bytes]:
    return {item.id: msgspec.json.encode(to_wire_item(_without_image_data(item))) for item in items}


def _without_image_data(item: Item) -> Item:
    if not isinstance(item, Message):
        return item
    parts = tuple(
        part for part in item.parts if not (isinstance(part, Image) and part.url.startswith("data:"))
    )
    return Message(item.id, item.role, parts, item.status)


@dataclass(frozen=True, slots=True)
class StoredConversation:
    """A stored conversation that a new session continues."""

    conversation_id: str
    items: tuple[Item, ...]
    unreadable: int = 0  # items that are left out

    def to_conversation(self) -> Conversation:
        """A conversation with these items, without function outputs whose call was deleted.

        Of more than MAX_ITEMS the oldest go, and of what holds too much: replies and stores of other versions may have
        saved more.
        """
        conversation = Conversation()
        for item in self.items:
            try:
                conversation.add(item, restored=True)
            except ConversationError as error:
                log.warning("a stored item is skipped: %s", error)
        for item_id in conversation.oldest(len(conversation) - MAX_ITEMS):
            conversation.remove(item_id)
        for item_id in conversation.oldest_large():
            conversation.remove(item_id)
        return conversation


async def load_stored(store: Store, owner: str, conversation_id: str) -> StoredConversation | None:
    """The stored conversation, or None if this owner has none with this id. Raises ProviderError."""
    try:
        bodies = await store.load(owner, conversation_id)
    except ProviderError:
        raise
    except Exception as error:  # a store from anywhere, or a file that somebody has changed
        log.error("a conversation could not be read from the store", exc_info=error)
        raise ProviderUnavailable("The store failed.") from error
    if bodies is None:
        return None
    items = [item for item in map(read_item, bodies) if item is not None]
    return StoredConversation(conversation_id, tuple(items), unreadable=len(bodies) - len(items))


def read_item(body: bytes) -> Item | None:
    """The item in a row; None, with a line in the log, for one that nobody can read."""
    try:
        item: wire.Item = msgspec.json.decode(body, type=wire.Item)
        return to_core_item(item)
    except Exception as error:
        log.warning("a stored item cannot be read", exc_info=error)
        return None
