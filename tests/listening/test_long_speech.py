"""When the beginning of long speech is read for good, and what becomes of its text and of its sound."""

import asyncio

import numpy as np
import pytest

from realtime.core import turn as turns
from realtime.errors import ProviderUnavailable
from realtime.listening.long_speech import LONGEST_S, RETRY_S
from realtime.listening.segment import Settled, SpeechSegment
from realtime.listening.transcription import Transcription
from realtime.providers.testing import FakeTranscriber
from tests.contexts import Bench
from tests.conversing import scripted
from tests.listening.test_speech_text import Stage

LONG_MS = LONGEST_S * 1000
SOUND = (np.sin(np.arange(9 * 16_000) / 3) * 9_000).astype(np.int16)


def stage_of_long_speech(**more) -> Stage:
    stage = Stage(**more)
    stage.segment.announced = True
    stage.grow(LONG_MS + 100)
    return stage


def test_what_is_settled_is_followed_by_the_rest():
    settled = (
        Settled().and_then("One two.", 9.5, 10_000).and_then("", 9.0, 19_000).and_then("Three.", 10.0, 29_000)
    )
    assert settled == Settled("One two. Three.", 28.5, 29_000)
    assert settled.with_rest("four") == "One two. Three. four"
    assert settled.with_rest("") == "One two. Three."
    assert Settled.restored(settled.snapshot) == settled
    assert Settled().snapshot is None
    assert Settled.restored(None) == Settled()


@scripted
async def test_speech_is_settled_from_its_first_piece_on_and_never_twice_at_once():
    stage = Stage()
    stage.segment.announced = True
    stage.grow(LONG_MS)
    assert stage.decodes.settles == []
    stage.grow(LONG_MS + 100)
    ((seconds, answer, _),) = stage.decodes.settles
    assert LONGEST_S / 3 <= seconds <= LONGEST_S * 3 / 4
    stage.decodes.may_settle = False
    stage.grow(LONG_MS + 200)
    assert len(stage.decodes.settles) == 1
    answer("One two.")
    assert stage.segment.settled == Settled(), "it is taken over with the next frame"
    stage.grow(LONG_MS + 300)
    assert stage.segment.settled == Settled("One two.", seconds, seconds * 1000)
    assert stage.audio.forgotten_ms == seconds * 1000


@scripted
async def test_what_nobody_was_told_of_and_a_pause_settle_nothing():
    stage = Stage()
    stage.grow(LONG_MS + 100)
    assert stage.decodes.settles == []
    stage.segment.announced = True
    stage.fade()
    stage.pause()
    stage.grow(LONG_MS + 200)
    assert stage.decodes.settles == []


@scripted
async def test_an_early_decode_of_a_pause_is_of_the_sound_as_it_was():
    stage = stage_of_long_speech()
    stage.fade()
    stage.decodes.settles[0][1]("One two.")
    stage.pause()
    stage.grow(LONG_MS + 200)
    assert stage.segment.settled == Settled(), "the decode of the pause has that sound, too"
    stage.decodes.earlies[-1]("One two three four.")
    assert stage.supposed()[-1] == "One two three four."
    stage.resume()
    stage.grow(LONG_MS + 300)
    assert stage.segment.settled.text == "One two."


@scripted
async def test_rules_are_told_the_whole_text_and_a_text_of_the_sound_before_is_dropped():
    stage = stage_of_long_speech()
    stage.interim("one two three")
    late = stage.decodes.interims[-1]
    stage.decodes.settles[0][1]("One two.")
    stage.bench.noticed.clear()
    stage.interim("three four five")
    late("one two three four")
    texts = [event.text for event in stage.bench.noticed if isinstance(event, turns.InterimText)]
    assert texts == ["One two. three four five"]
    stage.fade()
    stage.pause()
    stage.decodes.earlies[-1]("Three four five.")
    assert stage.supposed()[-1] == "One two. Three four five."


@scripted
async def test_a_failure_is_followed_by_another_try_after_a_while():
    stage = stage_of_long_speech()
    stage.decodes.settles[0][2](ProviderUnavailable("It is away."))
    stage.grow(LONG_MS + 200)
    await asyncio.sleep(RETRY_S - 0.1)
    stage.grow(LONG_MS + 300)
    assert len(stage.decodes.settles) == 1
    await asyncio.sleep(0.1)
    stage.grow(LONG_MS + 400)
    assert len(stage.decodes.settles) == 2


class EchoOf:
    """Takes this text for an echo; `asked` has where each text was read."""

    def __init__(self, echo: str) -> None:
        self.echo, self.asked = echo, []

    def own_words(self, text, audio, from_ms, to_ms):
        self.asked.append((from_ms, to_ms))
        return "" if text == self.echo else text

    for_rules = own_words


@scripted
async def test_a_beginning_that_is_an_echo_is_settled_without_words():
    echo = EchoOf("The sea is blue.")
    stage = stage_of_long_speech(echo=echo)
    seconds, answer, _ = stage.decodes.settles[0]
    answer("The sea is blue.")
    assert echo.asked[-1] == (0.0, seconds * 1000)
    stage.interim("stop it now")
    assert stage.segment.settled == Settled("", seconds, seconds * 1000)
    assert echo.asked[-1][0] == seconds * 1000


@scripted
async def test_other_speech_has_nothing_of_what_was_read_too_late():
    stage = stage_of_long_speech()
    answer, stopped = stage.decodes.settles[0][1], stage.decodes.stopped
    stage.subject.began(other := SpeechSegment("item_2", onset_ms=50_000, announced=True))
    assert stage.decodes.stopped == stopped + 1
    answer("One two.")
    stage.audio.scored_ms = 51_000
    stage.subject.grew()
    assert other.settled == Settled()


class Threads(FakeTranscriber):
    """`busy`: no thread is left for one more decode."""

    busy = False

    def spare(self, language):
        return not self.busy


@pytest.mark.parametrize("busy", [True, False])
@scripted
async def test_beside_it_interim_text_is_read_only_where_a_thread_is_left_for_a_pause(busy):
    transcriber = Threads(["One two."])
    transcriber.busy = busy
    bench = Bench(transcriber=transcriber)
    subject, told = Transcription(bench.context), []
    assert subject.takes_interim
    subject.settle(SOUND, told.append, told.append)
    assert (subject.may_settle, subject.takes_interim) == (False, not busy)
    await asyncio.sleep(0.1)
    assert [known.text for known in told] == ["One two."]
    assert (subject.may_settle, subject.takes_interim) == (True, True)
    await subject.aclose()


@scripted
async def test_it_waits_for_a_decode_that_an_answer_waits_for_and_ends_with_the_turn():
    bench = Bench(transcriber=FakeTranscriber(["One two.", "One two three."]))
    subject, told = Transcription(bench.context), []
    subject.early(SOUND, 900.0, lambda known: None)
    assert not subject.may_settle
    subject.discard_early()
    await asyncio.sleep(0)
    assert subject.may_settle
    subject.settle(SOUND, told.append, told.append)
    assert (await subject.final(SOUND, None)).text == "One two."
    assert told == []
    await subject.aclose()
