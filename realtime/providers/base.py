"""The provider roles, as small Protocols: voice detector, transcriber, end-of-turn model, chat, speech.

A provider is any object of one of these shapes; a store's is in `store.py`. A subclass of a role inherits defaults for
the methods that many providers do not need. The session sees only this module; the server picks the concrete provider
(`catalog.py`). Every method raises `ProviderError` (and only that) for upstream trouble. `docs/extending.md` shows how
to write one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from realtime.core.characters import joined
from realtime.core.context_budgets import ContextBudgets
from realtime.core.guess_pause import GuessPause
from realtime.core.messages import ChatEvent, ChatRequest, WordTime
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.providers.store import Store

VAD_RATE = 16_000  # Hertz: the rate of the audio for voice detectors and transcribers
VAD_FRAME_SAMPLES = 512  # 32 ms

Samples = NDArray[np.int16]  # mono, at VAD_RATE

# What is asked for concerns sound that a client sent as a recording: what somebody says now goes before it
MAY_WAIT: ContextVar[bool] = ContextVar("may_wait", default=False)


class VoiceStream(Protocol):
    """The audio of one conversation in the voice detector, with that conversation's state."""

    async def probabilities(self, frames: Sequence[Samples]) -> Sequence[float]:
        """For each of these frames of 512 samples, the probability (0 to 1) that it holds speech, in order.

        There may be seconds of frames at once; while they are worked on, the event loop and the other streams must
        have their turns. The frames must not be changed before the answer is there.
        """
        ...

    def reset(self) -> None:
        """Start again without the state of earlier frames."""
        return

    def close(self) -> None:
        """The conversation has ended; no method is called after this one."""
        return


class VoiceDetector(Protocol):
    """Detects speech, for all conversations of the process at once."""

    def open(self) -> VoiceStream:
        """A stream for one new conversation."""
        ...

    async def aclose(self) -> None:
        """The server stops; no method is called after this one."""
        return


@dataclass(frozen=True, slots=True)
class Transcript:
    """The text of an utterance. `language` is an ISO-639-1 code if the transcriber knows it. `log_probability` is its
    confidence: the mean over the words, 0 is certain. `last_word` and `stop` are how probable the last word is, and the
    mark that ends the text (or this one and the one that would make a question of it, or none): both say whether the
    sentence is over (docs/turn-taking.md). `murmur` is the backchannel
    ("I see.") that a short sound may as well be: `Transcriber.murmur` tells."""

    text: str
    language: str | None = None
    log_probability: float | None = None
    last_word: float | None = None
    stop: float | None = None
    murmur: str | None = None

    def with_text(self, text: str) -> Transcript:
        """The same sound, of which this text is to count. Only what was read may be a murmur instead."""
        return self if text == self.text else replace(self, text=text, murmur=None)

    def followed_by(self, rest: Transcript) -> Transcript:
        """The text of this sound and of the sound after it. Its language is that of the most characters."""
        if not self.text or not rest.text:
            return self if self.text else rest
        share = len(rest.text) / (len(self.text) + len(rest.text))
        doubt: float | None = None
        if self.log_probability is not None and rest.log_probability is not None:
            doubt = (1 - share) * self.log_probability + share * rest.log_probability
        language = rest.language if share > 0.5 else self.language
        text = joined(self.text, rest.text)
        return Transcript(text, language, doubt, rest.last_word, rest.stop)


class Transcriber(Protocol):
    """Turns one utterance into text."""

    name: str  # as clients see it
    interim: bool = False  # cheap enough to be called again and again while the user speaks

    def spare(self, language: str | None) -> bool:
        """Whether interim decodes of this language, one after the other, leave room for another decode now.

        If so, they come after 64 ms of speech or more (128 ms if it began over an answer), without a rest. If not, they
        come after 128 ms or more, and each is followed by a rest as long as it took."""
        return False

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        """The text of this utterance so far; `final` asks for the best answer instead of the fastest.

        `language` is an ISO-639-1 code if the client or the settings know it.
        """
        ...

    async def murmur(self, samples: Samples, transcript: Transcript) -> str | None:
        """The backchannel ("I see.") that a sound of less than a second may as well be as what was read of it.

        Asked only where such a sound may stop an answer. None: it is none, or that cannot be told.
        """
        return None

    async def prewarm(self) -> None:
        """Load the model before the first utterance needs it. Raises ConfigError if it cannot be loaded."""
        return

    async def aclose(self) -> None:
        """The server stops; no method is called after this one."""
        return


class EndOfTurnModel(Protocol):
    """Predicts from audio whether a turn has ended. Optional: the text alone is a weaker sign."""

    async def finished(self, samples: Samples) -> float:
        """The probability (0 to 1) that a turn ends with these samples (the last 8 s count); called once in a pause."""
        ...

    async def aclose(self) -> None:
        """The server stops; no method is called after this one."""
        return


class ChatModel(Protocol):
    """Generates the assistant's answers."""

    name: str  # as clients see it
    sees_images: bool = False
    context_tokens: int | None = None  # how long a prompt may be, if that is known

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """The answer as a stream; ends after `ChatFinish` (and `ChatUsage`, if known: what comes more than a second
        later is not read). Close it to stop."""
        ...

    def requests_left(self) -> float:
        """How many requests the account has left in this minute, by our own count. By default there is no limit."""
        return float("inf")

    def requests_per_minute(self) -> float:
        """How many the account allows in a minute: where it is too few for one more session, none begins."""
        return float("inf")

    async def prewarm(self) -> None:
        """Open a connection ahead of the first request. Never raises."""
        return

    async def aclose(self) -> None:
        """The server stops; no method is called after this one."""
        return


