"""What is learned of a voice: how late its first sound is, how fast it speaks, how long it pauses."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.clauses import Size, measure
from realtime.core.playback_clock import Latency, PlaybackClock, SpeakingRate


def test_the_first_latency_is_believed_but_not_trusted() -> None:
    latency = Latency()
    latency.learn(0.8)
    assert latency == Latency(0.8, 0.2, chunks=1)


def test_a_steady_voice_leaves_no_doubt() -> None:
    latency = Latency()
    for _ in range(60):
        latency.learn(0.2)
    assert latency.mean_s == pytest.approx(0.2)
    assert latency.deviation_s < 0.002


def test_a_voice_that_has_changed_is_learned_anew() -> None:
    latency = Latency()
    for seconds in [0.2] * 100 + [0.6] * 60:
        latency.learn(seconds)
    assert latency.mean_s == pytest.approx(0.6, abs=0.02)


def test_a_restless_voice_is_known_as_one() -> None:
    dice = random.Random(3)
    latency = Latency()
    for _ in range(60):
        latency.learn(dice.uniform(0.2, 0.6))
    assert latency.mean_s == pytest.approx(0.4, abs=0.08)
    assert 0.05 < latency.deviation_s < 0.16  # 0.1 of them all


def spoken_ms(text: str, ms_per_mark: float) -> float:
    size = measure(text)
    return 50 * size.narrow + 220 * size.wide + ms_per_mark * size.marks


def test_what_is_expected_is_the_sum_of_letters_syllables_marks_and_pauses() -> None:
    rate = SpeakingRate(ms_per_narrow=50, ms_per_wide=200, ms_per_mark=30)
    assert rate.expected_ms(Size(narrow=10)) == 500
    assert rate.expected_ms(Size(wide=10)) == 2000
    assert rate.expected_ms(Size(narrow=10, wide=10, pause_ms=700, marks=4)) == 500 + 2000 + 700 + 120


@pytest.mark.parametrize("ms_per_mark", [0.0, 140.0])
def test_lone_words_tell_how_long_a_voice_pauses(ms_per_mark: float) -> None:
    rate = SpeakingRate()
    for text in (
        "Well,",
        "Sure!",
        "I can help you with that one.",
        "No problem.",
        "Okay, let us see what it is.",
    ):
        rate.learn(measure(text), spoken_ms(text, ms_per_mark))
    assert rate.expected_ms(measure("Hello!")) == pytest.approx(spoken_ms("Hello!", ms_per_mark), rel=0.2)


@given(
    st.builds(Size, st.integers(0, 300), st.integers(0, 90), st.floats(0, 3000), st.integers(0, 30)),
    st.floats(0, 100_000),
)
def test_one_chunk_moves_the_rate_towards_what_it_took_and_not_beyond(size: Size, actual_ms: float) -> None:
    rate = SpeakingRate()
    before_ms = rate.expected_ms(size)
    rate.learn(size, actual_ms)
    after_ms = rate.expected_ms(size)
    assert min(before_ms, actual_ms) - 1e-6 <= after_ms <= max(before_ms, actual_ms) + 1e-6
    assert min(rate.ms_per_narrow, rate.ms_per_wide) > 0
    assert rate.ms_per_mark >= 0


def test_what_was_heard_moves_the_moment_of_silence() -> None:
    listener = PlaybackClock(SpeakingRate(60.0, 200.0, 0.0), Latency(0.3))
    assert listener.dry_s() is None
    listener.sent(Size(narrow=10), 1.0, silent=False)
    assert listener.dry_s() == pytest.approx(1.0 + 0.3 + 0.6)
    listener.audio(0, 100.0, False, 1.2)
    assert listener.dry_s() == pytest.approx(1.2 + 0.6)
    listener.audio(0, 400.0, True, 1.3)
    assert listener.dry_s() == pytest.approx(1.2 + 0.4)


@given(st.floats(0, 30), st.floats(0, 30), st.floats(0, 30))
def test_a_player_may_be_ahead_of_the_clock_but_never_behind(
    received_s: float, later_s: float, ahead_s: float
) -> None:
    clock = PlaybackClock(SpeakingRate(), Latency())
    clock.sent(measure("Hello there."), 0.0, silent=False)
    clock.unheard(ahead_s, 0.0)  # nothing was received: nothing to say
    clock.audio(0, 1000 * received_s, True, 0.0)
    before_s = clock.dry_s()
    clock.unheard(ahead_s, later_s)
    after_s = clock.dry_s()
    if before_s is not None and after_s is not None:
        assert after_s == pytest.approx(min(before_s, later_s + ahead_s))
