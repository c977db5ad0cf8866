"""The sandbox's music: a tune as long as its lyrics, with a harmony and a rhythm for each kind of section.

The prompt decides tempo and mode, the seed key and melody; the lyrics are sung on it. A kind of section has one melody,
so that a chorus comes back. Blocking: about a second for a minute of music. It does not know formats or endpoints.
Facts: docs/minimax/music.md 1.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np

from . import instruments as play
from .singing import sing
from .song_words import Part, is_minor, parts_of, tempo_of, units
from .voice_engine import Samples

SHORTEST_S, LONGEST_S = 6.0, 60.0  # the sandbox's own; the platform writes songs of several minutes
_BEATS = 4  # beats in a bar
_NOTES = _BEATS * 2  # a unit of the lyrics has half a beat
_MAJOR_SCALE, _MINOR_SCALE = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
_WITHOUT_LYRICS = "[Intro]\n[Verse]\n[Chorus]\n[Outro]"
_PEAK = 0.85  # of full scale
_VOICE = 2.2  # beside the band: about as loud as its loudest section


@dataclass(frozen=True, slots=True)
class _Manner:
    """How a kind of section is played."""

    chords: tuple[int, ...]  # one a bar: the step of the scale, from 0
    kicks: tuple[float, ...]  # beats of a bar
    snares: tuple[float, ...]
    hats: int  # in a bar
    volume: float  # of the band


_MANNERS = {
    "intro": _Manner((0, 3), (), (), 4, 0.6),
    "verse": _Manner((0, 5, 3, 4), (0, 2), (), 4, 0.7),
    "pre chorus": _Manner((3, 4, 3, 4), (0, 2), (3,), 8, 0.75),
    "chorus": _Manner((0, 4, 5, 3), (0, 1, 2, 3), (1, 3), 8, 1.0),
    "hook": _Manner((5, 3, 0, 4), (0, 1, 2, 3), (1, 3), 8, 1.0),
    "post chorus": _Manner((0, 3, 0, 3), (0, 2), (1, 3), 8, 0.9),
    "drop": _Manner((5, 5, 3, 4), (0, 1, 2, 3), (1, 3), 16, 1.0),
    "build up": _Manner((3, 3, 4, 4), (0, 1, 2, 3), (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5), 8, 0.85),
    "bridge": _Manner((1, 5, 3, 4), (0,), (2,), 4, 0.65),
    "interlude": _Manner((3, 0), (0, 2), (1, 3), 4, 0.7),
    "instrumental": _Manner((0, 5), (0, 2), (1, 3), 8, 0.85),
    "solo": _Manner((1, 4), (0, 2), (1, 3), 8, 0.9),
    "transition": _Manner((4,), (0,), (2, 2.5, 3, 3.5), 4, 0.7),
    "break": _Manner((5,), (), (), 2, 0.5),
    "outro": _Manner((3, 0), (0,), (), 2, 0.55),
}
_OTHER_CHORDS = ((0, 3, 4, 0), (5, 4, 3, 0), (1, 4, 0, 5))


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a finished tune. Times in seconds from its start."""

    tag: str  # as the lyrics write it, without brackets; empty where they have none
    kind: str  # one spelling for all: "verse", "pre chorus", ...
    lines: tuple[str, ...]
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Tune:
    """A finished tune."""

    pcm: Samples  # mono
    rate: int  # Hertz
    sections: tuple[Section, ...]  # without gaps, from the first sample to the last
    bpm: float  # beats a minute, after fitting

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.pcm) / self.rate


@dataclass(frozen=True, slots=True)
class _Song:
    """What all sections share."""

    prompt: str
    seed: int
    rate: int  # Hertz
    bar: int  # samples
    key: int  # MIDI note of the first step
    scale: tuple[int, ...]
    sung: bool

    def step(self, number: int) -> int:
        """The MIDI note of a step of the scale; 7 is an octave above 0."""
        octave, rest = divmod(number, len(self.scale))
        return self.key + 12 * octave + self.scale[rest]


def make_tune(
    prompt: str,
    lyrics: str = "",
    *,
    seed: int = 0,
    rate: int = 44_100,
    instrumental: bool = False,
    seconds: float | None = None,
) -> Tune:
    """A tune; the same arguments make the same music. `rate` in Hertz.

    An instrumental has the same samples each time; a song as long as the process remembers its lines, because the
    voice's own samples vary a little.
    Its length comes from the lyrics, or is `seconds`, as for the cover of a recording; within SHORTEST_S and LONGEST_S
    in both cases. Raises VoiceUnavailable where there is something to sing and no voice.
    """
    parts = parts_of(lyrics) or parts_of(_WITHOUT_LYRICS)
    bar_s = 60 / tempo_of(prompt) * _BEATS
    bars = [_bars(part) for part in parts]
    wanted_s = sum(bars) * bar_s if seconds is None else seconds
    total_s = min(LONGEST_S, max(SHORTEST_S, wanted_s))
    bars = _lengthened(bars, math.floor(total_s / bar_s + 0.5))
    song = _song(prompt, seed, rate, total_s / sum(bars), sung=not instrumental)
    track = np.zeros(song.bar * sum(bars), dtype=np.float32)
    sections: list[Section] = []
    at = 0
    for part, count in zip(parts, bars, strict=True):
        end = at + count * song.bar
        _play(track[at:end], song, part, count)
        sections.append(Section(part.tag, part.kind, part.lines, at / rate, end / rate))
        at = end
    return Tune(_finished(track, rate), rate, tuple(sections), 60 * _BEATS * rate / song.bar)


