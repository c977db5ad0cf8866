"""What every way of speaking has in common: say texts, receive their sound, leave. The network is in the subclasses.

A session has one voice and one format for life. It retries nothing: a lost session raises and is over.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from realtime.errors import ProviderRejected
from realtime.minimax.speech_config import MAX_TEXT
from realtime.minimax.speech_protocol import SpeechResult


@dataclass(frozen=True, slots=True)
class SpeechTimeouts:
    """EndOfTurnDelay in seconds (shared/minimax t2a-websocket.md 3)."""

    connect_s: float = 10.0
    ready_s: float = 5.0  # connected_success, task_started
    first_audio_s: float = 5.0
    gap_s: float = 5.0  # between two frames of one text
    finish_s: float = 5.0


class SpeechSession(ABC):
    """One voice, ready to speak. `host` is where it speaks; `last_sent_s` is loop time of our last message."""

    host: str
    last_sent_s: float

    def __init__(self) -> None:
        self._finished = False
        self._news = asyncio.Event()

    @property
    @abstractmethod
    def pending(self) -> int:
        """Texts said and not finished."""

    @property
    @abstractmethod
    def usable(self) -> bool:
        """Whether another text can be said, as far as is known."""

    @abstractmethod
    async def say(self, text: str) -> int:
        """Queue one text. Returns its number in this session, from 0. Raises ProviderError."""

    @abstractmethod
    async def receive(self) -> list[SpeechResult]:
        """The next results, at least one. Call it only while something is pending. Raises ProviderError."""

    @abstractmethod
    async def cancel(self) -> bool:
        """Silence everything. Whether the session can still be used afterwards; if not, it is closed."""

    @abstractmethod
    async def aclose(self) -> None:
        """Leave at once. Never raises ProviderError."""

    async def end(self) -> None:
        """Leave politely, where the interface knows a way."""
        await self.aclose()

    def finish(self) -> None:
        """No more texts: `events` ends with the last one."""
        self._finished = True
        self._news.set()

    async def events(self) -> AsyncGenerator[SpeechResult, None]:
        """All results in order, until `finish` was called and every text is done. Raises ProviderError."""
        while True:
            while self.pending:
                for result in await self.receive():
                    yield result
            if self._finished:
                return
            self._news.clear()
            await self._news.wait()

    def _said(self) -> None:
        self.last_sent_s = asyncio.get_running_loop().time()
        self._news.set()


def check_text(text: str) -> None:
    """Raises ProviderRejected for a text that the platform would skip (shared/minimax t2a-websocket.md 1.4)."""
    if len(text) >= MAX_TEXT:
        raise ProviderRejected(f"A text to speak must be shorter than {MAX_TEXT} characters; split it.")
