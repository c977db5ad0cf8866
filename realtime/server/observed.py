"""Providers whose requests are counted and timed, whoever made them. They do the same as the ones they wrap.

Here what they give comes in: `given.py` changes it to what the role promises, or refuses it. What an object that is no
subclass of its role does not have gets the role's default. The platform's speech tells of its connections and waits
itself (`observe`); from other speech providers only the chunks and the errors that end a reply can be seen.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, TypeVar

from realtime.contained import awaited
from realtime.core.messages import ChatEvent, ChatRequest
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ProviderError
from realtime.metrics import Metrics
from realtime.providers import roles
from realtime.providers.base import (
    ChatModel,
    EndOfTurnModel,
    Providers,
    Samples,
    Speech,
    Transcriber,
    Transcript,
    VoiceDetector,
    VoiceStream,
)
from realtime.server import given
from realtime.server.observed_speech import ObservedSpeech
from realtime.server.wrapped import Later, Tell, Wrapper
from realtime.upstream import CHAT, SPEECH, TRANSCRIPTION, Upstream

log = logging.getLogger(__name__)

_Learnt = TypeVar("_Learnt", Latency, Delivery)
BUDGETS = MappingProxyType({CHAT: "", SPEECH: ""})  # of a server with one account, which has no name


def observed(
    providers: Providers,
    metrics: Metrics,
    upstream: Upstream | None = None,
    budgets: Mapping[str, str] = BUDGETS,
    later: Later | None = None,
) -> Providers:
    """The same providers, seen by these metrics. `budgets`: kinds of requests to show, with the account's name.

    Raises ConfigError for one whose attributes are not those of its role."""
    upstream = upstream or Upstream(metrics)
    speech, observe = providers.speech, getattr(providers.speech, "observe", None)
    if observe is not None:
        observe(upstream)
    transcriber, vad, end_of_turn = providers.transcriber, providers.vad, providers.end_of_turn
    seen = dataclasses.replace(
        providers,
        chat=ObservedChat(providers.chat, upstream),
        speech=speech if observe is not None else ObservedSpeech(speech, upstream, later),
        transcriber=None if transcriber is None else ObservedTranscriber(transcriber, upstream, metrics),
        vad=None if vad is None else ObservedDetector(vad, later),
        end_of_turn=None if end_of_turn is None else ObservedEndOfTurn(end_of_turn),
    )
    by_kind: dict[str, ChatModel | Speech] = {CHAT: seen.chat, SPEECH: seen.speech}
    for kind, account in budgets.items():
        metrics.show_budget(kind, by_kind[kind].requests_left, account)
        tally = getattr(by_kind[kind], "permits", None)  # of those who count their requests
        if tally is not None:
            metrics.permits.show(kind, tally, account)
    return seen


def per_minute(provider: Any) -> float:
    """The requests a minute that its account allows. Installed providers may not say."""
    ask = getattr(provider, "requests_per_minute", None)
    return float("inf") if ask is None else float(ask())


class ObservedChat(Wrapper, ChatModel):
    """A `ChatModel`."""

    def __init__(self, chat: ChatModel, upstream: Upstream, later: Later | None = None) -> None:
        super().__init__(chat, later)
        self._upstream = upstream
        self.name = roles.name_of(chat, "chat")
        self._who = f"The chat model {self.name}"
        self.sees_images = roles.flag_of(chat, "chat", "sees_images")
        self.context_tokens = roles.context_tokens_of(chat)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        self._upstream.asked(CHAT)
        asked_s, answered = _now(), False
        try:
            said = await given.stream_of(self._provider.stream(request), self._who, "stream")
            async with aclosing(said) as events:
                async for each in events:
                    event = given.chat_event(each, self._who)
                    if not answered:
                        answered = True
                        self._upstream.answered(CHAT, asked_s)
                    if event is not None:
                        yield event
        except ProviderError as error:
            self._upstream.failed(CHAT, error, getattr(self._provider, "address", None))
            raise

    def requests_left(self) -> float:
        return self._count("requests_left")

    def requests_per_minute(self) -> float:
        return self._count("requests_per_minute")

    async def prewarm(self) -> None:
        await self._ask("prewarm")


class ObservedTranscriber(Wrapper, Transcriber):
    """A `Transcriber`."""

    def __init__(self, transcriber: Transcriber, upstream: Upstream, metrics: Metrics) -> None:
        super().__init__(transcriber)
        self._upstream = upstream
        self.name = roles.name_of(transcriber, "transcriber")
        self._who = f"The transcriber {self.name}"
        self.interim = roles.flag_of(transcriber, "transcriber", "interim")
        self._seconds = {
            final: metrics.transcriptions.labels("final" if final else "interim") for final in (True, False)
        }

    def spare(self, language: str | None) -> bool:
        ask = getattr(self._provider, "spare", None)  # installed providers may not say
        if ask is None:
            return False
        try:
            return bool(given.at_once(ask(language), f"{self._who}'s spare()", "True or False is needed"))
        except ProviderError as error:
            self._tell(error.message)
            return False

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        began_s = _now()
        self._upstream.asked(TRANSCRIPTION)
        try:
            asked = self._provider.transcribe(samples, language=language, final=final)
            transcript = given.transcript_of(await awaited(asked), self._who)
        except ProviderError as error:
            self._upstream.failed(TRANSCRIPTION, error, getattr(self._provider, "address", None))
            raise
        self._upstream.answered(TRANSCRIPTION, began_s)
        self._seconds[final].observe(_now() - began_s)
        return transcript

    async def murmur(self, samples: Samples, transcript: Transcript) -> str | None:
        ask = getattr(self._provider, "murmur", None)  # installed providers may not know it
        found = None if ask is None else await awaited(ask(samples, transcript))
        return given.optional_text(found, self._who, "murmur()")

    async def prewarm(self) -> None:
        await self._ask("prewarm")


class ObservedDetector(Wrapper, VoiceDetector):
    """A `VoiceDetector`."""

    def open(self) -> VoiceStream:
        try:
            stream = self._provider.open()
            if lacking := roles.lacks(stream, VoiceStream):
                raise given.unfit("The voice detector's open()", stream, lacking)
        except Exception as error:  # of a provider from anywhere: the session lives without it
            self._tell("the voice detector does not open a stream", error)
            return _NoStream()
        return _ObservedStream(stream, self._later, self._tell)


class _NoStream(VoiceStream):
    """Hears nothing: the detector is broken, and the log has it."""

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        return [0.0] * len(frames)


class _ObservedStream(_NoStream):
    """A stream whose answer is none is asked no more: it would give the same for each sound that comes."""

    def __init__(self, stream: VoiceStream, later: Later, tell: Tell) -> None:
        self._stream, self._later, self._tell, self._broken = stream, later, tell, False

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        if self._broken or not frames:
            return await super().probabilities(frames)
        answer = await awaited(self._stream.probabilities(frames))
        try:
            return given.probabilities(answer, len(frames), "The voice detector")
        except ProviderError as error:
            self._broken = True
            self._tell(error.message, None)
            raise

    def reset(self) -> None:
        if (reset := getattr(self._stream, "reset", None)) is not None:
            self._later.do(reset(), "reset() of a voice stream", self._tell)

    def close(self) -> None:
        if (close := getattr(self._stream, "close", None)) is not None:
            self._later.do(close(), "close() of a voice stream", self._tell)


class ObservedEndOfTurn(Wrapper, EndOfTurnModel):
    """An `EndOfTurnModel`."""

    async def finished(self, samples: Samples) -> float:
        answer = await awaited(self._provider.finished(samples))
        try:
            return given.probability(answer, "The end-of-turn model")
        except ProviderError as error:
            self._tell(error.message)
            raise


def _now() -> float:
    return asyncio.get_running_loop().time()
