"""Sounds of the sandbox's band: chord, bass, bell, drums. Frequencies in, samples out.

Everything is a float array around ±1 at the asked rate. It knows no songs. Frequencies in Hertz.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float32]


def hertz(note: float) -> float:
    """The frequency of a MIDI note; 69 is 440 Hz."""
    return float(440.0 * 2 ** ((note - 69) / 12))


def _time(seconds: float, rate: int) -> Sound:
    return np.arange(round(seconds * rate), dtype=np.float32) / np.float32(rate)


def faded(sound: Sound, rate: int, seconds: float = 0.02) -> Sound:
    """Fade both ends, so that nothing clicks."""
    size = min(len(sound) // 2, round(seconds * rate))
    if size:
        fade = np.linspace(0, 1, size, dtype=np.float32)
        sound[:size] *= fade
        sound[-size:] *= fade[::-1]
    return sound


def chord(notes: tuple[float, ...], seconds: float, rate: int) -> Sound:
    """A soft pad: each note with its octave."""
    time = _time(seconds, rate)
    sound = np.zeros(len(time), dtype=np.float32)
    for note in notes:
        angle = np.float32(2 * np.pi * hertz(note)) * time
        sound += np.sin(angle) + np.float32(0.3) * np.sin(2 * angle)
    return faded(sound / np.float32(1.3 * len(notes)), rate)


def bass(note: float, seconds: float, rate: int) -> Sound:
    """A plucked low note."""
    time = _time(seconds, rate)
    angle = np.float32(2 * np.pi * hertz(note)) * time
    sound = (np.sin(angle) + np.float32(0.4) * np.sin(2 * angle)) * np.exp(-3 * time)
    return faded(sound, rate, 0.005)


def bell(note: float, seconds: float, rate: int) -> Sound:
    """A clear note for melodies without words."""
    time = _time(seconds, rate)
    angle = np.float32(2 * np.pi * hertz(note)) * time
    sound = (np.sin(angle) + np.float32(0.35) * np.sin(3 * angle) * np.exp(-9 * time)) * np.exp(-2.2 * time)
    return faded(sound, rate, 0.004)


def kick(rate: int) -> Sound:
    """A low thud that falls in pitch."""
    time = _time(0.22, rate)
    sound: Sound = np.sin(np.float32(2 * np.pi) * (50 * time + 4 * (1 - np.exp(-25 * time)))) * np.exp(
        -16 * time
    )
    return faded(sound, rate, 0.002)


def noise(seconds: float, decay: float, rate: int, seed: int) -> Sound:
    """A burst of noise: short for a hi-hat, longer for a snare."""
    time = _time(seconds, rate)
    sound = np.random.default_rng(seed).uniform(-1, 1, len(time)).astype(np.float32) * np.exp(-decay * time)
    return faded(sound, rate, 0.002)


def add(track: Sound, sound: Sound, at: int, volume: float) -> None:
    """Mix a sound into a track from sample `at`; what is beyond its end is cut."""
    size = min(len(sound), len(track) - at)
    if size > 0:
        track[at : at + size] += sound[:size] * np.float32(volume)
