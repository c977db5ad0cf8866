"""What peaks of correlations prove, and where a sound is found in another."""

import numpy as np
import pytest

from realtime.core.echo_search import (
    CLEAR_PEAK,
    FAINT_PEAK,
    LAGS,
    LATEST_S,
    NEAR_BY_S,
    REMEMBERED_S,
    SEARCHED,
    SEARCHED_S,
    Sightings,
    find,
    find_near_by,
)
from realtime.core.sent_sound import RATE

CLEAR, FAINT = CLEAR_PEAK + 1, FAINT_PEAK + 1


def proved(*peaks):
    """Of searches at (time, delay, peak), which prove an echo."""
    sightings = Sightings()
    return [sightings.proves(*peak) for peak in peaks]


def test_a_clear_peak_is_an_echo_and_a_faint_one_alone_is_none():
    assert proved((10.0, 0.2, CLEAR)) == [True]
    assert proved((10.0, 0.2, FAINT), (11.0, 0.2, FAINT_PEAK - 1)) == [False, False]


@pytest.mark.parametrize("shared", [0.75, 0.5, 0.25])
def test_faint_peaks_of_mostly_the_same_sound_prove_nothing(shared):
    later_s = 10.0 + SEARCHED_S * (1 - shared)
    assert proved((10.0, 0.2, FAINT), (later_s, 0.2, FAINT)) == [False, False]


def test_faint_peaks_of_different_sound_prove_an_echo_whatever_was_seen_between_them():
    assert proved((10.0, 0.2, FAINT), (10.0 + SEARCHED_S, 0.2, FAINT)) == [False, True]
    between = [(10.0 + SEARCHED_S * part, 0.6, FAINT) for part in (0.25, 0.5, 0.75)]
    assert proved((10.0, 0.2, FAINT), *between, (10.0 + SEARCHED_S, 0.201, FAINT))[-1]


def test_faint_peaks_at_other_places_and_long_ago_prove_nothing():
    assert not proved((10.0, 0.2, FAINT), (11.0, 0.21, FAINT))[-1]
    assert not proved((10.0, 0.2, FAINT), (10.1 + REMEMBERED_S, 0.2, FAINT))[-1]


def test_what_was_forgotten_proves_nothing():
    sightings = Sightings()
    sightings.proves(10.0, 0.2, FAINT)
    sightings.forget()
    assert not sightings.proves(11.0, 0.2, FAINT)


@pytest.mark.parametrize("delay_s", [-0.05, 0.0, 0.31, 0.88])
def test_a_sound_is_found_at_its_delay(delay_s):
    sent = np.random.default_rng(2).normal(0, 1000, SEARCHED + LAGS).astype(np.float32)
    first = round((LATEST_S - delay_s) * RATE)
    heard = sent[first : first + SEARCHED]
    found_s, peak = find(heard, sent)
    assert found_s == pytest.approx(delay_s, abs=1 / RATE)
    assert peak > CLEAR_PEAK


@pytest.mark.parametrize("moved_s", [-0.012, 0.0, 0.009])
def test_a_known_echo_is_found_where_it_has_moved_to(moved_s):
    sound = np.random.default_rng(2).normal(0, 1000, SEARCHED + 2_000).astype(np.float32)
    place = 1_000 - round(moved_s * RATE)
    found_s, peak = find_near_by(sound[place : place + SEARCHED], sound[1_000 : 1_000 + SEARCHED])
    assert found_s == pytest.approx(moved_s, abs=1 / RATE)
    assert abs(found_s) <= NEAR_BY_S
    assert peak > CLEAR_PEAK


def test_silence_is_found_nowhere():
    silence, sound = np.zeros(SEARCHED, np.float32), np.ones(SEARCHED + LAGS, np.float32)
    assert find(silence, sound)[1] == 0
    assert find_near_by(silence, silence)[1] == 0
