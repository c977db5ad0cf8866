"""Saves a conversation to the store shortly after an item is finished, and loads stored conversations.

Saving runs in the background and never delays the session: a store that fails is only logged. Of a reply that is not
over, what was heard so far is saved again and again, so that a crash loses a second of it. A conversation that another
session has taken over is saved no more. Audio is never stored, and neither are images that were sent as data.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from realtime import deadlines
from realtime.contained import contained
from realtime.core.conversation import (
    MAX_ITEMS,
    Conversation,
    ConversationError,
    Image,
    Item,
    Message,
    Part,
    Text,
    held_bytes,
)
from realtime.errors import ConversationForgotten, ConversationTakenOver, ProviderError, ProviderUnavailable
from realtime.protocol import objects as wire
from realtime.protocol import server_events as events
from realtime.providers.store import FIRST_EPOCH, Changes, LateItem, Store, Taken
from realtime.translate import to_core_item, to_wire_item

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH_S = 0.25  # items that are finished within this time are saved together
KEEP_UP_S = 0.8  # while a reply is not over: with the time that a save takes, a crash loses less than 1 s
SAVE_TIMEOUT_S = 10.0  # while it goes on: a store that says nothing would keep everything after it unsaved
FINAL_SAVE_TIMEOUT_S = 3.0  # when the session ends
RETRY_S = 5.0
AT_ONCE_BYTES = 64 * 1024  # of items: encoded in less than a millisecond

SAVE_TRIGGERS = (
    events.ConversationItemAdded,
    events.ConversationItemDone,
    events.ConversationItemDeleted,
    events.ConversationItemTruncated,
    events.ConversationItemInputAudioTranscriptionCompleted,
    events.ResponseDone,
)


def nothing_so_far() -> Mapping[str, Part]:
    """Of a session without replies."""
    return {}


class Persistence:
    """Saves one conversation. `owner` is the name of the client's key, never the key itself.

    `so_far` tells what there is of each reply that is not over. `on_taken_over` is called once the store says that
    another session has the conversation.
    """

    def __init__(
        self,
        store: Store,
        owner: str,
        conversation_id: str,
        conversation: Conversation,
        *,
        stored: StoredConversation | None = None,
        so_far: Callable[[], Mapping[str, Part]] = nothing_so_far,
        on_taken_over: Callable[[], None] = lambda: None,
        batch_s: float = BATCH_S,
    ) -> None:
        self._store = store
        self._owner = owner
        self._id = conversation_id
        self._conversation = conversation
        self._epoch = FIRST_EPOCH if stored is None else stored.epoch
        self._saved: dict[str, Item] = {} if stored is None else {item.id: item for item in stored.items}
        self._order = list(self._saved)
        self._so_far = so_far
        self._on_taken_over = on_taken_over
        self._batch_s = batch_s
        self._taken_over = False
        self._in_doubt = False  # the store may have forgotten what was saved
        self._failing = False  # the last save did not succeed
        self._frozen: dict[str, Item] | None = None  # what counts, whatever still happens
        self._unsure: set[str] = set()  # items of saves without an answer: the store may have them
        self._saving = asyncio.Lock()
        self._changed = asyncio.Event()
        if (hold := getattr(store, "hold", None)) is not None:
            hold(owner, conversation_id, self)

    def __repr__(self) -> str:
        state = ", taken over" if self._taken_over else ""
        return f"<Persistence {self._id}, {len(self._saved)} items saved{state}>"

    def on_event(self, event: events.ServerEvent) -> None:
        """Called for every event to the client: some of them mean that an item has changed."""
        if isinstance(event, SAVE_TRIGGERS):
            self._changed.set()

    def look_again(self) -> None:
        """More of a reply may count than when it was saved."""
        self._changed.set()

    def again(self) -> None:
        """Save what there is, even if it was saved before."""
        self._in_doubt = bool(self._saved)
        self._changed.set()

    def freeze(self, *, frozen: bool) -> None:
        """From now on nothing counts that happens here: another server goes on from what there is. Or it does again."""
        self._frozen = self._items_now() if frozen else None

    @property
    def saved(self) -> int:
        """How many items the store has taken."""
        return len(self._saved)

    @property
    def unsaved(self) -> bool:
        """Whether there is something to save, and the store has taken what there was before."""
        return self._changed.is_set() and not self._failing and not self._taken_over

    async def save_changes(self) -> None:
        """Save what has changed now: somebody waits for it."""
        self._changed.clear()
        saved = False
        try:
            saved = await self._save(self._items_now())
        finally:
            if not saved and not self._taken_over:
                self._changed.set()

    async def run(self) -> None:
        """Save after every change, until another session has the conversation."""
        unfinished = False  # a reply was not over when we saved: there is more to save, whatever comes
        while not self._taken_over:
            if unfinished:
                await asyncio.sleep(KEEP_UP_S)
            else:
                await self._changed.wait()
                await asyncio.sleep(self._batch_s)
            keep_up, unfinished = unfinished, bool(self._so_far())
            if not keep_up and not self._changed.is_set():
                continue  # who had to wait for it has saved it meanwhile (`save_changes`)
            self._changed.clear()
            if not await self._save(self._items_now()) and not self._taken_over:
                self._changed.set()
                await asyncio.sleep(RETRY_S)

    async def save_all(self) -> bool:
        """Save now, also a conversation without items; returns whether the store has it all."""
        try:
            async with deadlines.timeout(FINAL_SAVE_TIMEOUT_S):
                return await self._save(self._items_now(), also_nothing=True)
        except TimeoutError:
            return False

    async def finish(self, *, only_heard: bool = False, late: bool = True) -> None:
        """Save the last changes: the session has ended. A reply that was interrupted by that counts as far as heard.

        `only_heard`: so does one that is whole and still sounds. Else its listener may have all of it, and play on.
        `late`: if another session has the conversation by now, give the store all the same what was said before that.
        """
        try:
            async with deadlines.timeout(FINAL_SAVE_TIMEOUT_S):
                items = self._items_now() if only_heard else self._items_at_the_end()
                saved = await self._save(items)
                if self._taken_over and late:
                    await self._add_late(items)
                elif self._taken_over:
                    return
                elif not saved:
                    log.warning("the last items of conversation %s are lost: the store fails", self._id)
        except TimeoutError:
            log.warning("the last items of conversation %s may be lost: the store is slow", self._id)

    def _items_now(self) -> dict[str, Item]:
        """What would be history if the session ended without a word."""
        if self._frozen is not None:
            return self._frozen
        so_far, items = self._so_far(), {}
        for item in self._conversation.items:
            over = item.id not in so_far and item.status != "in_progress"  # as nearly all are
            if kept := item if over else _cut(item, so_far):
                items[item.id] = kept
        return items

    def _items_at_the_end(self) -> dict[str, Item]:
        if self._frozen is not None:
            return self._frozen
        so_far, items = self._so_far(), self._conversation.items
        ended = (_cut(item, so_far) if item.status == "in_progress" else item for item in items)
        return {item.id: item for item in ended if item}

    async def _save(self, items: dict[str, Item], *, also_nothing: bool = False) -> bool:
        """Save what changed; returns whether the store is up to date."""
        async with self._saving:
            if self._taken_over:
                return False
            changed, order = self._changes(items), list(items)
            deleted = (self._saved.keys() - items.keys()) | (self._unsure - items.keys())
            if not (changed or deleted or order != self._order or also_nothing or self._in_doubt):
                return True
            limit = deadlines.timeout(SAVE_TIMEOUT_S)
            try:
                self._unsure.update(item.id for item in changed)
                large = sum(map(held_bytes, changed)) > AT_ONCE_BYTES
                bodies = await asyncio.to_thread(_bodies, changed) if large else _bodies(changed)
                async with limit:
                    await contained(self._give(Changes(order, bodies, deleted), items))
            except ConversationTakenOver:
                self._taken_over = True
                self._on_taken_over()
                return False
            except Exception as error:  # also of a store from anywhere
                self._fails(_silent() if limit.expired() else error)
                return False
            if self._failing:
                log.info("conversation %s is saved again", self._id)
            self._failing = self._in_doubt = False
            self._saved, self._order = items, order
            self._unsure.clear()
            return True

    async def _give(self, changes: Changes, items: Mapping[str, Item]) -> None:
        """Raises what the store raises. One that has lost items gets all of them again."""
        try:
            await self._store.save(self._owner, self._id, self._epoch, changes)
        except ConversationForgotten:
            self._saved = {}
            every = await asyncio.to_thread(_bodies, items.values())
            await self._store.save(self._owner, self._id, self._epoch, Changes(list(items), every))

    def _fails(self, error: Exception) -> None:
        """Tell it once: a disk may be full for hours, and each session tries again every few seconds."""
        if not self._failing and isinstance(error, ProviderError):
            log.warning("conversation %s is not saved: %s", self._id, error.message)
        elif not self._failing:
            log.error("conversation %s is not saved", self._id, exc_info=error)
        self._failing = True

    def _changes(self, items: Mapping[str, Item]) -> list[Item]:
        """The items that are not saved as they are now."""
        saved = self._saved
        return [
            item for item in items.values() if saved.get(item.id) is not item and saved.get(item.id) != item
        ]

    async def _add_late(self, items: Mapping[str, Item]) -> None:
        """Give the store what was said before we knew that another session has the conversation."""
        changed = self._changes(items)
        before = _bodies(self._saved[item.id] for item in changed if item.id in self._saved)
        late = {item_id: LateItem(before.get(item_id), now) for item_id, now in _bodies(changed).items()}
        if not late:
            return
        try:
            await contained(self._store.add_late(self._owner, self._id, list(items), late))
        except Exception as error:  # of a store from anywhere
            log.error("%d items of conversation %s are lost", len(late), self._id, exc_info=error)


def _silent() -> ProviderError:
    return ProviderUnavailable(f"the store has not answered for {SAVE_TIMEOUT_S:g} s")


def _cut(item: Item, so_far: Mapping[str, Part]) -> Item | None:
    """The item as far as it was heard, if it is a reply that is not over; None if there is nothing of it yet."""
    part = so_far.get(item.id)
    if part is None:
        return None if item.status == "in_progress" else item
    return Message(item.id, "assistant", (part,), "incomplete") if _words(part) else None


def _words(part: Part) -> str:
    return "" if isinstance(part, Image) else (part.text if isinstance(part, Text) else part.transcript) or ""


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
    epoch: int = FIRST_EPOCH  # of the session that continues it

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
    """The stored conversation, to read it; None if this owner has none with this id. Raises ProviderError."""
    bodies = await asked(store.load(owner, conversation_id))
    return None if bodies is None else _stored(conversation_id, Taken(bodies))


async def take_stored(store: Store, owner: str, conversation_id: str) -> StoredConversation | None:
    """The same for a session that goes on with it, and from now on is the only one that changes it."""
    taken = await asked(store.take(owner, conversation_id))
    return None if taken is None else _stored(conversation_id, taken)


async def asked(answer: Awaitable[T]) -> T:
    """What the store says. Raises ProviderError."""
    try:
        return await contained(answer)
    except ProviderError:
        raise
    except Exception as error:  # a store from anywhere, or a file that somebody has changed
        log.error("a conversation could not be read from the store", exc_info=error)
        raise ProviderUnavailable("The store failed.") from error


def _stored(conversation_id: str, taken: Taken) -> StoredConversation:
    items = tuple(item for item in map(read_item, taken.items) if item is not None)
    return StoredConversation(conversation_id, items, len(taken.items) - len(items), taken.epoch)


def read_item(body: bytes) -> Item | None:
    """The item in a row; None, with a line in the log, for one that nobody can read."""
    try:
        item: wire.Item = msgspec.json.decode(body, type=wire.Item)
        return to_core_item(item)
    except Exception as error:
        log.warning("a stored item cannot be read", exc_info=error)
        return None
