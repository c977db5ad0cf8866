"""The roles, as small Protocols: who listens, who writes, who answers, who speaks, who remembers.

A provider is one file with `create(settings)` that returns an object of one of these shapes. The session sees only
this module; the server picks the concrete provider (`catalog.py`). Every method raises `ProviderError`
(and only that) for upstream trouble.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from realtime.core.messages import ChatEvent, ChatRequest, WordTime
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery

VAD_RATE = 16_000  # Hertz: the rate at which voice detectors and transcribers listen
VAD_FRAME_SAMPLES = 512  # 32 ms

Samples = NDArray[np.int16]  # mono, at VAD_RATE


class VoiceStream(Protocol):
    """One conversation's place in the voice detector; keeps that conversation's state."""

    async def probabilities(self, frames: Sequence[Samples]) -> Sequence[float]:
        """For each of these frames of 512 samples the probability (0 to 1) that it holds speech. Given in order."""
        ...

    def reset(self) -> None:
        """Forget what was heard so far."""
        ...

    def close(self) -> None: ...


class VoiceDetector(Protocol):
    """Tells speech from everything else, for all conversations of the process at once."""

    def open(self) -> VoiceStream: ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said. `language` is an ISO-639-1 code where the transcriber knows it, `log_probability` how sure it
    is of its words: the mean over them, 0 is certain."""

    text: str
    language: str | None = None
    log_probability: float | None = None


class Transcriber(Protocol):
    """Turns one utterance into text."""

    name: str
    interim: bool  # cheap enough to be asked again and again while the user speaks

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        """The text of this utterance so far; `final` asks for the best answer instead of the fastest."""
        ...

    async def prewarm(self) -> None:
        """Load what the first utterance would have to wait for. Raises ConfigError if it cannot be loaded."""
        ...

    async def aclose(self) -> None: ...


class EndOfTurnModel(Protocol):
    """Hears whether somebody has finished speaking. Optional: text alone can tell, less well."""

    async def finished(self, samples: Samples) -> float:
        """The probability (0 to 1) that these samples (8 s at most count) end a turn; asked once in a pause."""
        ...

    async def aclose(self) -> None: ...


class ChatModel(Protocol):
    """Answers."""

    name: str
    sees_images: bool

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """The answer as it is written; ends after `ChatFinish` (and `ChatUsage`, if known). Close it to stop."""
        ...

    def requests_left(self) -> float:
        """How many requests the account has left in this minute, by our own count."""
        ...

    async def prewarm(self) -> None:
        """Open a connection ahead of the first request. Never raises."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Voice:
    """What a warm speech connection is opened for; two equal voices can share one."""

    voice_id: str
    rate: int = 24_000  # Hertz; speech arrives as 16-bit little-endian mono PCM
    speed: float = 1.0
    model: str | None = None  # None: the configured one
    language: str | None = None  # ISO-639-1, None: detected


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """PCM of chunk number `chunk`, whole samples, as soon as it arrived."""

    chunk: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class SpeechWords:
    """Word times of chunk `chunk` known so far (replaces what was said before about this chunk)."""

    chunk: int
    words: tuple[WordTime, ...]


@dataclass(frozen=True, slots=True)
class SpeechChunkDone:
    """No more audio or words of chunk `chunk`."""

    chunk: int


SpeechEvent = SpeechAudio | SpeechWords | SpeechChunkDone


class Utterance(Protocol):
    """The voice of one reply: chunks of text in, their audio out, strictly in order."""

    async def say(self, text: str) -> int:
        """Queue one chunk (one request of the account's budget). Returns its number, from 0."""
        ...

    def finish(self) -> None:
        """No more text will come: `events` ends after the last chunk."""
        ...

    def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Audio, word times and ends of chunks, in order."""
        ...


class Speech(Protocol):
    """Speaks."""

    def prewarm(self, voice: Voice) -> None:
        """Have a connection ready for this voice soon. Returns at once, never raises."""
        ...

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        """The voice for one reply. Leaving the block early silences it at once and readies a spare."""
        ...

    def latency(self, voice: Voice) -> Latency:
        """The time from text to first audio to expect, learnt from what was seen; it may go on learning."""
        ...

    def delivery(self, voice: Voice) -> Delivery:
        """How fast this voice's sound comes; who hears it may let it learn."""
        ...

    def requests_left(self) -> float:
        """How many chunks the account's budget still allows right now."""
        ...

    async def aclose(self) -> None: ...


class Store(Protocol):
    """Remembers conversations beyond their session. An item is JSON of the wire; sound never comes here.

    `owner` says whose conversation it is: nobody finds the conversation of another owner.
    """

    async def save(
        self, owner: str, conversation_id: str, order: Sequence[str], changed: Mapping[str, bytes]
    ) -> None:
        """Keep these new or changed items, by id. `order` names every item there is; the others are forgotten."""
        ...

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        """Every item, in order; None if this owner has no such conversation (any more)."""
        ...

    async def forget(self, owner: str, conversation_id: str) -> None:
        """Forget the conversation, if there is one."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Providers:
    """The cast of one server. `transcriber` is None where the client must send text."""

    vad: VoiceDetector | None
    transcriber: Transcriber | None
    chat: ChatModel
    speech: Speech
    end_of_turn: EndOfTurnModel | None = None

    async def aclose(self) -> None:
        for provider in (self.speech, self.chat, self.transcriber, self.end_of_turn, self.vad):
            if provider is not None:
                await provider.aclose()
