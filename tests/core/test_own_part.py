"""What one node may send by itself: nothing before its share is kept aside, then what it had, then its share."""

from __future__ import annotations

from realtime.core import own_part
from realtime.core.own_part import ALONE_MS, APART_MS, UNKNOWN_NODES, YOUNG_MS, OwnPart, View, Word
from realtime.core.quota import AHEAD_MS, HOLD_MS, KNOWN_MS, SILENT_MS, WINDOW_MS, share_of

LIMIT = 60
THERE_MS = 1_790_000_000_000
OLD_MS = THERE_MS - 10 * WINDOW_MS


def answer(now_ms: int, *, nodes: int = 3, oldest_ms: int | None = None, since_ms: int = OLD_MS) -> View:
    there_ms = THERE_MS + now_ms
    return View(nodes, there_ms, there_ms if oldest_ms is None else oldest_ms, since_ms)


def wait_of(part: OwnPart, place: str, now_ms: int, longest_wait_ms: int, given_ms: int | None = None) -> int:
    wait_ms, taken = part.take(place, now_ms, longest_wait_ms, given_ms=given_ms)
    assert taken == (place in dict(part.log.places(now_ms)))
    return wait_ms


def hear(part: OwnPart, view: View, now_ms: int, told: int, asked_ms: int | None = None) -> bool:
    return part.heard(view, now_ms, Word(now_ms if asked_ms is None else asked_ms, told))


def together(now_ms: int = 0, *, has: int = 0) -> OwnPart:
    part = OwnPart(LIMIT)
    hear(part, answer(now_ms), now_ms, UNKNOWN_NODES)
    hear(part, answer(now_ms), now_ms, 3)
    for number in range(has):
        part.log.write(f"had {number}", now_ms)
    assert not part.apart
    return part


def test_a_node_that_has_never_heard_anything_has_the_share_of_one_of_ten():
    part = OwnPart(LIMIT)
    assert (part.left(0), part.limit(0), part.alone(0)) == (share_of(LIMIT, 10), share_of(LIMIT, 10), True)


def test_a_new_node_has_nothing_where_everybody_may_be_new_and_then_waits_for_all_others():
    part = OwnPart(LIMIT)
    hear(part, answer(0, since_ms=THERE_MS), 0, UNKNOWN_NODES)
    assert (part.apart, part.left(0)) == (True, 0)
    hear(part, answer(YOUNG_MS, oldest_ms=THERE_MS - 1, since_ms=THERE_MS), YOUNG_MS, UNKNOWN_NODES)
    assert (part.apart, part.left(YOUNG_MS)) == (True, share_of(LIMIT, 10))
    hear(part, answer(YOUNG_MS, oldest_ms=THERE_MS, since_ms=THERE_MS), YOUNG_MS, UNKNOWN_NODES)
    assert not part.apart


def test_alone_it_waits_then_has_what_it_had_and_after_a_minute_its_share():
    part = together(has=5)
    assert wait_of(part, "soon", 1000, 5000) > 5000, "what it had is still counted"
    assert wait_of(part, "a", 1000, WINDOW_MS) == WINDOW_MS - 1000
    for number in range(5):
        part.log.give_back(f"had {number}")
    part.log.give_back("a")
    assert wait_of(part, "b", 1000, 0) == SILENT_MS - 1000
    assert [wait_of(part, str(number), SILENT_MS, 0) for number in range(5)] == [0] * 5
    assert wait_of(part, "more", SILENT_MS, 0) > 0
    assert part.limit(ALONE_MS - 1) == 5
    assert part.limit(ALONE_MS) == share_of(LIMIT, 3)


