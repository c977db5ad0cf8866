"""A text as the units in which a microphone may hear it: one form for all spellings of one sound.

Of scripts without blanks a unit is a character, else a word. Chinese characters are compared by how they are read
(还, 還), and numbers digit by digit of their value (12, 十二, twelve). Knows no times and no echo.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from realtime.core.characters import KANA, UNSPACED, is_unspaced
from realtime.core.essence import NUMERALS, number_value
from realtime.core.folding import fold, units
from realtime.core.han_readings import READINGS

_TOKEN = re.compile(
    rf"[0-9]{{1,3}}(?:,[0-9]{{3}})+(?![0-9])|[{NUMERALS}]+|[{UNSPACED}]|[^\s{UNSPACED}{NUMERALS}]+"
)
_WIDE = str.maketrans("０１２３４５６７８９，", "0123456789,")
_NUMBER, _KANA = re.compile(rf"[{NUMERALS}]+"), re.compile(f"[{KANA}]")
_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")  # each weighs as much as a character
_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_SMALL.split())} | {
    word: f"{value}0" for value, word in enumerate(_TENS.split(), 2)
}
_SPELLED = re.compile(r"\W*([a-z]+(?:[-\u2010\u2011][a-z]+)*)\W*")  # "twenty-five,"
CHARACTER_WEIGHT = 3  # of a character of a script without blanks, in letters


class Unit(NamedTuple):
    """`form` is compared, `word` is the folded word itself, `place` is where in the text it begins, and `end` where the
    word or the number ends of which it is."""

    form: str
    word: str
    place: int
    end: int

    @property
    def weight(self) -> int:
        return CHARACTER_WEIGHT if self.is_character else len(self.form)

    @property
    def is_character(self) -> bool:
        """Of a script without blanks, or a digit."""
        return is_unspaced(self.form)

    @property
    def is_word(self) -> bool:
        """Between blanks, or a digit that is written as one."""
        return not self.is_character or self.word.isascii()


def is_japanese(text: str) -> bool:
    """Whether there is kana in it: how its characters are read in Chinese says nothing then."""
    return _KANA.search(text) is not None


def heard_units(text: str, *, by_reading: bool) -> list[Unit]:
    """The units of a text. `by_reading`: its Han characters may be Chinese."""
    found: list[Unit] = []
    for token in _TOKEN.finditer(text.translate(_WIDE)):
        forms = _forms(token.group(), by_reading)
        size = token.end() - token.start()
        found += (
            Unit(form, word, token.start() + size * number // len(forms), token.end())
            for number, (form, word) in enumerate(forms)
        )
    return found


def _forms(token: str, by_reading: bool) -> list[tuple[str, str]]:
    number = token.replace(",", "")
    if _NUMBER.fullmatch(number):
        return _digits(number_value(number), token)
    spelled = _SPELLED.fullmatch(token.lower())
    parts = re.split(r"\W", spelled[1]) if spelled else []
    if parts and all(part in _NUMBER_WORDS for part in parts):
        return [form for part in parts for form in _digits(_NUMBER_WORDS[part], part)]
    return [(_read_alike().get(word, word) if by_reading else word, word) for word in units(fold(token))]


def _digits(value: str, word: str) -> list[tuple[str, str]]:
    """Nobody says the last zeros of a number, and where it is cut off the first digits are right."""
    return [(digit.translate(_DIGITS), word) for digit in value.rstrip("0") or "0"]


@cache
def _read_alike() -> dict[str, str]:
    """For each Chinese character one of those that are read as it is, in its tone."""
    first: dict[str, str] = {}
    return {char: first.setdefault(reading, char) for char, reading in READINGS.items()}
