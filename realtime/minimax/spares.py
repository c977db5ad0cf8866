"""Spare connections of a chat: opened ahead, so that a request does not wait for a handshake.

Counts the unused connections of the pool itself, because the pool opens one only for a request that finds none.
"""

from __future__ import annotations

import asyncio

from realtime.errors import ProviderError
from realtime.minimax.http import KEEPALIVE_S, HttpClient

_TIMEOUT_S = 5.0
_SPARES = 3  # a speculative request is often dropped for a better one, and that one once more


class SpareConnections:
    """Keeps some connections open from the first `prewarm` on. `path` is a cheap GET of the service."""

    def __init__(self, http: HttpClient, path: str) -> None:
        self._http = http
        self._path = path
        self._idle = 0  # unused connections in the pool, by our own count
        self._idle_since_s = 0.0
        self._opening: asyncio.Task[None] | None = None
        self._keeps = False
        self._closed = False

    async def prewarm(self) -> None:
        """Open connections ahead of the first request, and keep some spare from now on. Never raises."""
        self._keeps = True
        self.ensure(_SPARES)
        if self._opening is not None:
            await asyncio.wait([self._opening])

    def taken(self) -> None:
        """A request takes a connection."""
        self._idle = max(0, self._idle - 1)

    def released(self) -> None:
        """A request gave its connection back to the pool."""
        self._idle += 1
        self._idle_since_s = _now()

    def ensure(self, least: int) -> None:
        """Open spare connections if fewer than `least` are left, or if those that are left may soon be closed."""
        young = _now() - self._idle_since_s < KEEPALIVE_S / 2
        if not self._keeps or self._closed or (young and self._idle >= least):
            return
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open(), name="prewarm chat connections")

    async def aclose(self) -> None:
        self._closed = True
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait([self._opening])

    async def _open(self) -> None:
        await asyncio.gather(*(self._open_one() for _ in range(_SPARES)))

    async def _open_one(self) -> None:
        self.taken()
        try:
            async with (
                asyncio.timeout(_TIMEOUT_S),
                self._http.request("GET", self._path) as response,
            ):
                await response.read()
        except (ProviderError, TimeoutError):
            return
        self.released()


def _now() -> float:
    return asyncio.get_running_loop().time()
