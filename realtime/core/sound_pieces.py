"""Long sound in pieces, cut where it is quietest: between sentences rather than inside a word.

Where to cut depends on the sound before the cut and shortly after it only, so what has been cut stays so when the sound
grows. Pure: samples in, samples out. Does not know what is speech.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000  # Hertz
BLOCK_SAMPLES = 128
# Of the longest piece: from where to where it may be cut. So no piece is short but by choice, and neither is the rest
FROM, TO = 1 / 3, 3 / 4
AROUND_S = 0.6  # of quiet makes a good place: a sentence ends there, and its first and last sounds are soft
VOICE_PERCENTILE = 95  # of the blocks
FAR_BELOW_DB = -40.0  # the voice: what is below that is no quieter


def pieces(samples: NDArray[np.int16], longest_s: float) -> list[NDArray[np.int16]]:
    """These samples at 16 kHz, one after the other, in pieces of at most so many seconds."""
    found = []
    while len(samples) > longest_s * RATE:
        found.append(first_piece(samples, longest_s))
        samples = samples[len(found[-1]) :]
    return [*found, samples]


def first_piece(samples: NDArray[np.int16], longest_s: float) -> NDArray[np.int16]:
    """The first of the `pieces` of sound that is longer than this; it stays the same when the sound grows."""
    return samples[: _quietest(samples[: int(longest_s * RATE)])]


def _quietest(samples: NDArray[np.int16]) -> int:
    """Where to cut: in the middle of the longest and deepest quiet, or else at the least loud place."""
    blocks = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES].reshape(-1, BLOCK_SAMPLES)
    level_db = 10 * np.log10(np.maximum(1.0, np.square(blocks, dtype=np.float32).mean(axis=1)))
    level_db = np.maximum(level_db, np.percentile(level_db, VOICE_PERCENTILE) + FAR_BELOW_DB)
    around = np.bartlett(int(AROUND_S * RATE / BLOCK_SAMPLES))
    first, last = int(len(blocks) * FROM), int(len(blocks) * TO)
    weighed = np.convolve(level_db, around, "same")[first:last]
    return (first + int(np.argmin(weighed))) * BLOCK_SAMPLES + BLOCK_SAMPLES // 2
