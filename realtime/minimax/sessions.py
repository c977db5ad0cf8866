"""The HTTP sessions of a client in one event loop: opened by need, replaced, and closed with the loop at the latest.

Knows no request and no key. Who opens a session says by what it differs from the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Callable
from typing import Generic, TypeVar

import aiohttp

from realtime.minimax.leaving import request_context

K = TypeVar("K")


class Sessions(Generic[K]):
    """One session for each key."""

    def __init__(self) -> None:
        self.open: dict[K, aiohttp.ClientSession] = {}
        self._running: Counter[aiohttp.ClientSession] = Counter()  # requests; never 0
        self._end: AsyncGenerator[None, None] | None = None
        self._ending = False

    def __repr__(self) -> str:
        return f"<Sessions {len(self.open)} open>"

    @request_context
    async def using(
        self, key: K, new: Callable[[], aiohttp.ClientSession]
    ) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """Count a request. The last one of a session that `renew` has replaced closes it."""
        if self._end is None:
            self._end = self._until_the_loop_ends()
            await anext(self._end)
        session = self.open.get(key)
        if session is None:
            session = self.open[key] = new()
        self._running[session] += 1
        try:
            yield session
        finally:
            self._running[session] -= 1
            if not self._running[session]:
                del self._running[session]
                if session not in self.open.values():
                    await session.close()

    async def renew(self) -> None:
        """Open new ones from now on. Requests that run keep theirs."""
        old = list(self.open.values())
        self.open.clear()
        for session in old:
            if session not in self._running:
                await session.close()

    async def aclose(self) -> None:
        await self._close()
        if self._end is not None and not self._ending:
            await self._end.aclose()

    async def _close(self) -> None:
        every = {*self.open.values(), *self._running}
        self.open.clear()
        for session in every:
            await session.close()

    async def _until_the_loop_ends(self) -> AsyncGenerator[None, None]:
        """A loop closes its async generators before it ends: then sockets can still be closed, later not any more."""
        try:
            yield
        finally:
            self._ending = True  # it cannot be closed while it runs
            await self._close()
