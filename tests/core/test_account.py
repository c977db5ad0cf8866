"""Whether the account has a turn a minute for one more session."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.account import TURN_REQUESTS, Limit, exhausted
from tests.each import each

FREE = Limit(float("inf"), float("inf"))


@each(product([0, 1, 10, 20], range(10)))
def test_the_first_sessions_of_a_small_account_begin_whatever_was_used(left, sessions):
    assert not exhausted([Limit(20, left), Limit(200, 0)], sessions, new=sessions)


def test_where_each_has_less_than_a_turn_a_minute_and_they_talk_nobody_else_begins():
    assert exhausted([Limit(20, left=9)], sessions=10, new=0)
    assert exhausted([FREE, Limit(20, left=0)], sessions=10, new=0)


def test_silent_sessions_keep_nobody_out():
    assert not exhausted([Limit(60, left=50)], sessions=500, new=0)


def test_a_crowd_is_not_let_in_before_it_shows_what_it_uses():
    begun = 0
    while not exhausted([Limit(60, left=60)], sessions=begun, new=begun) and begun < 1000:
        begun += 1
    assert begun == 60 / TURN_REQUESTS


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_without_a_limit_everybody_begins(sessions, new):
    assert not exhausted([FREE], sessions, new)
    assert not exhausted([], sessions, new)


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, 500), st.integers(0, 500))
def test_more_sessions_and_fewer_requests_left_never_let_somebody_in(per_minute, left, sessions, new):
    left = min(left, per_minute)
    if exhausted([Limit(per_minute, left)], sessions, new):
        assert exhausted([Limit(per_minute, max(0, left - 1))], sessions, new)
        assert exhausted([Limit(per_minute, left)], sessions + 1, new + 1)
