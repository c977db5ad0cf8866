"""Whether one more session fits, by what was measured."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.admission import (
    BEYOND,
    CALM,
    CALM_SHARE,
    CAREFUL_GAP_S,
    LIMITS,
    RESERVED_S,
    Admission,
    AdmissionState,
    Load,
)

# As late as frames may be, and the sessions are why
ALL = Load(lag_s=0.006, busy=True, cpu=0.7, sessions=100)
LATE = Load(lag_s=0.030, cpu=0.5, sessions=100)
BUSY = Load(lag_s=0.001, cpu=0.80, sessions=180)
EASY = Load(lag_s=0.001, cpu=0.2, sessions=50)


def measured(*loads: Load) -> Admission:
    admission = Admission()
    for load in loads:
        admission.measured(load)
    return admission


def test_an_idle_server_takes_a_session():
    assert Admission().admits(0.0)


@pytest.mark.parametrize("load", [LATE, Load(cpu=0.9, sessions=9), Load(memory=0.95, sessions=9)])
def test_late_or_short_of_cpu_or_memory_is_full(load):
    admission = measured(*[load] * BEYOND)
    assert admission.state is AdmissionState.FULL
    assert not admission.admits(0.0)


def test_it_is_full_sooner_where_the_sessions_themselves_make_the_loop_late():
    assert measured(*[ALL] * BEYOND).state is AdmissionState.FULL
    by_others = dataclasses.replace(ALL, busy=False)  # a transcriber of this process needs the cores
    assert measured(*[by_others] * BEYOND).state is AdmissionState.OPEN


@pytest.mark.parametrize(("sessions", "most"), [(4, 2), (40, 2), (100, 5), (200, 10)])
def test_a_busy_server_takes_few_at_a_time_because_their_cost_shows_later(sessions, most):
    admission, begun = measured(Load(busy=True, cpu=0.6, sessions=sessions)), 0
    while admission.admits(0.0) and begun < 1000:
        admission.admitted(0.0)
        begun += 1
    assert begun == most
    assert not admission.admits(RESERVED_S - 0.1)
    assert admission.admits(RESERVED_S + 0.1)


def test_the_first_session_is_never_refused():
    assert measured(*[Load(lag_s=1.0, cpu=1.0)] * BEYOND).admits(0.0)


def test_one_late_moment_is_no_load():
    assert measured(EASY, LATE, EASY).state is AdmissionState.OPEN


def test_a_busy_server_makes_no_guesses_and_takes_one_session_after_the_other():
    admission = measured(*[BUSY] * BEYOND)
    assert (admission.state, admission.careful) == (AdmissionState.CAREFUL, True)
    assert admission.admits(0.0)
    admission.admitted(0.0)
    assert not admission.admits(CAREFUL_GAP_S - 0.01)
    assert admission.admits(CAREFUL_GAP_S)


def test_it_stays_full_until_it_has_been_calm_for_a_while_and_opens_in_steps():
    nearly = Load(lag_s=0.022)  # below the limit, and not well below
    admission = measured(*[LATE] * BEYOND, *[nearly] * 50)
    assert admission.state is AdmissionState.FULL
    states = []
    for _ in range(2 * CALM):
        admission.measured(EASY)
        states.append(admission.state)
    assert states == [AdmissionState.FULL] * (CALM - 1) + [AdmissionState.CAREFUL] * CALM + [
        AdmissionState.OPEN
    ]


def test_a_herd_is_not_let_in_before_its_cost_shows():
    """A hundred sessions need half a core: as many as fill the rest may begin, whatever is measured meanwhile."""
    admission, begun = measured(Load(cpu=0.5, sessions=100)), 0
    while admission.admits(0.0) and begun < 1000:
        admission.admitted(0.0)
        begun += 1
    assert begun == pytest.approx((0.88 - 0.5) / 0.005, abs=1)
    assert admission.admits(RESERVED_S + 0.1), "what they cost is measured by then"


@given(
    st.lists(
        st.builds(
            Load, st.floats(0, 1), st.booleans(), st.floats(0, 2), st.floats(0, 1), st.integers(0, 1000)
        )
        | st.floats(0, 5)
    )
)
def test_a_full_server_never_admits_and_an_idle_one_soon_does(steps):
    admission, now_s = Admission(), 0.0
    for step in steps:
        if isinstance(step, Load):
            admission.measured(step)
        else:
            now_s += step
            if admission.admits(now_s):
                admission.admitted(now_s)
        if admission.load.sessions:
            full = LIMITS[AdmissionState.FULL]
            assert not (admission.admits(now_s) and admission.load.cpu > full.cpu)
            assert not (admission.state is AdmissionState.FULL and admission.admits(now_s))
    for _ in range(2 * CALM + 1):
        admission.measured(Load())
    assert admission.state is AdmissionState.OPEN
    assert admission.admits(now_s + RESERVED_S + 1)


# At the limits, at the edges of being calm, and anywhere
LAGS = st.sampled_from(
    [
        0.0,
        0.002,
        0.0021,
        0.0026,
        0.0027,
        0.0033,
        0.0034,
        0.008,
        0.0081,
        0.010,
        0.0101,
        0.020,
        0.0201,
        0.025,
        0.0251,
    ]
) | st.floats(0, 1)
SHARES = st.sampled_from([0.0, 0.5, 0.51, 0.6, 0.61, 0.75, 0.76, 0.7, 0.71, 0.88, 0.89]) | st.floats(0, 1.5)
LOADS = st.builds(Load, LAGS, st.booleans(), SHARES, SHARES, st.integers(1, 1000))


@given(st.lists(st.tuples(LOADS, st.integers(1, 3)), max_size=30))
def test_it_changes_only_for_measurements_in_a_row_that_say_so(groups):
    admission, seen = Admission(), []
    for load, times in groups:
        for _ in range(times):
            before = admission.state
            admission.measured(load)
            seen.append(load)
            if admission.state > before:
                limits = LIMITS[admission.state]
                assert len(seen) >= BEYOND
                assert all(limits.exceeded(each) for each in seen[-BEYOND:])
            elif admission.state < before:
                assert admission.state == before - 1
                assert len(seen) >= CALM
                assert not any(LIMITS[before].exceeded(each, CALM_SHARE) for each in seen[-CALM:])


@given(st.lists(LOADS, max_size=20), LOADS)
def test_under_the_same_load_it_settles_and_stays(before, load):
    admission = measured(*before, *[load] * (BEYOND + 2 * CALM))
    settled = admission.state
    for _ in range(3 * CALM):
        admission.measured(load)
        assert admission.state is settled


@given(st.lists(LOADS | st.floats(0, 5), max_size=30), st.integers(1, 1000), st.integers(0, 40))
def test_whatever_happened_it_recovers_while_its_sessions_go_on(steps, sessions, gone):
    """Also where those that were let in have left again before their cost could show."""
    admission, now_s, places = Admission(), 0.0, []
    for step in steps:
        if isinstance(step, Load):
            admission.measured(step)
        else:
            now_s += step
            if admission.admits(now_s):
                admission.admitted(now_s)
                places.append(now_s)
    for place in places[:gone]:
        admission.gone(place)
    calm = Load(lag_s=0.002, busy=True, cpu=0.6, memory=0.68, sessions=sessions)
    for _ in range(2 * CALM):
        admission.measured(calm)
    assert admission.state is AdmissionState.OPEN
    assert admission.admits(now_s + RESERVED_S + 0.1)
