"""The queue of events to the client, in order. Audio of a stopped reply can be discarded before it is sent.

Adding a control event never waits. Adding audio waits while too much of it is unsent. Whoever causes control events for
the client (its own events, a restored conversation) waits for `room` first. The outbox knows no socket: the connection
takes the events out one by one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from realtime.protocol.codec import size_bytes
from realtime.protocol.server_events import ServerEvent

MAX_UNSENT_AUDIO_MS = 30_000.0
MAX_UNSENT_EVENTS = 20_000
MAX_UNSENT_BYTES = 8 * 1024 * 1024  # of control events: the end of the longest answer is said five times
ROOM_BYTES = 1024 * 1024  # unsent control events from which on nobody may cause more


class OutboxFull(Exception):
    """The client does not read: too much is queued."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One queued event. `audio_ms` is 0 for all events but audio, and `size_bytes` is 0 for audio."""

    event: ServerEvent
    response_id: str | None = None
    audio_ms: float = 0.0
    sent: Callable[[float], None] | None = None  # called with audio_ms when the connection takes the event
    size_bytes: int = 0


class Outbox:
    """An ordered queue with one reader. Too much audio makes its writer wait; too much else raises OutboxFull."""

    def __init__(self, max_unsent_audio_ms: float = MAX_UNSENT_AUDIO_MS) -> None:
        self._queue: deque[Outgoing] = deque()
        self._max_unsent_audio_ms = max_unsent_audio_ms
        self._unsent_audio_ms = 0.0
        self._unsent_bytes = 0  # of control events
        self._not_empty = asyncio.Event()
        self._has_space = asyncio.Event()
        self._has_space.set()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._closed = False
        self._held = False
        self.on_event: Callable[[ServerEvent], None] | None = None  # called with every control event

    def __repr__(self) -> str:
        return f"<Outbox {len(self._queue)} events, {self._unsent_audio_ms:.0f} ms of audio unsent>"

    @property
    def unsent_audio_ms(self) -> float:
        return self._unsent_audio_ms

    @property
    def unsent_bytes(self) -> int:
        """Of all events but audio."""
        return self._unsent_bytes

    def put(self, event: ServerEvent, response_id: str | None = None) -> None:
        """Queue a control event. Raises OutboxFull if too many events, or too many bytes of them, are queued."""
        if self._closed:
            return
        size = size_bytes(event)
        if len(self._queue) >= MAX_UNSENT_EVENTS or self._unsent_bytes + size > MAX_UNSENT_BYTES:
            queued = f"{len(self._queue)} events and {self._unsent_bytes} bytes"
            raise OutboxFull(f"{queued} are queued: the client does not read.")
        if self.on_event is not None:
            self.on_event(event)
        self._unsent_bytes += size
        if self._unsent_bytes >= ROOM_BYTES:
            self._has_room.clear()
        self._append(Outgoing(event, response_id, size_bytes=size))

    @property
    def has_room(self) -> bool:
        """Whether few enough bytes are unsent to cause more of them."""
        return self._has_room.is_set()

    async def room(self) -> None:
        """Wait until few enough bytes are unsent to cause more of them."""
        await self._has_room.wait()

    async def put_audio(self, outgoing: Outgoing) -> None:
        """Queue audio; waits while too much of it is unsent."""
        while self._unsent_audio_ms >= self._max_unsent_audio_ms and not self._closed:
            self._has_space.clear()
            await self._has_space.wait()
        if not self._closed:
            self._unsent_audio_ms += outgoing.audio_ms
            self._append(outgoing)

    def _append(self, outgoing: Outgoing) -> None:
        self._queue.append(outgoing)
        self._not_empty.set()

    def discard(self, response_id: str) -> float:
        """Discard the unsent audio of this reply; returns its length in milliseconds."""
        kept: deque[Outgoing] = deque()
        discarded_ms = 0.0
        for outgoing in self._queue:
            if outgoing.audio_ms and outgoing.response_id == response_id:
                discarded_ms += outgoing.audio_ms
            else:
                kept.append(outgoing)
        self._queue = kept
        self._reduce_unsent(discarded_ms)
        return discarded_ms

    def hold(self, held: bool = True) -> None:
        """Give out nothing more, until `hold(False)`."""
        self._held = held
        self._not_empty.set()

    async def take(self) -> Outgoing | None:
        """Wait for the next event; None if the outbox is closed and empty, or closed while it is held."""
        while self._held or not self._queue:
            if self._closed:
                return None
            self._not_empty.clear()
            await self._not_empty.wait()
        return self._pop()

    def take_now(self) -> Outgoing | None:
        """The next event if one is queued, else None."""
        return self._pop() if self._queue and not self._held else None

    def _pop(self) -> Outgoing:
        outgoing = self._queue.popleft()
        self._unsent_bytes -= outgoing.size_bytes
        if self._unsent_bytes < ROOM_BYTES:
            self._has_room.set()
        if outgoing.audio_ms:
            self._reduce_unsent(outgoing.audio_ms)
            if outgoing.sent is not None:
                outgoing.sent(outgoing.audio_ms)
        return outgoing

    def _reduce_unsent(self, audio_ms: float) -> None:
        self._unsent_audio_ms = max(0.0, self._unsent_audio_ms - audio_ms)
        if self._unsent_audio_ms < self._max_unsent_audio_ms:
            self._has_space.set()

    def close(self) -> None:
        """Ignore new events; queued ones can still be taken. Nobody is told any more when audio was sent."""
        self._closed = True
        # who waited for that knows this outbox: they would keep each other
        self._queue = deque(replace(outgoing, sent=None) for outgoing in self._queue)
        self._not_empty.set()
        self._has_space.set()
        self._has_room.set()
