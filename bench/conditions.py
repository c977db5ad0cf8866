"""Sounds for the benchmark of turns, made from recordings: noise, telephone, room, level, speed, and hesitations.

Everything is computed with fixed seeds, so the same recording always gives the same sound. The true end of speech is
known: it is that of the clean recording. Knows no server and no detector.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from tests.clips import RATE, Clip

BEFORE_MS, AFTER_MS = 500, 6_000
ROOM_NOISE = 12.0  # standard deviation of a sample: -68 dBFS, a quiet room
LONGEST_S = 12.0  # a longer recording is cut in its longest pause before this
GAPS_MS = (400, 800, 1_200)  # of a hesitation
PLACES = (0.3, 0.55, 0.8)  # of the words of a sentence, where somebody hesitates
LEAST_WORDS = 5  # of a sentence that has such places
VOICES = 4  # of babble
_BLOCK_MS, _FLOOR_DB, _FADE_MS = 10, -35.0, 8

Samples = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sound:
    """What the microphone takes, at RATE. Times in ms from its first sample."""

    name: str  # of the recording
    language: str
    condition: str
    samples: NDArray[np.int16]
    end_ms: float  # of the speech
    hesitation: tuple[float, float] | None = None  # from, to: the speaker is silent, and not done


@dataclass(frozen=True, slots=True)
class Speech:
    """A recording, and where it sounds."""

    clip: Clip
    samples: Samples
    onset_ms: float
    end_ms: float

    @property
    def level(self) -> float:
        """Root mean square of the louder half of its blocks."""
        energies = np.sort(_energies(self.samples))
        return float(np.sqrt((energies[len(energies) // 2 :] ** 2).mean()))


_speeches: dict[str, Speech] = {}


def speech_of(clip: Clip) -> Speech:
    """The recording, cut to LONGEST_S."""
    if clip.id not in _speeches:
        _speeches[clip.id] = _speech_of(clip)
    return _speeches[clip.id]


def _speech_of(clip: Clip) -> Speech:
    samples = clip.samples.astype(np.float64)
    if clip.seconds > LONGEST_S:
        samples = samples[: _longest_pause(samples[: int(LONGEST_S * RATE)])]
    onset_ms, end_ms = _sounding(samples)
    return Speech(clip, samples, onset_ms, end_ms)


def _energies(samples: Samples) -> Samples:
    size = RATE * _BLOCK_MS // 1000
    blocks = samples[: len(samples) // size * size].reshape(-1, size)
    energies: Samples = np.sqrt((blocks**2).mean(axis=1)) + 1e-9
    return energies


def _sounding(samples: Samples) -> tuple[float, float]:
    energies = _energies(samples)
    loud = np.flatnonzero(20 * np.log10(energies / energies.max()) > _FLOOR_DB)
    return float(loud[0] * _BLOCK_MS), float((loud[-1] + 1) * _BLOCK_MS)


def _longest_pause(samples: Samples) -> int:
    """The middle of the longest quiet stretch in the second half."""
    energies = _energies(samples)
    quiet = 20 * np.log10(energies / energies.max()) <= _FLOOR_DB
    quiet[: len(quiet) // 2] = False
    best, length, run = 0, 0, 0
    for index, silent in enumerate(quiet):
        run = run + 1 if silent else 0
        if run > length:
            best, length = index - run // 2, run
    return (best or len(quiet)) * RATE * _BLOCK_MS // 1000


# -- conditions: the whole sound, silence around it included ------------------------------------------------------

Change = Callable[[Samples, Speech, Sequence[Speech], np.random.Generator], Samples]


def _same(sound: Samples, speech: Speech, others: Sequence[Speech], random: np.random.Generator) -> Samples:
    return sound


def _gain(decibels: float) -> Change:
    return lambda sound, speech, others, random: sound * 10 ** (decibels / 20)


def _telephone(
    sound: Samples, speech: Speech, others: Sequence[Speech], random: np.random.Generator
) -> Samples:
    """300 to 3400 Hz, 8 kHz, mu-law."""
    spectrum = np.fft.rfft(sound)
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    spectrum[(hertz < 300) | (hertz > 3400)] = 0
    narrow = soxr.resample(np.fft.irfft(spectrum, len(sound)), RATE, 8_000) / 32768
    levels = np.round(np.sign(narrow) * np.log1p(255 * np.abs(np.clip(narrow, -1, 1))) / np.log(256) * 127)
    narrow = np.sign(levels) * (256 ** (np.abs(levels) / 127) - 1) / 255
    wide: Samples = soxr.resample(narrow, 8_000, RATE) * 32768
    return np.pad(wide, (0, max(0, len(sound) - len(wide))))[: len(sound)]


def room(seconds: float) -> Change:
    """Reverberation that falls by 60 dB in this time; the direct sound is as strong as all of it."""

    def change(
        sound: Samples, speech: Speech, others: Sequence[Speech], random: np.random.Generator
    ) -> Samples:
        length = int(seconds * RATE)
        tail = random.normal(size=length) * 10 ** (-3 * np.arange(length) / length)
        tail[: RATE // 400] = 0
        tail /= np.sqrt((tail**2).sum())
        tail[0] = 1.0
        size = 1 << int(np.ceil(np.log2(len(sound) + length)))
        wet: Samples = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound)]
        return wet

    return change


def _pink(decibels: float) -> Change:
    def change(
        sound: Samples, speech: Speech, others: Sequence[Speech], random: np.random.Generator
    ) -> Samples:
        spectrum = np.fft.rfft(random.normal(size=len(sound)))
        spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
        return sound + _at(np.fft.irfft(spectrum, len(sound)), speech, decibels)

    return change


def _babble(decibels: float) -> Change:
    """VOICES other recordings at once, from beginning to end."""

    def change(
        sound: Samples, speech: Speech, others: Sequence[Speech], random: np.random.Generator
    ) -> Samples:
        noise = np.zeros(len(sound))
        for index in random.permutation(len(others))[:VOICES]:
            other = others[index]
            voice = other.samples[int(other.onset_ms * RATE / 1000) : int(other.end_ms * RATE / 1000)] / max(
                1.0, other.level
            )
            noise += np.roll(np.resize(voice, len(sound)), int(random.integers(len(sound))))
        return sound + _at(noise, speech, decibels)

    return change


def _at(noise: Samples, speech: Speech, decibels: float) -> Samples:
    """The noise, so many decibels below the voice."""
    scaled: Samples = noise / np.sqrt((noise**2).mean()) * speech.level * 10 ** (-decibels / 20)
    return scaled


CONDITIONS: dict[str, Change] = {
    "clean": _same,
    "telephone": _telephone,
    "room 0.3 s": room(0.3),
    "room 0.7 s": room(0.7),
    "-20 dB": _gain(-20),
    "+6 dB": _gain(6),
    "speed 0.85": _same,
    "speed 1.2": _same,
    "pink 20 dB": _pink(20),
    "pink 10 dB": _pink(10),
    "babble 20 dB": _babble(20),
    "babble 10 dB": _babble(10),
}
SPEEDS = {"speed 0.85": 0.85, "speed 1.2": 1.2}
# Counted apart: what else is in the column "natural" has an end that can be heard
LOUD_BABBLE = "babble 10 dB"


def sound_of(clip: Clip, condition: str, others: Sequence[Clip]) -> Sound:
    """This recording under this condition, silence around it."""
    speech = _sped(speech_of(clip), SPEEDS.get(condition, 1.0))
    padded = np.zeros(len(speech.samples) + (BEFORE_MS + AFTER_MS) * RATE // 1000)
    start = BEFORE_MS * RATE // 1000
    padded[start : start + len(speech.samples)] = speech.samples
    return _finished(speech, condition, others, padded, BEFORE_MS + speech.end_ms)


def hesitating(clip: Clip, place_ms: float, gap_ms: int, condition: str, others: Sequence[Clip]) -> Sound:
    """This recording, whose speaker is silent for `gap_ms` at `place_ms`, which is between two words."""
    speech = speech_of(clip)
    at = _quietest(speech.samples, place_ms)
    fade = np.ones(len(speech.samples))
    ramp = RATE * _FADE_MS // 1000
    fade[at - ramp : at] = np.linspace(1, 0, ramp)
    fade[at : at + ramp] = np.linspace(0, 1, ramp)
    first, second = (speech.samples * fade)[:at], (speech.samples * fade)[at:]
    sounds = [np.zeros(BEFORE_MS * 16), first, np.zeros(gap_ms * 16), second, np.zeros(AFTER_MS * 16)]
    made = _finished(speech, condition, others, np.concatenate(sounds), BEFORE_MS + speech.end_ms + gap_ms)
    from_ms = BEFORE_MS + at * 1000 / RATE
    return Sound(
        f"{clip.id}@{place_ms:.0f}+{gap_ms}",
        made.language,
        condition,
        made.samples,
        made.end_ms,
        (from_ms, from_ms + gap_ms),
    )


def places_of(words: Sequence[tuple[str, float, float]]) -> list[float]:
    """Where in these words (text, from s, to s) somebody hesitates, in ms: never where the sentence could be over."""
    if len(words) < LEAST_WORDS:
        return []
    chosen = {round(len(words) * place) for place in PLACES}
    between = [
        index for index in sorted(chosen) if not words[index - 1][0].rstrip().endswith((".", "?", "!"))
    ]
    return [(words[index - 1][2] + words[index][1]) * 500 for index in between]


def _quietest(samples: Samples, near_ms: float) -> int:
    """The quietest sample within 60 ms."""
    size = RATE * _BLOCK_MS // 1000
    energies = _energies(samples)
    first = max(1, int((near_ms - 60) / _BLOCK_MS))
    last = min(len(energies) - 1, int((near_ms + 60) / _BLOCK_MS) + 1)
    return (first + int(np.argmin(energies[first:last]))) * size + size // 2


def _sped(speech: Speech, speed: float) -> Speech:
    if speed == 1.0:
        return speech
    samples = soxr.resample(speech.samples, RATE * speed, RATE)
    return Speech(speech.clip, samples, speech.onset_ms / speed, speech.end_ms / speed)


def _finished(speech: Speech, condition: str, others: Sequence[Clip], sound: Samples, end_ms: float) -> Sound:
    seed = zlib.crc32(f"{speech.clip.id} {condition}".encode())
    random = np.random.default_rng(seed)
    voices = [speech_of(other) for other in others if other.id != speech.clip.id]
    changed = CONDITIONS[condition](sound, speech, voices, random)
    changed = changed + random.normal(0, ROOM_NOISE, len(changed))
    samples = np.clip(changed, -32768, 32767).astype(np.int16)
    return Sound(speech.clip.id, speech.clip.language, condition, samples, end_ms)
