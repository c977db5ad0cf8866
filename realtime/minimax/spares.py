"""Spare connections of a chat: opened ahead, so that a request does not wait for a handshake.

The pool opens a connection only for a request that finds none, so spares are opened by cheap requests. What is in the
pool is asked of the pool itself: a service that restarts, or that closes what is unused, tells nobody else.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Protocol, TypeGuard

from realtime.errors import ProviderError
from realtime.minimax.http import KEEPALIVE_S

CHECK_EVERY_S = 2.0  # a turn that comes 5 s after the service closed its connections finds new ones
WANTED_S = 90.0  # sessions ask every 50 s; without any, nothing is kept open
_TIMEOUT_S = 5.0
_SPARES = 5  # early questions are dropped, each with its connection, faster than a handshake takes
_FEW = 3  # fewer before one is taken: open others. That uses the idle ones for a round trip, so not sooner
_YOUNG_S = KEEPALIVE_S / 2  # older ones may soon be closed
_LONGEST_PAUSE_S = 50.0


class Pool(Protocol):
    """What is needed of `realtime.minimax.http.HttpClient`."""

    def idle_connections(self, *, younger_s: float = ...) -> int: ...

    def request(self, method: str, path: str) -> AbstractAsyncContextManager[Any]: ...

    async def renew(self) -> None: ...


class SpareConnections:
    """Keeps some connections open from the first `prewarm` on. `path` is a cheap GET of the service."""

    def __init__(self, http: Pool, path: str) -> None:
        self._http = http
        self._path = path
        self._opening: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._wanted_until_s = 0.0
        self._pause = _Pause()
        self._requests = 0
        self._keeps = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<SpareConnections {self._http.idle_connections()} idle>"

    async def prewarm(self) -> None:
        """Open connections ahead of the first request, and keep some spare from now on. Never raises."""
        self._keeps = True
        self._wanted()
        if not self._pause.futile or self._pause.is_over(_now()):
            self.ensure(_SPARES)
        if _runs_here(self._opening):
            await asyncio.wait([self._opening])

    def taking(self) -> None:
        """A request is about to take a connection. If it is dropped, the next one needs another: soon, and so on."""
        self._requests += 1
        if self._keeps:
            self._wanted()
        if self._http.idle_connections():
            self._pause.used()
        self.ensure(_FEW)

    async def renew(self) -> None:
        """Replace all connections: a service that went silent may have lost them without a word."""
        await self._http.renew()
        self.ensure(1)

    def ensure(self, least: int) -> None:
        """Open spare connections if fewer than `least` are left that nobody will soon close."""
        if not self._keeps or self._closed or self._http.idle_connections(younger_s=_YOUNG_S) >= least:
            return
        if not _runs_here(self._opening):
            self._opening = asyncio.create_task(self._open(), name="prewarm chat connections")

    async def aclose(self) -> None:
        self._closed = True
        for task in (self._keeper, self._opening):
            if _runs_here(task):
                task.cancel()
                await asyncio.wait([task])

    def _wanted(self) -> None:
        self._wanted_until_s = _now() + WANTED_S
        if not self._closed and not _runs_here(self._keeper):
            self._keeper = asyncio.create_task(self._keep(), name="keep chat connections")

    async def _keep(self) -> None:
        """Replace what the service has closed, for as long as somebody may want it."""
        while _now() < self._wanted_until_s:
            await asyncio.sleep(CHECK_EVERY_S)
            if self._pause.is_over(_now()):
                self.ensure(_SPARES)

    async def _open(self) -> None:
        """Open them all. After a failure one goes first: a service that is away is not asked again and again.

        The unused ones serve these requests too, and are away for a round trip.
        """
        self._pause.begins(_now())
        requests = self._requests
        if self._pause.failed and not await self._open_one():
            return
        reached = any(await asyncio.gather(*(self._open_one() for _ in range(_SPARES))))
        untouched = requests == self._requests
        self._pause.ended(reached, futile=untouched and not self._http.idle_connections())

    async def _open_one(self) -> bool:
        """Whether the service was reached."""
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S), self._http.request("GET", self._path) as response:
                await response.read()
                return True
        return False


class _Pause:
    """How long to wait before spares are opened again that nobody has asked for.

    A service that is away is asked at every check: it may come back. One that soon closes what was not used is asked
    less and less often, until its connections are used.
    """

    def __init__(self) -> None:
        self.failed = False
        self.futile = False  # it answered, and closed every connection at once
        self._in_vain = 0
        self._began_s = -_YOUNG_S

    def begins(self, now_s: float) -> None:
        soon = now_s - self._began_s < _YOUNG_S
        self._in_vain = self._in_vain + 1 if soon and not self.failed else 0
        self._began_s = now_s

    def ended(self, reached: bool, *, futile: bool) -> None:
        self.failed = not reached
        self.futile = reached and futile

    def used(self) -> None:
        self._in_vain = 0

    def is_over(self, now_s: float) -> bool:
        if self.failed:
            return True
        # The tolerance of one check: it is about as long as the shortest pause.
        pause_s: float = min(_LONGEST_PAUSE_S, CHECK_EVERY_S * 2.0**self._in_vain)
        return now_s - self._began_s >= pause_s - CHECK_EVERY_S / 2


def _runs_here(task: asyncio.Task[None] | None) -> TypeGuard[asyncio.Task[None]]:
    """Whether it goes on. A task of another event loop does not: that loop has ended, or stands still."""
    return task is not None and not task.done() and task.get_loop() is asyncio.get_running_loop()


def _now() -> float:
    return asyncio.get_running_loop().time()
