"""Ends of texts that the platform doubles, loses or delays: every text has its own sound, once, and the socket goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from realtime.minimax.speech import SpeechClient, Transport
from realtime.minimax.speech_session import SpeechTimeouts
from realtime.providers.minimax.speech import MiniMaxSpeech
from realtime.sandbox.server import Sandbox
from tests.providers.minimax.speech_kit import VOICE, Received, receive_all, sandbox

ENGLISH = (
    "The quick brown fox jumps over the lazy dog.",
    "No!",
    "Seven wizards quietly watch the evening sun go down over the hills.",
    "Then they all walk home in 1984, slowly.",
)
CHINESE = (
    "今天天气很好，我们去公园散步。",
    "好。",
    "晚上他们一起看着太阳慢慢落下山去。",
    "然后大家都回家了。",
)
WAIT_S = 0.6  # for sound that does not come
MS = 48  # bytes at 24 kHz


class _Wordless(SpeechClient):
    """Asks for no word times."""

    def config(self, *arguments: Any, **fields: Any):
        return replace(super().config(*arguments, **fields), word_times=False)


@asynccontextmanager
async def speaking(host: Sandbox, transport: str, *, words: bool) -> AsyncIterator[MiniMaxSpeech]:
    kind = SpeechClient if words else _Wordless
    timeouts = SpeechTimeouts(ready_s=2.0, first_audio_s=2.0, gap_s=WAIT_S, finish_s=1.0)
    client = kind((host.url,), "k", timeouts=timeouts)
    speech = MiniMaxSpeech(
        client, transport=Transport(transport), connections=20, rpm=6000, budget_wait_s=5.0
    )
    try:
        yield speech
    finally:
        await speech.aclose()


async def said(speech: MiniMaxSpeech, texts: tuple[str, ...], *, speed: float = 1.0) -> Received:
    """All texts at once, so that each is followed by the next."""
    async with speech.open(replace(VOICE, speed=speed)) as utterance:
        for text in texts:
            await utterance.say(text)
        utterance.finish()
        received = await receive_all(utterance)
    assert received.done == list(range(len(texts)))
    return received


_honest: dict[tuple[Any, ...], list[int]] = {}


async def honest(texts: tuple[str, ...], transport: str) -> list[int]:
    """How long the sound of each text is, in milliseconds; the lengths differ, so they tell the texts apart."""
    key = (texts, transport)
    if key not in _honest:
        async with sandbox() as host, speaking(host, transport, words=True) as speech:
            _honest[key] = lengths_of(await said(speech, texts), len(texts))
    return _honest[key]


def lengths_of(received: Received, count: int) -> list[int]:
    return [len(received.pcm.get(chunk, b"")) // MS for chunk in range(count)]


def same_sound(received: Received, expected: list[int], name: str, *, each: bool) -> None:
    """All of it once, in order; with `each`, every text with its own."""
    lengths = lengths_of(received, len(expected))
    assert sum(lengths) == pytest.approx(sum(expected), abs=40), f"{name}: {lengths} ms, not {expected}"
    if each:
        assert lengths == pytest.approx(expected, abs=20), name


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["english", "chinese"])
@pytest.mark.parametrize("words", [True, False], ids=["words", "no-words"])
@pytest.mark.parametrize("fault", ["double_final", "late_double_final", "late_final", "lost_final"])
async def test_the_ordinary_socket(fault: str, words: bool, texts: tuple[str, ...]) -> None:
    expected = await honest(texts, "ordinary")
    for number in range(1, len(texts) + 1) if texts is ENGLISH else (2, 4):
        async with (
            sandbox(f"speech.{fault}={number}") as host,
            speaking(host, "ordinary", words=words) as speech,
        ):
            received = await said(speech, texts)
            # Without word times nobody can say which sound was whose while it came; it is all there, once.
            each = words or "double" in fault
            same_sound(received, expected, f"{fault} of text {number}", each=each)


@pytest.mark.parametrize("words", [True, False], ids=["words", "no-words"])
@pytest.mark.parametrize(
    "fault",
    ["double_final", "late_double_final", "lost_final", "late_final", "double_flushed", "lost_flushed"],
)
async def test_the_bidi_socket(fault: str, words: bool) -> None:
    texts = (ENGLISH[0] + " " + ENGLISH[2], *ENGLISH[1:])
    expected = await honest(texts, "bidi")
    for number in range(1, len(texts) + 1):
        async with (
            sandbox(f"speech.{fault}={number}") as host,
            speaking(host, "bidi", words=words) as speech,
        ):
            received = await said(speech, texts)
            name = f"{fault} {number}"
            lengths = lengths_of(received, len(texts))
            assert lengths == pytest.approx(expected, abs=150 if "flushed" in fault else 20), name
            if fault == "lost_flushed":
                asked = [request.text for request in host.state.speech_requests]
                assert sum(map(len, asked)) <= sum(map(len, texts)), f"{name}: said again: {asked}"
            for chunk, ms in enumerate(lengths if words else ()):
                assert received.words[chunk][-1].end_ms <= ms + 1, name
                assert received.words[chunk][-1].end >= len(texts[chunk]) - 4, name


async def test_a_doubtful_socket_is_not_used_for_another_reply() -> None:
    async with (
        sandbox("speech.double_final=1") as host,
        speaking(host, "ordinary", words=True) as speech,
    ):
        await said(speech, ENGLISH[:2])
        await said(speech, ENGLISH[2:])
        connections = [request.connection for request in host.state.speech_requests]
        assert len(set(connections[:2])) == 1
        assert connections[2] != connections[1]


async def test_an_end_that_comes_twice_after_the_last_text_does_not_end_the_next_reply() -> None:
    expected = await honest(ENGLISH, "ordinary")
    async with (
        sandbox("speech.double_final=1") as host,
        speaking(host, "ordinary", words=True) as speech,
    ):
        for chunk, text in enumerate(ENGLISH):
            received = await said(speech, (text,))
            assert lengths_of(received, 1) == pytest.approx(expected[chunk : chunk + 1], abs=20)


@pytest.mark.parametrize("transport", ["ordinary", "bidi"])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
async def test_honest_speech_is_never_suspected(transport: str, speed: float) -> None:
    texts = (*ENGLISH, *CHINESE, "OK.", "OK.", "3.", "A <#1.5#> pause.", "1,234,567,890 people!", "哦")
    async with sandbox() as host, speaking(host, transport, words=True) as speech:
        for _ in range(2):
            received = await said(speech, texts, speed=speed)
            assert all(received.pcm[chunk] for chunk in range(len(texts)))
        await asyncio.sleep(0)
        connections = {request.connection for request in host.state.speech_requests}
        assert len(connections) == 1, "a good connection was given up"
