"""A detector that fails: nobody has listened to that sound, and what comes later has its right position."""

import asyncio

import pytest

from realtime.core import turn as turns
from realtime.errors import ProviderUnavailable
from realtime.listening.user_input import UserInput
from realtime.protocol.session_config import apply
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeVad, FakeVoiceStream
from tests.listening.test_switched_detection import SERVER_VAD
from tests.listening.test_user_input import MANUAL, ended, speak


class BreakingVad(FakeVad):
    """Fails while it is broken, or does not answer while it hangs."""

    broken = hangs = False

    def open(self):
        vad = self

        class Stream(FakeVoiceStream):
            async def probabilities(self, frames):
                if vad.hangs:
                    await asyncio.Event().wait()
                if vad.broken:
                    raise ProviderUnavailable("the voice detector failed")
                return await super().probabilities(frames)

        return Stream()


async def speech_is_heard(bench: Bench, subject: UserInput, at_ms: float) -> None:
    """It begins there."""
    await speak(subject, SILENT * round(at_ms / 20 - subject.received_ms / 20), LOUD * 50)
    (began,) = [event for event in bench.noticed if isinstance(event, turns.SpeechBegan)]
    assert began.onset_ms == pytest.approx(at_ms, abs=64)
    await ended(bench, subject)


@pytest.mark.parametrize("seconds", [1, 3])
@scripted
async def test_all_of_an_append_is_there_though_the_detector_failed_in_it(seconds: int):
    vad = BreakingVad()
    bench = Bench(vad=vad)
    subject = UserInput(bench.context)
    vad.broken = True
    with pytest.raises(ProviderUnavailable):
        await subject.append(SILENT * 50 * seconds)
    vad.broken = False
    assert subject.received_ms == pytest.approx(seconds * 1000)
    await speech_is_heard(bench, subject, 4000)


@scripted
async def test_speech_after_kept_sound_in_which_the_detector_failed_is_where_it_is():
    vad = BreakingVad()
    bench = Bench(vad=vad, **MANUAL)
    subject, before = UserInput(bench.context), bench.context.config
    await speak(subject, SILENT * 150)
    bench.context.config = apply(before, SERVER_VAD)
    subject.config_changed(before)
    vad.broken = True
    with pytest.raises(ProviderUnavailable):
        await subject.hear_kept()
    vad.broken = False
    await speech_is_heard(bench, subject, 4000)


@scripted
async def test_an_append_that_is_given_up_brings_nothing_more():
    vad = BreakingVad()
    bench = Bench(vad=vad)
    subject = UserInput(bench.context)
    vad.hangs = True
    appending = asyncio.create_task(subject.append(SILENT * 150))
    await asyncio.sleep(0.1)
    appending.cancel()
    await asyncio.wait({appending})
    vad.hangs = False
    assert subject.received_ms == pytest.approx(1000), "its client sends the rest again"
    await speech_is_heard(bench, subject, 2000)
