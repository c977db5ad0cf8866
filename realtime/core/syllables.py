"""How many syllables a text has at least. Knows scripts; knows no audio and no dictionary."""

from __future__ import annotations

import re

from realtime.core.characters import HAN, HANGUL
from realtime.core.folding import fold

_WIDE = re.compile(f"[{HAN}{HANGUL}\u3041-\u3096\u30a1-\u30fa]")
# Share a syllable with the kana before
_SMALL_KANA = re.compile("[ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ]")
_VOWELS = re.compile("[aeiouyäöüåαεηιουωаеёиоуыэюяіїєў]+")
_SILENT_END = re.compile("[^aeiouy]e[sd]?$")  # English and French
_SPELLED = re.compile("[a-zα-ωа-яёіїєґўäöüåñç]+")  # scripts that write all their vowels
_DIGITS = re.compile(r"\d+")
_LETTERS_OF_OTHERS = 0.4  # syllables: vowels are not written, or are written as letters, too
_DIGITS_AT_ONCE = 2  # "1999" is "nineteen ninety-nine"


def least_syllables(text: str) -> float:
    """Fewer nobody can say it with: where a spelling leaves a choice, the shorter one counts."""
    text = _SMALL_KANA.sub("", text)
    count, rest = 0.0, []
    for word in fold(text).split():
        wide = len(_WIDE.findall(word))
        count += wide
        rest.append(_WIDE.sub(" ", word))
    return count + sum(_of_word(word) for part in rest for word in part.split())


def _of_word(word: str) -> float:
    numbers = _DIGITS.findall(word)
    count = float(sum(-(-len(number) // _DIGITS_AT_ONCE) for number in numbers))
    for part in _DIGITS.sub(" ", word).split():
        if _SPELLED.fullmatch(part):
            vowels = len(_VOWELS.findall(part))
            count += max(1, vowels - (_SILENT_END.search(part) is not None))
        else:
            count += max(1.0, len(part) * _LETTERS_OF_OTHERS)
    return count
