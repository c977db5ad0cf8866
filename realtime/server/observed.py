"""Providers whose requests are counted and timed, whoever made them. They do the same as the ones they wrap.

The platform's speech tells of its connections and waits itself (`observe`); from other speech providers only the chunks
and the errors that end a reply can be seen.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from types import MappingProxyType
from typing import Any

from realtime.core.messages import ChatEvent, ChatRequest
from realtime.errors import ProviderError
from realtime.metrics import Metrics
from realtime.providers.base import (
    ChatModel,
    Providers,
    Samples,
    Speech,
    SpeechEvent,
    Transcriber,
    Transcript,
    Utterance,
    Voice,
)
from realtime.upstream import CHAT, SPEECH, TRANSCRIPTION, Upstream

BUDGETS = MappingProxyType({CHAT: "", SPEECH: ""})  # of a server with one account, which has no name


def observed(
    providers: Providers,
    metrics: Metrics,
    upstream: Upstream | None = None,
    budgets: Mapping[str, str] = BUDGETS,
) -> Providers:
    """The same providers, seen by these metrics. `budgets`: kinds of requests to show, with the account's name."""
    upstream = upstream or Upstream(metrics)
    by_kind: dict[str, ChatModel | Speech] = {CHAT: providers.chat, SPEECH: providers.speech}
    for kind, account in budgets.items():
        metrics.show_budget(kind, by_kind[kind].requests_left, account)
        tally = getattr(by_kind[kind], "permits", None)  # of those who count their requests
        if tally is not None:
            metrics.permits.show(kind, tally, account)
    speech, observe = providers.speech, getattr(providers.speech, "observe", None)
    if observe is not None:
        observe(upstream)
    transcriber = providers.transcriber
    return dataclasses.replace(
        providers,
        chat=ObservedChat(providers.chat, upstream),
        speech=speech if observe is not None else ObservedSpeech(speech, upstream),
        transcriber=transcriber and ObservedTranscriber(transcriber, upstream, metrics),
    )


class _Wrapper:
    """What is not wrapped is asked of the provider itself."""

    def __init__(self, provider: Any, upstream: Upstream) -> None:
        self._provider = provider
        self._upstream = upstream

    def __repr__(self) -> str:
        return f"<observed {self._provider!r}>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


def per_minute(provider: Any) -> float:
    """The requests a minute that its account allows. Installed providers may not say."""
    ask = getattr(provider, "requests_per_minute", None)
    return float("inf") if ask is None else float(ask())


class ObservedChat(_Wrapper, ChatModel):
    """A `ChatModel`."""

    def __init__(self, chat: ChatModel, upstream: Upstream) -> None:
        super().__init__(chat, upstream)
        self.name = chat.name
        self.sees_images = chat.sees_images
        self.context_tokens = getattr(chat, "context_tokens", None)  # installed providers may not say

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        self._upstream.asked(CHAT)
        asked_s, answered = _now(), False
        try:
            async with aclosing(self._provider.stream(request)) as events:
                async for event in events:
                    if not answered:
                        answered = True
                        self._upstream.answered(CHAT, asked_s)
                    yield event
        except ProviderError as error:
            self._upstream.failed(CHAT, error, getattr(self._provider, "address", None))
            raise

    def requests_left(self) -> float:
        return float(self._provider.requests_left())

    def requests_per_minute(self) -> float:
        return per_minute(self._provider)

    async def prewarm(self) -> None:
        await self._provider.prewarm()

    async def aclose(self) -> None:
        await self._provider.aclose()


class ObservedTranscriber(_Wrapper, Transcriber):
    """A `Transcriber`."""

    def __init__(self, transcriber: Transcriber, upstream: Upstream, metrics: Metrics) -> None:
        super().__init__(transcriber, upstream)
        self.name = transcriber.name
        self.interim = transcriber.interim
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
            transcript: Transcript = await self._provider.transcribe(samples, language=language, final=final)
        except ProviderError as error:
            self._upstream.failed(TRANSCRIPTION, error, getattr(self._provider, "address", None))
            raise
        self._upstream.answered(TRANSCRIPTION, began_s)
        self._seconds[final].observe(_now() - began_s)
        return transcript

    async def murmur(self, samples: Samples, transcript: Transcript) -> str | None:
        ask = getattr(self._provider, "murmur", None)  # installed providers may not know it
        found: str | None = None if ask is None else await ask(samples, transcript)
        return found

    async def prewarm(self) -> None:
        await self._provider.prewarm()

    async def aclose(self) -> None:
        await self._provider.aclose()


class ObservedSpeech(_Wrapper, Speech):
    """A `Speech` of another package."""

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        return self._open(voice)

    @asynccontextmanager
    async def _open(self, voice: Voice) -> AsyncIterator[Utterance]:
        async with self._provider.open(voice) as utterance:
            yield _ObservedUtterance(utterance, self._upstream)

    def prewarm(self, voice: Voice) -> None:
        self._provider.prewarm(voice)

    def latency(self, voice: Voice) -> Any:
        return self._provider.latency(voice)

    def delivery(self, voice: Voice) -> Any:
        return self._provider.delivery(voice)

    def requests_left(self) -> float:
        return float(self._provider.requests_left())

    def requests_per_minute(self) -> float:
        return per_minute(self._provider)

    async def aclose(self) -> None:
        await self._provider.aclose()


class _ObservedUtterance(Utterance):
    def __init__(self, utterance: Utterance, upstream: Upstream) -> None:
        self._utterance = utterance
        self._upstream = upstream

    async def say(self, text: str) -> int:
        self._upstream.asked(SPEECH)
        try:
            return await self._utterance.say(text)
        except ProviderError as error:
            self._upstream.failed(SPEECH, error)
            raise

    def finish(self) -> None:
        self._utterance.finish()

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        try:
            async with aclosing(self._utterance.events()) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            self._upstream.failed(SPEECH, error)
            raise


def _now() -> float:
    return asyncio.get_running_loop().time()
