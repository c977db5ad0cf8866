"""Fake providers: the test defines their output and its times on the loop's clock."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from realtime.core.messages import ChatFinish, ChatUsage, TextDelta, ToolCallDelta, WordTime
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ProviderError
from realtime.providers.base import (
    SpeechAudio,
    SpeechChunkDone,
    SpeechWords,
    Transcript,
)

MS_PER_CHARACTER = 60.0


class FakeVoiceStream:
    """Loud samples are speech."""

    async def probabilities(self, frames) -> list[float]:
        return [0.95 if int(np.abs(frame).max()) > 1000 else 0.02 for frame in frames]

    def reset(self) -> None:
        return

    def close(self) -> None:
        return


class FakeVad:
    def open(self):
        return FakeVoiceStream()

    async def aclose(self) -> None:
        return


@dataclass
class FakeTranscriber:
    """Returns the scripted texts, one for each final decode; interim decodes return the next one."""

    texts: list[str | ProviderError] = field(default_factory=list)
    interim_texts: list[str] | None = None
    delay_s: float = 0.05
    interim: bool = True
    name: str = "fake"
    asked: list[tuple[float, bool]] = field(default_factory=list)

    async def transcribe(self, samples, *, language, final):
        self.asked.append((len(samples) / 16_000, final))
        await asyncio.sleep(self.delay_s)
        if not final:
            if self.interim_texts is not None:
                return Transcript(self.interim_texts.pop(0) if self.interim_texts else "")
            head = self.texts[0] if self.texts else ""
            return Transcript(head if isinstance(head, str) else "")
        text = self.texts.pop(0) if self.texts else ""
        if isinstance(text, ProviderError):
            raise text
        return Transcript(text)

    async def prewarm(self) -> None:
        return

    async def aclose(self) -> None:
        return


@dataclass
class FakeChat:
    """Answers with scripted lists of (delay_s, chunk); a chunk is text, an event or an error."""

    answers: list[Sequence] = field(default_factory=list)
    requests: list = field(default_factory=list)
    running: int = 0
    name: str = "fake-chat"
    sees_images: bool = False
    budget: float = 200.0
    prewarmed: int = 0

    def requests_left(self) -> float:
        return self.budget

    async def stream(self, request) -> AsyncGenerator:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else [(0.1, "Fine.")]
        self.running += 1
        try:
            finished = False
            for delay_s, chunk in answer:
                await asyncio.sleep(delay_s)
                if isinstance(chunk, Exception):
                    raise chunk
                finished = finished or isinstance(chunk, ChatFinish)
                yield TextDelta(chunk) if isinstance(chunk, str) else chunk
            if not finished:
                yield ChatFinish("stop")
            yield ChatUsage(input_tokens=33, output_tokens=7)
        finally:
            self.running -= 1

    async def prewarm(self) -> None:
        self.prewarmed += 1

    async def aclose(self) -> None:
        return


def call(name: str, arguments: str, call_id: str = "call_1", index: int = 0) -> ToolCallDelta:
    return ToolCallDelta(index, call_id, name, arguments)


class FakeUtterance:
    def __init__(self, speech: "FakeSpeech") -> None:
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

    async def events(self):
        chunk = 0
        while (text := await self._texts.get()) is not None:
            await asyncio.sleep(self._speech.first_s)
            if self._speech.errors:
                raise self._speech.errors.pop(0)
            words, position = [], 0
            for word in text.split(" "):
                start = text.index(word, position) if word else position
                position = start + len(word)
                words.append(WordTime(start, position, start * MS_PER_CHARACTER, position * MS_PER_CHARACTER))
            self._speech.begun += 1
            total_ms = len(text) * MS_PER_CHARACTER
            sent_ms = 0.0
            while sent_ms < total_ms:
                ms = min(100.0, total_ms - sent_ms)
                yield SpeechAudio(chunk, b"\x01\x00" * int(ms * self._speech.rate / 1000))
                sent_ms += ms
                await asyncio.sleep(ms / 1000 / self._speech.factor)
            if self._speech.gives_words:
                yield SpeechWords(chunk, tuple(words))
            yield SpeechChunkDone(chunk)
            chunk += 1


@dataclass
class FakeSpeech:
    """Speaks 60 ms for each character, word times included, `factor` times faster than real time."""

    first_s: float = 0.2
    factor: float = 8.0
    rate: int = 24_000
    gives_words: bool = True
    errors: list[ProviderError] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    prewarmed: list = field(default_factory=list)
    open_now: int = 0
    budget: float = 60.0
    delivered: Delivery = field(default_factory=Delivery)
    begun: int = 0  # chunks whose audio has begun

    def prewarm(self, voice) -> None:
        self.prewarmed.append(voice)

    @asynccontextmanager
    async def open(self, voice):
        self.open_now += 1
        try:
            yield FakeUtterance(self)
        finally:
            self.open_now -= 1

    def latency(self, voice) -> Latency:
        return Latency(self.first_s, 0.0)

    def delivery(self, voice) -> Delivery:
        return self.delivered

    def requests_left(self) -> float:
        return self.budget

    async def aclose(self) -> None:
        return