@dataclass(frozen=True, slots=True)
class Voice:
    """The settings of a speech connection; two equal voices can share one."""

    voice_id: str
    rate: int = 24_000  # Hertz; speech is 16-bit little-endian mono PCM
    speed: float = 1.0
    model: str | None = None  # None: the configured one
    language: str | None = None  # ISO-639-1, None: detected


@dataclass(frozen=True, slots=True)
class KnownVoice:
    """A voice in the list of a speech provider. `language` (ISO 639) and `gender` are None where nothing tells them."""

    id: str
    name: str = ""
    kind: Literal["system", "cloned", "designed"] = "system"
    language: str | None = None
    gender: Literal["female", "male"] | None = None


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """PCM of chunk number `chunk`, whole samples, as soon as it was received."""

    chunk: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class SpeechWords:
    """Word times of chunk `chunk` known so far (replace the earlier ones of this chunk)."""

    chunk: int
    words: tuple[WordTime, ...]


@dataclass(frozen=True, slots=True)
class SpeechChunkDone:
    """No more audio or words of chunk `chunk`. `trace_id`: the service's id of the request, where it has one."""

    chunk: int
    trace_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The voice waits for its own budget before it asks again: no silence of the service. `over`: it has asked."""

    over: bool = False


SpeechEvent = SpeechAudio | SpeechWords | SpeechChunkDone | SpeechPaused


class Utterance(Protocol):
    """The speech of one reply: chunks of text in, their audio out, strictly in order."""

    async def say(self, text: str) -> int:
        """Queue one chunk (one request of the account's budget). Returns its number, from 0."""
        ...

    def finish(self) -> Awaitable[None] | None:
        """No more text will come: `events` ends after the last chunk. It may be a coroutine, which is awaited."""
        ...

    def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """Audio, word times and ends of chunks, in order. Ends once all of them are said, and not before: who ends
        earlier has failed, and who does not end within a second is closed."""
        ...


class Speech(Protocol):
    """Synthesizes speech."""

    def prewarm(self, voice: Voice) -> None:
        """Have a connection ready for this voice soon. Returns at once, never raises."""
        return

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        """The speech of one reply. Leaving the block early stops it at once."""
        ...

    def latency(self, voice: Voice) -> Latency:
        """The expected time from text to first audio, learnt from earlier replies; by default a common guess."""
        return Latency()

    def delivery(self, voice: Voice) -> Delivery:
        """How fast the audio of this voice is received; the caller updates it. By default each reply learns anew: keep
        one for each voice, and a reply begins with what earlier ones learnt."""
        return Delivery()

    def requests_left(self) -> float:
        """How many chunks the account's budget still allows right now. By default there is no limit."""
        return float("inf")

    def requests_per_minute(self) -> float:
        """How many the account allows in a minute: where it is too few for one more session, none begins."""
        return float("inf")

    async def aclose(self) -> None:
        """The server stops; no method is called after this one."""
        return


class ListsVoices(Protocol):
    """What a speech provider may offer as well: its voices, and the languages (ISO 639) that they speak."""

    languages: Sequence[str]

    async def voices(self) -> Sequence[KnownVoice]:
        """All voices that can be chosen, now. Costs nothing."""
        ...


class NoiseReduction(Protocol):
    """Makes the noise of one stream of samples at VAD_RATE quieter. As many come out as go in."""

    @property
    def held_ms(self) -> float:
        """How much sound waits for more, before it comes out."""
        ...

    def feed(self, samples: Samples) -> Samples:
        """What comes out by now."""
        ...

    def rest(self) -> Samples:
        """What waits: the stream ends."""
        ...


# For one microphone: `near_field` or `far_field` of the wire. None where the server has none.
OpenNoiseReduction = Callable[[str], NoiseReduction | None]


def no_noise_reduction(kind: str) -> NoiseReduction | None:
    """Of a server without it."""
    return None


@dataclass(frozen=True, slots=True)
class Providers:
    """The providers of one server. None: nobody has this role.

    Without a transcriber the client must send text; without a voice detector it must end its turns itself.
    """

    vad: VoiceDetector | None
    transcriber: Transcriber | None
    chat: ChatModel
    speech: Speech
    end_of_turn: EndOfTurnModel | None = None
    noise_reduction: OpenNoiseReduction = no_noise_reduction
    context_budgets: ContextBudgets = field(default_factory=ContextBudgets)
    guess_pause: GuessPause = field(default_factory=GuessPause)


class ProviderOverrides(TypedDict, total=False):
    """Providers of your own for `running`, `serve` and `realtime_app`: `{"chat": my_chat, "transcriber": None}`.

    A role that is left out gets the provider the settings choose; None leaves an optional role empty. What is handed in
    is yours: the server uses it (`prewarm` included) and never closes it, so that several servers can share one.
    """

    vad: VoiceDetector | None
    transcriber: Transcriber | None
    end_of_turn: EndOfTurnModel | None
    chat: ChatModel
    speech: Speech
    store: Store | None
