"""Opening a stored conversation: one session after the other, and the older one of this server is ended first.

A conversation has one session. The newer one takes it over; the older one saves what it has and is closed with 1008
`session_taken_over` (docs/wire.md 6.8). Sessions of other servers find out when they save next (`persistence.py`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from realtime.errors import ProviderUnavailable
from realtime.server.registry import Registry

log = logging.getLogger(__name__)


class Openings:
    """Of one server."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}  # with how many want it

    def __repr__(self) -> str:
        return f"<Openings {len(self._locks)} conversations>"

    @asynccontextmanager
    async def alone(self, owner: str, conversation_id: str) -> AsyncIterator[None]:
        """A block in which nobody else here opens this conversation. At its end the new session is registered."""
        key = (owner, conversation_id)
        lock, wanted = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, wanted + 1)
        try:
            async with lock:
                yield
        finally:
            lock, wanted = self._locks.pop(key)
            if wanted > 1:
                self._locks[key] = (lock, wanted - 1)

    async def end_older(self, owner: str, conversation_id: str) -> None:
        """End the session here that has this conversation, if there is one. Raises ProviderError, and the session goes
        on, if the store does not take what it has."""
        for live in self._registry:
            if live.has_conversation(owner, conversation_id):
                if not live.ending.done() and not await live.save_all():
                    raise ProviderUnavailable("The older session of this conversation cannot be saved now.")
                log.info("%s loses its conversation to a newer session", live.id)
                live.close_soon(1008, "session_taken_over")
                await live.gone()
