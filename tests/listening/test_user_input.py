"""The user's side alone: audio in, turn events and user items out, on virtual time."""

import asyncio

import numpy as np
import pytest

from realtime.core import turn as turns
from realtime.core.conversation import MAX_ITEMS, Message
from realtime.errors import ProtocolError, ProviderRejected, ProviderUnavailable
from realtime.listening.user_input import UserInput
from realtime.protocol.session_config import apply
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeTranscriber, FakeVad, FakeVoiceStream

MANUAL = {"audio": {"input": {"turn_detection": None}}}
SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}


class CountingVad(FakeVad):
    """Counts the frames that the detector was given."""

    def __init__(self) -> None:
        self.frames = 0

    def open(self):
        vad = self

        class Stream(FakeVoiceStream):
            async def probabilities(self, frames):
                vad.frames += len(frames)
                return await super().probabilities(frames)

        return Stream()


async def speak(subject: UserInput, *sounds: bytes) -> None:
    """20 ms at a time, in real time."""
    for sound in sounds:
        for start in range(0, len(sound), len(LOUD)):
            await subject.append(sound[start : start + len(LOUD)])
            await asyncio.sleep(0.02)


def kinds(bench: Bench) -> list[type]:
    """The turn events that were put, without repetitions of those that come with each frame."""
    seen = [type(event) for event in bench.noticed]
    return [kind for index, kind in enumerate(seen) if not index or kind is not seen[index - 1]]


async def texts_known(bench: Bench, subject: UserInput) -> None:
    """Every item has its text by then, or never will."""
    readings = subject.items.reading(item.id for item in bench.context.conversation.items)
    if readings:
        await asyncio.wait(readings.values())


async def ended(bench: Bench, subject: UserInput) -> None:
    await bench.context.tasks.aclose()
    await subject.aclose()


@scripted
async def test_one_utterance_is_begun_grown_told_and_ended():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50, SILENT * 50)
    began = next(event for event in bench.noticed if isinstance(event, turns.SpeechBegan))
    assert began.item_id == "item_1"
    assert began.onset_ms == pytest.approx(0, abs=32)
    assert kinds(bench)[:2] == [turns.SpeechBegan, turns.SpeechGrew]
    assert isinstance(bench.noticed[-1], turns.SpeechEnded)
    assert turns.InterimText("Hello.") in bench.noticed
    assert bench.sent() == [], "the client hears of it only what the session decides"
    await ended(bench, subject)


@scripted
async def test_interim_text_of_a_pause_is_told():
    """The rules need it (a short word interrupts a reply), and so does whoever answers early."""
    bench = Bench(transcriber=FakeTranscriber(["Wait."], interim_texts=[]))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 20, SILENT * 12)
    assert turns.InterimText("Wait.") in bench.noticed
    assert turns.WholeTextSupposed("Wait.") in bench.noticed
    bench.noticed.clear()
    await speak(subject, LOUD * 10)
    assert turns.WholeTextSupposed("") in bench.noticed, "the pause was not the end"
    await ended(bench, subject)


@scripted
async def test_a_committed_turn_is_an_item_with_its_text():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50, SILENT * 50)
    end = bench.noticed[-1]
    subject.commit_turn("item_1", end.at_ms)
    await texts_known(bench, subject)
    assert [event["type"] for event in bench.sent()] == [
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
    ]
    assert bench.noticed[-1] == turns.TranscriptKnown("item_1", "Hello.")
    await ended(bench, subject)


@scripted
async def test_the_client_is_told_where_the_speech_begins_with_its_padding():
    for silent_frames, start_ms in ((50, 700), (5, 0)):
        bench = Bench(transcriber=FakeTranscriber(["Hello."]))
        subject = UserInput(bench.context)
        await speak(subject, SILENT * silent_frames, LOUD * 30)
        began = next(event for event in bench.noticed if isinstance(event, turns.SpeechBegan))
        subject.announce(began.onset_ms)
        told = bench.sent()[0]
        assert (told["type"], told["item_id"]) == ("input_audio_buffer.speech_started", began.item_id)
        assert told["audio_start_ms"] == pytest.approx(start_ms, abs=40)
        await ended(bench, subject)


@scripted
async def test_the_end_of_speech_is_when_its_last_sample_came():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]))
    subject, began_s = UserInput(bench.context), asyncio.get_running_loop().time()
    await speak(subject, LOUD * 50)
    assert subject.speech_ended_at_s() is None, "it goes on"
    await speak(subject, SILENT * 15)
    assert subject.speech_ended_at_s() == pytest.approx(began_s + 1.0, abs=0.06)
    await speak(subject, LOUD * 25)
    assert subject.speech_ended_at_s() is None, "it went on"
    await speak(subject, SILENT * 60)
    assert subject.speech_ended_at_s() == pytest.approx(began_s + 1.8, abs=0.06)
    await ended(bench, subject)


