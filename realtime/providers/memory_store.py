"""The store in memory: conversations are kept as long as the server runs; the least recently used go first."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from realtime.providers.base import OPENING_ITEM_BYTES, OPENING_ITEMS, StoredSummary
from realtime.settings import Settings

MAX_BYTES = 64 * 1024 * 1024
MAX_CONVERSATIONS = 100_000  # one whose items were all deleted has no bytes


class MemoryStore:
    """Conversations in a dictionary, at most `max_bytes` and `most` in all."""

    def __init__(self, max_bytes: int = MAX_BYTES, most: int = MAX_CONVERSATIONS) -> None:
        self._max_bytes = max_bytes
        self._most = most
        self._bytes = 0
        self._times: dict[tuple[str, str], tuple[float, float]] = {}  # Unix seconds: first and last save
        self._kept: OrderedDict[tuple[str, str], dict[str, bytes]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<MemoryStore {len(self._kept)} conversations, {self._bytes} bytes>"

    async def save(
        self, owner: str, conversation_id: str, order: Sequence[str], changed: Mapping[str, bytes]
    ) -> None:
        key = (owner, conversation_id)
        known = {**self._kept.get(key, {}), **changed}
        began_s, _ = self._times.get(key, (time.time(), 0.0))
        self._forget(key)
        self._times[key] = (began_s, time.time())
        self._kept[key] = {item_id: known[item_id] for item_id in order if item_id in known}
        self._bytes += _size(self._kept[key])
        while self._bytes > self._max_bytes or len(self._kept) > self._most:
            self._forget(next(iter(self._kept)))

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        key = (owner, conversation_id)
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return tuple(self._kept[key].values())

    async def listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
        own = [key for key in self._kept if key[0] == owner and key in self._times]
        own.sort(key=lambda key: self._times[key][1], reverse=True)  # the last read is no change
        return tuple(self._summary(key) for key in own[:limit])

    def _summary(self, key: tuple[str, str]) -> StoredSummary:
        first = list(self._kept[key].values())[:OPENING_ITEMS]
        opening = tuple(body for body in first if len(body) <= OPENING_ITEM_BYTES)
        return StoredSummary(key[1], *self._times[key], opening)

    async def forget(self, owner: str, conversation_id: str) -> None:
        self._forget((owner, conversation_id))

    def _forget(self, key: tuple[str, str]) -> None:
        self._bytes -= _size(self._kept.pop(key, {}))
        self._times.pop(key, None)

    async def aclose(self) -> None:
        return


def _size(items: Mapping[str, bytes]) -> int:
    return sum(len(item_id) + len(item) for item_id, item in items.items())


def create(settings: Settings) -> MemoryStore:
    """The store for `REALTIME_STORE=memory`."""
    return MemoryStore()
