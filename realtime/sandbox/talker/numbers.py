"""Numbers as people say them, in English and Chinese: words to digits and back."""

from __future__ import annotations

import re
from fractions import Fraction

from .language import Language

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_UNIT = {word: value for value, word in enumerate(_SMALL)}
_TEN = {word: 20 + 10 * place for place, word in enumerate(_TENS)}
_SCALE = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}
_PLAIN = "|".join(sorted([*_UNIT, *_TEN], key=len, reverse=True))
_BIG = "hundred|thousand|million|billion"
_NUMBER_WORD = re.compile(
    rf"\b(?:(?:{_PLAIN})|an?\s+(?:{_BIG}))\b"
    rf"(?:(?:(?:(?<=hundred)|(?<=thousand)|(?<=million))\s+and\s+|[\s-]+)(?:{_PLAIN}|{_BIG})\b)*"
    rf"(?:\s+point(?:\s+(?:{'|'.join(_SMALL[:10])})\b)+)?",
    re.IGNORECASE,
)

_ZH_DIGIT = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ZH_PLACE = {"十": 10, "百": 100, "千": 1_000}
_ZH_SCALE = {"万": 10_000, "亿": 100_000_000}
_ZH_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")


def with_digits(text: str) -> str:
    """`text` with every number word replaced by its digits: `twenty two` gives `22`, `三十` gives `30`."""
    text = _NUMBER_WORD.sub(lambda match: _english(match[0]), text)
    return _ZH_NUMBER.sub(lambda match: _chinese(match[0]), text)


def _english(phrase: str) -> str:
    whole, _, decimals = re.sub(r"[\s-]+", " ", phrase.lower()).partition(" point ")
    numbers = _read(whole.split())
    if decimals:
        numbers[-1] += "." + "".join(str(_UNIT[word]) for word in decimals.split())
    return " ".join(numbers)


def _read(words: list[str]) -> list[str]:
    """Read as few numbers as the words allow: `one two` is two numbers, `twenty two` is one."""
    numbers: list[str] = []
    total, group, room = 0, 0, 0  # `room`: the next plain word must be below this to join the group
    for word in words:
        if word in ("and", "a", "an"):
            if word != "and":
                group, room = 1, 1
            continue
        if word == "hundred":
            group, room = group * 100, 100
        elif word in _SCALE:
            total, group, room = total + group * _SCALE[word], 0, 1000
        else:
            value = _UNIT.get(word, _TEN.get(word, 0))
            if numbers and 0 < value < room:
                group += value
            else:
                if numbers:
                    numbers[-1] = str(total + group)
                numbers.append("")
                total, group = 0, value
            room = 10 if word in _TEN else 1
        if not numbers:
            numbers.append("")
        numbers[-1] = str(total + group)
    return numbers


def _chinese(phrase: str) -> str:
    whole, point, decimals = phrase.partition("点")
    tail = "".join(str(_ZH_DIGIT[char]) for char in decimals)
    return f"{_chinese_whole(whole)}.{tail}" if point else str(_chinese_whole(whole))


def _chinese_whole(phrase: str) -> int:
    if len(phrase) > 1 and all(char in _ZH_DIGIT for char in phrase):
        return int("".join(str(_ZH_DIGIT[char]) for char in phrase))  # read digit by digit: 二零二六
    total, section, digit = 0, 0, 0
    for char in phrase:
        if char in _ZH_DIGIT:
            digit = _ZH_DIGIT[char]
        elif char in _ZH_PLACE:
            section += (digit or (1 if not section else 0)) * _ZH_PLACE[char]
            digit = 0
        else:
            total += (section + digit) * _ZH_SCALE[char]
            section = digit = 0
    return total + section + digit


def in_words(value: Fraction | int, language: Language) -> str:
    """`23` gives `twenty-three` or `二十三`; fractions are spoken with up to four decimals."""
    value = Fraction(value)
    if value < 0:
        return ("负" if language == "zh" else "minus ") + in_words(-value, language)
    whole = value.numerator // value.denominator
    decimals = _decimals(value - whole)
    if language == "zh":
        digits = "点" + "".join("零一二三四五六七八九"[int(digit)] for digit in decimals) if decimals else ""
        return _whole_zh(whole) + digits
    tail = " point " + " ".join(_SMALL[int(digit)] for digit in decimals) if decimals else ""
    return _whole_en(whole) + tail


def in_digits(value: Fraction | int) -> str:
    """`7/2` gives `3.5`, at most four decimals."""
    value = Fraction(value)
    sign = "-" if value < 0 else ""
    value = abs(value)
    whole = value.numerator // value.denominator
    decimals = _decimals(value - whole)
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def _decimals(rest: Fraction) -> str:
    return f"{int(rest * 10_000):04d}".rstrip("0")


def _whole_en(value: int) -> str:
    if value < 20:
        return _SMALL[value]
    if value < 100:
        ten = _TENS[value // 10 - 2]
        return ten if value % 10 == 0 else f"{ten}-{_SMALL[value % 10]}"
    for name, size in (("billion", 10**9), ("million", 10**6), ("thousand", 1000), ("hundred", 100)):
        if value >= size:
            rest = value % size
            joint = " and " if 0 < rest < 100 else " "
            return f"{_whole_en(value // size)} {name}" + (joint + _whole_en(rest) if rest else "")
    raise AssertionError(value)


def _whole_zh(value: int) -> str:
    if value < 10:
        return "零一二三四五六七八九"[value]
    if value < 20:
        return "十" + (_whole_zh(value - 10) if value > 10 else "")
    for name, size in (("亿", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10)):
        if value >= size:
            rest = value % size
            gap = "零" if 0 < rest < size // 10 else ""
            if 10 <= rest < 20:
                return _whole_zh(value // size) + name + gap + "一" + _whole_zh(rest)
            return _whole_zh(value // size) + name + (gap + _whole_zh(rest) if rest else "")
    raise AssertionError(value)
