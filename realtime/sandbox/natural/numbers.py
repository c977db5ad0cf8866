"""Numbers in a Chinese text, written out as they are said. Each character keeps its place in the text.

Knows whole numbers, decimals, percentages, years, times of day and long numbers that are read digit by digit. No money
and no formulas.
"""

from __future__ import annotations

import re

Spelled = list[tuple[str, int]]
"""Characters, and where each of them came from."""

DIGITS = "零一二三四五六七八九"
_PLACES = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")
_LONGEST_NUMBER = 16  # digits; a longer one is read digit by digit, as is one that begins with 0
_CODE_LENGTH = 7  # from this many digits on, without a comma: a telephone number or a code

_NUMBER = re.compile(
    r"(?P<year>\d{4})(?=年)"
    r"|(?P<hour>[01]?\d|2[0-4])[:：](?P<minute>[0-5]\d)(?:[:：](?P<second>[0-5]\d))?(?!\d)"
    r"|(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?(?P<percent>[%％])?"
)


def written_out(text: str) -> Spelled:
    """The text with its numbers in characters; `12%` is 百分之十二."""
    said: Spelled = []
    index = 0
    for found in _NUMBER.finditer(text):
        said += [(text[at], at) for at in range(index, found.start())]
        said += [(char, found.start()) for char in _said(found, text)]
        index = found.end()
    return said + [(text[at], at) for at in range(index, len(text))]


def _said(found: re.Match[str], text: str) -> str:
    if found["year"]:
        return by_digit(found["year"])
    if found["hour"]:
        return _time(found)
    digits = found["whole"].replace(",", "")
    is_code = len(digits) >= _CODE_LENGTH and "," not in found["whole"] and not found["part"]
    minus = "负" if _is_negative(text, found.start()) else ""
    number = by_digit(digits) if is_code else whole(digits)
    if found["part"]:
        number += "点" + by_digit(found["part"])
    return minus + ("百分之" if found["percent"] else "") + _pair(number, text[found.end() :])


def _time(found: re.Match[str]) -> str:
    said = whole(found["hour"]).replace("二", "两") if int(found["hour"]) == 2 else whole(found["hour"])
    said += "点"
    if int(found["minute"]):
        zero = "零" if found["minute"][0] == "0" else ""
        said += zero + whole(str(int(found["minute"]))) + "分"
    elif not found["second"]:
        said += "整"
    return said + (whole(str(int(found["second"]))) + "秒" if found["second"] else "")


def _is_negative(text: str, start: int) -> bool:
    return text[start - 1 : start] in ("-", "−") and (start < 2 or text[start - 2] in " （(，,：:是为")


_COUNTED = "个位只次天年本张件条块杯瓶家种倍岁分点小周遍口双把座辆头层间"


def _pair(number: str, rest: str) -> str:
    """2 before what is counted is 两."""
    return "两" if number == "二" and rest.strip()[:1] and rest.strip()[0] in _COUNTED else number


def by_digit(digits: str) -> str:
    """`2026` as 二零二六."""
    return "".join(DIGITS[int(digit)] for digit in digits)


def whole(digits: str) -> str:
    """`10203` as 一万零二百零三. What has too many digits, or begins with 0, is read digit by digit."""
    if len(digits) > _LONGEST_NUMBER or (digits[0] == "0" and len(digits) > 1):
        return by_digit(digits)
    if not int(digits):
        return DIGITS[0]
    groups = [digits[max(0, end - 4) : end] for end in range(len(digits), 0, -4)]
    said, gap = "", False
    for index in range(len(groups) - 1, -1, -1):
        value = int(groups[index])
        if not value:
            gap = True
            continue
        if said and (gap or value < 1000):
            said += DIGITS[0]
        said += _below_ten_thousand(value, first=not said) + _GROUPS[index]
        gap = False
    return said


def _below_ten_thousand(value: int, *, first: bool) -> str:
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = value // 10**place % 10
        if not digit:
            gap = bool(said)
            continue
        if gap:
            said += DIGITS[0]
        gap = False
        said += ("" if first and not said and place == 1 and digit == 1 else DIGITS[digit]) + _PLACES[place]
    return said
