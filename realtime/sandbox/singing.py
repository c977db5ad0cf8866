"""The sandbox's singer: the words of a line, each on its own note and beat.

The voice speaks the line in one pitch; each word is cut out and played faster or slower until it has its note. It
knows no songs; notes are MIDI notes.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence

import numpy as np

from .instruments import Sound, faded, hertz
from .song_words import HAN, units
from .voice_engine import Prosody, Samples, say

_KANA = re.compile("[\u3040-\u30ff]")
_LOWEST, _HIGHEST = 70.0, 400.0  # Hertz, where the pitch of the voice is looked for
_AUDIBLE = 300  # of 32767
_LONGEST_STRETCH = 1.5  # a word is at most this much faster or slower than it was spoken


def sing(line: str, notes: Sequence[float], beat_s: float, rate: int) -> list[Sound]:
    """One sound for each unit of the line, on the note of the same index; ±1, at `rate` Hertz.

    A sound fits into `beat_s` seconds. Units that the voice joins become silence after the first one.
    Raises VoiceUnavailable.
    """
    wpm = round(min(330, max(110, 60 / beat_s)))
    spoken, events, own_rate = _spoken(_cleaned(line), Prosody(_voice(line), wpm, 50, 0))
    pitch = pitch_of(spoken, own_rate)
    longest = round(beat_s * 1.05 * rate)
    return [
        _on_note(word, own_rate, pitch, hertz(note), rate)[:longest]
        for word, note in zip(_cut(spoken, events, line), notes, strict=True)
    ]


@functools.lru_cache(128)
def _spoken(text: str, prosody: Prosody) -> tuple[Samples, list[tuple[int, int]], int]:
    """What the voice says. Kept, because the voice never says a line twice in the same samples."""
    return say(text, prosody)


def _voice(line: str) -> str:
    language = "ja" if _KANA.search(line) else "cmn" if HAN.search(line) else "en-us"
    return f"{language}+f2"


def _cleaned(line: str) -> str:
    """The units alone: marks would make the voice pause. What a Chinese voice reads has no spaces."""
    return ("" if HAN.search(line) and not re.search("[A-Za-z]", line) else " ").join(units(line))


def _cut(spoken: Samples, events: list[tuple[int, int]], line: str) -> list[Samples]:
    """The samples of each unit. Without a start for each of them, the speech is shared out by length."""
    wanted = units(line)
    loud = np.flatnonzero(np.abs(spoken.astype(np.int32)) > _AUDIBLE)
    if not len(loud):
        return [spoken[:0]] * len(wanted)
    begin, end = int(loud[0]), int(loud[-1]) + 1
    starts = sorted({sample for _, sample in events})
    if len(starts) != len(wanted):
        lengths = np.cumsum([0, *map(len, wanted)])
        starts = [begin + int((end - begin) * share / lengths[-1]) for share in lengths[:-1]]
    edges = [*starts, end]
    return [spoken[a : max(a, b)] for a, b in itertools.pairwise(edges)]


def pitch_of(pcm: Samples, rate: int) -> float:
    """The pitch of a recording in Hertz by autocorrelation; 0 for silence."""
    size = min(len(pcm), rate * 4)
    if size < rate // 20 or not np.any(pcm[:size]):
        return 0.0
    spectrum = np.fft.rfft(pcm[:size].astype(np.float32), 2 * size)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)
    shortest, longest = int(rate / _HIGHEST), min(size - 1, int(rate / _LOWEST))
    return rate / (shortest + int(np.argmax(correlation[shortest:longest])))


def _on_note(word: Samples, own_rate: int, pitch: float, wanted: float, rate: int) -> Sound:
    """The word resampled to its note, in the octave that is nearest to the voice."""
    if len(word) < 2:
        return np.zeros(0, dtype=np.float32)
    ratio = wanted / pitch if pitch else 1.0
    ratio *= 2.0 ** -round(np.log2(ratio))
    ratio = min(_LONGEST_STRETCH, max(1 / _LONGEST_STRETCH, ratio))
    positions = np.arange(0, len(word) - 1, ratio * own_rate / rate)
    sound = np.interp(positions, np.arange(len(word)), word).astype(np.float32) / np.float32(32768)
    return faded(sound, rate, 0.01)
