"""The uncommitted audio of one microphone, by its position in all audio of the stream.

Holds 16-bit mono PCM at one rate, the newest `keep_ms` of it; what is older is discarded. Pure: it does not know what
is speech, or when it is committed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


class AudioBuffer:
    """A window that slides over a stream of samples."""

    def __init__(self, rate: int, keep_ms: float) -> None:
        self.rate = rate  # Hertz
        self.keep_ms = keep_ms
        self._keep_bytes = 2 * self._sample(keep_ms)
        self._pcm = bytearray()
        self._start = 0  # sample position of the first kept sample

    def begin_at(self, ms: float) -> None:
        """What comes first has this position: before it there was audio that another buffer held."""
        self._start = self._sample(ms)

    @property
    def start_ms(self) -> float:
        """The position of the oldest sample that is kept."""
        return self._start * 1000 / self.rate

    @property
    def end_ms(self) -> float:
        """The position after the newest sample: the clock of all that is measured in audio."""
        return (self._start + len(self._pcm) // 2) * 1000 / self.rate

    @property
    def buffered_ms(self) -> float:
        """How much audio is kept."""
        return len(self._pcm) // 2 * 1000 / self.rate

    def append(self, samples: Samples) -> None:
        """Newer audio, at `rate`."""
        self._pcm += samples.tobytes()
        if len(self._pcm) > self._keep_bytes:
            self._discard_before(self.end_ms - self.keep_ms)

    def since(self, from_ms: float, to_ms: float | None = None) -> Samples:
        """A copy of the samples from `from_ms` to `to_ms` (default: the newest), as far as they are kept."""
        first = max(0, self._sample(from_ms) - self._start)
        last = len(self._pcm) // 2 if to_ms is None else max(first, self._sample(to_ms) - self._start)
        with memoryview(self._pcm) as pcm:  # a slice of the bytes themselves would be one more copy
            return np.frombuffer(bytes(pcm[2 * first : 2 * last]), np.int16)

    def discard_before(self, ms: float) -> None:
        """Discard everything older than this position."""
        self._discard_before(ms)

    def clear(self) -> None:
        """Discard everything; positions keep counting."""
        self._discard_before(self.end_ms)

    def _sample(self, ms: float) -> int:
        return round(ms * self.rate / 1000)

    def _discard_before(self, ms: float) -> None:
        gone = min(self._sample(ms) - self._start, len(self._pcm) // 2)
        if gone > 0:
            del self._pcm[: 2 * gone]
            self._start += gone
