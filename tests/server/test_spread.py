"""Whose the next connection is: the worker's that has the fewest, and never nobody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.server.spread import OTHERS_S, STALE_S, Slot, WorkerTable, shared_rows

NOW_S = 1000.0


def slots_with(*loads: int, room: tuple[bool, ...] | None = None) -> list[Slot]:
    table = WorkerTable([0.0] * len(shared_rows(len(loads))))
    slots = [Slot(table, number) for number in range(len(loads))]
    for slot, load, free in zip(slots, loads, room or (True,) * len(loads), strict=True):
        slot.say(NOW_S, room=free, load=load, sessions=load)
    return slots


def takers(slots: list[Slot], now_s: float = NOW_S) -> list[int]:
    return [slot.number for slot in slots if slot.takes(now_s)]


@given(st.integers(2, 8), st.lists(st.integers(0, 7), max_size=80))
def test_connections_are_spread_evenly_whoever_looks_first(workers, order):
    """Any worker may be the first to see a connection: it takes it only if nobody has fewer."""
    slots, loads = slots_with(*[0] * workers), [0] * workers
    for first in order:
        for turn in range(workers):
            slot = slots[(first + turn) % workers]
            if slot.takes(NOW_S):
                loads[slot.number] += 1
                slot.took()
                slot.say(NOW_S, room=True, load=loads[slot.number], sessions=0)
                break
        else:
            pytest.fail("nobody takes it")
        assert max(loads) - min(loads) <= 1


@pytest.mark.parametrize(
    ("room", "expected"),
    [((True, True, True), [1]), ((True, False, True), [2]), ((False, False, True), [2])],
)
def test_a_worker_without_room_leaves_a_connection_to_the_others(room, expected):
    assert takers(slots_with(5, 1, 3, room=room)) == expected


def test_where_nobody_has_room_somebody_refuses():
    assert takers(slots_with(5, 1, 3, room=(False, False, False))) == [0, 1, 2]


def test_a_frozen_worker_is_not_waited_for():
    slots = slots_with(5, 1)
    slots[0].say(NOW_S + STALE_S, room=True, load=5, sessions=5)
    assert takers(slots[:1], NOW_S + STALE_S) == [0]


def test_a_worker_that_left_is_not_waited_for():
    slots = slots_with(5, 1)
    slots[1].leave()
    assert takers(slots[:1]) == [0]
    assert slots[0].table.sessions() == 5


def test_somebody_takes_what_the_next_one_leaves_lying():
    busy, late = slots_with(5, 1)
    assert not busy.takes(NOW_S)
    assert not busy.takes(NOW_S + OTHERS_S * 0.9)
    late.took()  # it works on the queue: the wait begins again
    assert not busy.takes(NOW_S + OTHERS_S)
    assert not busy.takes(NOW_S + OTHERS_S * 1.9)
    assert busy.takes(NOW_S + OTHERS_S * 2.1)
    busy.took()
    assert not busy.takes(NOW_S + OTHERS_S * 2.1)
