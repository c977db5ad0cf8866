"""How long a voice has been quiet: the end of its energy, which a detector of speech tells a few frames late.

Silero goes on calling it speech for about three frames after the last sound (shared/engines.md 3). Measured against how
loud this voice was so far, the end is known to the block. Where noise drowns the difference there is simply no quiet,
and the detector alone decides. Pure: samples in, milliseconds out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLOCK_SAMPLES = 128  # 8 ms at 16 kHz
BLOCK_MS = 8.0
FAR_BELOW = 10 ** (
    -28 / 20
)  # this much under the voice is quiet: less finds ends inside words, more misses some
ATTACK = 10 ** (
    1 / 20
)  # a block raises the level by 1 dB at most, so that a click does not make speech seem quiet
DECAY = 10 ** (-0.02 / 20)  # and lowers it by 2.5 dB a second: voices fall towards the end of a sentence


class EnergyGate:
    """Follows one utterance. Start a new one, or `reset`, for the next."""

    def __init__(self) -> None:
        self.reset()

    def __repr__(self) -> str:
        return f"<EnergyGate for {self._quiet_ms:.0f} ms, voice at {self._level:.0f}>"

    def reset(self) -> None:
        """Nobody speaks: forget the voice."""
        self._level = 0.0  # about the loudest sample of a block of this voice
        self._quiet_ms = 0.0

    def feed(self, frame: NDArray[np.int16], *, voiced: bool) -> float:
        """Milliseconds of quiet up to the end of this frame. `voiced`: the detector takes the frame for speech."""
        blocks = frame.reshape(-1, BLOCK_SAMPLES)
        for high, low in zip(blocks.max(axis=1).tolist(), blocks.min(axis=1).tolist(), strict=True):
            peak = max(high, -low, 1)
            if not self._level:
                self._level = float(peak)
            if peak < self._level * FAR_BELOW:
                self._quiet_ms += BLOCK_MS
                continue
            self._quiet_ms = 0.0
            if voiced:
                self._level = min(max(peak, self._level * DECAY), self._level * ATTACK)
        return self._quiet_ms
