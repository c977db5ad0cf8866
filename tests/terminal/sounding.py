"""What a recording of a real device holds of the sound that was played: the pauses of a busy machine are counted.

A sound server on a busy machine may fall silent in the middle of anything. So nothing here depends on when a piece
sounded: silence is taken out, and what is left must be the sound that was played, all of it, in order and once.
That the player itself adds no silence is the law of `test_player.py` and `test_any_device.py`, without a device.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

RATE = 24_000  # Hertz
QUIET = 50  # of 32768: below this, a sample is silence
PAUSE_SAMPLES = RATE * 5 // 1000  # the sounds of the tests are never silent for so long
DRIFT_SAMPLES = RATE // 100  # that a piece may be displaced where a pause was taken out
SAME = 0.8  # likeness of two pieces that are the same, after two conversions of the rate


class Sounding(NamedTuple):
    """A sound without its silence, and how many pauses were inside of it."""

    sound: np.ndarray
    pauses: int


def sounding(recorded: np.ndarray) -> Sounding:
    """The recording without any silence of 5 ms or more."""
    loud = np.flatnonzero(np.abs(recorded.astype(int)) >= QUIET)
    if not len(loud):
        return Sounding(recorded[:0], 0)
    breaks = np.flatnonzero(np.diff(loud) > PAUSE_SAMPLES)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, len(loud) - 1]] + 1
    kept = np.concatenate([recorded[start:end] for start, end in zip(starts, ends, strict=True)])
    return Sounding(kept, len(breaks))


def wrong_pieces(recorded: np.ndarray, said: np.ndarray, piece_ms: int = 100) -> list[int]:
    """Which pieces of `said` are not at their place in the recorded sound, by number; the last, shorter one is left out.

    A piece in which the machine paused is torn: so many may be wrong.
    """
    heard, size = sounding(recorded).sound.astype(float), RATE * piece_ms // 1000
    return [
        number
        for number in range(len(said) // size)
        if _likeness(heard, said[number * size :][:size].astype(float), number * size) < SAME
    ]


def _likeness(heard: np.ndarray, piece: np.ndarray, at: int) -> float:
    """The greatest likeness of a piece with what was heard near this place; 1 is the same."""
    first = max(0, at - DRIFT_SAMPLES)
    near = heard[first : at + len(piece) + DRIFT_SAMPLES]
    # The last piece may lack its last samples: a resampler keeps them
    near = np.pad(near, (0, DRIFT_SAMPLES))
    if len(near) < len(piece):
        return 0.0
    power = np.convolve(near**2, np.ones(len(piece)), mode="valid")
    products = np.correlate(near, piece, mode="valid")
    return float(np.max(products / np.sqrt(np.maximum(power, 1.0) * np.sum(piece**2))))
