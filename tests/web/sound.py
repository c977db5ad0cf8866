"""Comparing recordings: the position of one inside another, their similarity, and gaps."""

from __future__ import annotations

import base64
import wave
from pathlib import Path
from typing import Any

import numpy as np
import soxr

RATE = 24_000  # Hertz
PIECE = RATE // 5  # samples
SLACK = RATE // 100  # of a place, in samples
LONGEST_PAUSE = 5 * RATE
ALIKE = 0.9


def to_rate(samples: np.ndarray, rate: int, target: int = RATE) -> np.ndarray:
    """int16 samples at another rate."""
    return np.asarray(soxr.resample(samples, rate, target, quality="HQ")).astype(np.int16)


def locate(part: np.ndarray, whole: np.ndarray) -> tuple[int, float]:
    """(offset, normalized correlation) of the best match of `part` in `whole`; both have the same rate."""
    a, b = part.astype(float), np.concatenate([whole.astype(float), np.zeros(len(part))])
    size = 1 << (len(a) + len(b)).bit_length()
    cross = np.fft.irfft(np.fft.rfft(b, size) * np.conj(np.fft.rfft(a, size)), size)[: len(b) - len(a) + 1]
    power = np.concatenate([[0.0], np.cumsum(b**2)])
    norms = np.sqrt(np.maximum(power[len(a) :] - power[: -len(a)], 1.0) * np.sum(a**2))
    score = cross / norms
    best = int(np.argmax(score))
    return best, float(score[best])


def longest_gap_ms(sent: np.ndarray, recorded: np.ndarray, rate: int = RATE) -> float:
    """The longest run of zeros in `recorded` where `sent` had audio; both aligned and of the same length."""
    gap = longest = 0
    for loud, silent in zip(np.abs(sent) > 30, recorded == 0, strict=True):
        gap = gap + 1 if silent and (loud or gap) else 0
        longest = max(longest, gap)
    return longest * 1000 / rate


def assert_heard(sent: np.ndarray, recorded: np.ndarray) -> None:
    """Check that the recording holds all of what was sent, in order and once.

    Sound is real time: where a busy machine let the page starve, silence is allowed between two pieces. That the player
    adds none of its own is tested with an offline audio context.
    """
    at, score = locate(sent, recorded)
    if score >= ALIKE and longest_gap_ms(sent, recorded[at : at + len(sent)]) <= 20:
        return
    begins = [
        begin for begin in range(0, len(sent) - PIECE, PIECE) if np.abs(sent[begin:][:PIECE]).max() > 1000
    ]
    place, previous, pauses, torn = locate(sent[begins[0] :][:PIECE], recorded)[0], begins[0], 0, []
    for begin in begins:
        expected = place + begin - previous
        within = recorded[max(0, expected - SLACK) : expected + LONGEST_PAUSE + PIECE]
        offset, score = locate(sent[begin:][:PIECE], within)
        if score < ALIKE:
            torn.append(begin * 1000 // RATE)
            continue
        pauses += offset > 2 * SLACK
        place, previous = max(0, expected - SLACK) + offset, begin
    assert len(torn) <= pauses, (
        f"{len(torn)} of {len(begins)} pieces are missing, at {torn} ms, with {pauses} pauses"
    )


def write_wav(path: Path, samples: np.ndarray, rate: int) -> Path:
    """Write a mono int16 WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


async def recording(page: Any) -> np.ndarray:
    """Stop the page's `recorder`; its samples, int16 at RATE.

    As one string: a list of half a million numbers keeps this event loop, and with it the fake server, busy for seconds.
    """
    return np.frombuffer(base64.b64decode(await page.evaluate(STOPPED)), np.int16)


STOPPED = """async () => {
    const pcm = await recorder.stop(), bytes = new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    const pieces = [];
    for (let at = 0; at < bytes.length; at += 0x2000) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x2000)));
    return btoa(pieces.join(""));
}"""
