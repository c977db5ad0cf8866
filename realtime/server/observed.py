"""Providers whose requests are counted and timed, whoever made them. They do the same as the ones they wrap.

Here what they give comes in: `given.py` changes it to what the role promises, or refuses it. What an object that is no
subclass of its role does not have gets the role's default. The platform's speech tells of its connections and waits
itself (`observe`); from other speech providers only the chunks and the errors that end a reply can be seen.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeVar

from realtime.core.messages import ChatEvent, ChatRequest
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ConfigError, ProviderError
from realtime.metrics import Metrics
from realtime.providers.base import (
    ChatModel,
    EndOfTurnModel,
    Providers,
    Samples,
    Speech,
    SpeechEvent,
    Transcriber,
    Transcript,
    Utterance,
    Voice,
    VoiceDetector,
    VoiceStream,
)
from realtime.server import given
from realtime.upstream import CHAT, SPEECH, TRANSCRIPTION, Upstream

log = logging.getLogger(__name__)

_Learnt = TypeVar("_Learnt", Latency, Delivery)
BUDGETS = MappingProxyType({CHAT: "", SPEECH: ""})  # of a server with one account, which has no name


def observed(
    providers: Providers,
    metrics: Metrics,
    upstream: Upstream | None = None,
    budgets: Mapping[str, str] = BUDGETS,
) -> Providers:
    """The same providers, seen by these metrics. `budgets`: kinds of requests to show, with the account's name.

    Raises ConfigError for one without a name."""
    upstream = upstream or Upstream(metrics)
    speech, observe = providers.speech, getattr(providers.speech, "observe", None)
    if observe is not None:
        observe(upstream)
    transcriber, vad, end_of_turn = providers.transcriber, providers.vad, providers.end_of_turn
    seen = dataclasses.replace(
        providers,
        chat=ObservedChat(providers.chat, upstream),
        speech=speech if observe is not None else ObservedSpeech(speech, upstream),
        transcriber=None if transcriber is None else ObservedTranscriber(transcriber, upstream, metrics),
        vad=None if vad is None else ObservedDetector(vad),
        end_of_turn=None if end_of_turn is None else ObservedEndOfTurn(end_of_turn),
    )
    by_kind: dict[str, ChatModel | Speech] = {CHAT: seen.chat, SPEECH: seen.speech}
    for kind, account in budgets.items():
        metrics.show_budget(kind, by_kind[kind].requests_left, account)
        tally = getattr(by_kind[kind], "permits", None)  # of those who count their requests
        if tally is not None:
            metrics.permits.show(kind, tally, account)
    return seen


class _Wrapper:
    """What is not wrapped is asked of the provider itself."""

    def __init__(self, provider: Any) -> None:
        self._provider = provider
        self._told: set[str] = set()  # what the log has of it

    def __repr__(self) -> str:
        return f"<observed {self._provider!r}>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def _tell(self, message: str, error: Exception | None = None) -> None:
        """The operator, once: nobody else learns of it."""
        if message not in self._told:
            self._told.add(message)
            log.error("%s", message, exc_info=error)

    def _count(self, method: str) -> float:
        """How many requests there are, by this method: without it, or where it fails, there is no limit."""
        ask: Callable[[], Any] | None = getattr(self._provider, method, None)
        try:
            count = None if ask is None else ask()
            return float("inf") if count is None or count != count else float(count)
        except Exception as error:
            self._tell(f"{method}() of {_class(self._provider)} failed: it counts as no limit", error)
            return float("inf")

    async def aclose(self) -> None:
        await self._ask("aclose")

    async def _ask(self, method: str) -> None:
        ask = getattr(self._provider, method, None)
        await given.awaited(None if ask is None else ask())


def per_minute(provider: Any) -> float:
    """The requests a minute that its account allows. Installed providers may not say."""
    ask = getattr(provider, "requests_per_minute", None)
    return float("inf") if ask is None else float(ask())


def _class(provider: Any) -> str:
    return type(provider).__name__


def _name_of(provider: Any, role: str) -> str:
    """Raises ConfigError."""
    name = getattr(provider, "name", None)
    if not isinstance(name, str) or not name:
        raise ConfigError(f"The {role} provider {_class(provider)} needs a `name`, a text that clients see.")
    return str(name)


class ObservedChat(_Wrapper, ChatModel):
    """A `ChatModel`."""

    def __init__(self, chat: ChatModel, upstream: Upstream) -> None:
        super().__init__(chat)
        self._upstream = upstream
        self.name = _name_of(chat, "chat")
        self._who = f"The chat model {self.name}"
        self.sees_images = bool(getattr(chat, "sees_images", False))  # installed providers may not say
        self.context_tokens = getattr(chat, "context_tokens", None)

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


class ObservedTranscriber(_Wrapper, Transcriber):
    """A `Transcriber`."""

    def __init__(self, transcriber: Transcriber, upstream: Upstream, metrics: Metrics) -> None:
        super().__init__(transcriber)
        self._upstream = upstream
        self.name = _name_of(transcriber, "transcriber")
        self._who = f"The transcriber {self.name}"
        self.interim = bool(getattr(transcriber, "interim", False))  # installed providers may not say
        self._seconds = {
            final: metrics.transcriptions.labels("final" if final else "interim") for final in (True, False)
        }

    def spare(self, language: str | None) -> bool:
        ask = getattr(self._provider, "spare", None)  # installed providers may not say
        return ask is not None and bool(ask(language))

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        began_s = _now()
        self._upstream.asked(TRANSCRIPTION)
        try:
            asked = self._provider.transcribe(samples, language=language, final=final)
            transcript = given.transcript_of(await given.awaited(asked), self._who)
        except ProviderError as error:
            self._upstream.failed(TRANSCRIPTION, error, getattr(self._provider, "address", None))
            raise
        self._upstream.answered(TRANSCRIPTION, began_s)
        self._seconds[final].observe(_now() - began_s)
        return transcript

    async def murmur(self, samples: Samples, transcript: Transcript) -> str | None:
        ask = getattr(self._provider, "murmur", None)  # installed providers may not know it
        found = None if ask is None else await given.awaited(ask(samples, transcript))
        return given.optional_text(found, self._who, "murmur()")

    async def prewarm(self) -> None:
        await self._ask("prewarm")


class ObservedDetector(_Wrapper, VoiceDetector):
    """A `VoiceDetector`."""

    def open(self) -> VoiceStream:
        try:
            stream = self._provider.open()
            if not hasattr(stream, "probabilities"):
                raise given.wrong("The voice detector's open()", stream, "a VoiceStream is needed")
        except Exception as error:  # of a provider from anywhere: the session lives without it
            self._tell("the voice detector does not open a stream", error)
            return _NoStream()
        return _ObservedStream(stream, self._tell)


class _NoStream(VoiceStream):
    """Hears nothing: the detector is broken, and the log has it."""

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        return [0.0] * len(frames)


class _ObservedStream(_NoStream):
    """A stream whose answer is none is asked no more: it would give the same for each sound that comes."""

    def __init__(self, stream: VoiceStream, tell: Callable[[str], None]) -> None:
        self._stream, self._tell, self._broken = stream, tell, False

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        if self._broken or not frames:
            return await super().probabilities(frames)
        answer = await given.awaited(self._stream.probabilities(frames))
        try:
            return given.probabilities(answer, len(frames), "The voice detector")
        except ProviderError as error:
            self._broken = True
            self._tell(error.message)
            raise

    def reset(self) -> None:
        if (reset := getattr(self._stream, "reset", None)) is not None:
            reset()

    def close(self) -> None:
        if (close := getattr(self._stream, "close", None)) is not None:
            close()


class ObservedEndOfTurn(_Wrapper, EndOfTurnModel):
    """An `EndOfTurnModel`."""

    async def finished(self, samples: Samples) -> float:
        answer = await given.awaited(self._provider.finished(samples))
        try:
            return given.probability(answer, "The end-of-turn model")
        except ProviderError as error:
            self._tell(error.message)
            raise


class ObservedSpeech(_Wrapper, Speech):
    """A `Speech` of another package."""

    def __init__(self, speech: Speech, upstream: Upstream) -> None:
        super().__init__(speech)
        self._upstream = upstream

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        return self._open(voice)

    @asynccontextmanager
    async def _open(self, voice: Voice) -> AsyncIterator[Utterance]:
        opened = await given.awaited(self._provider.open(voice))
        if not hasattr(opened, "__aenter__"):
            raise given.wrong("The voice's open()", opened, "an async context manager is needed")
        async with opened as utterance:
            yield _ObservedUtterance(utterance, self._upstream)

    def prewarm(self, voice: Voice) -> None:
        if (prewarm := getattr(self._provider, "prewarm", None)) is not None:
            prewarm(voice)

    def latency(self, voice: Voice) -> Latency:
        return self._learnt("latency", voice, Latency)

    def delivery(self, voice: Voice) -> Delivery:
        return self._learnt("delivery", voice, Delivery)

    def _learnt(self, method: str, voice: Voice, kind: type[_Learnt]) -> _Learnt:
        """What the voice knows of itself; the common guess where it knows nothing."""
        ask = getattr(self._provider, method, None)
        known = None if ask is None else ask(voice)
        if isinstance(known, kind):
            return known
        if ask is not None:
            self._tell(given.wrong(f"The voice's {method}()", known, f"a {kind.__name__} is needed").message)
        return kind()

    def requests_left(self) -> float:
        return self._count("requests_left")

    def requests_per_minute(self) -> float:
        return self._count("requests_per_minute")


class _ObservedUtterance(Utterance):
    def __init__(self, utterance: Utterance, upstream: Upstream) -> None:
        self._utterance = utterance
        self._upstream = upstream
        self._said = 0

    async def say(self, text: str) -> int:
        self._upstream.asked(SPEECH)
        try:
            await given.awaited(self._utterance.say(text))
        except ProviderError as error:
            self._upstream.failed(SPEECH, error)
            raise
        self._said += 1
        return self._said - 1

    async def finish(self) -> None:
        await given.awaited(self._utterance.finish())

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        sound = given.Sound("The voice")
        try:
            told = await given.stream_of(self._utterance.events(), "The voice", "events")
            async with aclosing(told) as events:
                async for each in events:
                    if (event := sound.event(each)) is not None:
                        yield event
        except ProviderError as error:
            self._upstream.failed(SPEECH, error)
            raise


def _now() -> float:
    return asyncio.get_running_loop().time()