@scripted
async def test_what_was_committed_by_the_detector_is_not_committed_again():
    bench = Bench(transcriber=FakeTranscriber(["One.", "Two."]))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50, SILENT * 40)
    subject.commit_turn("item_1", bench.noticed[-1].at_ms)
    await texts_known(bench, subject)
    bench.sent()
    subject.commit_buffer()
    await texts_known(bench, subject)
    assert bench.noticed[-1] == turns.TranscriptKnown("item_2", ""), "after the turn there was only silence"
    await ended(bench, subject)


@scripted
async def test_the_idle_timeout_commits_an_empty_item_for_the_audio_that_is_kept():
    bench = Bench()
    subject = UserInput(bench.context)
    await speak(subject, SILENT * 150)
    subject.commit_idle()
    triggered, committed, *_ = bench.sent()
    assert triggered["type"] == "input_audio_buffer.timeout_triggered"
    assert triggered["audio_start_ms"] == pytest.approx(1000, abs=40)
    assert triggered["audio_end_ms"] == pytest.approx(3000 - 464, abs=40), "the rest may be of speech"
    assert (committed["type"], committed["item_id"]) == ("input_audio_buffer.committed", triggered["item_id"])
    assert bench.context.conversation.items[-1].parts[0].transcript == ""
    subject.commit_idle()
    again = bench.sent()[0]
    assert again["audio_start_ms"] == again["audio_end_ms"], "that audio is gone"
    await ended(bench, subject)


@scripted
async def test_a_transcript_comes_with_the_length_of_its_audio():
    bench = Bench(transcriber=FakeTranscriber(["Hello."]), **MANUAL)
    subject = UserInput(bench.context)
    await subject.append(LOUD * 50)
    subject.commit_buffer()
    await texts_known(bench, subject)
    completed = bench.sent()[-1]
    assert completed["type"] == "conversation.item.input_audio_transcription.completed"
    assert completed["usage"]["seconds"] == pytest.approx(1.0, abs=0.001)
    await ended(bench, subject)


@scripted
async def test_without_detection_any_audio_makes_it_busy():
    bench = Bench(**MANUAL)
    subject = UserInput(bench.context)
    assert not subject.busy
    await subject.append(LOUD[:96])
    assert subject.busy
    await ended(bench, subject)


@scripted
async def test_an_early_decode_ends_with_its_utterance_however_much_one_append_brings():
    """It becomes the final one: the next utterance, in the same append, must not be in it."""
    bench = Bench(
        transcriber=FakeTranscriber(["Hello."]),
        audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}}},
    )
    subject = UserInput(bench.context)
    await subject.append(LOUD * 15 + SILENT * 13 + LOUD * 22)
    await asyncio.sleep(1.0)
    seconds, final = bench.providers.transcriber.asked[-1]
    assert final
    assert seconds == pytest.approx(0.3, abs=0.07)
    await ended(bench, subject)


@scripted
async def test_a_turn_without_room_fails_as_a_turn():
    bench = Bench(truncation="disabled")
    subject = UserInput(bench.context)
    for number in range(MAX_ITEMS):
        bench.context.conversation.add(Message(f"old_{number}", "user"))
    await speak(subject, LOUD * 50, SILENT * 50)
    subject.commit_turn("item_1", bench.noticed[-1].at_ms)
    assert bench.noticed[-1] == turns.TranscriptFailed("item_1")
    assert [event["type"] for event in bench.sent()] == ["input_audio_buffer.speech_stopped", "error"]
    await ended(bench, subject)


class SilentTranscriber(FakeTranscriber):
    """Never answers."""

    async def transcribe(self, samples, *, language, final):
        await asyncio.Event().wait()


@scripted
async def test_the_log_tells_of_every_failed_transcript_and_never_of_words(caplog):
    """Also of a transcriber that does not answer: its call is cancelled, so nobody else could tell."""
    for transcriber in (SilentTranscriber([]), FakeTranscriber([ProviderUnavailable("busy")])):
        caplog.clear()
        bench = Bench(transcriber=transcriber, **MANUAL)
        subject = UserInput(bench.context)
        await speak(subject, LOUD * 50)
        subject.commit_buffer()
        await texts_known(bench, subject)
        with pytest.raises(ProviderRejected, match=r"busy|did not answer"):
            subject.items.check("item_1")
        (record,) = [
            record for record in caplog.records if record.message.startswith("transcription failed ")
        ]
        assert record.facts["item"] == "item_1"
        assert record.facts["code"]
        await ended(bench, subject)


