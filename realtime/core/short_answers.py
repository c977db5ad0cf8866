"""Whether a text is a short answer to a question: yes, no, a command or a few numbers, and nothing else; or digits of
any number.

Such words are so short that a transcriber doubts them in noise, and digits it often takes for no speech; what it
invents for noise is something else (docs/engines.md 2.3). Knows text alone; how much doubt is too much is for the
transcriber to say.
"""

from __future__ import annotations

import re
from itertools import groupby

from realtime.core.folding import fold, units
from realtime.core.han_variants import in_simple_characters
from realtime.core.short_words import is_backchannel, is_hum, takes_turn

LONGEST = 6  # words, or characters of scripts without blanks
_NUMBERS = frozenset(
    "zero oh one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand and "
    "零 〇 一 二 两 三 四 五 六 七 八 九 十 百 千 万".split()
)
_NO_DIGITS = frozenset("and oh hundred thousand 百 千 万".split())  # in numbers, and said without any, too
_SHORT_GROUP = 4  # digits: so many have years, dates and amounts; what is longer is a number that is told
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
_TOLD_YEAR = re.compile(r"(?:一九|二[零〇])[零〇一二三四五六七八九]{2}")


def is_mostly_digits(text: str) -> bool:
    """Whether the text is groups of digits with hardly more words: a telephone number, a code. "© TV 2021" is none."""
    groups, digits, others = [], 0, 0
    for is_number, found in groupby(_words(text), _is_number):
        group = list(found)
        told = sum(map(_digits_of, group))
        if not is_number or not told:
            others += len(group)
            continue
        groups.append(group)
        if told > 1 or any(map(str.isdecimal, group)):  # else it may be in a word: 万一, 一个, "one of them"
            digits += told
    return digits > 1 and "©" not in text and sum(map(_weight, groups)) >= others


def _digits_of(number: str) -> int:
    """How many digits are told by it."""
    return len(number) if number.isdecimal() else int(number not in _NO_DIGITS)


def _weight(group: list[str]) -> int:
    """How many other words may stand beside it: of a year, which is in every credit of a film, none."""
    digits = sum(map(_digits_of, group))
    if all(map(_YEAR.fullmatch, group)) or _TOLD_YEAR.fullmatch("".join(group)):
        return 0
    return digits if digits > _SHORT_GROUP else 1


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