def test_before_it_is_alone_it_learns_how_long_it_would_wait_and_gets_no_place():
    """It may be heard of again, and then the others keep nothing aside for it."""
    part = together(has=1)
    part.log.give_back("had 0")
    wait_of(part, "spare", 0, 0, given_ms=0)
    hear(part, answer(1000), 1000, 3)
    assert wait_of(part, "a", 1000, WINDOW_MS) == WINDOW_MS
    part.log.give_back("spare")
    assert wait_of(part, "a", 1000, WINDOW_MS) == SILENT_MS
    assert part.log.places(1000) == []
    assert wait_of(part, "a", 1000, 0, given_ms=0) == 0


def test_what_will_soon_be_over_others_may_have_got_already():
    """They were given it ahead, before its share was aside."""
    part = OwnPart(LIMIT)
    hear(part, answer(0), 0, 3)
    for at_ms in (0, SILENT_MS, SILENT_MS + AHEAD_MS - 1, SILENT_MS + AHEAD_MS):
        part.log.write(str(at_ms), at_ms)
    hear(part, answer(WINDOW_MS - 1), WINDOW_MS - 1, 3)
    assert part.limit(WINDOW_MS - 1) == 1


def test_it_is_alone_when_it_has_heard_nothing_for_so_long():
    part = together(10_000)
    assert [part.alone(10_000 + ms) for ms in (0, SILENT_MS - 1, SILENT_MS)] == [False, False, True]
    assert SILENT_MS + HOLD_MS + AHEAD_MS < ALONE_MS - SILENT_MS < KNOWN_MS


def test_a_node_that_had_nothing_gets_its_share_after_a_minute():
    part = together()
    assert wait_of(part, "a", SILENT_MS, WINDOW_MS) == ALONE_MS - SILENT_MS
    assert part.left(ALONE_MS - 1) == 0
    assert part.left(ALONE_MS) == share_of(LIMIT, 3)


def test_a_node_never_has_more_than_its_share_by_itself():
    assert together(has=LIMIT).limit(SILENT_MS) == share_of(LIMIT, 3)


def test_on_a_new_connection_it_waits_until_all_have_heard_a_later_answer():
    part = together(has=5)
    part.connected(100, same=False)
    assert (part.apart, part.heard_there_ms, part.limit(100)) == (True, 0, 5)
    assert not hear(part, answer(200, oldest_ms=THERE_MS + 199), 200, 3)
    assert part.apart
    hear(part, answer(300, oldest_ms=THERE_MS + 199), 300, 3)
    assert part.apart
    hear(part, answer(400, oldest_ms=THERE_MS + 200), 400, 3)
    assert not part.apart


def test_a_new_connection_to_the_same_place_changes_nothing():
    part = together(has=5)
    part.connected(100, same=True)
    assert (part.apart, part.heard_there_ms) == (False, 0)
    hear(part, answer(200, oldest_ms=THERE_MS - 5000), 200, 3)
    assert not part.apart


def test_a_new_node_at_a_place_that_has_long_been_complete_need_not_wait_but_has_no_share_yet():
    """The others do not know of it: their shares are of fewer nodes."""
    part = OwnPart(LIMIT)
    hear(part, answer(0, oldest_ms=THERE_MS - 1), 0, UNKNOWN_NODES)
    assert (part.apart, part.nodes) == (False, UNKNOWN_NODES)
    hear(part, answer(10, oldest_ms=THERE_MS - 1), 10, UNKNOWN_NODES)
    assert part.nodes == UNKNOWN_NODES
    hear(part, answer(20, oldest_ms=THERE_MS), 20, UNKNOWN_NODES)
    assert part.nodes == 3


def test_what_the_other_place_gives_for_later_is_not_used_before():
    part = together(has=5)
    part.connected(100, same=False)
    part.log.give_back("had 0")
    assert wait_of(part, "a", 200, 5000, given_ms=3200) == 3000
    part.log.give_back("had 1")
    assert wait_of(part, "b", 200, 5000, given_ms=100) == 0


