"""The empty item of the idle timeout, where somebody begins to speak just then."""

import pytest

from realtime.core import turn as turns
from realtime.listening.user_input import UserInput
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeTranscriber
from tests.listening.test_user_input import ended, speak, texts_known


@pytest.mark.parametrize("early_frames", [0, 1, 3])
@scripted
async def test_speech_that_begins_when_the_timeout_rings_is_heard_from_its_onset(early_frames):
    transcriber = FakeTranscriber(["Hello."], interim=False)
    bench = Bench(transcriber=transcriber)
    subject = UserInput(bench.context)
    await speak(subject, SILENT * 150, LOUD * early_frames)
    subject.commit_idle()
    idle = bench.sent()[0]
    await speak(subject, LOUD * (50 - early_frames), SILENT * 40)
    began = next(event for event in bench.noticed if isinstance(event, turns.SpeechBegan))
    subject.announce(began.onset_ms)
    started = bench.sent()[0]
    assert started["audio_start_ms"] == pytest.approx(2700, abs=40)
    assert started["audio_start_ms"] >= idle["audio_end_ms"], "the two items share no audio"
    subject.commit_turn(began.item_id, bench.noticed[-1].at_ms)
    await texts_known(bench, subject)
    assert transcriber.asked[-1][0] == pytest.approx(0.4 + 1.0, abs=0.1), (
        "the last pause was reached with all of it"
    )
    await ended(bench, subject)
