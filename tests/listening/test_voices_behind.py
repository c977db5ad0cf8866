"""Voices behind a near one, through the audio input of one microphone: they end no turn late and begin none."""

import numpy as np
import pytest

from realtime.core.audio import AudioFormat
from realtime.core.endpointing import EndpointEvent, EndpointRules, SpeechStarted, SpeechStopped
from realtime.core.near_voice import HELD_BACK_MS
from realtime.listening.audio_input import AudioInput
from realtime.providers.catalog import find
from realtime.settings import Settings
from tests.clips import RATE, clips, have_recordings
from tests.conversing import scripted
from tests.fakes import FakeVad, FakeVoiceStream

PCM = AudioFormat("audio/pcm", 24_000)
NEAR, BEHIND = 9_000, 2_500  # amplitude


class Always(FakeVad):
    """A detector that takes everything for speech, as it does with voices that never stop."""

    def open(self):
        class Stream(FakeVoiceStream):
            async def probabilities(self, frames):
                return [1.0] * len(frames)

        return Stream()


def tone(amplitude: int, seconds: float) -> bytes:
    return (np.sin(np.arange(int(24_000 * seconds)) / 3) * amplitude).astype("<i2").tobytes()


async def noticed(subject: AudioInput, sound: bytes) -> list[EndpointEvent]:
    out: list[EndpointEvent] = []
    for part in subject.parts(sound):
        for scored in await subject.take(part):
            out += subject.endpoint(scored)
    return [event for event in out if isinstance(event, SpeechStarted | SpeechStopped)]


@scripted
async def test_a_turn_ends_over_voices_behind_and_the_next_one_begins_with_the_near_voice():
    subject = AudioInput(Always(), PCM, detects=True)
    subject.endpointer.change(EndpointRules(silence_ms=500))
    (started,) = await noticed(subject, tone(NEAR, 2.0))
    (stopped,) = await noticed(subject, tone(BEHIND, 5.0))
    assert isinstance(stopped, SpeechStopped)
    assert stopped.at_ms < 4_500
    (again,) = await noticed(subject, tone(NEAR, 1.0))
    assert isinstance(again, SpeechStarted)
    assert 7_000 - HELD_BACK_MS <= again.onset_ms < 7_000, "its first syllable is not lost"
    assert started.onset_ms == 0


@scripted
async def test_a_new_stream_has_a_near_voice_of_its_own():
    subject = AudioInput(Always(), PCM, detects=True)
    subject.endpointer.change(EndpointRules(silence_ms=500))
    await noticed(subject, tone(NEAR, 2.0) + tone(BEHIND, 5.0))
    subject.flush()
    assert [type(event) for event in await noticed(subject, tone(BEHIND, 1.0))] == [SpeechStarted]


@scripted
async def test_what_a_client_commits_itself_may_be_a_voice_behind():
    subject = AudioInput(Always(), PCM, detects=True)
    subject.endpointer.change(EndpointRules(silence_ms=500))
    await noticed(subject, tone(NEAR, 2.0) + tone(BEHIND, 5.0))
    ended_ms = subject.end_ms
    assert await noticed(subject, tone(BEHIND, 1.0)) == []
    assert subject.speech_since(ended_ms)


@pytest.mark.parametrize("lead_s", [0.0, 0.05, 0.2])
async def test_a_recording_is_one_turn_also_if_the_stream_begins_with_it(lead_s):
    """Four of 23 lost a part of their speech: what it began with was taken for the level of voices behind."""
    if not have_recordings():
        pytest.skip("the sandbox's voice has no soft ends")
    spoken = next(clip for clip in clips("en") if clip.id == "en_sb_spk1_snt2")
    lead, after = np.zeros(int(lead_s * RATE), np.int16), np.zeros(RATE, np.int16)
    vad = find("vad", "silero").create(Settings())
    subject = AudioInput(vad, AudioFormat("audio/pcm", RATE), detects=True)
    subject.endpointer.change(EndpointRules(silence_ms=500))
    try:
        found = await noticed(subject, np.concatenate([lead, spoken.samples, after]).astype("<i2").tobytes())
    finally:
        subject.close()
        await vad.aclose()
    assert [type(event) for event in found] == [SpeechStarted, SpeechStopped]
    assert isinstance(found[1], SpeechStopped)
    assert found[1].end_of_speech_ms > (lead_s + spoken.seconds) * 1000 - 400


@pytest.mark.parametrize("decibels", [10, None])
async def test_real_babble_does_not_hold_a_turn_open(decibels):
    """Four other recordings at once, 10 dB below the voice; and the same sound without them."""
    if not have_recordings():
        pytest.skip("the sandbox's voice has no babble")
    spoken, *others = [clip for clip in clips("en") if 2 < clip.seconds < 6][:5]
    voice = np.concatenate([np.zeros(RATE), spoken.samples, np.zeros(5 * RATE)])
    sound = voice + np.random.default_rng(1).normal(0, 12, len(voice))
    if decibels is not None:
        babble = sum(np.resize(other.samples / np.std(other.samples), len(voice)) for other in others)
        sound += babble / np.std(babble) * np.std(spoken.samples) * 10 ** (-decibels / 20)
    vad = find("vad", "silero").create(Settings())
    subject = AudioInput(vad, AudioFormat("audio/pcm", RATE), detects=True)
    subject.endpointer.change(EndpointRules(silence_ms=500))
    try:
        events = await noticed(subject, sound.clip(-32768, 32767).astype("<i2").tobytes())
    finally:
        subject.close()
        await vad.aclose()
    ends = [event.at_ms for event in events if isinstance(event, SpeechStopped)]
    assert ends
    assert ends[0] > 500 + spoken.seconds * 1000
