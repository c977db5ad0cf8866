"""G.711 mu-law and A-law, both ways, by table.

It knows the two laws of ITU-T G.711 in the form of the ITU's own reference arithmetic (G.191), so every code
and every tie between two codes comes out as there. It knows nothing of rates, streams or formats' names.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
Codes = NDArray[np.uint8]

_MU_BIAS = 33  # in 14-bit steps: it moves the segment borders onto powers of two
_MU_CLIP = 0x1FFF
_A_INVERT = 0x55  # every other bit is sent inverted, to keep transitions on the line


def mulaw_decode(codes: bytes) -> Samples:
    """One 16-bit sample per octet of mu-law."""
    return _mulaw_values()[np.frombuffer(codes, np.uint8)]


def mulaw_encode(samples: Samples) -> bytes:
    """One octet of mu-law per 16-bit sample."""
    return _mulaw_codes()[samples.view(np.uint16)].tobytes()


def alaw_decode(codes: bytes) -> Samples:
    """One 16-bit sample per octet of A-law."""
    return _alaw_values()[np.frombuffer(codes, np.uint8)]


def alaw_encode(samples: Samples) -> bytes:
    """One octet of A-law per 16-bit sample."""
    return _alaw_codes()[samples.view(np.uint16)].tobytes()


def _every_sample() -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """The magnitudes of all 65,536 samples in the order of their bit patterns, and which are negative.

    Negative samples are folded by one's complement: that is how the reference decides ties.
    """
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    negative = samples < 0
    return np.where(negative, ~samples, samples), negative


def _bit_length(values: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.frexp(values.astype(np.float64))[1].astype(np.int32)


@cache
def _mulaw_codes() -> Codes:
    folded, negative = _every_sample()
    biased = np.minimum((folded >> 2) + _MU_BIAS, _MU_CLIP)
    segment = 1 + _bit_length(biased >> 6)
    code = ((8 - segment) << 4) | (0xF - ((biased >> segment) & 0xF))
    codes: Codes = np.where(negative, code, code | 0x80).astype(np.uint8)
    return codes


@cache
def _mulaw_values() -> Samples:
    codes = np.arange(256, dtype=np.int32)
    exponent, mantissa = (~codes >> 4) & 7, ~codes & 0xF
    step = 8 << exponent
    magnitude = (0x80 << exponent) + step * mantissa + step // 2 - 4 * _MU_BIAS
    values: Samples = np.where(codes < 0x80, -magnitude, magnitude).astype(np.int16)
    return values


@cache
def _alaw_codes() -> Codes:
    folded, negative = _every_sample()
    steps = folded >> 4
    exponent = np.maximum(_bit_length(steps) - 4, 0)
    mantissa = (steps >> np.maximum(exponent - 1, 0)) & 0xF
    code = (exponent << 4) | mantissa
    codes: Codes = (np.where(negative, code, code | 0x80) ^ _A_INVERT).astype(np.uint8)
    return codes


@cache
def _alaw_values() -> Samples:
    codes = np.arange(256, dtype=np.int32)
    plain = (codes ^ _A_INVERT) & 0x7F
    exponent, mantissa = plain >> 4, plain & 0xF
    magnitude = (np.where(exponent > 0, mantissa + 16, mantissa) << 4) + 8
    magnitude = magnitude << np.maximum(exponent - 1, 0)
    values: Samples = np.where(codes >= 0x80, magnitude, -magnitude).astype(np.int16)
    return values
