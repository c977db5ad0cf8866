"""What of a text is sent, and where to resume after a loss."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import WordTime
from realtime.minimax.speech import Transport
from realtime.providers.minimax.breaker import Breaker
from realtime.providers.minimax.budget import RequestBudget
from realtime.providers.minimax.speech_text import unspoken_from, visible

TEXT = "One two <#0.5#> three four."
WORDS = (
    WordTime(0, 3, 0, 300),
    WordTime(4, 7, 300, 600),
    WordTime(16, 21, 1100, 1500),
    WordTime(22, 26, 1500, 1900),
)


@given(st.text(max_size=50))
def test_visible_text_keeps_every_offset(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert "\u200b" not in shown
    assert all(a == b or b == " " for a, b in zip(text, shown, strict=True))


@pytest.mark.parametrize(
    ("heard_ms", "rest"),
    [
        (0, "One two <#0.5#> three four."),  # nothing yet
        (100, "One two <#0.5#> three four."),  # a third of a word is said again
        (280, "two <#0.5#> three four."),  # all but 20 ms was understood
        (600, "three four."),  # a pause is not said first
        (1000, "three four."),
        (1200, "three four."),
        (1480, "four."),
        (1900, ""),
        (2100, ""),
    ],
)
def test_goes_on_with_the_first_word_that_was_not_heard(heard_ms: float, rest: str) -> None:
    at = unspoken_from(TEXT, WORDS, heard_ms)
    assert TEXT[at:].strip(" .") == rest.strip(" .")


def test_without_word_times_the_usual_pace_decides_and_no_word_is_split() -> None:
    text = "alpha beta gamma delta"
    starts = {0, 5, 6, 10, 11, 16, 17, len(text)}
    found = [unspoken_from(text, (), ms) for ms in range(0, 2000, 50)]
    assert set(found) <= starts
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] == len(text)


def test_sound_beyond_the_known_words_counts_at_the_usual_pace() -> None:
    text = "你好世界再见"
    assert unspoken_from(text, (WordTime(0, 2, 0, 450),), 450 + 450) == 4


@given(st.floats(0, 3000))
def test_the_rest_always_begins_at_a_word(heard_ms: float) -> None:
    assert unspoken_from(TEXT, WORDS, heard_ms) in {word.begin for word in WORDS} | {26, 27}


def test_the_budget_is_a_sliding_minute() -> None:
    budget = RequestBudget(2)
    assert budget.left(0) == 2
    assert [budget.reserve(0), budget.reserve(10)] == [0, 10]
    assert budget.left(20) == 0
    assert budget.wait_s(20) == 40
    assert budget.reserve(20) == 60
    assert budget.wait_s(20) == 50
    budget.release(60)
    assert budget.wait_s(20) == 40
    assert budget.left(61) == 1
    assert budget.left(200) == 2


@given(st.lists(st.floats(0, 20), max_size=40), st.integers(1, 5))
def test_no_minute_ever_holds_more_than_the_budget(gaps: list[float], per_minute: int) -> None:
    budget = RequestBudget(per_minute)
    now, times = 0.0, []
    for gap in gaps:
        now += gap
        times.append(budget.reserve(now))
    for at in times:
        assert sum(1 for other in times if at - 60 + 1e-6 < other <= at) <= per_minute


def test_a_failed_host_is_left_alone_for_a_while() -> None:
    host = (Transport.ORDINARY, "http://a")
    breaker = Breaker()
    assert breaker.allows(host, 0)
    breaker.failed(host, 100)
    assert not breaker.allows(host, 129)
    assert breaker.allows(host, 130)
    breaker.failed(host, 200)
    breaker.worked(host)
    assert breaker.allows(host, 201)


def test_one_lost_connection_can_be_chance_two_are_not() -> None:
    host = (Transport.ORDINARY, "http://a")
    breaker = Breaker()
    breaker.dropped(host, 0)
    assert breaker.allows(host, 1)
    breaker.dropped(host, 50)
    assert breaker.allows(host, 51)
    breaker.dropped(host, 55)
    assert not breaker.allows(host, 56)
