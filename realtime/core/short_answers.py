"""Whether a text is a short answer to a question: yes, no, a command or a few numbers, and nothing else.

Such words are so short that a transcriber doubts them in noise; and what it invents for noise is something else
(docs/engines.md 2.2). Knows text alone; how much doubt is too much is for the transcriber to say.
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


def is_short_answer(text: str) -> bool:
    """Whether somebody who was asked may have said just this."""
    words = units(in_simple_characters(fold(text.replace("-", " "))))  # "twenty-one"
    if not 0 < len(words) <= LONGEST or is_hum(text):
        return False
    if all(word.isdecimal() or word in _NUMBERS for word in words):
        return words != ["and"]
    return is_backchannel(text) or takes_turn(text) or all(map(takes_turn, words))
