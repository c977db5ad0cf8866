"""What the tests of the sound rely on: pauses with their fades are forgiven; lost, repeated and foreign samples are found."""

from __future__ import annotations

import numpy as np
import pytest

from tests.web.tap import RATE, assert_once, put_out

SENT = (
    np.convolve(np.random.default_rng(5).standard_normal(RATE), np.ones(8) / 8, mode="same") * 9000
).astype(np.int16)
SENT[5000:7000] = 0
QUIET = np.concatenate([SENT[8000:20_000] // 50, SENT])  # speech often begins with the breath before it
RAMP = 48  # samples


def output(*pieces: np.ndarray) -> np.ndarray:
    """As the player puts it out: each piece fades in, and decays into a pause of 50 ms."""
    parts = [np.zeros(1000)]
    for piece in pieces:
        piece = piece.astype(float)
        piece[:RAMP] *= np.arange(RAMP)[: len(piece)] / RAMP
        parts += [piece, piece[-1] * (1 - 3 / RAMP) ** np.arange(1, 1200)]
    return np.rint(np.concatenate(parts)).astype(np.int16)


@pytest.mark.parametrize("cuts", [[], [9601], [479], [480], [9840, 9840 + 300], [6000], [600, 20_000]])
def test_pauses_are_forgiven(cuts: list[int]) -> None:
    assert_once(SENT, output(*np.split(SENT, cuts)))


@pytest.mark.parametrize("cuts", [[300], [11_900], [300, 5000, 20_000]])
def test_pauses_in_a_quiet_beginning_are_forgiven(cuts: list[int]) -> None:
    assert_once(QUIET, output(*np.split(QUIET, cuts)))


@pytest.mark.parametrize(
    "pieces",
    [
        [SENT[:9600], SENT[10_080:]],
        [np.concatenate([SENT[:9600], SENT[9120:]])],
        [SENT[:9600], SENT[9120:]],
        [np.concatenate([SENT[:9600], SENT[9840:]])],
        [SENT, SENT[-480:]],
        [SENT[12_000:], SENT[:12_000]],
        [SENT[:-480]],
    ],
    ids=["lost", "repeated", "repeated after a pause", "10 ms lost", "its end twice", "swapped", "no end"],
)
def test_what_is_not_the_sound_is_found(pieces: list[np.ndarray]) -> None:
    with pytest.raises(AssertionError):
        assert_once(SENT, output(*pieces))


@pytest.mark.parametrize("begin", [QUIET[600:], np.concatenate([QUIET[:600], QUIET])], ids=["lost", "twice"])
def test_a_quiet_beginning_that_is_not_the_sound_is_found(begin: np.ndarray) -> None:
    with pytest.raises(AssertionError):
        assert_once(QUIET, output(begin))


def test_a_sound_that_was_stopped_is_measured() -> None:
    faded = SENT[:9600].astype(float)
    faded[-128:] *= np.linspace(1, 0, 128)
    assert abs(put_out(SENT, output(faded)) - 9600) <= 480