def test_one_that_never_comes_back_is_not_waited_for_for_ever():
    part = together(has=5)
    part.connected(100, same=False)
    for now_ms in range(200, 100 + APART_MS, 700):
        hear(part, answer(now_ms, oldest_ms=THERE_MS), now_ms, 3)
        assert part.apart
    hear(part, answer(100 + APART_MS, oldest_ms=THERE_MS), 100 + APART_MS, 3)
    assert not part.apart


def test_what_was_forgotten_is_written_again_and_as_many_as_before_have_to_come_back():
    part = together(has=5)
    assert hear(part, answer(1000, nodes=1, since_ms=THERE_MS + 900), 1000, 3)
    assert (part.apart, part.limit(1000)) == (True, 5)
    assert not hear(part, answer(2000, nodes=2, since_ms=THERE_MS + 900), 2000, 3)
    assert part.apart
    hear(part, answer(3000, nodes=3, since_ms=THERE_MS + 900), 3000, 3)
    assert not part.apart


def test_a_node_that_the_others_do_not_know_yet_waits_for_those_that_it_knew_and_not_for_ten():
    part = OwnPart(LIMIT)
    hear(part, answer(0, oldest_ms=THERE_MS - 1), 0, UNKNOWN_NODES)
    assert (part.apart, part.nodes) == (False, UNKNOWN_NODES)
    assert hear(part, answer(1000, nodes=1, since_ms=THERE_MS + 900), 1000, UNKNOWN_NODES)
    hear(part, answer(2000, nodes=2, since_ms=THERE_MS + 900), 2000, UNKNOWN_NODES)
    assert part.apart
    hear(part, answer(3000, nodes=3, since_ms=THERE_MS + 900), 3000, UNKNOWN_NODES)
    assert not part.apart


def test_a_clock_that_is_set_forward_makes_places_be_written_again():
    part = together(has=5)
    late = View(3, THERE_MS + 500, THERE_MS + 500, OLD_MS)
    assert not hear(part, late, 2500, 3, asked_ms=500), "an answer that came late"
    assert not hear(part, answer(2600), 2600, 3), "and one that did not"
    ahead_ms = 2700 + own_part.JUMP_MS
    assert not hear(part, answer(ahead_ms), 2700, 3), "nearly"
    assert hear(part, answer(ahead_ms + 1, oldest_ms=THERE_MS + 2600), 2700, 3)
    assert part.apart


def test_a_loop_that_was_late_for_its_first_answer_does_not_make_the_clock_seem_set():
    part = OwnPart(LIMIT)
    hear(part, answer(100), 5000, 3, asked_ms=100)
    assert not hear(part, answer(5100), 5100, 3)


def test_a_clock_that_runs_too_fast_makes_places_be_written_again_before_one_is_over_too_early():
    """Each step is a small one. What it was ahead more than a window ago does not matter."""
    part, slow, fast = together(), 5, 20
    for now_ms in range(0, 10 * WINDOW_MS, 1000):
        assert not hear(part, answer(now_ms + slow * now_ms // 1000), now_ms, 3)
    began_ms = now_ms
    for now_ms in range(began_ms, began_ms + WINDOW_MS, 1000):
        ahead_ms = slow * now_ms // 1000 + fast * (now_ms - began_ms) // 1000
        if hear(part, answer(now_ms + ahead_ms), now_ms, 3):
            return
    raise AssertionError("it was not noticed")


def test_its_share_is_of_as_many_nodes_as_it_has_told():
    """What the others keep aside for it is by that number: fewer count only when they have heard of it."""
    part = together(has=LIMIT)
    hear(part, answer(10, nodes=2), 10, 3)
    assert (part.nodes, part.limit(10 + SILENT_MS)) == (2, share_of(LIMIT, 3))
    hear(part, answer(20, nodes=2), 20, 2)
    assert part.limit(20 + SILENT_MS) == share_of(LIMIT, 2)
    hear(part, answer(30, nodes=4), 30, 2)
    assert part.limit(30 + SILENT_MS) == share_of(LIMIT, 4)
