"""The log of an account's last minute: exact in every window, nothing wasted, and what lowers the limit."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from realtime.core import quota
from realtime.core.quota import HOLD_MS, SETTLE_MS, SILENT_MS, TAG, WINDOW_MS, QuotaLog, share_of, usable

WAIT_MS = 5000


def most_in_a_window(times_ms: list[int]) -> int:
    """The most requests in any window that is open at its end."""
    return max((sum(at <= each < at + WINDOW_MS for each in times_ms) for at in times_ms), default=0)


def send(log: QuotaLog, place: str, now_ms: int) -> None:
    """A request that leaves at once."""
    assert log.take(place, now_ms) == 0
    log.write(place, now_ms)


def test_what_fits_goes_at_once_and_the_rest_when_a_place_is_over():
    log = QuotaLog(2)
    send(log, "a", 0)
    send(log, "b", 10_000)
    assert log.left(20_000) == 0
    assert log.take("c", 20_000) == WINDOW_MS - 20_000
    assert log.take("d", 20_000) == WINDOW_MS - 10_000
    log.write("c", WINDOW_MS)
    assert log.left(WINDOW_MS) == 0, "d has a place"
    log.write("d", WINDOW_MS + 10_000)
    assert log.left(2 * WINDOW_MS + 10_000) == 2


def test_too_long_a_wait_takes_no_place():
    log = QuotaLog(1)
    send(log, "a", 0)
    assert log.take("b", 1000, WAIT_MS) == WINDOW_MS - 1000
    assert log.take("c", WINDOW_MS - WAIT_MS, WAIT_MS) == WAIT_MS


def test_a_place_that_is_asked_for_again_and_refused_stays_and_counts_as_now():
    """The limit is lower than before; the question may be an old one, and its request have left."""
    log = QuotaLog(2)
    send(log, "a", 0)
    send(log, "b", 0)
    log.limit = 1
    assert log.take("a", 1000, 0) > 0
    assert log.places(1000) == [("b", 0), ("a", 1000 + HOLD_MS)]
    assert log.take("c", 1000, 0) > 0
    assert len(log.places(1000)) == 2


def test_a_place_counts_as_now_until_its_request_has_left():
    """However long that takes, and though much older ones are over."""
    log = QuotaLog(2)
    assert log.take("late", 0) == 0
    assert log.take("b", HOLD_MS - 1) == 0
    assert log.take("c", HOLD_MS - 1) == WINDOW_MS, (
        "both may leave at any moment, so this one cannot know when"
    )
    log.write("late", HOLD_MS - 1)
    log.write("b", HOLD_MS - 1)
    assert log.take("d", HOLD_MS) == WINDOW_MS - 1


def test_a_place_that_nobody_used_is_over_one_window_after_its_end():
    log = QuotaLog(1)
    log.take("lost", 0)
    assert log.take("b", HOLD_MS) == WINDOW_MS
    assert log.take("b", HOLD_MS + WINDOW_MS - 1) == 1
    assert log.take("c", HOLD_MS + WINDOW_MS) == WINDOW_MS


def test_nobody_waits_for_a_place_whose_request_has_not_left():
    """How long it would take is a guess, so it is no place."""
    log = QuotaLog(1)
    log.take("a", 0)
    assert log.take("b", 10, 10 * WINDOW_MS) == WINDOW_MS
    assert [place for place, _ in log.places(10)] == ["a"]


def test_a_place_that_is_given_back_in_the_middle_of_the_queue_is_found_again():
    log = QuotaLog(3)
    for number in range(3):
        send(log, str(number), 1000 * number)
    assert [log.take(place, 3000) for place in "abc"] == [
        WINDOW_MS - 3000 + 1000 * number for number in range(3)
    ]
    log.give_back("b")
    log.give_back("b")
    assert log.take("d", 3010) == WINDOW_MS - 1010, "c keeps its time"


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
    log.shares = {"a" * TAG: share_of(60, 3)}
    assert (log.usable(0), log.left(0)) == (60 - 18, 60 - 18)
    assert QuotaLog(1).usable(0) == 1


def test_the_places_of_a_silent_node_are_in_its_share_and_nobody_gets_them_when_they_are_over():
    log = QuotaLog(6)
    for number in range(3):
        send(log, f"{'a' * TAG}:{number}", 1000 * number)
        send(log, f"{'b' * TAG}:{number}", 1000 * number + 500)
    log.shares = {"a" * TAG: 2}
    assert log.left(3000) == 0
    assert [log.take(place, 3000) + 3000 for place in "cd"] == [WINDOW_MS, WINDOW_MS + 500], (
        "its oldest, and one of b"
    )
    assert log.take("e", 3000) + 3000 == WINDOW_MS + 1500, "not the second one of a"


@given(
    limit=st.integers(1, 5000), nodes=st.integers(1, 60), silent=st.integers(0, 60), lowered=st.integers(0, 6)
)
def test_shares_together_are_never_more_than_the_limit(limit, nodes, silent, lowered):
    assert nodes * share_of(limit, nodes) <= limit
    aside = min(silent, nodes) * share_of(limit, nodes)
    assert 1 <= usable(limit, lowered=lowered, aside=aside) <= limit
    assert aside + usable(limit, aside=aside) == limit, "of those that are not silent, all the rest"
    assert SILENT_MS < WINDOW_MS


@given(
    limit=st.integers(1, 4),
    asked=st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 3000)), max_size=14),
)
def test_a_request_leaves_at_the_first_moment_that_the_limit_allows(limit, asked):
    """Against a search of every moment that can be the first one. Each leaves some time after its place."""
    log, left, waiting = QuotaLog(limit), [], []
    for number, (now_ms, late_ms) in enumerate(sorted(asked)):
        for at_ms, place in sorted(waiting):
            if at_ms <= now_ms:
                log.write(place, at_ms)
                left.append(at_ms)
        waiting = [each for each in waiting if each[0] > now_ms]
        wait_ms = log.take(str(number), now_ms)
        # Those that have a place may all leave at the same moment as this one
        moments = sorted({now_ms, *(at + WINDOW_MS for at in left if at + WINDOW_MS > now_ms)})
        all_at = [[at] * (len(waiting) + 1) for at in moments]
        best = next((each[0] for each in all_at if most_in_a_window([*left, *each]) <= limit), None)
        if wait_ms < WINDOW_MS:
            assert best == now_ms + wait_ms
            waiting.append((best + late_ms, str(number)))
        else:
            assert best is None or best >= now_ms + WINDOW_MS
    assert most_in_a_window(left) <= limit


def test_an_account_of_which_twice_as_much_is_wanted_is_used_nearly_whole():
    """Every fourth request that waits is given up: its place is found by the next one."""
    log, dice, sent, waiting = QuotaLog(60), random.Random(5), [], {}
    for number, now_ms in enumerate(range(0, 600_000, 500)):
        for place in [place for place, at_ms in waiting.items() if at_ms <= now_ms]:
            sent.append(waiting.pop(place))
            log.write(place, sent[-1])
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
    """Requests come, go back and leave much later. No window ever holds more than the limit."""

    LIMIT = 3

    def __init__(self) -> None:
        super().__init__()
        self.log, self.now_ms, self.numbers = QuotaLog(self.LIMIT), 0, itertools.count()
        self.left_ms: list[int] = []
        self.in_hand: dict[str, int] = {}

    @rule(ms=st.sampled_from([1, 700, 3000, 20_000, 61_000]))
    def time_passes(self, ms: int) -> None:
        self.now_ms += ms
        self.in_hand = {
            place: at_ms for place, at_ms in self.in_hand.items() if at_ms + HOLD_MS > self.now_ms
        }

    @rule(wait_ms=st.sampled_from([0, WAIT_MS, WINDOW_MS]))
    def ask(self, wait_ms: int) -> None:
        place = str(next(self.numbers))
        wait = self.log.take(place, self.now_ms, wait_ms)
        if wait <= min(wait_ms, WINDOW_MS - 1):
            self.in_hand[place] = self.now_ms + wait

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(self.in_hand)))
        self.log.give_back(place)
        del self.in_hand[place]

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def leaves(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(self.in_hand)))
        if self.in_hand[place] <= self.now_ms:
            del self.in_hand[place]
            self.log.write(place, self.now_ms)
            self.left_ms.append(self.now_ms)

    @invariant()
    def within_the_limit(self) -> None:
        assert most_in_a_window(self.left_ms) <= self.LIMIT
        held = {place for place, _ in self.log.places(self.now_ms)}
        assert set(self.in_hand) <= held
        assert self.log.left(self.now_ms) == max(0, self.LIMIT - len(held))


TestAccount = Account.TestCase
TestAccount.settings = settings(max_examples=60, stateful_step_count=30)
