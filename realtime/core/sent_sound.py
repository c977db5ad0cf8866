"""The sound and the words that were sent to a listener, by the time at which they would be played at the earliest.

A player needs time before the first sound, so what was sent is played some unknown, steady time later than here. Keeps
what may still sound or has just sounded. Pure: the time is an argument, in seconds of a clock that does not jump.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from realtime.core.audio_buffer import Samples
from realtime.core.resample import Resampler
from realtime.core.spoken import SpokenPart

Floats = NDArray[np.float32]

RATE = 8_000  # Hertz: most of the energy of a voice is below 4 kHz
KEEP_S = 2.5  # of what has been played: a player's delay, and what is compared at once
LONGEST_S = 30.0  # ahead of the listener; more is not kept
NEW_STRETCH_S = 0.1  # of silence: no sound goes on after it
GAIN_FOLLOWS_S = 0.3  # a player has another gain so long after it was told: the way to it, and its ramp
GAINS = 16  # the last so many are remembered
ROUNDING_MS = 1.0  # lengths of many messages are added up
NEVER = -(2**62)
_END = attrgetter("end")


def unknown(ms: float) -> Samples:
    """Sound of such a length of which only the words are known: nothing sounds like it."""
    return np.broadcast_to(np.int16(0), max(0, round(ms * RATE / 1000)))


class SaidWord(NamedTuple):
    """A word of a reply, with its blanks and marks, and from when to when it was to be heard."""

    text: str
    start_s: float
    end_s: float


@dataclass(slots=True)
class _Piece:
    """Some sound. `place`: of its first sample on the timeline; `from_ms`: of that sample in its reply's own audio."""

    place: int
    samples: Samples
    part: SpokenPart | None
    from_ms: float

    end: int = field(init=False)  # of its last sample, plus one

    def __post_init__(self) -> None:
        self.end = self.place + len(self.samples)

    def move(self, count: int) -> None:
        self.place += count
        self.end += count

    def cut(self, at: int) -> None:
        self.samples = self.samples[: at - self.place]
        self.end = self.place + len(self.samples)


