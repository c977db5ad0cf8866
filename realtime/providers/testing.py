"""In-memory providers for tests and first steps: a script defines their output and its times.

They need no network, no device and no model file. They wait on the event loop's clock, so that a test in virtual time
is fast. Each one keeps what it was asked. For a store use `realtime.providers.memory_store.MemoryStore`.

    chat = FakeChat([[(0.1, "It is noon.")]])
    async with running(Settings(port=0), providers={"chat": chat, "speech": FakeSpeech()}) as server: ...
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from realtime.core.messages import (
    ChatEvent,
    ChatFinish,
    ChatRequest,
    ChatUsage,
    TextDelta,
    WordTime,
)
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ProviderError
from realtime.providers.base import (
    VAD_RATE,
    ChatModel,
    EndOfTurnModel,
    Samples,
    Speech,
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechWords,
    Transcriber,
    Transcript,
    Utterance,
    Voice,
    VoiceDetector,
    VoiceStream,
)

MS_PER_CHARACTER = 60.0  # of audio for one character
LOUD = 1000  # a frame with a larger sample is speech; samples go up to 32,767
SPEECH, NO_SPEECH = 0.95, 0.02  # probabilities
STEP_MS = 100.0  # of audio in one event
ANSWER = ((0.1, "Fine."),)  # after the end of the script


class FakeVoiceStream(VoiceStream):
    """Loud samples are speech."""

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        return [SPEECH if int(np.abs(frame).max()) > LOUD else NO_SPEECH for frame in frames]


class FakeVad(VoiceDetector):
    """A voice detector for loud and silent samples."""

    def open(self) -> FakeVoiceStream:
        return FakeVoiceStream()


@dataclass
class FakeTranscriber(Transcriber):
    """Returns the scripted texts, one for each final decode; interim decodes return the next one.

    An error in place of a text is raised. `asked` has the calls: seconds of audio, and `final`.
    """

    texts: list[str | ProviderError] = field(default_factory=list)
    interim_texts: list[str] | None = None  # one for each interim decode, instead
    delay_s: float = 0.05
    interim: bool = True
    name: str = "fake"
    asked: list[tuple[float, bool]] = field(default_factory=list)

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        self.asked.append((len(samples) / VAD_RATE, final))
        await asyncio.sleep(self.delay_s)
        if not final:
            return Transcript(self._interim_text())
        text = self.texts.pop(0) if self.texts else ""
        if isinstance(text, ProviderError):
            raise text
        return Transcript(text)

    def _interim_text(self) -> str:
        if self.interim_texts is not None:
            return self.interim_texts.pop(0) if self.interim_texts else ""
        head = self.texts[0] if self.texts else ""
        return head if isinstance(head, str) else ""


@dataclass
class FakeEndOfTurnModel(EndOfTurnModel):
    """Returns the scripted probabilities, one for each call; an error in place of one is raised.

    `asked` has the seconds of audio of each call.
    """

    probabilities: list[float | ProviderError] = field(default_factory=list)
    delay_s: float = 0.03
    asked: list[float] = field(default_factory=list)

    async def finished(self, samples: Samples) -> float:
        self.asked.append(len(samples) / VAD_RATE)
        await asyncio.sleep(self.delay_s)
        answer = self.probabilities.pop(0)
        if isinstance(answer, ProviderError):
            raise answer
        return answer


Scripted = str | ChatEvent | Exception  # text, an event as it is, or an error to raise


@dataclass
class FakeChat(ChatModel):
    """Answers with scripted lists of (delay in seconds, text, event or error); after the last one with `ANSWER`.

    `requests` are the requests so far, `running` is the number of open streams, `prewarmed` the number of calls.
    """

    answers: list[Sequence[tuple[float, Scripted]]] = field(default_factory=list)
    requests: list[ChatRequest] = field(default_factory=list)
    running: int = 0
    name: str = "fake-chat"
    sees_images: bool = False
    budget: float = 200.0  # requests left in this minute
    prewarmed: int = 0

    def requests_left(self) -> float:
        return self.budget

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else ANSWER
        self.running += 1
        try:
            finished = False
            for delay_s, output in answer:
                await asyncio.sleep(delay_s)
                if isinstance(output, Exception):
                    raise output
                finished = finished or isinstance(output, ChatFinish)
                yield TextDelta(output) if isinstance(output, str) else output
            if not finished:
                yield ChatFinish("stop")
            yield ChatUsage(input_tokens=33, output_tokens=7)
        finally:
            self.running -= 1

    async def prewarm(self) -> None:
        self.prewarmed += 1


class FakeUtterance(Utterance):
    """One reply of `FakeSpeech`."""

    def __init__(self, speech: FakeSpeech) -> None:
        self._speech = speech
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        self._said = 0

    async def say(self, text: str) -> int:
        self._speech.said.append(text)
        self._texts.put_nowait(text)
        self._said += 1
        return self._said - 1

    def finish(self) -> None:
        self._texts.put_nowait(None)

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        chunk = 0
        while (text := await self._texts.get()) is not None:
            await asyncio.sleep(self._speech.first_s)
            if self._speech.errors:
                raise self._speech.errors.pop(0)
            self._speech.begun += 1
            left_ms = len(text) * MS_PER_CHARACTER
            while left_ms > 0:
                ms = min(STEP_MS, left_ms)
                yield SpeechAudio(chunk, b"\x01\x00" * int(ms * self._speech.rate / 1000))
                left_ms -= ms
                await asyncio.sleep(ms / 1000 / self._speech.factor)
            if self._speech.gives_words:
                yield SpeechWords(chunk, word_times(text))
            yield SpeechChunkDone(chunk)
            chunk += 1


def word_times(text: str) -> tuple[WordTime, ...]:
    """The times of the words of a text, at `MS_PER_CHARACTER`."""
    words, position = [], 0
    for word in text.split(" "):
        start = text.index(word, position) if word else position
        position = start + len(word)
        words.append(WordTime(start, position, start * MS_PER_CHARACTER, position * MS_PER_CHARACTER))
    return tuple(words)


@dataclass
class FakeSpeech(Speech):
    """Speaks 60 ms for each character, word times included, `factor` times faster than real time.

    All samples are 1, which is silent and easy to count. `said` has the text of each chunk, `begun` is the number of
    chunks whose audio has begun, `open_now` the number of open replies. Each of `errors` is raised at the start of a
    chunk.
    """

    first_s: float = 0.2  # from text to first audio
    factor: float = 8.0
    rate: int = 24_000  # Hertz
    gives_words: bool = True
    errors: list[ProviderError] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    prewarmed: list[Voice] = field(default_factory=list)
    open_now: int = 0
    budget: float = 60.0  # requests left in this minute
    delivered: Delivery = field(default_factory=Delivery)
    begun: int = 0

    def prewarm(self, voice: Voice) -> None:
        self.prewarmed.append(voice)

    @asynccontextmanager
    async def open(self, voice: Voice) -> AsyncGenerator[Utterance, None]:
        self.open_now += 1
        try:
            yield FakeUtterance(self)
        finally:
            self.open_now -= 1

    def latency(self, voice: Voice) -> Latency:
        return Latency(self.first_s, 0.0)

    def delivery(self, voice: Voice) -> Delivery:
        return self.delivered

    def requests_left(self) -> float:
        return self.budget
