"""Where long sound is cut: at its quiet places."""

import numpy as np
import pytest

from realtime.core.sound_pieces import FROM, RATE, TO, first_piece, pieces

RNG = np.random.default_rng(7)
LONGEST_S = 27.0


def voice(seconds: float, peak: float = 9000) -> np.ndarray:
    return (RNG.uniform(-peak, peak, int(seconds * RATE))).astype(np.int16)


def spoken(*parts: tuple[float, float]) -> np.ndarray:
    """Speech of so many seconds, each part with a pause of so many after it."""
    return np.concatenate([np.concatenate([voice(s), voice(pause_s, 20)]) for s, pause_s in parts])


def ends_s(samples: np.ndarray) -> list[float]:
    return [float(end) / RATE for end in np.cumsum([len(piece) for piece in pieces(samples, LONGEST_S)])]


@pytest.mark.parametrize("seconds", [0.0, 3.0, LONGEST_S])
def test_what_is_not_long_is_one_piece(seconds: float) -> None:
    sound = voice(seconds)
    assert [piece.tolist() for piece in pieces(sound, LONGEST_S)] == [sound.tolist()]


@pytest.mark.parametrize("seconds", [27.1, 60.0, 121.0])
def test_the_pieces_are_the_whole_sound_and_none_is_short_or_too_long(seconds: float) -> None:
    sound = voice(seconds)
    found = pieces(sound, LONGEST_S)
    assert np.array_equal(np.concatenate(found), sound)
    assert all(len(piece) <= LONGEST_S * RATE for piece in found)
    assert all(len(piece) >= min(FROM, 1 - TO) * LONGEST_S * RATE - RATE for piece in found)


def test_a_sound_is_cut_in_its_longest_pause() -> None:
    sound = spoken((11, 0.2), (3, 0.5), (2, 0.3), (14, 0.0))
    cut_s, _ = ends_s(sound)
    assert 14.2 < cut_s < 14.7, "the pause of half a second"


def test_where_noise_leaves_no_quiet_the_least_loud_place_will_do() -> None:
    sound = np.concatenate([voice(15), voice(0.3, 4000), voice(15)])
    cut_s, _ = ends_s(sound)
    assert 15.0 < cut_s < 15.3


def test_what_was_cut_stays_so_when_the_sound_grows() -> None:
    sound = spoken(*[(2.7, 0.3)] * 30)
    whole = ends_s(sound)[:-1]
    for seconds in (28, 45, 70):
        cuts = ends_s(sound[: seconds * RATE])[:-1]
        assert cuts
        assert cuts == whole[: len(cuts)]


def test_the_first_piece_is_the_first_of_all_also_when_the_sound_has_grown() -> None:
    sound = spoken(*[(2.7, 0.3)] * 20)
    first = pieces(sound, LONGEST_S)[0]
    for seconds in (28, 59):
        assert np.array_equal(first_piece(sound[: seconds * RATE], LONGEST_S), first)
