"""The last messages to a client, kept to send them again on a new socket (docs/wire.md 6.6).

Stores numbered messages and returns those after a number. Limited in audio and bytes. Knows no socket and no clock.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

MAX_AUDIO_MS = 30_000.0
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it was sent. `seq` counts the messages of a session from 1; 0 is not counted."""

    seq: int
    data: bytes  # a binary frame, or UTF-8 JSON
    binary: bool = False
    audio_ms: float = 0.0


class Gap(Exception):
    """Some messages after this number are not in the buffer."""


class ReplayBuffer:
    """The newest messages of one session, without gaps."""

    def __init__(self, *, max_audio_ms: float = MAX_AUDIO_MS, max_bytes: int = MAX_BYTES) -> None:
        self._max_audio_ms = max_audio_ms
        self._max_bytes = max_bytes
        self._kept: deque[Sent] = deque()
        self._audio_ms = 0.0
        self._bytes = 0
        self._last_seq: int | None = None

    def __repr__(self) -> str:
        return f"<ReplayBuffer {len(self._kept)} messages, {self._bytes} bytes, {self._audio_ms:.0f} ms of audio>"

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size_bytes(self) -> int:
        return self._bytes

    @property
    def audio_ms(self) -> float:
        return self._audio_ms

    def keep(self, message: Sent) -> None:
        """Add the next message. Raises ValueError if its number does not follow the last one."""
        if self._last_seq is not None and message.seq != self._last_seq + 1:
            raise ValueError(f"message {message.seq} does not follow {self._last_seq}")
        self._last_seq = message.seq
        self._kept.append(message)
        self._bytes += len(message.data)
        self._audio_ms += message.audio_ms
        while self._kept and (self._bytes > self._max_bytes or self._audio_ms > self._max_audio_ms):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = self._kept.popleft()
        self._bytes -= len(oldest.data)
        self._audio_ms -= oldest.audio_ms
        if not self._kept:
            self._audio_ms = 0.0  # remove rounding errors

    def after(self, seq: int) -> tuple[Sent, ...]:
        """All messages after this number, in order. Raises Gap if one is missing or the number was not sent yet."""
        if self._last_seq is None or not 0 <= seq <= self._last_seq:
            raise Gap(seq)
        missing = self._last_seq - seq
        if missing > len(self._kept):
            raise Gap(seq)
        return tuple(self._kept)[len(self._kept) - missing :]

    def clear(self) -> None:
        """Remove everything, also the last number."""
        self._kept.clear()
        self._audio_ms, self._bytes, self._last_seq = 0.0, 0, None
