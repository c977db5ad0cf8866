"""The log of an account's last minute: exact in every window, nothing wasted, and what lowers the limit."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from realtime.core import quota
from realtime.core.quota import SETTLE_MS, SILENT_MS, WINDOW_MS, QuotaLog, share_of, usable

WAIT_MS = 5000


def most_in_a_window(times_ms: list[int]) -> int:
    """The most requests in any window that is open at its end."""
    return max((sum(at <= each < at + WINDOW_MS for each in times_ms) for at in times_ms), default=0)


def test_what_fits_goes_at_once_and_the_rest_when_a_place_is_over():
    log = QuotaLog(2)
    assert [log.take("a", 0), log.take("b", 10_000)] == [0, 0]
    assert log.left(20_000) == 0
    assert log.take("c", 20_000) == WINDOW_MS - 20_000
    assert log.take("d", 20_000) == WINDOW_MS - 10_000
    assert log.left(WINDOW_MS) == 0, "c has its place now"
    assert log.left(2 * WINDOW_MS + 10_000) == 2


def test_too_long_a_wait_takes_no_place():
    log = QuotaLog(1)
    log.take("a", 0)
    assert log.take("b", 1000, WAIT_MS) == WINDOW_MS - 1000
    assert log.take("c", WINDOW_MS - WAIT_MS, WAIT_MS) == WAIT_MS


def test_a_place_that_is_given_back_in_the_middle_of_the_queue_is_found_again():
    log = QuotaLog(1)
    for place in "abcd":
        log.take(place, 0)
    log.give_back("b")
    log.give_back("b")
    assert log.take("e", 10) == WINDOW_MS - 10
    assert log.take("f", 10) == 4 * WINDOW_MS - 10


def test_a_refusal_lowers_the_limit_by_a_fifth_for_a_minute_and_a_burst_of_them_once():
    log = QuotaLog(60)
    for at_ms in (0, 100, SETTLE_MS - 1):
        log.refused(at_ms)
    assert log.usable(SETTLE_MS) == 48
    log.refused(SETTLE_MS)
    assert log.usable(SETTLE_MS) == 38
    assert [log.usable(at_ms) for at_ms in (quota.LOWERED_MS - 1, quota.LOWERED_MS)] == [38, 48]
    assert log.usable(quota.LOWERED_MS + SETTLE_MS) == 60


def test_the_shares_of_silent_nodes_are_kept_aside():
    log = QuotaLog(60)
    log.nodes, log.silent = 3, 1
    assert log.usable(0) == 60 - 18
    assert QuotaLog(1).usable(0) == 1


@given(
    limit=st.integers(1, 5000), nodes=st.integers(1, 60), silent=st.integers(0, 60), lowered=st.integers(0, 6)
)
def test_shares_together_are_never_more_than_the_limit(limit, nodes, silent, lowered):
    assert nodes * share_of(limit, nodes) <= limit
    silent = min(silent, nodes)
    assert 1 <= usable(limit, lowered=lowered, nodes=nodes, silent=silent) <= limit
    assert usable(limit, nodes=nodes, silent=silent) <= max(1, limit - silent * share_of(limit, nodes))
    assert SILENT_MS < WINDOW_MS


@given(limit=st.integers(1, 4), starts=st.lists(st.integers(0, 90_000), max_size=14))
def test_a_request_leaves_at_the_first_moment_that_the_limit_allows(limit, starts):
    """Against a search of every moment that can be the first one."""
    log, placed = QuotaLog(limit), []
    for number, now_ms in enumerate(sorted(starts)):
        moments = sorted({now_ms, *(at + WINDOW_MS for at in placed if at + WINDOW_MS > now_ms)})
        best = next(at for at in moments if most_in_a_window([*placed, at]) <= limit)
        assert log.take(str(number), now_ms) == best - now_ms
        placed.append(best)


def test_an_account_of_which_twice_as_much_is_wanted_is_used_nearly_whole():
    """Every fourth request that waits is given up: its place is found by the next one."""
    log, dice, sent, waiting = QuotaLog(60), random.Random(5), [], {}
    for number, now_ms in enumerate(range(0, 600_000, 500)):
        for place in [place for place, at_ms in waiting.items() if at_ms <= now_ms]:
            sent.append(waiting.pop(place))
        if waiting and number % 4 == 0:
            place = dice.choice(list(waiting))
            log.give_back(place)
            del waiting[place]
        wait_ms = log.take(str(number), now_ms, WAIT_MS)
        if wait_ms <= WAIT_MS:
            waiting[str(number)] = now_ms + wait_ms
    assert most_in_a_window(sent) == 60
    assert len([at_ms for at_ms in sent if at_ms >= 60_000]) >= 0.95 * 60 * 9


class Account(RuleBasedStateMachine):
    """Requests come, go back, stay in hand and are dated anew. No window ever holds more than the limit."""

    LIMIT = 3

    def __init__(self) -> None:
        super().__init__()
        self.log, self.now_ms, self.numbers = QuotaLog(self.LIMIT), 0, itertools.count()
        self.at_ms: dict[str, int] = {}
        self.in_hand: dict[str, int] = {}

    @rule(ms=st.sampled_from([1, 700, 3000, 20_000, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms

    @rule(wait_ms=st.sampled_from([0, WAIT_MS]))
    def ask(self, wait_ms: int) -> None:
        place = str(next(self.numbers))
        wait = self.log.take(place, self.now_ms, wait_ms)
        if wait <= wait_ms:
            self.at_ms[place] = self.in_hand[place] = self.now_ms + wait

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(self.in_hand)))
        self.log.give_back(place)
        del self.in_hand[place], self.at_ms[place]

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        """A permit that was in hand for at most 30 s is dated anew without a look at the limit."""
        place = data.draw(st.sampled_from(sorted(self.in_hand)))
        at_ms = self.in_hand.pop(place)
        if at_ms < self.now_ms <= at_ms + 30_000:
            self.log.write(place, self.now_ms)
            self.at_ms[place] = self.now_ms

    @invariant()
    def within_the_limit(self) -> None:
        assert most_in_a_window(list(self.at_ms.values())) <= self.LIMIT
        held = {place for place, at_ms in self.log.places(self.now_ms)}
        assert held == {place for place, at_ms in self.at_ms.items() if at_ms > self.now_ms - WINDOW_MS}
        assert self.log.left(self.now_ms) == max(0, self.LIMIT - len(held))


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=40, stateful_step_count=30)
