"""Speech of which a test can tell every word: each is a tone of its own, and `ToneReader` reads what it is given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import numpy as np

from realtime.errors import ProviderUnavailable
from realtime.providers.base import VAD_RATE, Samples, Transcriber, Transcript
from tests.conversing import Talk

WIRE_RATE = 24_000
WORD_S, GAP_S = 0.4, 0.1
LOUD, SOFT = 12_000, 1_500  # a gap is no silence for the detector, and quieter than a word
FIRST_HZ, STEP_HZ = 200, 8
LEAST_S = 0.2  # of a word: what is shorter is not read
SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]


def word(number: int) -> str:
    return SYLLABLES[number // len(SYLLABLES)] + SYLLABLES[number % len(SYLLABLES)]


def words(first: int, last: int) -> str:
    """The text of these words, the last one not included."""
    return " ".join(map(word, range(first, last)))


def spoken(first: int, last: int) -> list[bytes]:
    """Their sound on the wire, 100 ms at a time."""
    sound = np.concatenate([_sound(number) for number in range(first, last)]).astype("<i2").tobytes()
    size = 2 * WIRE_RATE // 10
    return [sound[start : start + size] for start in range(0, len(sound), size)]


def _sound(number: int) -> np.ndarray:
    hertz = FIRST_HZ + STEP_HZ * number
    tone = LOUD * np.sin(2 * np.pi * hertz * np.arange(int(WORD_S * WIRE_RATE)) / WIRE_RATE)
    gap = SOFT * np.sin(2 * np.pi * 300 * np.arange(int(GAP_S * WIRE_RATE)) / WIRE_RATE)
    return np.concatenate([tone, gap])


async def tell(talk: Talk, first: int, last: int) -> None:
    """Say these words, in real time."""
    for part in spoken(first, last):
        await talk.append(part)
        await asyncio.sleep(0.1)


def read(samples: Samples) -> str:
    block = VAD_RATE // 100
    peaks = np.abs(samples[: len(samples) // block * block].reshape(-1, block)).max(axis=1, initial=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], peaks > LOUD // 2, [0]])))
    found = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if (end - start) * block >= LEAST_S * VAD_RATE:
            tone = samples[(start + 2) * block : (end - 2) * block]  # without what is of the gaps
            crossings = np.flatnonzero(np.diff(np.signbit(tone)))
            hertz = (len(crossings) - 1) / 2 * VAD_RATE / (crossings[-1] - crossings[0])
            found.append(word(round((hertz - FIRST_HZ) / STEP_HZ)))
    return " ".join(found)


@dataclass
class ToneReader(Transcriber):
    """`asked` has seconds of sound and `final` of each call, `stopped` those that were cancelled. Of the careful decodes
    the first `failing` of long sound fail."""

    interim: bool = True
    interim_s: float = 0.6  # that a decode takes
    final_s: float = 0.5
    failing: int = 0
    name: str = "tones"
    asked: list[tuple[float, bool]] = field(default_factory=list)
    stopped: list[float] = field(default_factory=list)

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        seconds = len(samples) / VAD_RATE
        self.asked.append((seconds, final))
        try:
            await asyncio.sleep(self.final_s if final else self.interim_s)
        except asyncio.CancelledError:
            self.stopped.append(seconds)
            raise
        if final and seconds > 5 and self.failing > 0:
            self.failing -= 1
            raise ProviderUnavailable("It is away.")
        return Transcript(read(samples))
