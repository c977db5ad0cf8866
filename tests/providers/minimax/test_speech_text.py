"""What of a text is sent, where to resume after a loss, and the circuit breaker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import WordTime
from realtime.minimax.speech import Transport
from realtime.providers.minimax.breaker import CircuitBreaker
from realtime.providers.minimax.speech_text import resume_offset, visible

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
    ("received_ms", "rest"),
    [
        (0, "One two <#0.5#> three four."),  # nothing yet
        (100, "One two <#0.5#> three four."),  # a third of a word is repeated
        (280, "two <#0.5#> three four."),  # all but 20 ms of a word counts as received
        (600, "three four."),  # no pause at the start
        (1000, "three four."),
        (1200, "three four."),
        (1480, "four."),
        (1900, ""),
        (2100, ""),
    ],
)
def test_speech_resumes_at_the_first_word_that_was_not_received(received_ms: float, rest: str) -> None:
    at = resume_offset(TEXT, WORDS, received_ms)
    assert TEXT[at:].strip(" .") == rest.strip(" .")


def test_without_word_times_the_usual_speaking_rate_decides_and_no_word_is_split() -> None:
    text = "alpha beta gamma delta"
    starts = {0, 5, 6, 10, 11, 16, 17, len(text)}
    found = [resume_offset(text, (), ms) for ms in range(0, 2000, 50)]
    assert set(found) <= starts
    assert found == sorted(found)
    assert found[0] == 0
    assert found[-1] == len(text)


def test_audio_after_the_last_known_word_counts_at_the_usual_speaking_rate() -> None:
    text = "你好世界再见"
    assert resume_offset(text, (WordTime(0, 2, 0, 450),), 450 + 450) == 4


@given(st.floats(0, 3000))
def test_resumed_text_always_begins_at_a_word(received_ms: float) -> None:
    assert resume_offset(TEXT, WORDS, received_ms) in {word.begin for word in WORDS} | {26, 27}


def test_the_breaker_of_a_failed_host_is_open_for_a_while() -> None:
    host = (Transport.ORDINARY, "http://a")
    breaker = CircuitBreaker()
    assert breaker.allows(host, 0)
    breaker.failed(host, 100)
    assert not breaker.allows(host, 129)
    assert breaker.allows(host, 130)
    breaker.failed(host, 200)
    breaker.worked(host)
    assert breaker.allows(host, 201)


def test_only_a_second_lost_connection_opens_the_breaker() -> None:
    host = (Transport.ORDINARY, "http://a")
    breaker = CircuitBreaker()
    breaker.dropped(host, 0)
    assert breaker.allows(host, 1)
    breaker.dropped(host, 50)
    assert breaker.allows(host, 51)
    breaker.dropped(host, 55)
    assert not breaker.allows(host, 56)
