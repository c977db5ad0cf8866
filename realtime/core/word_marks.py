"""From which millisecond of a sound on which end of its text counts: as heard, and as heard whole.

A listener who is interrupted has heard a word from its middle on: that is for history. Where a sound breaks off and the
rest of it never comes, a word that lacks its end is said again from its beginning: there it counts from its end on.
Knows no chunk and no word, only places in a text.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import sub

LATEST_MS = 2.0**40  # times of voices that are none


class WordMarks:
    """Three rising columns, eight bytes a word each. Players count whole milliseconds: ends are rounded down."""

    def __init__(self) -> None:
        self._ends = array("L")
        self._from_ms = array("d")
        self._whole_ms = array("q")

    def __repr__(self) -> str:
        return f"<WordMarks of {len(self._ends)} ends>"

    def copy(self) -> WordMarks:
        other = WordMarks()
        other._ends, other._from_ms, other._whole_ms = self._ends[:], self._from_ms[:], self._whole_ms[:]
        return other

    @classmethod
    def restored(
        cls, ends: Sequence[int], from_ms: Sequence[float], whole_ms: Sequence[int], audio_ms: float
    ) -> WordMarks:
        """Of the columns of other ones, and of how much audio there was. `whole_ms` () where it is not known."""
        marks, whole_ms = cls(), whole_ms or _guessed(ends, from_ms, audio_ms)
        for end, heard_ms, ended_ms in zip(ends, from_ms, whole_ms, strict=True):
            marks.add(end, heard_ms, ended_ms)
        return marks

    @classmethod
    def of_steps(cls, steps: Sequence[int]) -> WordMarks:
        """Of the `steps` of other ones. Raises ValueError where a number is missing."""
        marks, text_end, from_ms, whole_ms = cls(), 0, 0, 0
        for end_step, from_step, whole_step in zip(*[iter(steps)] * 3, strict=True):
            text_end, from_ms, whole_ms = text_end + end_step, from_ms + from_step, whole_ms + whole_step
            marks.add(text_end, from_ms, whole_ms)
        return marks

    def add(self, text_end: int, from_ms: float, whole_ms: float) -> None:
        """`text_end` is heard from `from_ms` on and whole from `whole_ms` on, and never before what precedes it."""
        ended_ms = math.floor(min(LATEST_MS, whole_ms))
        if self._ends:
            from_ms, ended_ms = max(from_ms, self._from_ms[-1]), max(ended_ms, self._whole_ms[-1])
        self._ends.append(text_end)
        self._from_ms.append(from_ms)
        self._whole_ms.append(ended_ms)

    def add_all(self, text_end: int, at_ms: int) -> None:
        """Here a sound ends: everything in it has been heard, whatever its word times said."""
        for index in range(len(self._ends) - 1, -1, -1):
            if self._from_ms[index] <= at_ms and self._whole_ms[index] <= at_ms:
                break
            self._from_ms[index] = min(self._from_ms[index], at_ms)
            self._whole_ms[index] = min(self._whole_ms[index], at_ms)
        self.add(text_end, at_ms, at_ms)

    @property
    def columns(self) -> tuple[tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
        """Ends of the text, from when on each counts as heard, and from when on as heard whole."""
        return tuple(self._ends), tuple(self._from_ms), tuple(self._whole_ms)

    @property
    def steps(self) -> tuple[int, ...]:
        """The columns in half the room: three whole numbers a word, each less the one before it. Each word counts from
        the first whole millisecond on in which it did."""
        found, before = list[int](), (0, 0, 0)
        heard_ms = (math.ceil(min(LATEST_MS, ms)) for ms in self._from_ms)
        for mark in zip(self._ends, heard_ms, self._whole_ms, strict=True):
            found += map(sub, mark, before)
            before = mark
        return tuple(found)

    def kept(self, played_ms: float) -> int:
        """How many characters have been heard."""
        count = bisect_right(self._from_ms, played_ms)
        return self._ends[count - 1] if count else 0

    def between(self, from_ms: float, to_ms: float) -> Iterator[tuple[int, int, float, float]]:
        """Of what is heard in this time: where each text begins and ends, and from when to when it sounds."""
        first = bisect_right(self._from_ms, from_ms) if from_ms > 0 else 0
        for index in range(first, bisect_right(self._from_ms, to_ms)):
            begin, before_ms = (self._ends[index - 1], self._whole_ms[index - 1]) if index else (0, 0)
            middle_ms, end_ms = self._from_ms[index], max(self._from_ms[index], self._whole_ms[index])
            start_ms = min(middle_ms, max(before_ms, 2 * middle_ms - end_ms))  # it may follow a pause
            yield begin, self._ends[index], start_ms, end_ms

    def until(self, played_ms: float) -> WordMarks:
        """Those of what has been heard."""
        count, other = bisect_right(self._from_ms, played_ms), WordMarks()
        other._ends, other._from_ms = self._ends[:count], self._from_ms[:count]
        other._whole_ms = self._whole_ms[:count]
        return other

    def last_whole_ms(self, played_ms: float) -> int:
        """Where the last word ends that has been heard whole; 0 if there is none."""
        count = bisect_right(self._whole_ms, played_ms)
        return self._whole_ms[count - 1] if count else 0


def _guessed(ends: Sequence[int], from_ms: Sequence[float], audio_ms: float) -> list[int]:
    """When each has ended, where only its middle is known: not before the next one counts as heard."""
    whole_ms = [math.ceil(next_ms) - 1 for next_ms in (*from_ms, math.floor(audio_ms) + 2)[1:]]
    for index, (before, end) in enumerate(pairwise(ends), 1):
        if before == end:  # the end of a sound, which is exact
            whole_ms[index] = math.floor(from_ms[index])
    return whole_ms
