"""The benchmark of a shared account: it counts windows as they are, and lives a short day."""

from __future__ import annotations

import pytest

from bench import account
from bench.account import Day, judge, live, more_than_local, most, rows, use
from tests.cluster import redis_server


def test_the_most_in_any_minute_and_the_use_are_those_of_sliding_windows():
    times_s = [float(number) for number in range(30, 90)] + [float(number) for number in range(120, 150)]
    assert most(times_s, 0.0, 200.0) == 60
    assert most(times_s, 120.0, 200.0) == 31, "of 89.0 and those after 120"
    assert most(sorted([*times_s, 88.5]), 0.0, 200.0) == 61
    assert most(times_s, 0.0, 40.0) == 10
    assert use(times_s, 60, 30.0, 90.0) == 1.0
    assert use(times_s, 60, 90.0, 150.0) == 0.5
    assert use(times_s, 60, 90.0, 100.0) == 0.0, "no whole minute"


def test_a_day_is_told_in_one_row():
    day = Day("quiet", 60.0, parts=(("all of it", 0.0, 60.0),))
    [row] = rows([judge(day, 10, [1.0, 2.0, 61.0], 3)])
    assert row == ["quiet", 10, 2, 2, "20%", "all of it: 20% (most 2)", 3]


def test_what_the_shared_budget_adds_is_told_by_rounds():
    more = more_than_local({"local": [100.0, 300.0], "shared": [101.0, 302.0]})
    assert (more["shared"].p50, more["shared"].most) == (1.5, 2.0)


@pytest.mark.parametrize("shared", [True, False])
async def test_a_short_day(shared: bool):
    redis_server.require()
    acts = ((0.5, account._kill_node), (1.0, account._kill_redis)) if shared else ()
    for seconds in (2.0, 10.0, 60.0):  # a busy machine may ask nothing in so short a day
        if (seen := await live(Day("short", seconds, acts, shared=shared), 120)).asked:
            break
    assert 1 <= seen.asked <= 120
    assert (seen.most, seen.refused) == (seen.asked, 0)