def _bars(part: Part) -> int:
    """Each line has whole bars of its own; a section without lines has one round of its chords."""
    return sum(_bars_of_line(line) for line in part.lines) or len(_manner(part.kind).chords)


def _lengthened(bars: list[int], wanted: int) -> list[int]:
    """More bars, one by one to each section, until there are as many as wanted; never fewer."""
    missing = max(0, wanted - sum(bars))
    each, rest = divmod(missing, len(bars))
    return [count + each + (index < rest) for index, count in enumerate(bars)]


def _bars_of_line(line: str) -> int:
    return math.ceil((len(units(line)) + 1) / _NOTES)  # a breath at the end


def _manner(kind: str) -> _Manner:
    """How a kind is played; kinds without a manner get one from their name."""
    other = _OTHER_CHORDS[zlib.crc32(kind.encode(errors="replace")) % len(_OTHER_CHORDS)]
    return _MANNERS.get(kind) or _Manner(other, (0, 2), (1, 3), 4, 0.75)


def _random(*of: object) -> np.random.Generator:
    return np.random.default_rng([zlib.crc32(str(value).encode(errors="replace")) for value in of])


def _song(prompt: str, seed: int, rate: int, bar_s: float, *, sung: bool) -> _Song:
    key = 57 + int(_random(prompt, seed).integers(0, 8))  # from A below the middle C
    scale = _MINOR_SCALE if is_minor(prompt) else _MAJOR_SCALE
    return _Song(prompt, seed, rate, round(bar_s * rate), key, scale, sung)


def _play(track: play.Sound, song: _Song, part: Part, bars: int) -> None:
    manner = _manner(part.kind)
    for bar in range(bars):
        _accompany(track, song, manner, bar)
    if song.sung and part.lines:
        _sing(track, song, part, manner)
    elif part.kind != "break":
        for bar in range(bars):
            _melody(track, song, part.kind, manner, bar)


def _accompany(track: play.Sound, song: _Song, manner: _Manner, bar: int) -> None:
    """Chord, bass and drums of one bar."""
    at, beat, rate = bar * song.bar, song.bar / _BEATS, song.rate
    root = manner.chords[bar % len(manner.chords)]
    notes = tuple(float(song.step(root + third)) for third in (0, 2, 4))
    play.add(track, play.chord(notes, song.bar / rate, rate), at, 0.16 * manner.volume)
    for moment in manner.kicks or (0,):
        low = play.bass(song.step(root) - 24, beat / rate, rate)
        play.add(track, low, at + round(moment * beat), 0.3 * manner.volume)
    for moment in manner.kicks:
        play.add(track, play.kick(rate), at + round(moment * beat), 0.45 * manner.volume)
    for moment in manner.snares:
        play.add(track, play.noise(0.15, 24, rate, 1), at + round(moment * beat), 0.22 * manner.volume)
    for hat in range(manner.hats):
        play.add(
            track, play.noise(0.04, 90, rate, 2), at + hat * song.bar // manner.hats, 0.09 * manner.volume
        )


def _step(song: _Song, kind: str, manner: _Manner, index: int) -> int:
    """The melody's note, half beat by half beat: on the beat a note of the chord, between them a neighbour."""
    bar, place = divmod(index, _NOTES)
    root = manner.chords[bar % len(manner.chords)]
    rng = _random(song.prompt, song.seed, kind, bar % len(manner.chords), place)
    step = root + (0, 2, 4)[int(rng.integers(3))] + (int(rng.integers(-1, 2)) if place % 2 else 0)
    return song.step(step % 8)


def _melody(track: play.Sound, song: _Song, kind: str, manner: _Manner, bar: int) -> None:
    """One bar of the bell, with rests."""
    for place in range(_NOTES):
        index = bar * _NOTES + place
        if place % 2 == 0 or _random(song.seed, kind, place).random() < 0.4:
            sound = play.bell(_step(song, kind, manner, index) + 12, 0.6, song.rate)
            play.add(track, sound, bar * song.bar + place * song.bar // _NOTES, 0.22)


def _sing(track: play.Sound, song: _Song, part: Part, manner: _Manner) -> None:
    half_beat = song.bar / _NOTES
    index = 0
    for line in part.lines:
        count = len(units(line))
        notes = [_step(song, part.kind, manner, index + unit) for unit in range(count)]
        for unit, sound in enumerate(sing(line, notes, half_beat / song.rate, song.rate)):
            play.add(track, sound, round((index + unit) * half_beat), _VOICE)
        index += _bars_of_line(line) * _NOTES


def _finished(track: play.Sound, rate: int) -> Samples:
    """One volume for all tunes, and a soft end."""
    size = min(len(track), rate // 2)
    track[-size:] *= np.linspace(1, 0, size, dtype=np.float32)
    loudest = float(np.abs(track).max()) or 1.0
    return (track * np.float32(_PEAK * 32767 / loudest)).astype(np.int16)
