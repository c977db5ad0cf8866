"""Whether a text is a short answer to a question: yes, no, a command or a few numbers, and nothing else; or digits of
any number.

Such words are so short that a transcriber doubts them in noise, and digits it often takes for no speech; what it
invents for noise is something else (docs/engines.md 2.3). Knows text alone; how much doubt is too much is for the
transcriber to say.
"""

from __future__ import annotations

from realtime.core.folding import fold, units
from realtime.core.han_variants import in_simple_characters
from realtime.core.short_words import is_backchannel, is_hum, takes_turn

LONGEST = 6  # words, or characters of scripts without blanks
_NUMBERS = frozenset(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand and "
    "零 〇 一 二 两 三 四 五 六 七 八 九 十 百 千 万".split()
)

_ELSE_TOO = frozenset({"and", "oh"})  # said without any number, too


def is_mostly_digits(text: str) -> bool:
    """Whether at least two digits, or words for them, are half of the text or more: a telephone number, a code."""
    words = _words(text)
    digits = sum(len(word) if word.isdecimal() else word in _NUMBERS - _ELSE_TOO for word in words)
    return digits > 1 and digits >= sum(not _is_number(word) for word in words)


def is_short_answer(text: str) -> bool:
    """Whether somebody who was asked may have said just this."""
    words = _words(text)
    if not 0 < len(words) <= LONGEST or is_hum(text):
        return False
    if words != ["and"] and all(map(_is_number, words)):
        return True
    return is_backchannel(text) or takes_turn(text) or all(map(takes_turn, words))


def _words(text: str) -> list[str]:
    return units(in_simple_characters(fold(text.replace("-", " "))))  # "twenty-one"


def _is_number(word: str) -> bool:
    return word.isdecimal() or word in _NUMBERS
