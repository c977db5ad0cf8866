"""Whether a text may end in the middle of what is told digit by digit or letter by letter: a number, a code, a name.

Between the groups of a number people are silent for half a second and more, and transcribers write each group as a
sentence: "079.", "0.7.9.", "5-5, 2.", "138-2256". So the characters at the end count, in all languages, and not the
words. Amounts, years, dates and times are whole ("It costs 350.", "in 1984."). Where such a number has just been named
or asked for, one digit is its first one ("My PIN is 4."). Pure.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import NamedTuple

from realtime.core.backchannels import BACKCHANNELS
from realtime.core.folding import fold
from realtime.core.number_requests import HAN_NAMES, NAMES, asked_name
from realtime.core.short_words import is_backchannel
from realtime.core.spelled_addresses import address_goes_on
from realtime.core.turn_words import TURN_WORDS

LOOKED_AT = 120  # characters before the end


class Spelled(Enum):
    """How much of what is told digit by digit or letter by letter a text ends with."""

    NOT = 0
    GOES_ON = 1  # more digits or letters may follow
    SHORT = 2  # too few digits for the number that was named or asked for, or an address without its end


_ASKED_IN = 300  # characters at the end of what the other said: a question with its reason
# Digits in a row where nobody said what they are, unless the first one is a zero: no amount begins so
_FEWEST = 3
_WORDS = {
    word: str(digit)
    for digit, words in enumerate(
        ("zero oh nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    )
    for word in words.split()
}
_HAN_DIGITS = (
    {char: str(digit) for digit, char in enumerate("零一二三四五六七八九")}
    | dict.fromkeys("两兩", "2")
    | {"〇": "0", "幺": "1"}
)
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)
_AGAIN = re.compile(r"\b(double|triple|treble) (\d)\b", re.IGNORECASE)
_BETWEEN = r"\s.,，、。·\-–—"
_LAST = re.compile(rf"(?<![A-Za-z\d])\d+(?:[{_BETWEEN}]+\d+)*$")
_ONE_NUMBER = re.compile(r"(?!0\d)(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d{1,2}|\d{1,2}\.\d+)")
_YEARS = r"(?:1[5-9]|20)\d\d"
_DATE = re.compile(
    rf"{_YEARS}[\s\-–]+{_YEARS}|" r"(?:19|20)\d\d[-.]\d{1,2}[-.]\d{1,2}|\d{1,2}[-.]\d{1,2}[-.](?:19|20)\d\d"
)
_YEAR = re.compile(_YEARS)
_DAY_AND_YEAR = re.compile(rf"\d{{1,2}}[\s,]+{_YEARS}")
# Right before a number: of a price, a year, a room, a time ("10:30", 八点零五), a fraction, or of more of it (三百零五)
_OF_AN_AMOUNT = re.compile(
    r"(?:[$€£¥￥₩₹]\s*|[:：/]|[点點时時分百千万萬亿億第]\s*|"
    r"(?:\b(?:costs?|paid|pays?|worth|about|around|nearly|almost|over|under|than|total|makes?|equals|"
    r"in|since|until|year|room|page|chapter|line|bus|flight|channel)|"
    r"花了|要|共|大约|大概|超过|等于|只有)\s*)$",
    re.IGNORECASE,
)
_ITSELF = re.compile(r"(?:\b(?:it|that|this)(?:\s+is|[’']s)|(?:这|那|就|它|^)是)\s*$", re.IGNORECASE)
_ROUND = 50  # a sum, and hardly three digits of a number
_OF_WHAT = r"(?:\s+(?:for|of|to)(?:\s+[\w’']+){1,3})?"  # "the code for the front door is"


# What says that a code has four digits or more
_OF_FOUR_OR_MORE = (
    r"verification|confirmation|one.time|access|authentication|auth|authori[sz]ation|log.?in|sign.?in|activation|reset|"
    r"unlock|recovery|sms|text|otp|two.factor|pick.?up|booking|entry|(?:four|five|eight|[458]).digit"
)


class _Kind(NamedTuple):
    """Of a number that is told by its digits."""

    named: re.Pattern[str]  # before the digits
    whole: re.Pattern[str]  # all its digits
    least: int  # digits that most of them have; 0: nobody knows


_TELEPHONE = _Kind(
    re.compile(
        r"\b(?:phone|telephone|mobile|cell|fax|telefon\w*|tel[eé]fono|t[eé]l[eé]phone|handy)\b|"
        r"\b(?:my|our|your|his|her|their) number(?:\s+is|[’']s)\b|"
        r"\b(?:meine|unsere|seine|ihre) nummer (?:ist|is)\b|\b(?:mi|su|nuestro) n[uú]mero es\b|"
        r"\b(?:mon|son|notre) num[eé]ro (?:est|c[’']est)\b|\b(?:il mio numero [eè]|o meu n[uú]mero [eé])(?!\w)|"
        r"\b(?:мой|наш) номер\b|(?:제|내) 번호|私の番[号號]|"
        r"\b(?:call|dial|text|reach)(?:\s+(?:me|us|him|her|them))?(?:\s+(?:at|on))?\s*$|전화|電話|"
        r"[电電][话話]|手[机機]|(?:[我他她你您]们?|[們])的[号號][码碼]|[拨撥]打",
        re.IGNORECASE,
    ),
    re.compile(r"[2-9]\d{9}|1\d{10}|0\d{9,10}|\d{16}|911|112|999|110|119|120"),
    10,
)
# All digits of a telephone number of Hong Kong or Singapore, and the beginning of one elsewhere
_MAY_BE_A_TELEPHONE = re.compile(r"[2-9]\d{3}[\s\-.]*\d{4}")
_ANY_NUMBER = _Kind(  # of a flat, a shirt
    re.compile(
        r"(?<!room )(?<!page )(?<!house )(?<!flight )(?<!seat )\bnumber(?:\s+is|[’']s)\b|"
        r"\b(?:\w*nummer (?:ist|is)|num[eé]ro (?:est|e|è|es|c[’']est)|n[uú]mero (?:es|é))\b|номер|번호|番[号號]|"
        r"\bid(?:\s+is|[’']s)\b|[号號][码碼]|[卡账賬帐帳单單尾编編学學工][号號]|身[份分][证證]",
        re.IGNORECASE,
    ),
    _TELEPHONE.whole,
    0,
)
_OF_ANY_LENGTH = re.compile(  # an order's, a member's; but not a telephone's
    r"\b(?:account|routing|order|tracking|reference|confirmation|booking|reservation|passport|social security|serial|"
    r"invoice|card|member(?:ship)?|customer|policy|licen[sc]e|ticket|case|id)\s+number\b|\bid(?:\s+is|[’']s)\b|"
    r"[卡账賬帐帳单單尾编編学學工訂订][号號]|[订訂][单單][号號][码碼]",
    re.IGNORECASE,
)
_PARTS = {  # digits of the end of a number, as those who ask for it say: 尾号是6688
    3: r"\b(?:last|final) 3\b|[后後末]\s*3\s*[位个個]",
    4: r"\b(?:last|final) 4\b|[后後末]\s*4\s*[位个個]|尾[号號]",
    6: r"\b(?:last|final) 6\b|[后後末]\s*6\s*[位个個]",
}
_KINDS = (
    # Four in Australia, Austria or Switzerland
    _Kind(re.compile(r"\bpost(?:al)?\s?code\b", re.IGNORECASE), re.compile(r"\d{4,6}"), 4),
    _Kind(re.compile(r"\bzip\b", re.IGNORECASE), re.compile(r"\d{5,6}"), 4),
    _Kind(re.compile(r"[邮郵][编編政遞递]"), re.compile(r"\d{5,6}"), 5),
    _Kind(re.compile(r"\barea code\b|[区區][号號]", re.IGNORECASE), re.compile(r"\d{3,4}"), 3),
    _Kind(  # "the six digit code", 六位验证码
        re.compile(
            r"\b(?:six|6)[\s-]+digit\s+(?:\w+\s+)?(?:pin|code|pass\s?(?:word|code))\b|(?<![后後末])6位\D{0,4}[码碼]",
            re.IGNORECASE,
        ),
        re.compile(r"\d{6}"),
        6,
    ),
    _Kind(
        re.compile(
            rf"\b(?:pin(?:\s+(?:number|code))?|(?:{_OF_FOUR_OR_MORE}) code)(?:{_OF_WHAT}\s+is|[’']s)\b|"
            r"\bpass\s?(?:word|code)\b|[验驗][证證][码碼]|密[码碼]",
            re.IGNORECASE,
        ),
        re.compile(r"\d{4,8}"),
        4,
    ),
    _Kind(  # three on the back of a card
        re.compile(rf"(?<!error )(?<!status )\bcode(?:{_OF_WHAT}\s+is|[’']s)\b", re.IGNORECASE),
        re.compile(r"\d{4,8}"),
        3,
    ),
    *(
        _Kind(re.compile(pattern, re.IGNORECASE), re.compile(rf"\d{{{count}}}"), count)
        for count, pattern in _PARTS.items()
    ),
    _Kind(
        re.compile(
            r"\b(?<!member )(?<!membership )(?:card|debit|credit) number\b|(?<!会员)(?<!會員)卡[号號]",
            re.IGNORECASE,
        ),
        re.compile(r"\d{15,16}|\d{19}"),
        15,
    ),
    _Kind(re.compile(r"身[份分][证證]"), re.compile(r"\d{15}|\d{18}"), 15),
    _Kind(_OF_ANY_LENGTH, _TELEPHONE.whole, 4),
    _TELEPHONE,
    _ANY_NUMBER,
)
_TOLD_DIGIT_BY_DIGIT = re.compile(  # right before the digits
    rf"(?:\b(?:{NAMES}){_OF_WHAT}(?:\s+(?:is|was)\b|[’']s\b|,)|(?:{HAN_NAMES})\s*就?[是为為])"
    r"(?:[\s,，]|\b(?:um|uh|er|well|okay|so)\b|嗯|呃)*$",
    re.IGNORECASE,
)
_SENTENCES = re.compile(r"(?<=[.!?。！？])\s*(?=\S)")
_LEAD_IN = re.compile(  # to the digits that were asked for
    r"^\s*(?:(?:sure|yes|yeah|yep|ok|okay|um+|uh+|er+|well|so|all\s?right|of course|certainly|嗯|呃|哦|好的?|行|可以)"
    r"(?![a-z])[\s,，.。!！]*)*(?:(?:it|that|this)(?:\s+is|[’']s)(?![a-z])|它?就?是)?",
    re.IGNORECASE,
)
_FIRST_TOLD = re.compile(rf"[\d{_BETWEEN}]+|[A-Z]\d?")
# 八, 五, 一, 七, 六, 九, 二, 零, 四, 三, as they are often misread at the end of a group: "我的电话号码是一三吧。"
_MISREAD = re.compile(r"(?<=\d)\s*[吧巴爸我武以依起期气流留就酒而儿林灵领是事山]$")
_NAMED_BEFORE = 32  # characters between what kind it is and the digits

# -- letters --

_LETTERS = re.compile(r"(?:^|[^\w'’])((?:(?:[A-Z][.,]?[\s\-]+|[A-Z],|\d[\s\-]+))+[A-Z\d])$")
_IN_CAPITALS = frozenset(f"{BACKCHANNELS['en']}|{TURN_WORDS['en']}".split("|"))  # "O-K.", "STOP."
_FIRST = re.compile(r"(?<=[\s，,是为為])[A-Z]\d?$")  # of a postcode, a reference: "My postcode is S."
_HYPHENATED = re.compile(r"(?:^|\s)(?!([a-z])(?:-\1)+$)[a-z](?:-[a-z])+$")  # "t-t" is a stutter
_SPELLED = re.compile(
    r"\b(?:spelled|spelt|spelling is|the letters?)\b.*\b(?:\w|[A-Z]{2,}|as \w{1,3})$|"
    r"\b(?:[A-Za-z] as in \w+|[A-HJ-Z] for [A-Z]\w+|[B-HJ-Z] like [A-Z]\w+)$|^[A-Z]{3,}$"
)


def spelled_out(text: str, before: str = "") -> Spelled:
    """Whether more digits or letters may follow. `before`: what the other said last, perhaps "What is your PIN?"."""
    end, digits = _end_of(text, before)
    if _digits_go_on(digits):
        return Spelled.SHORT if _is_short(digits) else Spelled.GOES_ON
    if address_goes_on(text[-LOOKED_AT:], _last_sentence(before)):
        return Spelled.SHORT
    return Spelled.GOES_ON if _letters_go_on(end) else Spelled.NOT


def _is_short(text: str) -> bool:
    """Whether a text that ends with a number has fewer digits of it than most such numbers have."""
    read = _MISREAD.sub("", text)
    found = _LAST.search(read)
    kind = _kind_of(read[: found.start()]) if found else None
    if found is None or kind is None or (kind is _TELEPHONE and _MAY_BE_A_TELEPHONE.fullmatch(found.group())):
        return False
    return len(re.findall(r"\d", found.group())) < kind.least


def _end_of(text: str, before: str) -> tuple[str, str]:
    """The end of the text, after its name where it tells what was asked for; and the same with digits for words."""
    end = unicodedata.normalize("NFKC", text[-LOOKED_AT:]).rstrip(" .,、。")
    digits = _in_digits(end)
    if _FIRST_TOLD.fullmatch(_LEAD_IN.sub("", digits, count=1).strip()) and (asked := _asked_for(before)):
        end, digits = (asked + _LEAD_IN.sub("", one, count=1) for one in (end, digits))
    return end, digits


def _kind_of(before: str) -> _Kind | None:
    """What number it is, by what stands right before its digits."""
    return next((kind for kind in _KINDS if kind.named.search(before[-_NAMED_BEFORE:])), None)


def _asked_for(before: str) -> str:
    """How somebody begins who tells the number that was asked for; "" if none was."""
    return asked_name(_last_sentence(before))


def _last_sentence(said: str) -> str:
    return _SENTENCES.split(unicodedata.normalize("NFKC", said[-_ASKED_IN:]).strip())[-1]


def _in_digits(text: str) -> str:
    """With digits in the place of the words for them."""
    text = re.sub(f"[{''.join(_HAN_DIGITS)}]", lambda found: f" {_HAN_DIGITS[found.group()]} ", text)
    text = _WORD.sub(lambda found: _WORDS[found.group().lower()], text)
    times = {"double": 2, "triple": 3, "treble": 3}
    text = _AGAIN.sub(lambda found: " ".join([found[2]] * times[found[1].lower()]), text)
    return text.rstrip()


def _digits_go_on(text: str) -> bool:
    read = _MISREAD.sub("", text)
    found = _LAST.search(read)
    if found is None:
        return False
    before, last = read[: found.start()], found.group()
    groups = re.findall(r"\d+", last)
    digits = "".join(groups)
    kind = _kind_of(before)
    if read != text:
        return kind is not None and len(digits) > 1
    if (kind or _TELEPHONE).whole.fullmatch(digits) or _OF_AN_AMOUNT.search(before):
        return False
    if _TOLD_DIGIT_BY_DIGIT.search(before):
        return True
    if _ONE_NUMBER.fullmatch(last):
        return len(digits) >= _FEWEST and (kind is not None or ("," in last and _is_told(before, digits)))
    if _DATE.fullmatch(last) or _DAY_AND_YEAR.fullmatch(last):
        return False
    if digits.startswith("0") and len(digits) > 1:
        return True
    if len(digits) < _FEWEST:
        return False
    if len(groups) == 1:
        return kind is not None or _is_told(before, digits)
    return len(groups) > 2 or max(map(len, groups)) >= _FEWEST


def _is_told(before: str, digits: str) -> bool:
    """Whether these digits, after nothing or after "it is", are hardly a year or a sum."""
    if _YEAR.fullmatch(digits):
        return False
    if is_backchannel(before):
        return len(digits) == _FEWEST or not digits.endswith("00")
    return _ITSELF.search(before) is not None and int(digits) % _ROUND != 0


def _letters_go_on(text: str) -> bool:
    told = _LETTERS.search(text)
    told_so = told is not None and _are_letters(re.findall(r"[A-Z\d]", told.group(1)))
    first = _FIRST.search(text)
    told_so |= first is not None and _TOLD_DIGIT_BY_DIGIT.search(text[: first.start()]) is not None
    if not (told_so or _HYPHENATED.search(text) or _SPELLED.search(text)):
        return False
    return fold(text) not in _IN_CAPITALS


def _are_letters(told: list[str]) -> bool:
    letters = sum(map(str.isalpha, told))
    return letters > 1 or (letters == 1 and len(told) > 2)
