"""Speech that goes on with speech that is still being read: late decodes of the first say nothing about the second."""

from realtime.core import turn as turns
from tests.conversing import scripted
from tests.listening.test_speech_text import Stage


def interims(stage: Stage) -> list[turns.InterimText]:
    return [event for event in stage.bench.noticed if isinstance(event, turns.InterimText)]


def begin_again(stage: Stage) -> None:
    """The speech has ended, and more begins before it was read."""
    stage.speaking.faded = stage.speaking.paused = False
    stage.speaking.speech_ms = 160
    stage.subject.began(stage.segment)


@scripted
async def test_what_was_decoded_of_speech_that_has_ended_explains_nothing_of_the_next():
    stage = Stage()
    stage.grow(704)
    stage.fade()
    stage.pause()
    begin_again(stage)
    stage.decodes.interims[0]("")
    for early in stage.decodes.earlies:
        early("")
    assert [event for event in interims(stage) if not event.earlier] == []
    stage.bench.noticed.clear()
    stage.pause()
    stage.decodes.earlies[-1]("")
    assert [(event.speech_ms, event.whole) for event in interims(stage)] == [(160, True)]


@scripted
async def test_words_of_speech_that_has_ended_are_told_with_its_own_length():
    """They may stop an answer: the decode that would tell them begins anew at each pause."""
    stage = Stage()
    stage.grow(704)
    stage.fade()
    begin_again(stage)
    for decode in (stage.decodes.interims[0], stage.decodes.earlies[0]):
        stage.bench.noticed.clear()
        decode("What about cats?")
        assert [(said.text, said.speech_ms, said.earlier) for said in interims(stage)] == [
            ("What about cats?", 704, True)
        ]
    stage.segment.announced = True
    stage.bench.noticed.clear()
    stage.decodes.interims[0]("What about cats?")
    assert interims(stage) == [], "what it says is no news where the speech has stopped the answer"


@scripted
async def test_a_late_text_of_speech_that_has_ended_is_not_supposed_to_be_all():
    stage = Stage()
    stage.segment.announced = True
    stage.grow(704)
    stage.fade()
    stage.pause()
    begin_again(stage)
    stage.speaking.paused = True
    for decode in (*stage.decodes.interims, *stage.decodes.earlies):
        decode("Tell me about cats.")
    assert stage.supposed() == []


@scripted
async def test_words_that_a_late_decode_believed_are_words_of_the_item():
    stage = Stage()
    stage.grow(704)
    stage.pause()
    begin_again(stage)
    stage.decodes.earlies[0]("Tell me about cats.")
    assert stage.subject.believed == "Tell me about cats."
