"""The smallest parts of a text that are heard as one, and how long each sounds compared with the others.

A word with its punctuation, or one character of a script without blanks, or a word or syllable of one that takes
several characters for it (`characters.py` says which, `segments.py` where they meet). Knows nothing
of audio, chunks or replies.
"""

from __future__ import annotations

import re
import unicodedata

from realtime.core.characters import inside_grapheme, is_unspaced, is_wide, pronounceable
from realtime.core.punctuation import CLAUSE_MARKS, SENTENCE_MARKS
from realtime.core.segments import segment_ends
from realtime.core.unicode_tables import SEGMENTED, is_segmented

_OPENING = frozenset("([{<«‹“‘「『【《〈（［｛〔¿¡")
_PAUSES_LONG = SENTENCE_MARKS | frozenset("…\n")
_PAUSES_SHORT = CLAUSE_MARKS - frozenset("…–")
_RUN = re.compile(f"[{SEGMENTED}][{SEGMENTED}\u200b-\u200d]+")


def sound_weight(char: str) -> float:
    """How long this character sounds, as a multiple of one Latin letter."""
    if pronounceable(char):
        return 4.0 if is_wide(char) else 3.0 if char.isdigit() else 1.0
    if char in _PAUSES_LONG:
        return 4.0
    if char in _PAUSES_SHORT:
        return 2.0
    return 0.0


def atoms(text: str) -> list[int]:
    """The ends of the smallest parts `text` may be cut into; the last one is `len(text)`. Empty for ""."""
    if not text:
        return []
    ends = [index for index in range(1, len(text)) if _may_cut(text, index)]
    if any(map(is_segmented, text)):
        for run in _RUN.finditer(text):
            ends += segment_ends(text, *run.span(), complete=True)
        ends = sorted(set(ends))
    ends.append(len(text))
    return ends


def _may_cut(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after.isspace() or inside_grapheme(text, index):
        return False  # spaces stay with the word before them
    if before.isspace():
        # A line of spaces at the very beginning belongs to the first word.
        return not text[:index].isspace()
    if before in _OPENING or _is_closing(after):
        return False
    return is_unspaced(before) or is_unspaced(after) or _is_wide_punctuation(before)


def is_trailing_punctuation(stretch: str) -> bool:
    """Whether this is nothing but punctuation that belongs to the word before it."""
    return all(char.isspace() or _is_closing(char) for char in stretch)


def _is_wide_punctuation(char: str) -> bool:
    """After it a new word begins, even without a space: `，` and `。`."""
    return unicodedata.east_asian_width(char) in "WF" and unicodedata.category(char)[0] == "P"


def _is_closing(char: str) -> bool:
    """Punctuation that follows its word; opening brackets and quotes precede it."""
    return char not in _OPENING and unicodedata.category(char)[0] == "P"
