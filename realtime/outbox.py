"""What waits for the socket: events in order, audio that can be taken back.

Control events never wait. Audio waits for room once too much of it is unsent, and audio of a reply that was stopped is
thrown away before it is sent. The outbox knows no socket: the connection takes events out, one by one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from realtime.protocol.server_events import ServerEvent

MAX_UNSENT_AUDIO_MS = 30_000.0
MAX_UNSENT_EVENTS = 20_000


class OutboxFull(Exception):
    """The reader is so far behind that even control events pile up."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event on its way. `audio_ms` is 0 for anything but audio."""

    event: ServerEvent
    response_id: str | None = None
    audio_ms: float = 0.0
    sent: Callable[[float], None] | None = None  # called with audio_ms when the socket takes it


class Outbox:
    """An ordered queue with one reader. Bounded in audio by waiting, in events by failing."""

    def __init__(self, max_unsent_audio_ms: float = MAX_UNSENT_AUDIO_MS) -> None:
        self._queue: deque[Outgoing] = deque()
        self._max_unsent_audio_ms = max_unsent_audio_ms
        self._unsent_audio_ms = 0.0
        self._filled = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self.tap: Callable[[ServerEvent], None] | None = None  # sees every control event that is queued

    def __repr__(self) -> str:
        return f"<Outbox {len(self._queue)} events, {self._unsent_audio_ms:.0f} ms of audio unsent>"

    @property
    def unsent_audio_ms(self) -> float:
        return self._unsent_audio_ms

    def put(self, event: ServerEvent, response_id: str | None = None) -> None:
        """Queue a control event. Raises OutboxFull if nobody has read for very long."""
        if self._closed:
            return
        if len(self._queue) >= MAX_UNSENT_EVENTS:
            raise OutboxFull(f"{len(self._queue)} events wait for a client that does not read.")
        if self.tap is not None:
            self.tap(event)
        self._append(Outgoing(event, response_id))

    async def put_audio(self, outgoing: Outgoing) -> None:
        """Queue audio, once there is room for it."""
        while self._unsent_audio_ms >= self._max_unsent_audio_ms and not self._closed:
            self._room.clear()
            await self._room.wait()
        if not self._closed:
            self._unsent_audio_ms += outgoing.audio_ms
            self._append(outgoing)

    def _append(self, outgoing: Outgoing) -> None:
        self._queue.append(outgoing)
        self._filled.set()

    def discard(self, response_id: str) -> float:
        """Throw away the unsent audio of this reply; returns how many milliseconds that was."""
        kept: deque[Outgoing] = deque()
        discarded_ms = 0.0
        for outgoing in self._queue:
            if outgoing.audio_ms and outgoing.response_id == response_id:
                discarded_ms += outgoing.audio_ms
            else:
                kept.append(outgoing)
        self._queue = kept
        self._freed(discarded_ms)
        return discarded_ms

    async def take(self) -> Outgoing | None:
        """The next event to send, or None when the outbox is closed and empty."""
        while not self._queue:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        return self._pop()

    def take_now(self) -> Outgoing | None:
        """The next event if there is one already, else None."""
        return self._pop() if self._queue else None

    def _pop(self) -> Outgoing:
        outgoing = self._queue.popleft()
        if outgoing.audio_ms:
            self._freed(outgoing.audio_ms)
            if outgoing.sent is not None:
                outgoing.sent(outgoing.audio_ms)
        return outgoing

    def _freed(self, audio_ms: float) -> None:
        self._unsent_audio_ms = max(0.0, self._unsent_audio_ms - audio_ms)
        if self._unsent_audio_ms < self._max_unsent_audio_ms:
            self._room.set()

    def close(self) -> None:
        """No more events come; what is queued can still be taken."""
        self._closed = True
        self._filled.set()
        self._room.set()
