"""The interface of all speech sessions: say texts, receive their audio, close. The network is in the subclasses.

A session has one voice and one format. It does not retry: after an error it cannot be used again.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from realtime.errors import ProviderRejected
from realtime.minimax.speech_config import MAX_TEXT
from realtime.minimax.speech_protocol import SpeechResult


@dataclass(frozen=True, slots=True)
class SpeechTimeouts:
    """Timeouts in seconds (docs/minimax/t2a-websocket.md 3)."""

    connect_s: float = 10.0
    ready_s: float = 5.0  # connected_success, task_started
    first_audio_s: float = 5.0
    gap_s: float = 5.0  # between two frames of one text
    finish_s: float = 5.0


class SpeechSession(ABC):
    """One voice on one host. `last_sent_s` is the loop time of our last message."""

    host: str
    last_sent_s: float

    def __init__(self) -> None:
        self._finished = False
        self._changed = asyncio.Event()

    @property
    @abstractmethod
    def pending(self) -> int:
        """Number of texts that were sent and are not finished."""

    @property
    @abstractmethod
    def usable(self) -> bool:
        """Whether other texts should be sent here. False once the connection is lost, or has miscounted its texts."""

    @abstractmethod
    async def say(self, text: str, leaving: Callable[[], Awaitable[None]] | None = None) -> int:
        """Queue one text. Returns its number in this session, from 0. Raises ProviderError.

        `leaving` is awaited directly before the request is written, which can be later than this returns. What it
        raises is raised here or by `receive`.
        """

    @abstractmethod
    async def receive(self) -> list[SpeechResult]:
        """The next results, at least one. Call it only while something is pending. Raises ProviderError."""

    @abstractmethod
    async def cancel(self) -> bool:
        """Stop all synthesis. Returns whether the session can still be used; if not, it is closed."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close at once. Never raises ProviderError."""

    async def end(self) -> None:
        """Finish the session in order, where the interface has a way; then close it."""
        await self.aclose()

    @property
    def expected_ms(self) -> Callable[[str], float] | None:
        """How long a text should sound, as the texts that have ended here show; None if they show nothing."""
        return None

    def finish(self) -> None:
        """No more texts will come: `events` ends after the last one."""
        self._finished = True
        self._changed.set()

    async def events(self) -> AsyncGenerator[SpeechResult, None]:
        """All results in order, until `finish` was called and every text is done. Raises ProviderError."""
        while True:
            while self.pending:
                for result in await self.receive():
                    yield result
            if self._finished:
                return
            self._changed.clear()
            await self._changed.wait()

    def _mark_sent(self) -> None:
        self.last_sent_s = asyncio.get_running_loop().time()
        self._changed.set()


def check_text(text: str) -> None:
    """Raises ProviderRejected for a text that is too long (docs/minimax/t2a-websocket.md 1.4)."""
    if len(text) >= MAX_TEXT:
        raise ProviderRejected(f"A text to speak must be shorter than {MAX_TEXT} characters; split it.")
