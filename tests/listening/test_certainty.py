"""Which texts are hardly more than a guess. The numbers behind it are in docs/turn-taking.md."""

import pytest

from realtime.listening.certainty import is_guess, with_doubts_of
from realtime.providers.base import Transcript


@pytest.mark.parametrize(
    ("language", "believed", "guessed"),
    [("en", -1.3, -1.31), ("zh", -1.15, -1.16), ("de", -1.3, -1.31), (None, -1.3, -1.31)],
)
def test_chinese_is_believed_less(language, believed, guessed):
    assert not is_guess(Transcript("So", language, believed))
    assert is_guess(Transcript("So", language, guessed))
    assert not is_guess(Transcript("So", language, None)), "it tells no doubts"


QUICK = Transcript("今天怎么样?", "zh", -0.4, last_word=0.9, stop=0.8)


@pytest.mark.parametrize("careful", ["今天怎么样。", "今天怎么样？", "今天怎么樣"])
def test_a_careful_text_without_doubts_takes_those_of_a_quick_one_that_says_the_same(careful):
    found = with_doubts_of(QUICK, Transcript(careful, "zh", -0.2))
    assert found == Transcript(careful, "zh", -0.2, last_word=0.9, stop=0.8)


@pytest.mark.parametrize(
    "careful",
    [
        Transcript("明天怎么样。", "zh", -0.2),
        Transcript("", None),
        Transcript("今天怎么样。", "zh", -0.2, last_word=0.5, stop=0.3),
        Transcript("今天怎么样", "zh", -0.2, last_word=0.5),
    ],
)
def test_else_it_stays_as_it_is(careful):
    assert with_doubts_of(QUICK, careful) is careful


@pytest.mark.parametrize("written", ["今天怎么样", "今天怎么样，"])
def test_a_quick_text_without_a_mark_tells_nothing_of_the_mark(written):
    careful = Transcript("今天怎么样。", "zh", -0.2)
    assert with_doubts_of(Transcript(written, "zh", -0.4, last_word=0.9), careful) is careful


def test_silence_takes_no_doubts():
    empty = Transcript("")
    assert with_doubts_of(Transcript("...", "zh", -2.0, stop=0.1), empty) is empty
