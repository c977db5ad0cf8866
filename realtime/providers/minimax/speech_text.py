"""What of a text is sent, and where to resume when the connection was lost inside a chunk. Pure.

Knows the platform's pause marks (docs/minimax/t2a-websocket.md 1.2) and word times; knows no connection.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable

from realtime.core.characters import PAUSE_MARK, is_invisible, is_wide
from realtime.core.messages import WordTime
from realtime.core.wordbreak import atoms

_LEADING = re.compile(rf"(?:\s|{PAUSE_MARK.pattern})+")
_MAX_MISSING_MS = 80.0  # a word that lacks no more than this at its end counts as received
_MIN_RECEIVED = 0.8  # ... and so does a word of which this share was received
_UNTIMED_MS = 150.0  # more audio than this after the last known word holds further words
_NARROW_MS = 1000.0 / 15  # Latin script at speed 1 (docs/minimax/t2a-websocket.md 5)
_WIDE_MS = 1000.0 / 4.5


def visible(text: str) -> str:
    """The text with blanks for invisible characters: offsets stay valid and the platform does not refuse it."""
    return "".join(" " if is_invisible(character) and character != "\n" else character for character in text)


def resume_offset(
    text: str,
    words: tuple[WordTime, ...],
    received_ms: float,
    speed: float = 1.0,
    expected_ms: Callable[[str], float] | None = None,
) -> int:
    """The offset at which to resume after `received_ms` of audio: a word's beginning, or the length of the text.

    A word that was received almost completely is not repeated; a word that was cut earlier is repeated from its start.
    Where words have no times, `expected_ms` tells how long a text takes; without it, the usual rate at this `speed`.
    """
    at, end_ms = 0, 0.0
    for word in words:
        if not _was_received(word, received_ms):
            return _skip_pause(text, max(word.begin, at))
        at, end_ms = word.end, word.end_ms
    if (untimed_ms := received_ms - end_ms) > _UNTIMED_MS:
        if expected_ms is None:
            at = _by_proportion(text, at, untimed_ms * speed)
        else:
            at = _by_expectation(text, at, untimed_ms, expected_ms)
    return _skip_pause(text, at)


def _was_received(word: WordTime, received_ms: float) -> bool:
    length_ms = word.end_ms - word.start_ms
    if received_ms >= word.end_ms:
        return True
    missing_ms = word.end_ms - received_ms
    return missing_ms < length_ms and (
        missing_ms <= min(_MAX_MISSING_MS, length_ms / 2) or missing_ms <= length_ms * (1 - _MIN_RECEIVED)
    )


def _by_proportion(text: str, at: int, audio_ms: float) -> int:
    """The start of the word after `audio_ms` of audio at the usual speaking rate; never inside a word."""
    starts = {0, *atoms(text)}
    word_start = at
    for place in range(at, len(text)):
        audio_ms -= _WIDE_MS if is_wide(text[place]) else _NARROW_MS
        if place in starts or text[place].isspace():
            word_start = place
        if audio_ms < 0:
            return word_start
    return max(at, len(text))


def _by_expectation(text: str, at: int, audio_ms: float, expected_ms: Callable[[str], float]) -> int:
    """The same, as long as this voice needs for each word."""
    starts = [at, *(start for start in atoms(text) if start > at)]
    later = bisect_right(starts, audio_ms, key=lambda start: expected_ms(text[at:start]))
    return starts[max(0, later - 1)]


def _skip_pause(text: str, at: int) -> int:
    """Skip pause marks and blanks: a resumed text must not begin with a pause."""
    found = _LEADING.match(text, at)
    return found.end() if found else at
