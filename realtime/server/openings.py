"""Opening a stored conversation: one session after the other, and the older one of this server is ended first.

A conversation has one session. The newer one takes it over; the older one saves what it has and is closed with 1008
`session_taken_over` (docs/wire.md 6.8). Sessions of other servers find out when they save next (`persistence.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from realtime import deadlines
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
    async def alone(self, owner: str, conversation_id: str, wait_s: float) -> AsyncIterator[bool]:
        """A block in which nobody else here opens or deletes this conversation; it registers the new session.

        False: somebody else still does after `wait_s`, so the block must do neither. Nobody waits behind a queue.
        """
        key = (owner, conversation_id)
        lock, wanted = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, wanted + 1)
        mine = False
        try:
            with contextlib.suppress(TimeoutError):
                async with deadlines.timeout(wait_s):
                    mine = await lock.acquire()
            yield mine
        finally:
            if mine:
                lock.release()
            lock, wanted = self._locks.pop(key)
            if wanted > 1:
                self._locks[key] = (lock, wanted - 1)

    async def end_older(self, owner: str, conversation_id: str) -> None:
        """End the session here that has this conversation, if there is one. Raises ProviderError, and the session goes
        on, if the store does not take what it has."""
        live = self._registry.of_conversation(owner, conversation_id)
        if live is None:
            return
        if not live.ending.done() and not await live.save_all():
            raise ProviderUnavailable("The older session of this conversation cannot be saved now.")
        log.info("%s loses its conversation to a newer session", live.id)
        live.close_soon(1008, "session_taken_over")
        await live.gone()
