"""Sound that comes again at another server: it is listened to as at one."""

import pytest

from realtime.core import turn as turns
from realtime.core.snapshot import SegmentSnapshot
from realtime.listening.audio_input import AudioInput
from realtime.listening.comes_again import ComesAgain
from realtime.listening.user_input import UserInput
from realtime.listening.user_items import Unheard
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeTranscriber, FakeVad
from tests.listening.test_audio_input import PCM, take
from tests.listening.test_user_input import ended, speak, texts_known


async def until_ended(bench: Bench, subject: UserInput, count: int) -> turns.SpeechEnded:
    """The user is silent until speech has ended so many times."""
    while True:
        ends = [event for event in bench.noticed if isinstance(event, turns.SpeechEnded)]
        if len(ends) == count:
            return ends[-1]
        await speak(subject, SILENT)


@pytest.mark.parametrize("again", [True, False])
@scripted
async def test_speech_that_is_judged_keeps_its_sound_while_sound_comes_again(again: bool):
    transcriber = FakeTranscriber(["Stop."] * 3, interim=False, delay_s=3.0)
    bench = Bench(transcriber=transcriber)
    subject = UserInput(bench.context)
    if again:
        subject.go_on(Unheard(0.0, 0.0), 3500.0)
    await speak(subject, SILENT * 25, LOUD * 50)
    first = await until_ended(bench, subject, 1)
    item_id = next(event.item_id for event in bench.noticed if isinstance(event, turns.SpeechBegan))
    subject.read_speech(item_id, first.at_ms)
    await speak(subject, SILENT * 35, LOUD * 50)  # it goes on while it is read
    second = await until_ended(bench, subject, 2)
    subject.commit_turn(item_id, second.at_ms)
    await texts_known(bench, subject)
    assert transcriber.asked[-1][0] > 3.5, "both parts, and what is between them"
    await ended(bench, subject)


@scripted
async def test_sound_that_comes_when_nobody_waits_for_it_any_more_disturbs_nobody():
    bench = Bench()
    audio = AudioInput(FakeVad(), PCM, detects=True)
    again = ComesAgain(bench.context, audio)
    again.begin(0.0, 1000.0, 1000.0)
    given_up = again.expect(SegmentSnapshot("item_1", 0.0, 500.0))
    waited_for = again.expect(SegmentSnapshot("item_2", 500.0, 1000.0))
    given_up.cancel()
    await take(audio, LOUD * 50)
    again.cut()
    assert len(waited_for.result()) == 8000
    await bench.context.tasks.aclose()
