"""The provider of speech against the sandbox, and what it received."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from realtime.core.messages import WordTime
from realtime.providers.base import (
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechPaused,
    SpeechWords,
    Utterance,
    Voice,
)
from realtime.providers.minimax.speech import MiniMaxSpeech, create
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings

VOICE = Voice("English_Graceful_Lady")
FAST = (
    "speech.connect_ms=0",
    "speech.connected_ms=0",
    "speech.start_ms=0",
    "speech.first_ms=5",
    "speech.factor=500",
)
SLOW = (*FAST, "speech.factor=4")  # slow enough to be interrupted
PATIENT_S = 60.0  # this machine may be busy: a test of a silent service says its own time
LONG = (
    "The quick brown fox jumps over the lazy dog while seven wizards quietly watch the evening sun go down."
)


def sandbox(*faults: str, sets: tuple[str, ...] = FAST) -> Sandbox:
    return Sandbox(SandboxOptions.parse(sets=sets, faults=faults))


@asynccontextmanager
async def speaking(*hosts: Sandbox | str, **settings: Any) -> AsyncIterator[MiniMaxSpeech]:
    urls = tuple(host if isinstance(host, str) else host.url for host in hosts)
    settings = {"speech_timeout_s": PATIENT_S, **settings}
    speech = create(Settings(api_key="k", base_url=urls[-1], speech_urls=urls, **settings))
    try:
        yield speech
    finally:
        await speech.aclose()


@dataclass
class Received:
    pcm: dict[int, bytes] = field(default_factory=dict)
    words: dict[int, tuple[WordTime, ...]] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)  # the chunk of every event
    done: list[int] = field(default_factory=list)
    pauses: list[bool] = field(default_factory=list)  # whether each begins (False) or is over

    def take(self, event: SpeechEvent) -> None:
        if isinstance(event, SpeechPaused):
            self.pauses.append(event.over)
            return
        assert event.chunk not in self.done
        self.order.append(event.chunk)
        match event:
            case SpeechAudio(chunk, pcm):
                assert pcm
                assert len(pcm) % 2 == 0
                self.pcm[chunk] = self.pcm.get(chunk, b"") + pcm
            case SpeechWords(chunk, words):
                self.words[chunk] = words
            case SpeechChunkDone(chunk):
                self.done.append(chunk)


async def receive_all(utterance: Utterance, received: Received | None = None) -> Received:
    received = received or Received()
    async with aclosing(utterance.events()) as events:
        async for event in events:
            received.take(event)
    return received


async def say(speech: MiniMaxSpeech, *texts: str, voice: Voice = VOICE) -> Received:
    """One whole reply."""
    async with speech.open(voice) as utterance:
        receiving = asyncio.create_task(receive_all(utterance))
        numbers = [await utterance.say(text) for text in texts]
        utterance.finish()
        received = await receiving
    assert numbers == list(range(len(texts)))
    assert received.done == numbers
    assert received.order == sorted(received.order)
    return received


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENT_S):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)


def spoken(text: str, words: tuple[WordTime, ...]) -> list[str]:
    return [text[word.begin : word.end] for word in words]


def plain(text: str) -> list[str]:
    return text.replace(".", "").replace(",", "").split()


def texts(host: Sandbox, transport: str | None = None) -> list[str]:
    return [request.text for request in host.state.speech_requests if transport in (None, request.transport)]
