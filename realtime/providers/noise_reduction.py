"""Less noise in the microphone's sound, by WebRTC's suppressor, where a client asks for it and the library is there.

Steady noise becomes quieter; voices behind the speaker do not, and turn detection gains nothing (bench/README.md), so
it is off unless a session asks. It knows samples at 16 kHz; it does not know sessions.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

import numpy as np

from realtime.errors import install_extra
from realtime.providers.base import VAD_RATE, NoiseReduction, Samples
from realtime.providers.weights import has_module

log = logging.getLogger(__name__)

MODULE = "webrtc_noise_gain"
BLOCK_SAMPLES = VAD_RATE // 100  # the library takes 10 ms at a time
# Of the library's 1 to 4: a microphone far away takes more of the room
LEVELS = {"near_field": 1, "far_field": 3}


class Suppressor(Protocol):
    """The library's processor: 10 ms of 16-bit samples in, as many out."""

    def Process10ms(self, audio: bytes) -> Any: ...


class WebRtcNoiseReduction:
    """One stream. As many samples come out as go in; less than 10 ms of them wait for the rest of their block."""

    def __init__(self, suppressor: Suppressor) -> None:
        self._suppressor = suppressor
        self._held = np.zeros(0, np.int16)

    def __repr__(self) -> str:
        return f"<WebRtcNoiseReduction holds {self.held_ms:.1f} ms>"

    @property
    def held_ms(self) -> float:
        """How much sound waits."""
        return len(self._held) * 1000 / VAD_RATE

    def feed(self, samples: Samples) -> Samples:
        """The blocks that are whole by now, with less noise."""
        joined = np.concatenate([self._held, samples])
        whole = len(joined) // BLOCK_SAMPLES * BLOCK_SAMPLES
        self._held = joined[whole:]
        blocks = joined[:whole].astype("<i2").reshape(-1, BLOCK_SAMPLES)
        quieter = b"".join(self._suppressor.Process10ms(block.tobytes()).audio for block in blocks)
        return np.frombuffer(quieter, "<i2").astype(np.int16)

    def rest(self) -> Samples:
        """What waits, as it is: the stream ends."""
        held, self._held = self._held, np.zeros(0, np.int16)
        return held


def open_stream(kind: str) -> NoiseReduction | None:
    """For one microphone of this kind of the wire; None where the library is not installed."""
    if not has_module(MODULE):
        log.info("noise_reduction has no effect: %s", install_extra("noise"))
        return None
    from webrtc_noise_gain import AudioProcessor

    return WebRtcNoiseReduction(AudioProcessor(0, LEVELS[kind]))
