"""Pauses of one turn between which no word was said."""

import pytest

from realtime.core.silences import KNOWN_AHEAD_MS, NOISE_MS, Silences


def heard(*texts: str, each_ms: float = 100.0) -> float:
    """What counts for the last pause, where each had this text and lasted so long."""
    silences, before_ms = Silences(), 0.0
    for number, text in enumerate(texts):
        before_ms = silences.before(text, 1_000.0 * number)
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
    assert silences.before("Yes.", 2_000) == 0, "what was said before it is not known"
    silences.ended(100)
    silences.ended(50)
    assert silences.before("Yes.", 2_000) == 150
    silences.reset()
    assert silences.before("Yes.", 2_000) == 0


def after_interims(
    *texts: tuple[str, float], pause: str = "Down the middle.", pause_ms: float = 2_000
) -> float:
    silences = Silences()
    for text, to_ms in texts:
        silences.interim(text, to_ms)
    return silences.before(pause, pause_ms)


def test_interim_texts_tell_that_the_words_ended_before_the_detector_says_so():
    known = [("Down the.", 1_000.0), ("Down the middle.", 1_200.0), ("down the middle", 1_900.0)]
    assert after_interims(*known) == 800 - KNOWN_AHEAD_MS
    assert after_interims(*known, ("Down the middle lane", 1_950.0)) == 0, "a word was said since"
    assert (
        after_interims(*known, ("Down the riddle.", 1_400.0), ("Down the middle.", 1_500.0))
        == 500 - KNOWN_AHEAD_MS
    )
    assert after_interims(*known, pause="Down the middle lane.") == 0


def test_a_last_word_may_still_sound_when_its_text_is_known():
    assert after_interims(("Down the middle.", 2_000 - KNOWN_AHEAD_MS)) == 0
    assert after_interims(("Down the middle.", 1_999.0)) == 0
    assert after_interims(("", 500.0), pause="") == 0


def test_a_hum_may_be_longer_than_a_detector_is_late():
    assert after_interims(("Down the middle.", 100.0), pause_ms=5_000) == NOISE_MS


def test_the_longer_of_both_counts():
    silences = Silences()
    silences.interim("Yes.", 900)
    assert silences.before("Yes.", 1_500) == 600 - KNOWN_AHEAD_MS
    silences.ended(300)
    assert silences.before("Yes.", 1_900) == min(NOISE_MS, 1_000 - KNOWN_AHEAD_MS)
    silences.interim("Yes and", 1_950)
    silences.interim("Yes.", 2_100)
    assert silences.before("Yes.", 2_500) == 300, (
        "an interim text that is not repeated says nothing about pauses"
    )
    silences.reset()
    assert silences.before("Yes.", 2_500) == 0