class SentSound:
    """One timeline. Replies follow each other on it, as they do in a player."""

    def __init__(self) -> None:
        self._pieces: deque[_Piece] = deque()
        self._end = NEVER  # place after the newest sample
        self._resampler: Resampler | None = None
        self._gains: deque[tuple[float, float]] = deque(maxlen=GAINS)  # when it was told, and the power

    def __repr__(self) -> str:
        return f"<SentSound {sum(len(piece.samples) for piece in self._pieces) / RATE:.1f} s>"

    def sent(
        self, samples: Samples, rate: int, now_s: float, part: SpokenPart | None = None, from_ms: float = 0.0
    ) -> None:
        """This sound was handed over at this time. It plays when what was sent before has been played.

        `part`: what of a reply it is, from `from_ms` on.
        """
        now = int(now_s * RATE)
        if now - self._end > NEW_STRETCH_S * RATE:
            self._resampler = None
        made, place = self._convert(samples, rate), max(now, self._end)
        if len(made) and place - now < LONGEST_S * RATE:
            self._pieces.append(_Piece(place, made, part, from_ms))
            self._end = place + len(made)
        while self._pieces and self._pieces[0].end < now - KEEP_S * RATE:
            self._pieces.popleft()

    def _convert(self, samples: Samples, rate: int) -> Samples:
        if rate == RATE:
            return samples
        if rate % RATE == 0:
            # The mean of neighbours: good enough to compare sounds, cheap, and within 1 of the exact mean
            times = rate // RATE
            rows = samples[: len(samples) // times * times].reshape(-1, times)
            return (rows.astype(np.float32) @ _mean_of(times)).astype(np.int16)
        if self._resampler is None or self._resampler.from_rate != rate:
            self._resampler = Resampler(rate, RATE)
        return self._resampler.feed(samples)

    def sent_again(self, part: SpokenPart, from_ms: float, begins_s: float) -> None:
        """This part of a reply is on its way again, from `from_ms` on: it plays from this time on, at the earliest, and
        later what was sent after it."""
        for index, piece in enumerate(self._pieces):
            if piece.part is part and piece.from_ms > from_ms - ROUNDING_MS:
                begins = int((begins_s + (piece.from_ms - from_ms) / 1000) * RATE)
                if begins > piece.place:
                    self._move(index, begins - piece.place)
                return

    def _move(self, first: int, count: int) -> None:
        for piece in islice(self._pieces, first, None):
            piece.move(count)
        self._end += count

    def cut(self, at_s: float) -> None:
        """The player plays nothing that comes after this time."""
        at = int(at_s * RATE)
        while self._pieces and self._pieces[-1].place >= at:
            self._pieces.pop()
        if self._pieces:
            self._pieces[-1].cut(at)
        self._end = min(self._end, at)

    def set_gain(self, gain_db: float, now_s: float) -> None:
        """The player was told to play so much louder or softer than what was sent."""
        self._gains.append((now_s, 10 ** (gain_db / 10)))

    def gain(self, at_s: float) -> float | None:
        """How many times the power that was sent a player plays that does as it is told, with 1 at the beginning. None
        while it may have either gain. `at_s`: the time itself, not a place among what was sent."""
        power: float | None = 1.0
        for told_s, told in self._gains:
            if told_s <= at_s:
                power = told if at_s >= told_s + GAIN_FOLLOWS_S else None
        return power

    @property
    def empty(self) -> bool:
        """Nothing was ever sent, or all of it is forgotten."""
        return not self._pieces

    # -- what was to be played -----------------------------------------------------------------------------------

    def sounds(self, from_s: float, to_s: float) -> bool:
        """Whether anything was to be played in this time."""
        if self.silent_since(from_s):
            return False
        return next(self._between(int(from_s * RATE), int(to_s * RATE)), None) is not None

    def silent_since(self, at_s: float) -> bool:
        """Whether nothing was to be played after this time; quicker than to ask about a time in between."""
        return at_s * RATE >= self._end

    def read(self, from_s: float, count: int) -> Floats:
        """So many samples from this time on; 0 where there was no sound."""
        first = round(from_s * RATE)
        out = np.zeros(count, np.float32)
        for piece in self._between(first, first + count):
            begin, end = max(piece.place, first), min(piece.end, first + count)
            out[begin - first : end - first] = piece.samples[begin - piece.place : end - piece.place]
        return out

    def said(self, from_s: float, to_s: float) -> list[SaidWord]:
        """The words that were to be heard in this time."""
        first, last = int(from_s * RATE), int(to_s * RATE)
        pieces: dict[int, list[_Piece]] = {}
        for piece in self._between(first, last):
            if piece.part is not None:
                pieces.setdefault(id(piece.part), []).append(piece)
        return [word for of_part in pieces.values() for word in _said(of_part, first, last)]

    def _between(self, first: int, last: int) -> Iterator[_Piece]:
        pieces = self._pieces
        for piece in islice(pieces, bisect_right(pieces, first, key=_END), None):
            if piece.place >= last:
                return
            yield piece


def _said(pieces: Sequence[_Piece], first: int, last: int) -> Iterator[SaidWord]:
    """The words of these pieces of one part, between these places. Times are the pieces' own: they may lie apart."""
    begins, part = [piece.from_ms for piece in pieces], pieces[0].part
    assert part is not None
    from_ms = begins[0] + max(0, first - pieces[0].place) * 1000 / RATE
    to_ms = begins[-1] + (min(pieces[-1].end, last) - pieces[-1].place) * 1000 / RATE
    between = " "
    for text, start_ms, end_ms in part.words_between(from_ms, to_ms):
        piece = pieces[max(0, bisect_right(begins, (start_ms + end_ms) / 2) - 1)]
        begins_s = piece.place / RATE - piece.from_ms / 1000
        yield SaidWord(between + text, begins_s + start_ms / 1000, begins_s + end_ms / 1000)
        between = ""


@cache
def _mean_of(times: int) -> Floats:
    return np.full(times, 1 / times, np.float32)
