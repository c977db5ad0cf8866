"""Where in the sent sound a microphone's sound is found: a cross-correlation of whitened spectra, and what it proves.

Two faint peaks at one place are an echo only if they come from different sound: searches that share most of their
samples share their accidents too. Pure: samples and times in, delays out. Knows no voices and no levels of an echo
(docs/turn-taking.md, "Echo").
"""

from __future__ import annotations

import functools
import math
from collections import deque

import numpy as np

from realtime.core.sent_sound import RATE, Floats

SEARCHED = 4096  # samples in which the delay is looked for: 0.5 s
SEARCHED_S = SEARCHED / RATE
# The delay is between these: buffers of the player, the network, the microphone
EARLIEST_S, LATEST_S = -0.1, 0.9

# The peak of the correlation over its root mean square. Of unrelated speech 99 of 100 are below 10, and the highest
# that was seen is 15; of an echo half are above 25.
CLEAR_PEAK = 17.0
FAINT_PEAK = 9.0  # enough if another sound had its peak at the same place
SAME_PLACE_S = 0.003
REMEMBERED_S = 2.0  # how long a faint peak waits for another
# How far a known echo may have moved until it is looked at again: a clock that runs faster, a short gap of the player
NEAR_BY_S = 0.016
CONFIRMS = 7.0  # the peak of a known echo over the root mean square: it is looked for at few places
WHITENING = 0.85  # 1 whitens fully, and lets noise count as much as speech

LAGS = int((LATEST_S - EARLIEST_S) * RATE)
LOWEST_HZ, HIGHEST_HZ = 200.0, 3_600.0
_FFT = 1 << (SEARCHED + LAGS - 1).bit_length()
_NEAR_BY = int(NEAR_BY_S * RATE)


class Sightings:
    """The faint peaks of the last searches."""

    def __init__(self) -> None:
        self._faint: deque[tuple[float, float]] = deque()  # when its sound ended, and its delay

    def __repr__(self) -> str:
        return f"<Sightings {len(self._faint)} faint>"

    def forget(self) -> None:
        """What follows is another sound."""
        self._faint.clear()

    def proves(self, end_s: float, delay_s: float, peak: float) -> bool:
        """Whether a peak in the sound that ended at `end_s` is an echo: clear, or faint as in other sound before it."""
        while self._faint and self._faint[0][0] < end_s - REMEMBERED_S:
            self._faint.popleft()
        if peak >= CLEAR_PEAK:
            return True
        if peak < FAINT_PEAK:
            return False
        before_s = end_s - SEARCHED_S + SAME_PLACE_S
        again = any(at_s <= before_s and abs(delay_s - seen_s) < SAME_PLACE_S for at_s, seen_s in self._faint)
        self._faint.append((end_s, delay_s))
        return again


def find(heard: Floats, sent: Floats) -> tuple[float, float]:
    """The delay in seconds at which the SEARCHED samples that were heard are most like what was sent, and how far that
    peak stands out. `sent`: SEARCHED + LAGS samples, that begin LATEST_S before the first that was heard."""
    values = np.abs(_correlation(heard, sent, _FFT)[: LAGS + 1])
    place, level = int(values.argmax()), rms(values)
    return LATEST_S - place / RATE, float(values[place]) / level if level else 0.0


def find_near_by(heard: Floats, sent: Floats) -> tuple[float, float]:
    """The same where the delay is known: how much later than that, at most NEAR_BY_S. `sent`: as many samples as were
    heard, with that delay."""
    values = np.abs(_correlation(heard, sent, len(heard)))
    near_by = np.concatenate((values[-_NEAR_BY:], values[: _NEAR_BY + 1]))
    place, level = int(near_by.argmax()), rms(values)
    return (_NEAR_BY - place) / RATE, float(near_by[place]) / level if level else 0.0


def rms(samples: Floats) -> float:
    """The root mean square."""
    return math.sqrt(float(samples @ samples) / len(samples))


def _correlation(heard: Floats, sent: Floats, size: int) -> Floats:
    """At each shift of what was sent; a negative one counts from the end."""
    band, cross = _in_band(size), np.zeros(size // 2 + 1, np.complex64)
    both = np.fft.rfft(sent, size)[band] * np.conj(np.fft.rfft(heard, size)[band])
    cross[band] = both * (1 / (np.abs(both) ** WHITENING + 1e-9))
    return np.fft.irfft(cross, size).astype(np.float32, copy=False)


@functools.cache
def _in_band(size: int) -> slice:
    """The part of a spectrum in which voices are."""
    bins = np.fft.rfftfreq(size, 1 / RATE)
    return slice(int(np.searchsorted(bins, LOWEST_HZ, "right")), int(np.searchsorted(bins, HIGHEST_HZ)))
