"""What an answer depends on: the words, and whether they are a question. Texts of one essence have one answer.

A transcriber that decodes a growing utterance again and again writes the same Chinese sound in many ways:
达摩院, 达摩愿; 9点, 九点; 多少钱？, 多少钱。. What was heard stays the same, so Chinese is compared by its
readings, tones included, and an answer begun for one spelling is good for the others. 买 and 卖 differ in
their tone only, and are two words. Pure.
"""

from __future__ import annotations

import re

from realtime.core.characters import HAN, KANA, UNSPACED
from realtime.core.han_readings import READINGS

_SIGNS = "%$€£¥#+°−×÷"  # are spoken
_WIDE = str.maketrans("％＄￡￥＃＋", "%$£¥#+")
_IMMATERIAL = re.compile(rf"[^\w'’?？{_SIGNS}]+")
_BESIDE_SIGNS = re.compile(rf" *([{_SIGNS}]) *")
# Between two numbers, or before one; "555-1234" is one number, with or without its mark
_MINUS = re.compile(r"(?<=[\d%°€]) [-–] (?=\d)|(?:(?<=\s)|^)[-–](?=\d)")
_BLANKS = re.compile(rf"(?<=[{UNSPACED}]) | (?=[{UNSPACED}])")  # where no word needs one
_HAN, _KANA = re.compile(f"[{HAN}]"), re.compile(f"[{KANA}]")

_ASKS = re.compile(
    "[吗嗎哪谁誰呢啥怎]|什[么麼]|多少|[几幾][点點号號月岁歲时時]|是不是|有[没沒]有|[会會]不[会會]|能不能|可不可以|[为為]何"
)
_DIGITS = (
    {char: str(index) for index, char in enumerate("零一二三四五六七八九")}
    | dict.fromkeys("两兩", "2")
    | {"〇": "0"}
)
_UNITS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
NUMERALS = f"0-9{''.join(_DIGITS)}{''.join(_UNITS)}"  # for the inside of a regular expression's [ ]
_NUMBER = re.compile(f"[{NUMERALS}]+")
LONGEST_NUMBER = 30  # characters; a longer one is compared digit by digit
_PART = re.compile(f"[0-9{''.join(_DIGITS)}]+|[{''.join(_UNITS)}]")


def essence(text: str) -> str:
    """The words and whether it is a question: no capitals, commas, full stops, or blanks in scripts that have none.
    Signs that are spoken count: 10% is not 10.

    Of Chinese it is how the words are read, with digits for numbers; a question mark counts where no word asks.
    """
    words = _IMMATERIAL.sub(" ", _MINUS.sub("−", text.casefold().translate(_WIDE)))
    words = _BLANKS.sub("", _BESIDE_SIGNS.sub(r"\1", words))
    words = words.replace("？", "?").replace("’", "'").strip()
    return _as_read(words) if _HAN.search(words) and not _KANA.search(words) else words


def _as_read(words: str) -> str:
    if _ASKS.search(words):
        words = words.replace("?", "")
    words = _NUMBER.sub(lambda found: f" {number_value(found.group())} ", words)
    return " ".join("".join(f" {READINGS[char]} " if char in READINGS else char for char in words).split())


def number_value(number: str) -> str:
    """`十五` and `15` as 15, `二零二六` and `2026` as 2026, `一百五` as 150."""
    if len(number) > LONGEST_NUMBER:
        return number
    parts = ["".join(_DIGITS.get(char, char) for char in part) for part in _PART.findall(number)]
    if len(parts) == 1 and parts[0] not in _UNITS:
        return parts[0]
    whole = below = 0  # of the number, and of what stands before the next 万
    unit = 1  # the last one
    counted: int | None = None
    for part in parts:
        if part not in _UNITS:
            counted = int(part)
            continue
        unit = _UNITS[part]
        if unit < _UNITS["万"]:
            below += (1 if counted is None else counted) * unit
        else:
            of_it = whole if whole < unit else 0  # 一万亿 is so many 亿, 一亿两万 is not so many 万
            whole += (of_it + below + (counted or 0) or 1) * unit - of_it
            below = 0
        counted = None
    if counted is not None and len(parts[-1]) == 1 and unit > 10:
        counted *= unit // 10  # the unit that nobody says; 一百零五 has two digits here, "05"
    return str(whole + below + (counted or 0))
