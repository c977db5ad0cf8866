"""Changing the rate of a stream with next to no delay: a windowed sinc, applied in blocks by one multiplication.

It knows filters. It does not know formats.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
Floats = NDArray[np.float32]

ZERO_CROSSINGS = 16  # of the sinc on either side of a sample: half of the filter, and all of its delay
PASSBAND = 0.92  # of the narrower band; what lies beyond fades before it can alias
KAISER_BETA = 8.0  # aliases at least 80 dB down
LARGEST_RATIO = 1000  # of the reduced rates: 44.1 to 16 kHz is 160 to 441
NOT_HEARD = 0.001  # of the rate: 1.7 hundredths of a semitone


class Resampler:
    """Changes the rate of a stream, chunk by chunk, without clicks at the seams.

    Equal rates pass through untouched. Otherwise it holds back 16 samples of the lower rate (1 ms at 24 to
    16 kHz, 2 ms at 8 to 16 kHz; between rates without a small ratio, such as 44.1 kHz, a block of 10 to 20 ms
    on top). The streaming library would hold back up to 20 and 61 ms for a softer band edge, and take half of
    the 20 us that 100 ms of sound cost here. Raises ValueError on rates that have no ratio of small numbers.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        if min(from_rate, to_rate) <= 0:
            raise ValueError(f"cannot resample from {from_rate} to {to_rate} Hz")
        self.from_rate = from_rate
        self.to_rate = to_rate
        divisor = math.gcd(from_rate, to_rate)
        self._up, self._down = to_rate // divisor, from_rate // divisor
        if max(self._up, self._down) > LARGEST_RATIO:
            raise ValueError(f"{from_rate} to {to_rate} Hz is no ratio of small numbers")
        self._reach, self._filter = _filter_bank(self._up, self._down)
        # Many blocks at once as long as there are enough: fewer samples are copied, for some products with nothing.
        many = max(1, 2 * self._reach // self._down)
        self._banks = [(n * self._down, _filter_bank(n * self._up, n * self._down)[1]) for n in (many, 1)]
        self._waiting: Floats = np.zeros(self._reach - 1, np.float32)
        self._fed = self._given = 0

    def feed(self, samples: Samples, last: bool = False) -> Samples:
        """What can be said about the new rate so far; with `last`, all the rest, and a new stream begins."""
        if self.from_rate == self.to_rate:
            return samples
        self._fed += len(samples)
        waiting = np.concatenate((self._waiting, samples.astype(np.float32)))
        if last:
            waiting = np.concatenate((waiting, np.zeros(self._missing(len(waiting)), np.float32)))
        out, self._waiting = self._blocks(waiting)
        self._given += len(out)
        if last:
            out = out[: len(out) + self._due() - self._given]
            self.reset()
        return out

    @property
    def held_ms(self) -> float:
        """Milliseconds of what was fed that have not been given out yet."""
        return 1000 * (self._fed / self.from_rate - self._given / self.to_rate)

    def reset(self) -> None:
        """Discard what is held back."""
        self._waiting = np.zeros(self._reach - 1, np.float32)
        self._fed = self._given = 0

    def _due(self) -> int:
        """How many samples all that was fed makes at the new rate."""
        return -(-self._fed * self._up // self._down)

    def _missing(self, waiting: int) -> int:
        """How much silence must follow so that every sample that is due can be computed."""
        blocks = -(-(self._due() - self._given) // self._up)
        return max(0, len(self._filter) + (blocks - 1) * self._down - waiting) if blocks > 0 else 0

    def _blocks(self, waiting: Floats) -> tuple[Samples, Floats]:
        """Every block of `up` samples that `waiting` is long enough for, and what stays waiting."""
        done = [np.zeros(0, np.float32)]
        for down, bank in self._banks:
            count = (len(waiting) - len(bank)) // down + 1
            if count > 0:
                step = waiting.itemsize
                windows = np.ndarray((count, len(bank)), np.float32, waiting, 0, (down * step, step))
                done.append((windows.copy() @ bank).ravel())
                waiting = waiting[count * down :]
        out = np.concatenate(done)
        np.rint(out, out=out)
        out.clip(-32768, 32767, out=out)  # the method: `np.clip` takes longer than the work
        return out.astype(np.int16), waiting.copy()


def resampled(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """A whole sound at another rate. Raises ValueError on rates that are too far apart.

    A ratio of large numbers (44,056 to 24,000 Hz) is taken for the nearest one of small numbers. In a stream the two
    would drift apart; in a sound that is whole nobody hears it.
    """
    ratio = Fraction(from_rate, to_rate)
    if ratio < 1:
        near = ratio.limit_denominator(LARGEST_RATIO)
    else:
        inverse = (1 / ratio).limit_denominator(LARGEST_RATIO)
        near = 1 / inverse if inverse else inverse
    if abs(near / ratio - 1) > NOT_HEARD:
        raise ValueError(f"{from_rate} Hz is too far from {to_rate} Hz")
    return Resampler(near.numerator, near.denominator).feed(samples, last=True)


@cache
def _filter_bank(up: int, down: int) -> tuple[int, Floats]:
    """How far the filter reaches, in samples of the old rate, and one column per sample of a block."""
    narrower = max(1.0, down / up)
    reach = math.ceil(ZERO_CROSSINGS * narrower)
    cut = PASSBAND / narrower
    at = np.arange(up) * down / up  # where the block's samples lie between the old ones
    old = np.arange(2 * reach + int(at[-1])) - (reach - 1)
    away = at[None, :] - old[:, None]
    inside = np.clip(1 - (away / reach) ** 2, 0, 1)
    window = np.where(np.abs(away) < reach, np.i0(KAISER_BETA * np.sqrt(inside)), 0.0)
    taps = cut * np.sinc(cut * away) * window
    return reach, (taps / taps.sum(axis=0)).astype(np.float32)
