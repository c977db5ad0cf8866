"""Whether a text is an amount, a time or a date with its unit, and nothing else: 三点半, 五十块, "fifty dollars".

Such an answer is as whole as a yes: the transcriber writes no mark after such short sounds, or doubts it. A number
without a unit may go on, and so may a number of things that are not named yet (我要两份, 三张), and what often begins a
sentence or a story (一点, 有三点, "one day", "Sunday"). Knows Chinese and English. Pure.
"""

from __future__ import annotations

import re
import unicodedata

from realtime.core.characters import HAN
from realtime.core.folding import scripts_apart
from realtime.core.han_variants import in_simple_characters
from realtime.core.short_words import is_backchannel, is_whole_answer

LONGEST = 48  # characters: an answer, and no sentence
LONGEST_ANSWER = 4  # characters of a Chinese yes or no before it, without a mark or a blank

# -- Chinese --

_HAN_N = "[一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]*"  # 百年 and 万里 are words
_N = rf"(?:\d+(?:,\d{{3}})*(?:\.\d+)?|(?:{_HAN_N}|零(?=[点度%]))(?:点[零〇一二三四五六七八九]+)?)"
_UNITS = (  # that end what is said. Not 个, 杯 or 张: what is counted follows, perhaps after a pause (我要两杯, 咖啡)
    "块钱?|元钱?|毛钱?|分钱|角钱?|[美欧日港]元|人民币|英镑|"
    "个?小时|个?钟头?|分钟|秒钟?|天|夜|晚|个月|个?(?:星期|礼拜)|周|年|[周月]?岁|"
    "个?人|[个位口名](?:人|孩子|大人|小孩)|%|年级|公?斤|千?克|吨|公?里|千?米|厘米|平方?米?|升|度|倍|折|"
    "层?楼|号线?|号楼"
)
_ONE_TO_NINE = "[一二三四五六七八九]"
_IN_SIXTY = rf"(?:[0-5]?\d|[零〇]?{_ONE_TO_NINE}|两|[二三四五]?十{_ONE_TO_NINE}?)"
_HOUR = rf"(?:[01]?\d|2[0-4]|[零〇两]|{_ONE_TO_NINE}|十{_ONE_TO_NINE}?|二十[一二三四]?)"
_MINUTES = rf"过?{_IN_SIXTY}分|[零〇]{_ONE_TO_NINE}|[二三四五]?十{_ONE_TO_NINE}?|\d\d"
_CLOCK = rf"(?:{_HOUR}点(?:钟|整|半|[一三]刻|{_MINUTES})?|\d{{1,2}}:\d\d)"
_YEAR = r"(?:(?:\d{4}|\d\d|[零〇一二三四五六七八九]{4}|[零〇一二三四五六七八九]{2})年)"
_MONTH_HAN = rf"(?:(?:1[0-2]|0?[1-9]|十[一二]?|{_ONE_TO_NINE})月份?)"
_DAY_OF_MONTH = rf"(?:[0-3]?\d|{_ONE_TO_NINE}|二?十{_ONE_TO_NINE}?|三十一?)"
# Of a day without 号 the last digit must have been said: 三月十 (八)
_WHOLE_DAY = rf"(?:{_DAY_OF_MONTH}[号日]|\d\d|二?十{_ONE_TO_NINE}|三十一)"
_DATE = rf"(?:{_YEAR}?{_MONTH_HAN}{_WHOLE_DAY}?)"
# A digit after the unit: 三块五, 一米八, 三十七度二; but not 三楼五 or 五年三
_AND_A_REST = (
    r"(?:(?<=[块毛斤度])|(?<=[\d一二两三四五六七八九十]米))(?:\d{1,2}|[零〇一二三四五六七八九]{1,2})"
)
_AMOUNT = rf"(?:(?:{_N}|半)(?:多|来|几)?个?半?(?:{_UNITS})半?)+(?:{_AND_A_REST})?"  # 两年半
_DAY = r"(?:今天|明天|后天|昨天|前天|今晚|明晚|[这下上]?个?(?:周|星期|礼拜)[一二三四五六日天])"
_HOURS = r"(?:上午|下午|早上|早晨|晚上|中午|凌晨|傍晚|半夜)"
# Not 我要 and 只要: what is wanted follows (我要两斤, 苹果)
_BEFORE = r"(?:[我他她]?今年|大概|大约|差不多|一共|总共|最多|最少|至少|只有|就|是|才|花了|零下|负)"
_AFTER = r"(?:左右|以上|以下|以内|吧|呀|啊)"
_ONE = (
    rf"(?:{_DAY}?的?{_HOURS}?(?:{_DATE}{_DAY}?{_HOURS}?)?{_CLOCK}|{_DAY}?{_DATE}{_HOURS}?|{_AMOUNT}|"
    rf"(?:{_N}|百)分之{_N}|{_DAY_OF_MONTH}[号日]|{_YEAR})"
)
_CHINESE = re.compile(rf"{_BEFORE}{{0,2}}({_ONE}(?:[到至]{_ONE})?{_AFTER}?)")
_NO_DAY_YET = re.compile(rf"{_BEFORE}{{0,2}}(?:{_YEAR}?{_MONTH_HAN}|{_YEAR})")

