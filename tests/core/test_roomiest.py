"""Which of several accounts a session gets: the one where most is left."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.account import TURN_REQUESTS, AccountUse, Limit, roomiest


@st.composite
def limits(draw):
    per_minute = draw(st.integers(1, 500))
    return Limit(per_minute, draw(st.integers(0, per_minute)))


@st.composite
def uses(draw):
    sessions = draw(st.integers(0, 200))
    some = tuple(draw(st.lists(limits(), max_size=2)))
    return AccountUse(some, sessions, draw(st.integers(0, sessions)))


def rank(use):
    return use.exhausted, -use.turns_left, use.sessions


@given(st.lists(uses(), min_size=1, max_size=5))
def test_no_other_one_has_more_left_and_a_full_one_is_the_last_choice(accounts):
    best = accounts[roomiest(accounts)]
    assert all(rank(best) <= rank(other) for other in accounts)
    assert not best.exhausted or all(other.exhausted for other in accounts)


@given(st.lists(uses(), min_size=1, max_size=5), st.randoms())
def test_the_order_of_the_list_decides_only_between_equals(accounts, random):
    best = accounts[roomiest(accounts)]
    random.shuffle(accounts)
    assert rank(accounts[roomiest(accounts)]) == rank(best)


@given(uses())
def test_what_sessions_need_is_not_left_for_others(use):
    one_more = AccountUse(use.limits, use.sessions + 1, use.new + 1)
    assert one_more.turns_left == use.turns_left - 1 or not use.limits


@given(uses(), st.integers(0, 500))
def test_the_scarcest_limit_counts(use, left):
    scarce = Limit(500, left)
    more = AccountUse((*use.limits, scarce), use.sessions, use.new)
    assert more.turns_left <= use.turns_left
    assert more.turns_left <= (left - TURN_REQUESTS * use.new) / TURN_REQUESTS


@given(st.lists(st.integers(1, 60), min_size=2, max_size=4), st.integers(0, 80))
def test_sessions_that_come_one_after_the_other_leave_each_account_as_much_as_the_others(turns, coming):
    begun = Counter()
    for _ in range(coming):
        accounts = [
            AccountUse((Limit(TURN_REQUESTS * most, TURN_REQUESTS * most),), begun[n], begun[n])
            for n, most in enumerate(turns)
        ]
        if accounts[roomiest(accounts)].exhausted:
            break
        begun[roomiest(accounts)] += 1
    left = [most - begun[n] for n, most in enumerate(turns)]
    assert min(left) >= 0, "nobody is let in where less than a turn a minute is left"
    if used := [left[n] for n in begun]:
        assert max(left) - min(used) <= 1


def test_without_limits_the_one_with_fewest_sessions_gets_it():
    free = Limit(float("inf"), float("inf"))
    assert roomiest([AccountUse((free,), 2, 0), AccountUse((free,), 1, 1), AccountUse((), 1, 0)]) == 1


def test_an_account_that_somebody_uses_up_now_gets_none():
    busy, quiet = Limit(60, left=0), Limit(20, left=20)
    assert roomiest([AccountUse((busy,), 1, 0), AccountUse((quiet,), 3, 0)]) == 1
