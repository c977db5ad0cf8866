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
# Each begins only where nothing of it stands before, and takes back nothing: the time is no square of the length
_LONG_NUMBER = re.compile(
    r"(?<![\d‐‑–-])(?:\d{2,}+(?:[-‐‑–]\d{2,}+){2,}+|\d{3,}+[-‐‑–]\d{3,}+|\d{9,}+)(?![\d‐‑–-])"
)
# Measured with their pauses: 246 to 332 ms in English, where a letter takes 66, and 150 to 204 ms in Chinese, where a
# character takes 175. English voices that are slower than the usual rate are common; better a group late than untrue
_TOLD_DIGIT, _TOLD_DIGIT_AMONG_WIDE = 5.0, 4.0
_LABEL = "[A-Za-z0-9_-]"
_ADDRESS = re.compile(
    rf"(?<![A-Za-z0-9_.+@/-])(?:(?:https?://(?:www\.)?|www\.)(?:{_LABEL}++(?:[.:/@](?={_LABEL}))?)++"
    rf"|(?:{_LABEL}++[.+]?)++@(?:{_LABEL}++\.?)++"
    rf"|(?:{_LABEL}++\.(?={_LABEL}))++[A-Za-z]{{2,}}+/(?:{_LABEL}++(?:[./](?={_LABEL}))?)++)",
    re.I,
)
_GROUP_END = re.compile(r"(?<!ww)(?<!/)[./@](?=[A-Za-z0-9])|(?<=\d)[-‐‑–](?=\d)")
_DIGITS = re.compile(r"\d{5,}+")
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


def sound_weights(spoken: str) -> list[float]:
    """The weight of each character. The digits of a long number are read one by one, and with pauses."""
    weights = list(map(sound_weight, spoken))
    digit = _TOLD_DIGIT_AMONG_WIDE if any(map(is_wide, spoken)) else _TOLD_DIGIT
    for long in _LONG_NUMBER.finditer(spoken):
        for index in range(*long.span()):
            if spoken[index].isdigit():
                weights[index] = digit
    return weights


def atoms(text: str) -> list[int]:
    """The ends of the smallest parts `text` may be cut into; the last one is `len(text)`. Empty for ""."""
    if not text:
        return []
    first = len(text) - len(text.lstrip())  # spaces at the very beginning belong to the first word
    ends = [index for index in range(first + 1, len(text)) if _may_cut(text, index)]
    if any(map(is_segmented, text)):
        for run in _RUN.finditer(text):
            ends += segment_ends(text, *run.span(), complete=True)
        ends = sorted(set(ends))
    ends.append(len(text))
    return ends


def group_ends(text: str) -> list[int]:
    """Where the groups of a long number or an address end, inside an atom: each sounds for as long as a word.

    "138-|2256-|7788", "platform.|minimaxi.|com/|docs". A cut there leaves what was heard and shows that there was more.
    """
    ends: list[int] = []
    addresses = _ADDRESS.finditer(text) if "/" in text or "@" in text or "www." in text.lower() else ()
    for long in (*_LONG_NUMBER.finditer(text), *addresses):
        start = long.start() + (len("https://") if long.group().lower().startswith("http") else 0)
        ends += [found.end() for found in _GROUP_END.finditer(text, start, long.end())]
        for digits in _DIGITS.finditer(text, long.start(), long.end()):  # in fours, counted from their end
            ends += range(digits.end() - 4, digits.start(), -4)
    return sorted(set(ends))


def _may_cut(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if after.isspace() or inside_grapheme(text, index):
        return False  # spaces stay with the word before them
    if before.isspace():
        return True
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