# -- English --

_ONES = "one|two|three|four|five|six|seven|eight|nine"
_TEENS = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_PART = rf"(?:\d[\d,.]*|{_ONES}|{_TEENS}|{_TENS}|hundred|thousand|million|billion|dozen|half|quarter|zero)"
_NUMBER = (
    rf"(?:an? (?=hundred|thousand|million|half|quarter|dozen))?{_PART}"
    rf"(?: (?:and (?:an? )?)?{_PART})*(?: an(?= hour))?"
)
_THINGS = (
    "dollars?|bucks?|cents?|euros?|pounds?|yuan|yen|rmb|percent|per cent|%|people|persons?|guests?|adults?|children|"
    "kids|years?|months?|weeks?|days?|nights?|hours?|minutes?|mins?|seconds?|times|degrees?|"
    "miles?|kilomet(?:er|re)s?|km|met(?:er|re)s?|centimet(?:er|re)s?|cm|feet|foot|inches|"
    "kilos?|kilograms?|kg|grams?|lit(?:er|re)s?|mm|ml|gb|mb"
)
_MONTH = "(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_FIRST_NINE = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
_HIGH_ORDINAL = (  # the low ones have many meanings
    r"(?:tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|"
    rf"twentieth|thirtieth|(?:twenty|thirty) (?:{_FIRST_NINE})|\d{{1,2}}(?:st|nd|rd|th))"
)
_ORDINAL = rf"(?:{_HIGH_ORDINAL}|{_FIRST_NINE}|\d{{1,2}})"
_IN_THE = "(?:in the (?:morning|afternoon|evening)|at night|tonight)"
_TIME = (
    rf"(?:{_NUMBER} oclock|\d{{1,2}}:\d\d|(?:{_NUMBER}|\d{{1,2}}:\d\d) ?[ap] ?m|noon|midnight|{_NUMBER}(?= {_IN_THE})|"
    rf"(?:half|quarter|{_NUMBER}(?: minutes)?) (?:past|to|after) (?:{_ONES}|{_TEENS}|\d{{1,2}}))"
    rf"(?: (?:sharp|tomorrow|today|{_IN_THE}))*"
)
_IN_YEAR = rf"(?: (?:(?:19|20)\d\d|(?:nineteen|twenty) {_PART}(?: {_PART})?))"
_DAY_OF_YEAR = (
    rf"(?:{_MONTH} (?:the )?{_ORDINAL}|the {_ORDINAL} of {_MONTH}|"
    rf"(?:the )?{_ORDINAL} {_MONTH}|the {_HIGH_ORDINAL})"
)
_ENGLISH_DATE = rf"{_DAY_OF_YEAR}{_IN_YEAR}?"
_HEDGES = (
    "about|around|at|for|just|only|maybe|almost|nearly|by|until|till|on|over|under|roughly|probably|its|it is|at least|"
    "up to|exactly|i think|more than|less than"
)
_DAY_OF_WEEK = (
    r"(?:(?:this|next) )?(?:mon|tues|wednes|thurs|fri|satur|sun)day(?: (?:morning|afternoon|evening|night))?"
)
_MONEY = r"[$€£¥] ?\d[\d,.]*(?: (?:hundred|thousand|million|billion))?"
_ENGLISH = re.compile(
    rf"(?:(?:{_HEDGES}) )*("
    rf"(?:(?:{_DAY_OF_WEEK}|today|tomorrow|tonight) (?:at )?)?{_TIME}|{_ENGLISH_DATE}|"
    rf"{_NUMBER} ?(?:{_THINGS})(?: (?:old|each|and a half))?|{_MONEY})(?: please)?"
)

