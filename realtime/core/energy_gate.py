"""The energy gate: how long a voice has been quiet, compared with its own level, and how long a recording sounds.

A speech detector is late: Silero still calls it speech for about three frames after the last sound
(docs/engines.md 3). The energy tells the end to the block. Where the noise of the room is near the level of the voice
there is no quiet, and the detector alone decides. Pure: samples in, milliseconds out. Does not know what is speech.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK_SAMPLES = 128  # 8 ms at 16 kHz
BLOCK_MS = 8.0
# So far below the voice is quiet: with less there are ends inside words, with more some ends are missed.
FAR_BELOW = 10 ** (-28 / 20)
# A block raises the level by 1 dB at most, so that a click does not make the speech after it seem quiet ...
ATTACK = 10 ** (1 / 20)
# ... and lowers it by 2.5 dB a second: voices fall towards the end of a sentence.
DECAY = 10 ** (-0.02 / 20)

LEVEL_PERCENTILE = 95  # of the blocks of a recording: the level of its voice, whatever else clicks
HEARD_BELOW = 10 ** (-34 / 20)  # so far below that level a voice still sounds: more than it takes in speech


def sounding_s(samples: NDArray[np.int16]) -> float:
    """Seconds from the first to the last sound of a recording at 16 kHz, never less than its speech has taken."""
    if len(samples) < BLOCK_SAMPLES:
        return len(samples) / 16_000
    sounding = _sounding(samples)
    return float(sounding[-1] - sounding[0] + 1) * BLOCK_MS / 1000 if len(sounding) else 0.0


def stretches_s(samples: NDArray[np.int16], pause_s: float) -> list[tuple[float, float]]:
    """From where to where a recording at 16 kHz sounds, in seconds, with quiet of at least `pause_s` between them."""
    sounding = _sounding(samples)
    if not len(sounding):
        return []
    before = np.flatnonzero(np.diff(sounding) > pause_s * 1000 / BLOCK_MS)
    firsts = [int(sounding[0]), *sounding[before + 1].tolist()]
    lasts = [*sounding[before].tolist(), int(sounding[-1])]
    block_s = BLOCK_MS / 1000
    return [(first * block_s, (last + 1) * block_s) for first, last in zip(firsts, lasts, strict=True)]


def _sounding(samples: NDArray[np.int16]) -> NDArray[np.intp]:
    """The numbers of the blocks that sound."""
    blocks = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    if not len(blocks):
        return np.zeros(0, np.intp)
    peaks = np.maximum(blocks.max(axis=1), -blocks.min(axis=1).astype(np.int32))
    return np.flatnonzero(peaks >= max(1.0, _percentile(peaks, LEVEL_PERCENTILE) * HEARD_BELOW))


def _percentile(values: NDArray[np.int32], percent: float) -> float:
    """The same as `np.percentile`, which takes longer to look at its arguments than to answer."""
    place = (len(values) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(values) - 1)
    parted = np.partition(values, (below, above))
    return float(parted[below]) + float(parted[above] - parted[below]) * (place - below)


class EnergyGate:
    """Follows one utterance. Start a new one, or `reset`, for the next."""

    def __init__(self) -> None:
        self.reset()

    def __repr__(self) -> str:
        return f"<EnergyGate quiet for {self._quiet_ms:.0f} ms, voice at {self._level:.0f}>"

    def reset(self) -> None:
        """The utterance is over: the next voice has its own level."""
        self._level = 0.0  # about the loudest sample of a block of this voice
        self._quiet_ms = 0.0

    def feed(self, frame: NDArray[np.int16], *, voiced: bool) -> float:
        """Milliseconds of quiet up to the end of this frame. `voiced`: the detector takes the frame for speech."""
        # As unsigned numbers, the most negative sample has a size, too
        sizes = np.abs(frame).view(np.uint16).reshape(-1, BLOCK_SAMPLES)
        for size in sizes.max(axis=1).tolist():
            peak = max(size, 1)
            if not self._level:
                self._level = float(peak)
            if peak < self._level * FAR_BELOW:
                self._quiet_ms += BLOCK_MS
                continue
            self._quiet_ms = 0.0
            if voiced:
                self._level = min(max(peak, self._level * DECAY), self._level * ATTACK)
        return self._quiet_ms
