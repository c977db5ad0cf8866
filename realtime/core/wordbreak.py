"""Where a text may be cut without splitting a word or a visible character, and how long its sounds take.

Pure text: knows nothing of audio, pieces or replies. Scripts without spaces (Han, kana) may be cut at each
character, everything else only at spaces. Punctuation stays with the word it belongs to.
"""

from __future__ import annotations

import unicodedata

_OPENING = frozenset("([{<«‹“‘「『【《〈（［｛〔¿¡")
_ZERO_WIDTH_JOINER = "\u200d"
_PAUSES_LONG = frozenset(".!?。！？…\n")
_PAUSES_SHORT = frozenset(",;:，；：、—")


def is_unspaced(char: str) -> bool:
    """Whether this is a character of a script written without spaces between words."""
    code = ord(char)
    return (
        0x3040 <= code <= 0x30FF  # hiragana, katakana
        or 0x3400 <= code <= 0x4DBF
        or 0x4E00 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0x20000 <= code <= 0x3FFFF
    )


def is_spoken(char: str) -> bool:
    """Whether this character makes a sound of its own."""
    return char.isalnum()


def sound_weight(char: str) -> float:
    """How long this character sounds, as a multiple of one Latin letter."""
    if is_unspaced(char):
        return 4.0
    if char.isdigit():
        return 3.0
    if char.isalnum():
        return 1.0
    if char in _PAUSES_LONG:
        return 4.0
    if char in _PAUSES_SHORT:
        return 2.0
    return 0.0


def atoms(text: str) -> list[int]:
    """The ends of the smallest pieces `text` may be cut into; the last one is `len(text)`. Empty for ""."""
    if not text:
        return []
    ends = [index for index in range(1, len(text)) if _may_cut(text, index)]
    ends.append(len(text))
    return ends


def _may_cut(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after.isspace() or not _is_grapheme_boundary(text, index):
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


def _is_grapheme_boundary(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if _ZERO_WIDTH_JOINER in (before, after) or (before == "\r" and after == "\n"):
        return False
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if _is_regional(before) and _is_regional(after):
        run = 0
        while run < index and _is_regional(text[index - 1 - run]):
            run += 1
        return run % 2 == 0  # flags are pairs of regional letters
    return True


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
