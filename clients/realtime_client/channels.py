"""One channel from many, and many from one: devices with two, four or eight channels carry a conversation's one.

Pure: samples in, samples out; interleaved 16-bit PCM on the side of the device.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
_MEMORY = 0.9  # of the energy so far, with each block: a pause between two words changes nothing
_LOUDER = 4.0  # another channel is taken when it has so many times the energy (6 dB)


class Downmix:
    """The channel that is spoken into, of an input with `channels`.

    Adding all channels would make a microphone at one input of eight quiet, and two of opposite phase silent. So the
    one with the most energy of late is taken, and kept until another one is clearly louder.
    """

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.taken = 0
        self._energy = np.zeros(channels)

    def feed(self, interleaved: Samples) -> Samples:
        """One sample for each frame of a block. What does not fill a frame is dropped."""
        if self.channels == 1:
            return interleaved
        frames = interleaved[: len(interleaved) // self.channels * self.channels].reshape(-1, self.channels)
        if not len(frames):
            return frames[:, 0]
        self._energy = _MEMORY * self._energy + np.mean(frames.astype(np.float64) ** 2, axis=0)
        loudest = int(np.argmax(self._energy))
        if self._energy[loudest] > _LOUDER * self._energy[self.taken]:
            self.taken = loudest
        return np.ascontiguousarray(frames[:, self.taken])


def spread(mono: Samples, channels: int) -> Samples:
    """Interleaved samples for an output with `channels`: the same left and right, silence on what lies behind."""
    if channels == 1:
        return mono
    frames = np.zeros((len(mono), channels), np.int16)
    frames[:, :2] = mono[:, None]
    return frames.ravel()
