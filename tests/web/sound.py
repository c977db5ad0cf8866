"""Comparing recordings: where one is inside another, how alike they are, and where there is nothing."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import soxr

RATE = 24_000  # Hertz


def to_rate(samples: np.ndarray, rate: int, target: int = RATE) -> np.ndarray:
    """int16 at another rate, still int16."""
    return np.asarray(soxr.resample(samples, rate, target, quality="HQ")).astype(np.int16)


def locate(needle: np.ndarray, hay: np.ndarray) -> tuple[int, float]:
    """(offset in `hay`, normalised correlation) of the best place for `needle`; both at one rate."""
    a, b = needle.astype(float), np.concatenate([hay.astype(float), np.zeros(len(needle))])
    size = 1 << (len(a) + len(b)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)[: len(b) - len(a) + 1]
    power = np.concatenate([[0.0], np.cumsum(b**2)])
    norms = np.sqrt(np.maximum(power[len(a) :] - power[: -len(a)], 1.0) * np.sum(a**2))
    score = cross / norms
    best = int(np.argmax(score))
    return best, float(score[best])


def longest_gap_ms(sent: np.ndarray, heard: np.ndarray, rate: int = RATE) -> float:
    """The longest run of exact zeros in `heard` where `sent` had sound; both aligned and of one length."""
    hole = longest = 0
    for loud, silent in zip(np.abs(sent) > 30, heard == 0, strict=True):
        hole = hole + 1 if silent and (loud or hole) else 0
        longest = max(longest, hole)
    return longest * 1000 / rate


def write_wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Mono int16 WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path
