"""Speech that the detector is hardly sure of, where the client asked for a low `threshold`."""

import pytest

from realtime.core import turn as turns
from realtime.listening.user_input import UserInput
from realtime.protocol.session_config import apply
from tests.contexts import Bench
from tests.conversing import LOUD, scripted
from tests.fakes import FakeTranscriber
from tests.listening.test_audio_input import ConstantVad
from tests.listening.test_user_input import MANUAL, ended, speak, texts_known


def threshold(value: float) -> dict:
    return {"audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": value}}}}


@pytest.mark.parametrize(("wanted", "text"), [(0.2, "Hello."), (0.5, "")])
def test_what_is_speech_to_the_turn_detection_is_read_when_the_client_commits_it(wanted, text):
    @scripted
    async def commit():
        bench = Bench(vad=ConstantVad(0.35), transcriber=FakeTranscriber(["Hello."]), **threshold(wanted))
        subject = UserInput(bench.context)
        await speak(subject, LOUD * 50)
        subject.commit_buffer()
        await texts_known(bench, subject)
        assert bench.noticed[-1] == turns.TranscriptKnown("item_2" if text else "item_1", text)
        await ended(bench, subject)

    commit()


@scripted
async def test_a_low_threshold_counts_also_for_what_was_never_looked_at():
    """The client has switched the detection off."""
    bench = Bench(vad=ConstantVad(0.35), transcriber=FakeTranscriber(["Hello."]), **threshold(0.2))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50)
    before = bench.context.config
    bench.context.config = apply(before, MANUAL)
    subject.config_changed(before)
    subject.commit_buffer()
    await texts_known(bench, subject)
    assert bench.noticed[-1] == turns.TranscriptKnown("item_2", "Hello.")
    await ended(bench, subject)


@scripted
async def test_announced_speech_is_read_although_little_of_it_was_speech_to_the_detector():
    """A frame that is an echo counts as silence; what the client was told of is speech all the same."""
    bench = Bench(vad=ConstantVad(0.35), transcriber=FakeTranscriber(["Hello."]), **threshold(0.5))
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50)
    subject.announce(0)
    subject.commit_buffer()
    await texts_known(bench, subject)
    assert bench.noticed[-1].text == "Hello."
    await ended(bench, subject)
