"""The store in memory: conversations are kept as long as the server runs; the least recently used go first.

One that a session has open never goes: its next save, of what has changed since, would leave a hole. Counts the memory
that is really used: a short item is a few times its text.
"""

from __future__ import annotations

import sys
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from realtime.errors import ConversationTakenOver
from realtime.providers.store import (
    FIRST_EPOCH,
    OPENING_ITEM_BYTES,
    OPENING_ITEMS,
    Changes,
    LateItem,
    Store,
    StoredSummary,
    Taken,
)
from realtime.providers.stored_order import accepted, merged, with_late
from realtime.settings import Settings

MAX_BYTES = 64 * 1024 * 1024
MAX_CONVERSATIONS = 100_000
CONVERSATION_BYTES = 400  # of one without items: its names, times and places in the tables (measured)
_BLOCK_BYTES = 16  # memory is given out in multiples of these


@dataclass(slots=True)
class _Kept:
    """One conversation: its items in order, and the epoch of its owner."""

    items: dict[str, bytes] = field(default_factory=dict)
    epoch: int = FIRST_EPOCH
    size_bytes: int = 0

    def replace(self, changed: Mapping[str, bytes]) -> int:
        """Take these in place of items that it has. Returns how much larger it is now."""
        grown = sum(_held(item) - _held(self.items[item_id]) for item_id, item in changed.items())
        self.items.update(changed)
        self.size_bytes += grown
        return grown


def _held(value: object) -> int:
    """The bytes of memory that this value takes."""
    return -(-sys.getsizeof(value) // _BLOCK_BYTES) * _BLOCK_BYTES


class MemoryStore(Store):
    """Conversations in a dictionary, at most `max_bytes` and `most` in all, and those that are open besides."""

    def __init__(self, max_bytes: int = MAX_BYTES, most: int = MAX_CONVERSATIONS) -> None:
        self._max_bytes = max_bytes
        self._most = most
        self._bytes = 0
        self._times: dict[tuple[str, str], tuple[float, float]] = {}  # Unix seconds: first and last save
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._holders: WeakValueDictionary[tuple[str, str], object] = WeakValueDictionary()

    def __repr__(self) -> str:
        return f"<MemoryStore {len(self._kept)} conversations, {self._bytes} bytes>"

    def hold(self, owner: str, conversation_id: str, holder: object) -> None:
        self._holders[owner, conversation_id] = holder

    async def save(self, owner: str, conversation_id: str, epoch: int, changes: Changes) -> None:
        kept = self._kept.get((owner, conversation_id), _Kept())
        if epoch < kept.epoch:
            raise ConversationTakenOver(f"The conversation {conversation_id} has a newer session.")
        same = not changes.deleted and changes.changed.keys() <= kept.items.keys()
        if same and kept.items and list(kept.items) == list(changes.order):
            self._bytes += kept.replace(changes.changed)  # as every second, while a reply sounds
            self._kept.move_to_end((owner, conversation_id))
            self._touch((owner, conversation_id))
            return
        known = {**kept.items, **changes.changed}
        order = merged(changes.order, list(kept.items), gone=changes.deleted)
        self._keep((owner, conversation_id), known, order, epoch)

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        key = (owner, conversation_id)
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return tuple(self._kept[key].items.values())

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        key = (owner, conversation_id)
        if key not in self._kept:
            return None
        kept = self._kept[key]
        self._kept.move_to_end(key)
        kept.epoch += 1
        return Taken(tuple(kept.items.values()), kept.epoch)

    async def add_late(
        self, owner: str, conversation_id: str, order: Sequence[str], late: Mapping[str, LateItem]
    ) -> None:
        kept = self._kept.get((owner, conversation_id))
        if kept is None:
            return
        new = accepted(late, kept.items)
        places = with_late(list(kept.items), order, new)
        self._keep((owner, conversation_id), {**kept.items, **new}, places, kept.epoch)

    async def listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
        own = [key for key in self._kept if key[0] == owner and key in self._times]
        own.sort(key=lambda key: self._times[key][1], reverse=True)  # the last read is no change
        return tuple(self._summary(key) for key in own[:limit])

    def _summary(self, key: tuple[str, str]) -> StoredSummary:
        first = list(self._kept[key].items.values())[:OPENING_ITEMS]
        opening = tuple(body for body in first if len(body) <= OPENING_ITEM_BYTES)
        return StoredSummary(key[1], *self._times[key], opening)

    async def forget(self, owner: str, conversation_id: str) -> None:
        self._forget((owner, conversation_id))

    def _keep(
        self, key: tuple[str, str], known: Mapping[str, bytes], order: Sequence[str], epoch: int
    ) -> None:
        times = self._times.get(key)
        self._forget(key)
        items = {item_id: known[item_id] for item_id in order if item_id in known}
        contents = sum(_held(item_id) + _held(item) for item_id, item in items.items())
        size_bytes = CONVERSATION_BYTES + _held(items) + contents
        self._kept[key] = _Kept(items, epoch, size_bytes)
        self._bytes += size_bytes
        if times is not None:
            self._times[key] = times
        self._touch(key)

    def _touch(self, key: tuple[str, str]) -> None:
        """It was changed now, and may have grown."""
        now_s = time.time()
        self._times[key] = (self._times.get(key, (now_s,))[0], now_s)
        while self._bytes > self._max_bytes or len(self._kept) > self._most:
            unused = next((key for key in self._kept if key not in self._holders), None)
            if unused is None:
                return
            self._forget(unused)

    def _forget(self, key: tuple[str, str]) -> None:
        self._bytes -= self._kept.pop(key, _Kept()).size_bytes
        self._times.pop(key, None)


def create(settings: Settings) -> MemoryStore:
    """The store for `REALTIME_STORE=memory`."""
    return MemoryStore()
