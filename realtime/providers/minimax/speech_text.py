"""What of a text is sent, and where to resume when the voice broke off in the middle. Pure.

Knows the platform's pause marks (shared/minimax t2a-websocket.md 1.2) and word times; knows no connection.
"""

from __future__ import annotations

import re

from realtime.core.characters import PAUSE_MARK, is_invisible, is_wide
from realtime.core.messages import WordTime
from realtime.core.wordbreak import atoms

_LEADING = re.compile(rf"(?:\s|{PAUSE_MARK.pattern})+")
_WORD_END_SLACK_MS = 80.0  # a word that lacks no more than this was understood
_WORD_SAID = 0.8  # ... or of which this much was heard
_UNTIMED_MS = 150.0  # sound beyond the last known word that is more than its fading
_NARROW_MS = 1000.0 / 15  # Latin script at speed 1 (shared/minimax t2a-websocket.md 5)
_WIDE_MS = 1000.0 / 4.5


def visible(text: str) -> str:
    """The text with invisible characters as blanks, so that offsets stay true and the platform does not refuse it."""
    return "".join(" " if is_invisible(character) and character != "\n" else character for character in text)


def unspoken_from(text: str, words: tuple[WordTime, ...], heard_ms: float, speed: float = 1.0) -> int:
    """The offset at which to resume after `heard_ms` of sound: a word's beginning, or the length of the text.

    A word that was heard nearly whole is not said again; one that was cut earlier is said again from its start.
    """
    at, end_ms = 0, 0.0
    for word in words:
        if not _was_said(word, heard_ms):
            return _skip_pause(text, max(word.begin, at))
        at, end_ms = word.end, word.end_ms
    if heard_ms - end_ms > _UNTIMED_MS:
        at = _by_proportion(text, at, (heard_ms - end_ms) * speed)
    return _skip_pause(text, at)


def _was_said(word: WordTime, heard_ms: float) -> bool:
    length_ms = word.end_ms - word.start_ms
    if heard_ms >= word.end_ms:
        return True
    lacking_ms = word.end_ms - heard_ms
    return lacking_ms < length_ms and (
        lacking_ms <= min(_WORD_END_SLACK_MS, length_ms / 2) or lacking_ms <= length_ms * (1 - _WORD_SAID)
    )


def _by_proportion(text: str, at: int, sound_ms: float) -> int:
    """The start of the word that sounds after `sound_ms` at the usual speaking rate; never inside a word."""
    starts = {0, *atoms(text)}
    word_start = at
    for place in range(at, len(text)):
        sound_ms -= _WIDE_MS if is_wide(text[place]) else _NARROW_MS
        if place in starts or text[place].isspace():
            word_start = place
        if sound_ms < 0:
            return word_start
    return max(at, len(text))


def _skip_pause(text: str, at: int) -> int:
    """A text to resume with must not begin with a pause."""
    found = _LEADING.match(text, at)
    return found.end() if found else at
