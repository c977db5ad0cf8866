"""The sessions of one server, parked ones included: how many there may be, and how they end when the server stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.server.live_session import LiveSession


class Registry:
    """Knows sessions by id, counts them against limits and drains them."""

    def __init__(self, max_sessions: int, sessions_per_key: int = 0) -> None:
        self._max_sessions = max_sessions
        self._per_key = sessions_per_key
        self._sessions: dict[str, LiveSession] = {}
        self._changed = asyncio.Event()
        self.draining = False

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[LiveSession]:
        return iter(list(self._sessions.values()))

    def __repr__(self) -> str:
        draining = " draining" if self.draining else ""
        return f"<Registry {len(self._sessions)} of {self._max_sessions}{draining}>"

    @property
    def full(self) -> bool:
        return self.draining or len(self._sessions) >= self._max_sessions

    def full_for(self, key: str) -> bool:
        """Whether this key has all the sessions it may have at once. 0 allowed means no limit."""
        if not self._per_key:
            return False
        return sum(live.key == key for live in self) >= self._per_key

    def get(self, session_id: str) -> LiveSession | None:
        return self._sessions.get(session_id)

    def start(self, live: LiveSession) -> None:
        """Let a session begin; it leaves by itself when it is over."""
        self._sessions[live.id] = live
        live.start(self._gone)

    def _gone(self, live: LiveSession) -> None:
        self._sessions.pop(live.id, None)
        self._changed.set()

    async def drain(self, patience_s: float) -> None:
        """No new sessions; sessions end as soon as no reply is heard, and all of them after `patience_s`."""
        self.draining = True
        deadline_s = asyncio.get_running_loop().time() + patience_s
        while self._sessions:
            late = asyncio.get_running_loop().time() >= deadline_s
            for live in self:
                if late or not live.replying:
                    live.close_soon(1001, "server_draining")
            if late:
                break
            self._changed.clear()
            try:
                async with asyncio.timeout(0.05):
                    await self._changed.wait()
            except TimeoutError:
                continue
        async with asyncio.timeout(2.0):
            while self._sessions:
                self._changed.clear()
                await self._changed.wait()