_NO_YEAR_YET = re.compile(rf"(?:(?:{_HEDGES}) )*{_DAY_OF_YEAR}")

_LEADS = re.compile(  # may as well begin what is told, or ask to wait
    r"一(?:天|年|晚|夜|周|度|号|点|人)[吧呀啊]?|[一两]秒钟?[吧呀啊]?|一分钟?[吧呀啊]?|"
    r"(?:one|1|two|2) seconds?|(?:one|1) (?:minute|min|day|time)"
)
# 有三点 and 没有三天 begin what is told, and are no yes or no and a time
_VERBS = ("有", "没", "要", "会", "得")
_BREAK = re.compile(r"[\s,，。、.!！；;]+")
_FORMS = str.maketrans({"’": "", "'": "", "-": " ", "–": " "})
_DOTTED = re.compile(r"\b([ap])\.\s?m\b\.?")
_YEAR_AFTER_COMMA = re.compile(r", (?=\d{4}$)")
_HAS_HAN = re.compile(f"[{HAN}]")


def is_whole_amount(text: str) -> bool:
    """Whether it is one amount, time or date with its unit, perhaps after a yes, a no or a hum."""
    if len(text) > LONGEST:
        return False
    text = _folded(text)
    if _is_amount(text):
        return True
    starts = [at.end() for at in _BREAK.finditer(text)] + [*range(1, LONGEST_ANSWER + 1)] * bool(
        _HAS_HAN.match(text)
    )
    return any(_is_amount(text[at:]) and _may_precede(text[:at], text[at:]) for at in starts)


def is_month_or_year(text: str) -> bool:
    """Whether it is a Chinese date that is told down to its year or its month only: 九零年, 二零二四年三月."""
    return len(text) <= LONGEST and _NO_DAY_YET.fullmatch("".join(_folded(text).split())) is not None


def is_day_without_year(text: str) -> bool:
    """Whether it is an English date to which its year may be added: "March 3rd"."""
    return len(text) <= LONGEST and _NO_YEAR_YET.fullmatch(_folded(text)) is not None


def _folded(text: str) -> str:
    text = in_simple_characters(unicodedata.normalize("NFKC", text).lower().translate(_FORMS))
    return scripts_apart(_YEAR_AFTER_COMMA.sub(" ", _DOTTED.sub(r"\1m", text.strip(" .。!！"))))


def _may_precede(before: str, amount: str) -> bool:
    """Whether the amount is an answer after it; transcribers write a short sound twice ("$50. $50.")."""
    before = before.rstrip(" ,，.。")
    if before.endswith(_VERBS):
        return False
    return before == amount or is_whole_answer(before) or is_backchannel(before)


def _is_amount(text: str) -> bool:
    if _HAS_HAN.search(text):
        found = _CHINESE.fullmatch("".join(text.split()))
    else:
        found = _ENGLISH.fullmatch(text)
    return found is not None and not _LEADS.fullmatch(found[1])