@scripted
async def test_a_failed_transcript_fails_the_reply_that_waits_for_it():
    bench = Bench(transcriber=FakeTranscriber([ProviderUnavailable("busy")]), **MANUAL)
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50)
    subject.commit_buffer()
    await texts_known(bench, subject)
    with pytest.raises(ProviderRejected, match="busy"):
        subject.items.check("item_1")
    assert bench.noticed[-1] == turns.TranscriptFailed("item_1")
    failed = bench.sent()[-1]
    assert (failed["type"], failed["item_id"]) == (
        "conversation.item.input_audio_transcription.failed",
        "item_1",
    )
    assert (failed["error"]["code"], failed["error"]["message"]) == ("transcription_failed", "busy")
    await ended(bench, subject)


@scripted
async def test_without_detection_nothing_is_detected_until_a_commit_is_decoded():
    vad = CountingVad()
    bench = Bench(vad=vad, transcriber=FakeTranscriber(["One.", "Two."]), **MANUAL)
    subject = UserInput(bench.context)
    await subject.append(LOUD * 50 * 60)
    assert vad.frames == 0
    subject.commit_buffer()
    assert "input_audio_buffer.committed" in [event["type"] for event in bench.sent()]
    await texts_known(bench, subject)
    assert 0 < vad.frames <= 16, "speech was there at once: nobody looks at the rest"
    assert bench.noticed[-1] == turns.TranscriptKnown("item_1", "One.")
    await ended(bench, subject)


@scripted
async def test_a_commit_takes_the_last_sample_too():
    """The resampler holds the end of the sound back until it is told that nothing follows."""
    decoded = []

    class Recorder(FakeTranscriber):
        async def transcribe(self, samples, *, language, final):
            decoded.append(len(samples))
            return await super().transcribe(samples, language=language, final=final)

    bench = Bench(transcriber=Recorder(["Yes."]), **MANUAL)
    subject = UserInput(bench.context)
    await subject.append(LOUD * 50)
    subject.commit_buffer()
    await texts_known(bench, subject)
    assert decoded == [16_000]
    await ended(bench, subject)


@scripted
async def test_the_position_counts_all_audio_once_whatever_its_format():
    bench = Bench(**MANUAL)
    subject, before = UserInput(bench.context), bench.context.config
    await subject.append(LOUD * 50)
    assert subject.received_ms == pytest.approx(1000, abs=0.01)
    subject.discard()
    bench.context.config = apply(before, {"audio": {"input": {"format": {"type": "audio/pcmu"}}}})
    subject.config_changed(before)
    await subject.append(bytes(800))
    assert subject.received_ms == pytest.approx(1100, abs=2.1)
    await ended(bench, subject)


@scripted
async def test_discarded_speech_is_a_new_start():
    bench = Bench(transcriber=FakeTranscriber(["One.", "Two."]))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 30)
    assert subject.busy
    subject.discard()
    assert not subject.busy
    bench.noticed.clear()
    await speak(subject, SILENT * 60)
    assert bench.noticed == []
    subject.discard()
    with pytest.raises(ProtocolError, match="buffer too small"):
        subject.commit_buffer()
    await ended(bench, subject)


class Model:
    """An end-of-turn model that counts what it was asked."""

    def __init__(self, probability: float) -> None:
        self.probability, self.asked = probability, []

    async def finished(self, samples: np.ndarray) -> float:
        self.asked.append(len(samples))
        await asyncio.sleep(0.05)
        return self.probability


class WithoutInterim(FakeTranscriber):
    """No text before the turn is over."""

    interim = False


@pytest.mark.parametrize(("probability", "sooner"), [(0.95, True), (0.05, False)])
def test_the_end_of_turn_model_is_asked_where_no_text_comes(probability: float, sooner: bool):
    @scripted
    async def ask():
        model = Model(probability)
        bench = Bench(transcriber=WithoutInterim(interim=False), end_of_turn=model, **SEMANTIC)
        subject = UserInput(bench.context)
        await speak(subject, LOUD * 50, SILENT * 100)
        assert len(model.asked) == 1
        assert any(isinstance(event, turns.SpeechEnded) for event in bench.noticed)
        silence_ms = bench.noticed[-1].at_ms - 1000
        assert (silence_ms < 1_000) is sooner
        await ended(bench, subject)

    ask()
