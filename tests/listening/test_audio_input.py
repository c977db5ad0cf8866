"""The audio of one microphone, alone: where it is, when it came, and whether there is speech in it."""

import asyncio

import numpy as np
import pytest

from realtime.core.audio import AudioFormat
from realtime.core.endpointing import EndpointEvent, SpeechFaded
from realtime.listening.audio_input import AudioInput
from realtime.providers.base import VAD_RATE
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeVad, FakeVoiceStream

PCM = AudioFormat("audio/pcm", 24_000)


class ConstantVad(FakeVad):
    """Gives every frame the same probability."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def open(self):
        vad = self

        class Stream(FakeVoiceStream):
            async def probabilities(self, frames):
                return [vad.probability] * len(frames)

        return Stream()


def tone(amplitude: int) -> bytes:
    """20 ms of a tone."""
    return (np.sin(np.arange(480) / 3) * amplitude).astype("<i2").tobytes()


async def take(subject: AudioInput, *sounds: bytes) -> list[EndpointEvent]:
    """20 ms at a time, in real time. What the endpointer noticed."""
    noticed = []
    for sound in sounds:
        for start in range(0, len(sound), len(LOUD)):
            await asyncio.sleep(0.02)
            for scored in await subject.take(sound[start : start + len(LOUD)]):
                noticed += subject.endpoint(scored)
            subject.arrived(asyncio.get_running_loop().time())
    return noticed


@scripted
async def test_after_a_silence_of_the_client_the_time_of_its_sound_is_known_at_once():
    """A muted microphone sends nothing: the sound after that was not made ten seconds ago."""
    subject = AudioInput(FakeVad(), PCM, detects=True)
    await take(subject, SILENT * 50)
    await asyncio.sleep(10)
    await take(subject, SILENT)
    now_s = asyncio.get_running_loop().time()
    assert subject.at_s(subject.received_ms) == pytest.approx(now_s, abs=0.1)


@scripted
async def test_it_remembers_when_audio_came():
    subject = AudioInput(FakeVad(), PCM, detects=True)
    began_s = asyncio.get_running_loop().time()
    await take(subject, SILENT * 50)
    assert subject.arrival_s(500) == pytest.approx(began_s + 0.5, abs=0.03)
    assert subject.arrival_s(900) == pytest.approx(began_s + 0.9, abs=0.03)
    assert subject.arrival_s(1500) is None, "it has not come"


@scripted
async def test_it_knows_of_speech_only_where_it_looked():
    subject = AudioInput(FakeVad(), PCM, detects=False)
    await take(subject, SILENT * 50)
    assert subject.speech_since(0) is None, "without detection nobody looks"
    subject.detect(True)
    assert [await subject.kept() for _ in range(2)][1] == ()
    await take(subject, SILENT * 50)
    assert subject.speech_since(0) is False, "what came before was looked at as well"
    subject.detect(False)
    await take(subject, SILENT * 50)
    assert subject.speech_since(0) is None


@pytest.mark.parametrize(("probability", "speech"), [(0.49, False), (0.5, True)])
def test_a_frame_is_speech_from_one_half_on(probability: float, speech: bool):
    @scripted
    async def look():
        subject = AudioInput(ConstantVad(probability), PCM, detects=True)
        await take(subject, SILENT * 50)
        assert subject.speech_since(0) is speech
        assert await subject.holds_speech(np.zeros(VAD_RATE, np.int16)) is speech

    look()


@scripted
async def test_speech_is_found_anywhere_in_samples_and_supposed_without_a_detector():
    samples = np.zeros(3 * VAD_RATE, np.int16)
    detecting = AudioInput(FakeVad(), PCM, detects=False)
    assert await detecting.holds_speech(samples) is False
    assert await AudioInput(None, PCM, detects=False).holds_speech(samples) is True
    samples[-VAD_RATE // 4 :] = 12_000
    assert await detecting.holds_speech(samples) is True


@scripted
async def test_the_energy_tells_the_end_of_a_voice_while_the_detector_still_hears_it():
    subject = AudioInput(ConstantVad(0.9), PCM, detects=True)
    noticed = await take(subject, LOUD * 50, SILENT * 10)
    (faded,) = (event for event in noticed if isinstance(event, SpeechFaded))
    assert faded.end_of_speech_ms == pytest.approx(1000, abs=16)


@scripted
async def test_each_voice_is_compared_with_its_own_level():
    """Else the end of a soft voice after a loud one would be missed."""
    vad = ConstantVad(0.9)
    subject = AudioInput(vad, PCM, detects=True)
    await take(subject, tone(32_000) * 25)
    vad.probability = 0.1
    await take(subject, SILENT * 75)
    assert not subject.endpointer.speaking
    vad.probability = 0.9
    noticed = await take(subject, tone(1_100) * 25, SILENT * 10)
    (faded,) = (event for event in noticed if isinstance(event, SpeechFaded))
    assert faded.end_of_speech_ms == pytest.approx(2500, abs=16)


@scripted
async def test_audio_that_may_still_become_a_turn_is_held_until_it_is_released():
    subject = AudioInput(FakeVad(), PCM, detects=True)
    await take(subject, SILENT * 50)
    subject.hold(500)
    await take(subject, SILENT * 200)
    assert subject.start_ms <= 500
    subject.release()
    await take(subject, SILENT * 2)
    assert subject.start_ms == pytest.approx(3_000, abs=60), "the last two seconds"
    subject.hold(4_000)
    subject.discard()
    await take(subject, SILENT * 250)
    assert subject.start_ms > 6_000, "nobody needs what was discarded"
