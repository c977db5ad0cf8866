"""How fast the messages of one client are read. A client that sends faster is read later; nothing is rejected."""

from __future__ import annotations

import asyncio

from realtime.server.token_bucket import TokenBucket

# Of all kinds, pings too. Clients send 5 to 100/s; sound in pieces of 20 ms, ten times faster than real time, is 500
MESSAGES_PER_S, MESSAGES_BURST = 500.0, 2_000.0
EVENTS_PER_S, EVENTS_BURST = 200.0, 2_000.0  # without appends; clients may create whole conversations
EVENT_BYTES = 64 * 1024  # a larger event counts as several
AUDIO_S_PER_S, AUDIO_BURST_S = 10.0, 120.0  # the burst is as long as the input audio buffer
RECORDING_PAUSE_S = 5.0  # at most, after a recording in an item: else pings behind it would go unanswered


class ClientPace:
    """Waits where a client sends too much of something."""

    def __init__(self) -> None:
        now_s = asyncio.get_running_loop().time()
        self._messages = TokenBucket(MESSAGES_PER_S, MESSAGES_BURST, now_s)
        self._events = TokenBucket(EVENTS_PER_S, EVENTS_BURST, now_s)
        self._audio = TokenBucket(AUDIO_S_PER_S, AUDIO_BURST_S, now_s)
        self._recordings = TokenBucket(AUDIO_S_PER_S, AUDIO_BURST_S, now_s)

    def __repr__(self) -> str:
        return f"<ClientPace messages {self._messages!r} events {self._events!r}>"

    async def message(self) -> None:
        """Before a message of any kind."""
        await self._messages.throttle(1)

    async def event(self, size: int = 0, recordings_s: float = 0.0) -> None:
        """After an event of so many bytes, with so much recorded sound."""
        if recordings_s:
            await self._recordings.throttle(recordings_s, RECORDING_PAUSE_S)
        await self._events.throttle(1 + size // EVENT_BYTES)

    async def audio(self, sound_s: float) -> None:
        """After an append."""
        if sound_s:
            await self._audio.throttle(sound_s)
