"""Requests are paced so that no minute ever holds more than the account allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.pacing import WINDOW_S, Pace


def test_forty_pictures_take_four_minutes_at_ten_a_minute():
    pace = Pace(10)
    waits = [pace.reserve(0.0) for _ in range(40)]
    assert waits == [0.0] * 10 + [60.0] * 10 + [120.0] * 10 + [180.0] * 10


def test_without_a_limit_nothing_waits():
    pace = Pace(None)
    assert [pace.reserve(0.0) for _ in range(1000)] == [0.0] * 1000


def test_a_place_that_is_given_back_is_free_again():
    pace = Pace(1)
    assert pace.reserve(0.0) == 0.0
    assert pace.reserve(0.0) == 60.0
    pace.give_back(60.0)
    assert pace.reserve(0.0) == 60.0


@given(
    st.integers(min_value=1, max_value=4),
    st.lists(
        st.tuples(st.floats(min_value=0, max_value=40, allow_nan=False), st.integers(0, 5)),
        min_size=1,
        max_size=40,
    ),
)
def test_no_window_holds_more_than_the_limit_when_waits_are_cancelled(per_minute, steps):
    """A step waits, reserves a place, and gives back one that still lies ahead (0: none)."""
    pace, now_s, sent = Pace(per_minute), 0.0, []
    for gap, back in steps:
        now_s += gap
        sent.append(now_s + pace.reserve(now_s))
        ahead = sorted(at_s for at_s in sent if at_s > now_s)
        if 0 < back <= len(ahead):
            sent.remove(ahead[back - 1])
            pace.give_back(ahead[back - 1])
    for at_s in sent:
        within = [other for other in sent if at_s - WINDOW_S + 1e-6 < other <= at_s]
        assert len(within) <= per_minute


@given(
    st.integers(min_value=1, max_value=5),
    st.lists(st.floats(min_value=0, max_value=40, allow_nan=False), min_size=1, max_size=40),
)
def test_no_window_holds_more_than_the_limit(per_minute, gaps):
    pace, now_s, sent = Pace(per_minute), 0.0, []
    for gap in gaps:
        now_s += gap
        sent.append(now_s + pace.reserve(now_s))
    for place, at_s in enumerate(sent):
        within = [other for other in sent[: place + 1] if other > at_s - WINDOW_S + 1e-6]
        assert len(within) <= per_minute
