"""Turn detection that is switched off and on again: what was said and is no item yet is a turn like any other."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from realtime.core import turn as turns
from realtime.listening.user_input import UserInput
from realtime.protocol.session_config import apply
from realtime.providers.noise_reduction import WebRtcNoiseReduction
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber
from tests.listening.test_user_input import MANUAL, ended, speak, texts_known
from tests.session.test_moved_speech import users

SERVER_VAD = {"audio": {"input": {"turn_detection": {"type": "server_vad"}}}}
KINDS = [{"type": "server_vad"}, {"type": "semantic_vad"}]


async def change(bench: Bench, subject: UserInput, patch: dict) -> None:
    before = bench.context.config
    bench.context.config = apply(before, patch)
    subject.config_changed(before)
    await subject.hear_kept()


async def switch(talk: Talk, detection: dict | None) -> None:
    await talk.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})


@scripted
async def test_speech_from_before_the_detection_came_on_goes_on_with_what_follows():
    transcriber = FakeTranscriber(["Hello."], interim=False)
    bench = Bench(transcriber=transcriber, **MANUAL)
    subject = UserInput(bench.context)
    await speak(subject, SILENT * 33, LOUD * 10)
    assert bench.noticed == []
    await change(bench, subject, SERVER_VAD)
    began = next(event for event in bench.noticed if isinstance(event, turns.SpeechBegan))
    assert began.onset_ms == pytest.approx(660, abs=40)
    await speak(subject, LOUD * 40, SILENT * 40)
    subject.commit_turn(began.item_id, bench.noticed[-1].at_ms)
    await texts_known(bench, subject)
    assert transcriber.asked[-1][0] >= 1.4, "all of it, with the sound before its onset"
    await ended(bench, subject)


@scripted
async def test_detection_that_is_switched_off_notices_nothing():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]), **SERVER_VAD)
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 30)
    bench.noticed.clear()
    await change(bench, subject, MANUAL)
    await speak(subject, LOUD * 30, SILENT * 60)
    assert bench.noticed == []
    await ended(bench, subject)


@scripted
async def test_speech_from_before_detection_was_switched_on_is_found_by_a_commit():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]), **MANUAL)
    subject = UserInput(bench.context)
    await subject.append(LOUD * 50)
    await change(bench, subject, SERVER_VAD)
    await subject.append(SILENT[: len(SILENT) // 2])
    subject.commit_buffer()
    await texts_known(bench, subject)
    assert bench.noticed[-1] == turns.TranscriptKnown("item_2", "Hello.")
    await ended(bench, subject)


@scripted
async def test_what_the_client_has_committed_or_cleared_is_not_heard_again():
    for take_away in (UserInput.commit_buffer, UserInput.discard):
        bench = Bench(transcriber=FakeTranscriber(["Hello."]), **MANUAL)
        subject = UserInput(bench.context)
        await speak(subject, LOUD * 50)
        take_away(subject)
        await texts_known(bench, subject)
        bench.noticed.clear()
        await change(bench, subject, SERVER_VAD)
        await speak(subject, SILENT * 20)
        assert bench.noticed == []
        await ended(bench, subject)


@scripted
async def test_a_sound_that_was_dropped_is_not_heard_again():
    """A murmur over an answer stays in the buffer for a while."""
    bench = Bench(transcriber=FakeTranscriber(["Mm-hmm."]), **SERVER_VAD)
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 15, SILENT * 40)
    subject.drop_speech()
    bench.noticed.clear()
    await change(bench, subject, MANUAL)
    await change(bench, subject, SERVER_VAD)
    await speak(subject, SILENT * 20)
    assert bench.noticed == []
    await ended(bench, subject)


@scripted
async def test_noise_reduction_that_changes_meanwhile_loses_nothing():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]), **SERVER_VAD)
    opened = SimpleNamespace(Process10ms=lambda pcm: SimpleNamespace(audio=pcm))
    bench.context.providers = replace(
        bench.context.providers, noise_reduction=lambda kind: WebRtcNoiseReduction(opened)
    )
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50)
    await change(bench, subject, MANUAL)
    await change(bench, subject, {"audio": {"input": {"noise_reduction": {"type": "near_field"}}}})
    await change(bench, subject, {"audio": {"input": {"noise_reduction": None}}})
    bench.noticed.clear()
    await change(bench, subject, SERVER_VAD)
    began = next(event for event in bench.noticed if isinstance(event, turns.SpeechBegan))
    assert began.onset_ms == pytest.approx(0, abs=40)
    await ended(bench, subject)


@pytest.mark.parametrize("detection", KINDS, ids=lambda each: each["type"])
@scripted
async def test_a_sentence_before_a_muted_microphone_is_answered_when_it_is_on_again(detection):
    chat = FakeChat([[(0.1, "Good.")], [(0.1, "Fine.")]])
    texts = FakeTranscriber(["One.", "Two."], interim=False)
    async with Talk(chat=chat, transcriber=texts, audio={"input": {"turn_detection": detection}}) as talk:
        await talk.speak(1.5)
        await talk.silence(0.2)
        await switch(talk, None)
        await asyncio.sleep(20)
        await switch(talk, detection)
        await talk.silence(2.0)
        assert users(talk) == ["One."]
        await talk.until("response.done")
        await talk.silence(5.0)
        await talk.speak(1.0)
        await talk.silence(2.5)
        assert users(talk) == ["One.", "Two."]
        started, stopped = (
            talk.of("input_audio_buffer.speech_started"),
            talk.of("input_audio_buffer.speech_stopped"),
        )
        assert len(started) == 3, "what was told before the detection went off had no end, and begins anew"
        assert [each["item_id"] for each in stopped] == [each["item_id"] for each in started[1:]]


@pytest.mark.parametrize("detection", KINDS, ids=lambda each: each["type"])
@scripted
async def test_off_and_on_again_in_the_middle_of_speech_is_one_turn(detection):
    texts = FakeTranscriber(["One two."], interim=False)
    async with Talk(transcriber=texts, audio={"input": {"turn_detection": detection}}) as talk:
        await talk.speak(1.0)
        await switch(talk, None)
        await talk.speak(0.5)
        await switch(talk, detection)
        await talk.speak(0.5)
        await talk.silence(2.5)
        assert users(talk) == ["One two."]
        assert texts.asked[-1][0] >= 2.0
