"""Clients that send nothing in silence, and lines that stall: scripted conversations in virtual time."""

import asyncio

import pytest

from realtime.listening.missing_sound import MISSING_S
from realtime.providers.base import Transcript
from tests.conversing import LOUD, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.stories import STORY
from tests.session.test_moved_speech import users

STARTED, STOPPED = "input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped"
KINDS = [{"type": "server_vad"}, {"type": "semantic_vad"}]


def detection(**fields) -> dict:
    return {"audio": {"input": {"turn_detection": {"type": "server_vad", **fields}}}}


def now_s() -> float:
    return asyncio.get_running_loop().time() - 1000.0


@pytest.mark.parametrize("silence_s", [0.0, 0.2])
@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each["type"])
@scripted
async def test_a_turn_of_a_client_that_sends_no_silence_is_answered(kind, silence_s):
    texts = FakeTranscriber(["Hello.", "Hello again."])
    async with Talk(transcriber=texts, audio={"input": {"turn_detection": kind}}) as talk:
        await talk.speak(1.0)
        await talk.silence(silence_s)
        ended_s = now_s()
        stopped = await talk.until(STOPPED)
        assert stopped["at"] == pytest.approx(ended_s + MISSING_S, abs=0.1)
        assert stopped["audio_end_ms"] == pytest.approx(1000 + silence_s * 1000, abs=2), "nothing is invented"
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        await asyncio.sleep(20)
        await talk.speak(1.0)
        await talk.until("response.done", 2)
        assert users(talk) == ["Hello.", "Hello again."]
        assert len(talk.of(STARTED)) == len(talk.of(STOPPED)) == 2


@scripted
async def test_a_long_silence_that_the_client_asked_for_is_waited_for():
    async with Talk(transcriber=FakeTranscriber(["Hello."]), **detection(silence_duration_ms=4000)) as talk:
        await talk.speak(1.0)
        ended_s = now_s()
        assert (await talk.until(STOPPED))["at"] == pytest.approx(ended_s + 5.0, abs=0.1)


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each["type"])
@scripted
async def test_a_line_that_stalls_for_two_seconds_cuts_nothing(kind):
    texts = FakeTranscriber(["One two."])
    async with Talk(transcriber=texts, audio={"input": {"turn_detection": kind}}) as talk:
        for _ in range(3):
            await talk.speak(1.0)
            await asyncio.sleep(2.0)
            await talk.append(LOUD * 100)
        await talk.silence(2.5)
        assert users(talk) == ["One two."]
        assert texts.asked[-1][0] == pytest.approx(9.0, abs=0.2)
        assert len(talk.of(STARTED)) == 1


@scripted
async def test_after_a_longer_stall_the_rest_is_a_second_turn_and_no_sound_is_lost():
    texts = FakeTranscriber(["One", "two."])
    async with Talk(transcriber=texts, **detection(create_response=False)) as talk:
        await talk.speak(1.01)
        await asyncio.sleep(5.0)
        await talk.append(LOUD * 250)
        await talk.silence(1.0)
        assert users(talk) == ["One", "two."]
        assert talk.of(STARTED)[1]["audio_start_ms"] == talk.of(STOPPED)[0]["audio_end_ms"]


@scripted
async def test_a_client_that_is_away_in_the_middle_of_a_sentence_goes_on_with_it():
    texts = FakeTranscriber(["One two."])
    async with Talk(transcriber=texts) as talk:
        await talk.speak(1.0)
        talk.session.suspend()
        await asyncio.sleep(20)
        talk.session.resume()
        await asyncio.sleep(2)
        assert not talk.of(STOPPED)
        await talk.speak(1.0)
        ended_s = now_s()
        assert (await talk.until(STOPPED))["at"] == pytest.approx(ended_s + MISSING_S, abs=0.1)
        await talk.until("conversation.item.input_audio_transcription.completed")
        assert users(talk) == ["One two."]


@scripted
async def test_one_long_append_is_no_missing_sound():
    """The server reads no more than ten times as fast as it sounds: what follows may be late by that."""
    texts = FakeTranscriber(["Hello."], interim=False)
    async with Talk(transcriber=texts, **detection(create_response=False)) as talk:
        await talk.append(LOUD * 5000)
        await asyncio.sleep(10.0)
        assert not talk.of(STOPPED)
        await talk.silence(1.0)
        assert len(talk.of(STARTED)) == len(talk.of(STOPPED)) == 1


class Saying(FakeTranscriber):
    """Says the same of every sound, once `said` is set."""

    said = "Tell me a story."

    async def transcribe(self, samples, *, language, final):
        self.asked.append((len(samples) / 16_000, final))
        await asyncio.sleep(self.delay_s)
        return Transcript(self.said)


async def hear_an_answer(talk: Talk) -> None:
    await talk.speak(1.0)
    await talk.silence(1.0)
    await talk.until("response.output_audio.delta")
    await talk.silence(1.0)


@pytest.mark.parametrize(("seconds", "late_s"), [(0.26, 1.2), (0.2, MISSING_S + 0.2)])
@pytest.mark.parametrize("interim", [True, False])
@scripted
async def test_a_command_over_an_answer_is_judged_although_no_silence_follows(interim, seconds, late_s):
    texts = Saying(interim=interim)
    async with Talk(chat=FakeChat([STORY]), speech=FakeSpeech(factor=3.0), transcriber=texts) as talk:
        await hear_an_answer(talk)
        texts.said = "Stop!"
        await talk.speak(seconds)
        ended_s = now_s()
        assert (await talk.until(STARTED, 2))["at"] <= ended_s + late_s
        await talk.until(STOPPED, 2)
        await asyncio.sleep(0.5)
        assert users(talk) == ["Tell me a story.", "Stop!"]


@pytest.mark.parametrize("interim", [True, False])
@scripted
async def test_a_murmur_over_an_answer_without_silence_after_it_stops_nothing(interim):
    texts = Saying(interim=interim)
    async with Talk(chat=FakeChat([STORY]), speech=FakeSpeech(factor=3.0), transcriber=texts) as talk:
        await hear_an_answer(talk)
        texts.said = "Mm-hmm."
        await talk.speak(0.4)
        await asyncio.sleep(2 * MISSING_S)
        assert len(talk.of(STARTED)) == 1
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
