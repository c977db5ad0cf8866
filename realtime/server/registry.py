"""The open conversations of one server: how many there may be, and how they end when the server stops."""

from __future__ import annotations

import asyncio
from typing import Protocol


class Conversing(Protocol):
    """What the registry needs to know of a connection."""

    @property
    def replying(self) -> bool: ...

    def close_soon(self, code: int, reason: str) -> None: ...


class Registry:
    """Counts sessions against a limit and drains them."""

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self._open: set[Conversing] = set()
        self._changed = asyncio.Event()
        self.draining = False

    def __len__(self) -> int:
        return len(self._open)

    def __repr__(self) -> str:
        return f"<Registry {len(self._open)} of {self._max_sessions}{' draining' if self.draining else ''}>"

    @property
    def full(self) -> bool:
        return self.draining or len(self._open) >= self._max_sessions

    def add(self, connection: Conversing) -> None:
        self._open.add(connection)

    def remove(self, connection: Conversing) -> None:
        self._open.discard(connection)
        self._changed.set()

    async def drain(self, patience_s: float) -> None:
        """No new sessions; sessions close as soon as no reply runs, and all of them after `patience_s`."""
        self.draining = True
        deadline_s = asyncio.get_running_loop().time() + patience_s
        while self._open:
            late = asyncio.get_running_loop().time() >= deadline_s
            for connection in list(self._open):
                if late or not connection.replying:
                    connection.close_soon(1001, "server_draining")
            if late:
                break
            self._changed.clear()
            try:
                async with asyncio.timeout(0.05):
                    await self._changed.wait()
            except TimeoutError:
                continue
        async with asyncio.timeout(2.0):
            while self._open:
                self._changed.clear()
                await self._changed.wait()
