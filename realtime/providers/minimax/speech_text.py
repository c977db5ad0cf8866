"""What of a text can be spoken, and where to go on when the voice broke off in the middle. Pure.

Knows the platform's pause marks (shared/minimax t2a-websocket.md 1.2) and word times; knows no connection.
"""

from __future__ import annotations

import re
import unicodedata

from realtime.core.messages import WordTime

_PAUSE_MARK = re.compile(r"<#\d+(?:\.\d+)?#>")
_LEADING = re.compile(r"(?:\s|<#\d+(?:\.\d+)?#>)+")
_WORD_END_SLACK_MS = 80.0  # a word that lacks no more than this was understood
_WORD_SAID = 0.8  # ... or of which this much was heard
_UNTIMED_MS = 150.0  # sound beyond the last known word that is more than its fading
_CHARACTER_MS = 1000.0 / 15  # Latin script at speed 1 (shared/minimax t2a-websocket.md 5)
_IDEOGRAPH_MS = 1000.0 / 4.5


def speakable(text: str) -> bool:
    """Whether there is anything to pronounce: a letter or digit outside pause marks."""
    return any(character.isalnum() for character in _PAUSE_MARK.sub("", text))


def visible(text: str) -> str:
    """The text with invisible characters as blanks, so that offsets stay true and the platform does not refuse it."""
    return "".join(" " if _invisible(character) else character for character in text)


def unspoken_from(text: str, words: tuple[WordTime, ...], heard_ms: float, speed: float = 1.0) -> int:
    """The offset at which to go on after `heard_ms` of sound: a word's beginning, or the length of the text.

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
    """The start of the word that sounds after `sound_ms` at the usual pace; never inside a word."""
    word_start = at
    while at < len(text):
        character = text[at]
        wide = character >= "\u2e80"
        sound_ms -= _IDEOGRAPH_MS if wide else _CHARACTER_MS
        if wide or not _in_word(text, at):
            word_start = at
        if sound_ms < 0:
            return word_start
        at += 1
    return at


def _in_word(text: str, at: int) -> bool:
    """Whether a cut before this character would split a word."""
    return at > 0 and not text[at].isspace() and not text[at - 1].isspace() and text[at - 1] < "\u2e80"


def _skip_pause(text: str, at: int) -> int:
    """A text to go on with must not begin with a pause."""
    found = _LEADING.match(text, at)
    return found.end() if found else at


def _invisible(character: str) -> bool:
    return character != "\n" and unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs")
