"""The sounds of the scripted users, by name, as bytes in an audio format of the protocol.

Speech is a recording, or the sandbox's voice if there are no recordings. Knows no events.
"""

from __future__ import annotations

from functools import cache

import numpy as np

RATES = {"audio/pcm": 24_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}  # Hertz
BYTES_PER_MS = {"audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8}
BLOCK_MS = 100
LEAD_IN_S = 0.4


def blocks(sound: str, law: str, then_silence_s: float) -> list[bytes]:
    """A sound in blocks of 100 ms; a short quiet part comes before speech."""
    samples = np.concatenate([_samples(sound, RATES[law]), _quiet(then_silence_s, RATES[law])])
    data = encoded(samples, law)
    size = BYTES_PER_MS[law] * BLOCK_MS
    return [data[start : start + size] for start in range(0, len(data), size)]


def _quiet(seconds: float, rate: int) -> np.ndarray:
    """Very quiet noise, not digital silence."""
    return np.random.default_rng(7).integers(-3, 4, int(seconds * rate)).astype(np.int16)


@cache
def _samples(sound: str, rate: int) -> np.ndarray:
    match sound.partition(":"):
        case "silence", _, seconds:
            return _quiet(float(seconds), rate)
        case "clip", _, name:
            return np.concatenate([_quiet(LEAD_IN_S, rate), _spoken(name, rate)])
    raise ValueError(f"unknown sound: {sound}")


def _spoken(name: str, rate: int) -> np.ndarray:
    import soxr

    from tests.clips import RATE, clip, clips, have_recordings

    chosen = clip(name) if have_recordings() else clips("en")[0]
    return soxr.resample(chosen.samples, RATE, rate).astype(np.int16)


def encoded(samples: np.ndarray, law: str) -> bytes:
    """16-bit samples as PCM, or as G.711 computed by formula, independently of the server's tables."""
    match law:
        case "audio/pcmu":
            return _mu_law(samples.astype(int))
        case "audio/pcma":
            return _a_law(samples.astype(int))
    return samples.astype("<i2").tobytes()


def _mu_law(x: np.ndarray) -> bytes:
    magnitude = np.minimum(np.abs(x), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    return bytes((~(np.where(x < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8))


def _a_law(x: np.ndarray) -> bytes:
    magnitude = np.minimum(np.where(x < 0, -x - 1, x), 32_767)
    exponent = np.maximum(np.floor(np.log2(np.maximum(magnitude, 1))).astype(int) - 7, 0)
    mantissa = (magnitude >> (np.maximum(exponent, 1) + 3)) & 15
    return bytes(((np.where(x < 0, 0, 0x80) | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8))
