"""A store whose answers are looked at where they come in, before a conversation is built of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from realtime.contained import awaited
from realtime.errors import ProviderError
from realtime.providers.roles import inherits
from realtime.providers.store import Changes, LateItem, Store, StoredSummary, Taken
from realtime.server import given
from realtime.server.wrapped import Later, Wrapper

T = TypeVar("T")


class ObservedStore(Wrapper, Store):
    """A `Store`. It lists and drops conversations if the store itself does."""

    def __init__(self, store: Store, later: Later | None = None) -> None:
        super().__init__(store, later)
        self.listing = self._listing if callable(getattr(store, "listing", None)) else None
        self.hold = self._hold if callable(getattr(store, "hold", None)) else None

    async def save(self, owner: str, conversation_id: str, epoch: int, changes: Changes) -> None:
        await awaited(self._provider.save(owner, conversation_id, epoch, changes))

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        found = await awaited(self._provider.load(owner, conversation_id))
        return self._read(given.bodies, found, "load")

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        if inherits(self._provider, "take", Store):
            items = await self.load(owner, conversation_id)
            return None if items is None else Taken(items)
        found = await awaited(self._provider.take(owner, conversation_id))
        return self._read(given.taken, found, "take")

    async def add_late(
        self, owner: str, conversation_id: str, order: Sequence[str], late: Mapping[str, LateItem]
    ) -> None:
        add = getattr(self._provider, "add_late", None)
        await awaited(None if add is None else add(owner, conversation_id, order, late))

    async def forget(self, owner: str, conversation_id: str) -> None:
        await awaited(self._provider.forget(owner, conversation_id))

    async def _listing(self, owner: str, limit: int) -> Sequence[StoredSummary]:
        found = await awaited(self._provider.listing(owner, limit))
        return self._read(given.summaries, found, "listing")

    def _hold(self, owner: str, conversation_id: str, holder: object) -> None:
        # Every one counts, however many come back at once: the store may drop a conversation that it does not hold
        self._start("hold", owner, conversation_id, holder)

    def _read(self, read: Callable[[Any, str], T], answer: Any, method: str) -> T:
        """Raises ProviderError, which says what came: the log has it too, as the caller learns only that it fails."""
        try:
            return read(answer, f"The store's {method}()")
        except ProviderError as error:
            self._tell(error.message)
            raise
