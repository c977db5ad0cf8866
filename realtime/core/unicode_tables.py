"""Sets of characters by properties of Unicode that only the library `regex` has tables of.

Apart from `characters.py`, because they take long to make: whoever only sends text to a voice does without. Knows
Unicode, and no words.
"""

from __future__ import annotations

import re
from itertools import groupby

import regex

_ALL = "".join(map(chr, (*range(0x21, 0xD800), *range(0xE000, 0x20000))))  # scripts, not the rare Han beyond


def having(pattern: str) -> str:
    """All characters that `pattern` of the library `regex` matches, one by one: rf"\\p{{Sentence_Terminal}}"."""
    return "".join(regex.findall(pattern, _ALL, regex.VERSION1))


def ranges(chars: str) -> str:
    """These characters for the inside of a regular expression's [ ]."""
    runs = []
    for _, group in groupby(enumerate(sorted(map(ord, chars))), lambda pair: pair[1] - pair[0]):
        codes = [code for _, code in group]
        runs.append(re.escape(chr(codes[0])) + (f"-{re.escape(chr(codes[-1]))}" if codes[1:] else ""))
    return "".join(runs)


COMBINING = ranges(having(r"\p{M}"))  # vowel signs, accents: take no time of their own

# Written without blanks between words too, and with several characters for a syllable: Thai, Lao, Khmer, Burmese ...
# (line breaks need a dictionary: UAX 14), and Tibetan
_SEGMENTED_CHARS = having(r"[\p{Line_Break=SA}[\p{Tibetan}&&[\p{L}\p{M}\u0f0b\u0f0c]]]")
SEGMENTED = ranges(_SEGMENTED_CHARS)

_SEGMENTED = frozenset(_SEGMENTED_CHARS)
_INHERENT = regex.compile(r"[[\p{InSC=Consonant}\p{Ethiopic}]&&\p{L}--[\p{Thai}\p{Lao}]]", regex.VERSION1)


def is_segmented(char: str) -> bool:
    """Whether this is of a script without blanks in which a syllable takes several characters: Thai, Khmer ..."""
    return char in _SEGMENTED


def count_inherent_vowels(text: str) -> int:
    """How many letters of `text` are read with a vowel that is not written as a letter: Devanagari, Ethiopic ..."""
    return 0 if text.isascii() else len(_INHERENT.findall(text))
