"""One channel from many, and many from one: devices and files may have eight, a conversation has one.

Samples in, samples out; interleaved 16-bit PCM on the side of the device or the file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
_MEMORY = 0.9  # of the energy so far, with each block: a pause between two words changes nothing
_LOUDER = 4.0  # another channel is taken when it has so many times the energy (6 dB)
_CHANGE_BLOCKS = 15  # a voice as loud that goes on in another channel is taken after so many blocks


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
        self.choose(frames)
        return np.ascontiguousarray(frames[:, self.taken])

    def choose(self, frames: Samples) -> int:
        """The channel to take, now that these frames have come (an array of frames by channels)."""
        if len(frames):
            self._energy = _MEMORY * self._energy + np.mean(frames.astype(np.float64) ** 2, axis=0)
            loudest = int(np.argmax(self._energy))
            if self._energy[loudest] > _LOUDER * self._energy[self.taken]:
                self.taken = loudest
        return self.taken


def one_channel(frames: Samples, block: int) -> Samples:
    """A whole recording (an array of frames by channels) as one channel, chosen for `block` frames at a time.

    As `Downmix` does it, but what comes next is known: no beginning of a word is lost to the channel before.
    """
    if frames.shape[1] == 1:
        return frames[:, 0]
    downmix = Downmix(frames.shape[1])
    blocks = [frames[at : at + block] for at in range(0, len(frames), block)]
    chosen = [downmix.choose(each) for each in blocks]
    ahead = chosen[_CHANGE_BLOCKS:] + chosen[-1:] * _CHANGE_BLOCKS
    return np.concatenate([frames[:0, 0], *(each[:, n] for each, n in zip(blocks, ahead, strict=False))])


def spread(mono: Samples, channels: int) -> Samples:
    """Interleaved samples for an output with `channels`: the same left and right, silence on what lies behind."""
    if channels == 1:
        return mono
    frames = np.zeros((len(mono), channels), np.int16)
    frames[:, :2] = mono[:, None]
    return frames.ravel()
