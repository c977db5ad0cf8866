"""Repairs the platform's word times, without I/O: `data.subtitle` objects in, word times of the sent text out.

The platform's offsets drift after pause marks, the parts of one word share one offset, and blanks appear as
`[SPACE]` (docs/minimax/t2a-websocket.md 1.6). So each word is searched for in the text that was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from realtime.core.characters import is_unspaced
from realtime.core.messages import WordTime
from realtime.minimax.results import decimal, whole

_WINDOW = 48  # characters within which a drifted word is searched for
_BLANKS = ("[SPACE]", "")


class _Entry(NamedTuple):
    word: str
    begin: int
    end: int
    start_ms: float
    end_ms: float


class SubtitleTrack:
    """The word times of one text. The newest object for a segment replaces the older one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._segments: dict[tuple[int, int], tuple[_Entry, ...]] = {}
        self._run = 0
        self._run_start_ms: list[float] = [0.0]
        self._last: Any = None  # object or list

    def feed(self, subtitle: Any) -> bool:
        """Take one `data.subtitle` (an object or a list of them). Returns whether it held new words."""
        if subtitle is None or subtitle == self._last:
            return False
        self._last = subtitle
        items = subtitle if isinstance(subtitle, list) else [subtitle]
        found = False
        for item in items:
            if isinstance(item, dict):
                entries = tuple(_merged(_entries(item)))
                found = found or bool(entries)
                if entries:
                    self._segments[self._run, whole(item, "text_begin")] = entries
        return found

    def next_run(self, start_ms: float) -> None:
        """A new synthesis follows, whose times count from `start_ms` of this text's audio."""
        self._run += 1
        self._last = None
        self._run_start_ms.append(start_ms)

    def words(self) -> tuple[WordTime, ...]:
        """All words known so far: offsets into the sent text, in order, without overlap; times never decrease."""
        ordered: list[_Entry] = []
        for run, begin in sorted(self._segments):
            ordered += self._on_one_clock(
                self._segments[run, begin], run, ordered[-1].end_ms if ordered else 0.0
            )
        return tuple(_placed(self._text, ordered))

    def _on_one_clock(self, segment: tuple[_Entry, ...], run: int, so_far_ms: float) -> Iterable[_Entry]:
        """The segment with times from the start of the text, even if the platform counts each segment from zero."""
        shift_ms = self._run_start_ms[run]
        if segment[0].start_ms + shift_ms < so_far_ms / 2:
            shift_ms = so_far_ms
        if not shift_ms:
            return segment
        return (e._replace(start_ms=e.start_ms + shift_ms, end_ms=e.end_ms + shift_ms) for e in segment)


def latest_ms(subtitle: Any) -> float:
    """The latest time in one `data.subtitle`, as the platform counts it; 0 without one."""
    items = subtitle if isinstance(subtitle, list) else [subtitle]
    return max((decimal(item, "time_end") for item in items if isinstance(item, dict)), default=0.0)


def _entries(item: Mapping[str, Any]) -> Iterable[_Entry]:
    timed = item.get("timestamped_words")
    if not timed or not isinstance(timed, list):
        yield from _spread_evenly(item)
        return
    for word in timed:
        if isinstance(word, dict) and (spelled := str(word.get("word", "")).strip()) not in _BLANKS:
            yield _Entry(
                spelled,
                whole(word, "word_begin"),
                whole(word, "word_end"),
                decimal(word, "time_begin"),
                decimal(word, "time_end"),
            )


def _spread_evenly(item: Mapping[str, Any]) -> Iterable[_Entry]:
    """A sentence without word times: its time is divided by characters."""
    text = str(item.get("text") or "")
    begin = whole(item, "text_begin")
    start_ms, end_ms = decimal(item, "time_begin"), decimal(item, "time_end")
    if not text.strip() or end_ms <= start_ms:
        return
    per_character = (end_ms - start_ms) / len(text)
    for at, word in split_words(text):
        yield _Entry(
            word,
            begin + at,
            begin + at + len(word),
            start_ms + at * per_character,
            start_ms + (at + len(word)) * per_character,
        )


def split_words(text: str) -> list[tuple[int, str]]:
    """Words with their offsets: runs without blanks, and each character of a script that uses none."""
    words: list[tuple[int, str]] = []
    start = None
    for at, character in enumerate(text):
        alone = is_unspaced(character)
        if start is not None and (alone or character.isspace()):
            words.append((start, text[start:at]))
            start = None
        if alone and not character.isspace():
            words.append((at, character))
        elif start is None and not character.isspace():
            start = at
    if start is not None:
        words.append((start, text[start:]))
    return words


def _merged(entries: Iterable[_Entry]) -> Iterable[_Entry]:
    """Join the parts of one word; they share their offsets."""
    last: _Entry | None = None
    for entry in entries:
        if last is not None and (last.begin, last.end) == (entry.begin, entry.end):
            last = last._replace(word=last.word + entry.word, end_ms=max(last.end_ms, entry.end_ms))
            continue
        if last is not None:
            yield last
        last = entry
    if last is not None:
        yield last


def _placed(text: str, entries: Iterable[_Entry]) -> Iterable[WordTime]:
    folded = text.casefold()
    if len(folded) != len(text):
        folded = text  # a few letters get longer when folded, which would move the offsets
    cursor, shift, clock_ms = 0, 0, 0.0
    for entry in entries:
        begin, end = _place(folded, entry, cursor, shift)
        if begin >= end:
            continue
        shift = begin - entry.begin
        start_ms = max(entry.start_ms, clock_ms)
        clock_ms = max(entry.end_ms, start_ms)
        cursor = end
        yield WordTime(begin, end, start_ms, clock_ms)


def _place(text: str, entry: _Entry, cursor: int, shift: int) -> tuple[int, int]:
    """The word's offsets in the text: its own if they match, else its next occurrence, else its own made valid."""
    word = entry.word.casefold()
    for begin in (entry.begin + shift, entry.begin):
        if begin >= cursor and text.startswith(word, begin):
            return begin, begin + len(word)
    found = text.find(word, cursor, cursor + _WINDOW + len(word))
    if found >= 0:
        return found, found + len(word)
    # Spoken differently from how it is written ("42", "Dr."): keep the length that the platform gives.
    begin = min(max(entry.begin + shift, cursor), len(text))
    return begin, min(begin + max(entry.end - entry.begin, 0), len(text))
