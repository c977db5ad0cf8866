"""Pauses of one turn between which no word was said."""

import pytest

from realtime.core.silences import Silences


def heard(*texts: str, each_ms: float = 100.0) -> float:
    """What counts for the last pause, where each had this text and lasted so long."""
    silences, before_ms = Silences(), 0.0
    for text in texts:
        before_ms = silences.before(text)
        silences.ended(each_ms)
    return before_ms


def test_pauses_with_the_same_words_are_one_silence():
    assert heard("A thin stripe.") == 0
    assert heard("A thin stripe.", "a thin stripe", "A thin, stripe!") == 200
    assert heard("你好，世界。", "你好世界", "你好！世界……") == 200
    assert heard("A thin.", "A thin stripe.", "A thin stripe.") == 100


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("I would like to pay 20.", "I would like to pay $20."),
        ("It is 5.", "It is 5%."),
        ("I write in C.", "I write in C++."),
        ("我要一百。", "我要一百零。"),
        ("Version 35.", "Version 3.5."),
        ("It is 3.", "It is 3:15."),
        ("他", "她"),
    ],
)
def test_a_text_that_changes_at_all_may_have_a_new_word(before: str, after: str):
    assert heard(before, after) == 0


def test_where_nobody_has_said_a_word_nothing_counts():
    assert heard("", "", " .") == 0


def test_a_pause_that_was_not_read_counts_for_the_text_before_and_after_it():
    silences = Silences()
    silences.ended(300)
    assert silences.before("Yes.") == 0, "what was said before it is not known"
    silences.ended(100)
    silences.ended(50)
    assert silences.before("Yes.") == 150
    silences.reset()
    assert silences.before("Yes.") == 0
