"""A turn whose early answer gets ready in a pause: it ends at that moment, not with the next piece of audio."""

from realtime.core import turn as turns
from realtime.core.turn_end import EarlyAnswer
from realtime.listening.user_input import UserInput
from tests.contexts import Bench
from tests.conversing import LOUD, SILENT, scripted
from tests.fakes import FakeTranscriber
from tests.listening.test_user_input import SEMANTIC, speak


async def paused(answer: EarlyAnswer, silence: int) -> tuple[Bench, UserInput]:
    """A sentence and so many frames of 20 ms of silence, while the answer is so far."""
    transcriber = FakeTranscriber(["What time is it?"], interim_texts=["What time is it?"] * 20)
    bench = Bench(transcriber=transcriber, **SEMANTIC)
    subject = UserInput(bench.context)
    await speak(subject, LOUD * 50)
    subject.announce(0.0)
    subject.answer_is(answer)
    await speak(subject, SILENT * silence)
    return bench, subject


def ends(bench: Bench) -> int:
    return sum(isinstance(event, turns.SpeechEnded) for event in bench.noticed)


@scripted
async def test_the_turn_ends_when_the_answer_is_ready_and_the_silence_long_enough():
    bench, subject = await paused(EarlyAnswer.IN_THE_MAKING, 40)
    assert ends(bench) == 0, "800 ms: the answer may still come"
    subject.answer_is(EarlyAnswer.READY)
    assert ends(bench) == 1
    await subject.aclose()
    await bench.context.tasks.aclose()


@scripted
async def test_an_answer_that_is_ready_does_not_shorten_the_silence():
    bench, subject = await paused(EarlyAnswer.IN_THE_MAKING, 15)
    subject.answer_is(EarlyAnswer.READY)
    assert ends(bench) == 0, "300 ms"
    await speak(subject, SILENT * 20)
    assert ends(bench) == 1
    await subject.aclose()
    await bench.context.tasks.aclose()
