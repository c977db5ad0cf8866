"""The doubts of a quick text set the silence after a careful one that has none."""

import pytest

from realtime.listening.segment import SpeechSegment
from tests.conversing import scripted
from tests.listening.test_speech_text import Parrot, Stage

SEMANTIC = {"input": {"turn_detection": {"type": "semantic_vad"}}}


def waits_ms(*, quick: str = "今天怎么样？", stop: float, order: str) -> float:
    """The silence that ends a turn whose careful text tells no doubts, after a quick text that does."""
    stage = Stage(audio=SEMANTIC)
    stage.segment.announced = True
    stage.decodes.guesses_sooner = True
    match order:
        case "before the pause":
            stage.interim(quick, last_word=0.9, stop=stop)
            stage.grow(stage.speaking.speech_ms + 50)
            stage.pause()
            stage.decodes.earlies[-1]("今天怎么样。")
        case "while it fades":
            stage.grow(2000)
            stage.fade()
            stage.decodes.guesses[-1](quick, last_word=0.9, stop=stop)
            stage.pause()
            stage.decodes.earlies[-1]("今天怎么样。")
        case "after the careful one":
            stage.grow(2000)
            stage.pause()
            stage.decodes.earlies[-1]("今天怎么样。")
            stage.decodes.guesses[-1](quick, last_word=0.9, stop=stop)
        case "in an earlier pause":
            stage.grow(2000)
            stage.pause()
            stage.decodes.guesses[-1](quick, last_word=0.9, stop=stop)
            stage.resume()
            stage.grow(3000)
            stage.pause()
            stage.decodes.earlies[-1]("今天怎么样。")
        case "in an earlier utterance":
            stage.grow(2000)
            stage.pause()
            stage.decodes.guesses[-1](quick, last_word=0.9, stop=stop)
            stage.subject.began(SpeechSegment("item_2", announced=True))
            stage.pause()
            stage.decodes.earlies[-1]("今天怎么样。")
    return stage.speaking.silence_ms


@scripted
@pytest.mark.parametrize("order", ["while it fades", "after the careful one"])
async def test_a_careful_text_without_doubts_has_those_of_a_quick_one_of_the_whole_voice(order):
    """Chinese is read carefully with several beams, of which Whisper tells no doubts."""
    assert waits_ms(stop=0.2, order=order) > 2 * waits_ms(stop=0.99, order=order)


@scripted
@pytest.mark.parametrize("order", ["before the pause", "in an earlier pause", "in an earlier utterance"])
async def test_doubts_of_other_sound_do_not_count(order):
    assert waits_ms(stop=0.2, order=order) == waits_ms(stop=0.99, order=order)


@scripted
async def test_a_careful_text_keeps_its_own_doubts():
    waits = []
    for stop in (0.2, 0.99):
        stage = Stage(audio=SEMANTIC)
        stage.segment.announced = True
        stage.interim("How are you?", last_word=0.9, stop=stop)
        stage.pause()
        stage.decodes.earlies[-1]("How are you?", last_word=0.9, stop=0.9)
        waits.append(stage.speaking.silence_ms)
    assert waits[0] == waits[1]


@scripted
async def test_a_late_quick_text_changes_nothing_once_the_voice_is_back():
    stage = Stage(audio=SEMANTIC)
    stage.segment.announced = True
    stage.decodes.guesses_sooner = True
    stage.grow(2000)
    stage.pause()
    stage.decodes.earlies[-1]("今天怎么样。")
    late = stage.decodes.guesses[-1]
    stage.resume()
    stage.speaking.silence_ms = 500.0
    late("今天怎么样？", last_word=0.9, stop=0.01)
    assert stage.speaking.silence_ms == 500.0
    stage.grow(3000)
    stage.pause()
    stage.speaking.silence_ms = 500.0
    late("今天怎么样？", last_word=0.9, stop=0.01)
    assert stage.speaking.silence_ms == 500.0, "the text of this pause is not known"


@scripted
async def test_doubts_of_other_words_do_not_count():
    said = [waits_ms(quick="明天怎么样？", stop=stop, order="while it fades") for stop in (0.2, 0.99)]
    assert said[0] == said[1]


@scripted
async def test_the_doubts_of_an_echo_are_not_those_of_the_listener():
    """Until the speech is announced it is read as a hum, in every text."""
    waits = []
    for last_word in (0.01, 0.99):
        stage = Stage(echo=Parrot(), audio=SEMANTIC)
        stage.interim("今天怎么样？", last_word=last_word, stop=0.9)
        stage.pause()
        stage.decodes.earlies[-1]("你好。")
        waits.append(stage.speaking.silence_ms)
    assert waits[0] == waits[1]
