"""Whether a short text is the answer to what was asked just before: 北京 after 你在哪个城市？, "Boston" after "Where?".

Of such short sounds the transcriber writes no mark, or doubts it. A name, a city, a colour or a day is whole where the
question asks for one. What answers "where", "when" or "what" may be told more exactly, or go on as a list: 明天下午
(三点). Who still looks for words is not done: 那个北京, and all that
`hesitations.py` knows. Only a noun with little before it counts, found without a
dictionary: by what no noun has in it. Knows Chinese and English. Pure.
"""

from __future__ import annotations

import re
from enum import Enum

from realtime.core.characters import HAN
from realtime.core.choices import takes_choice
from realtime.core.han_endings import dangles
from realtime.core.han_variants import in_simple_characters
from realtime.core.hesitations import LEADS_ON_EN, asks_for_time, begins_answer
from realtime.core.whole_amounts import is_day_without_year, is_month_or_year
from realtime.core.yes_or_no import YesOrNo, yes_or_no

LOOKED_AT = 200  # characters of the question
LONGEST = 48  # characters: an answer, and no sentence


class Answers(Enum):
    """How much of an answer a text is."""

    NOT = 0
    PERHAPS = 1  # may be told more exactly, or with more items
    WHOLE = 2
    TIME = 3  # asks for time instead
    PART = 4  # a whole answer elsewhere, and here perhaps its first part: a year where a date was asked for


# -- what is asked --

_SENTENCES = re.compile(r"(?<=[.!?。！？])\s*(?=\S)")
_ASKS = re.compile(r"[?？]|告诉我|请(?:您|你)?(?:说|报|提供)|\b(?:tell|give) me\b", re.IGNORECASE)
# Amounts and times are known by their units
_CLOCK = re.compile(r"几点|\bwhat time\b|\bhow\b|多少|几[个位岁]|多[大长久高远]", re.IGNORECASE)
_DAY = re.compile(
    r"哪一?天|星期几|周几|几[号月]|哪个?月|(?:什么|哪个?)日[期子]|\b(?:what|which) (?:day|date|month|week)\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"什么时[候间]|啥时候|何时|\bwhen\b", re.IGNORECASE)
_WHOLE_DATE = re.compile(
    # 什么时候买的 is long ago, and a year is enough
    r"生日|出生|哪一?天|几[号日](?!楼)|日期|日子|(?:什么时[间候]|啥时候|何时)(?!.+(?<![您你我他她它们])[的了](?!解))|"
    r"\bwhen\b|\b(?:what|which) day\b|\bdate\b|\bbirthday\b",
    re.IGNORECASE,
)
_YEAR_OR_MONTH = re.compile(
    r"(?:哪一?年|几几年|年份|年月(?!日)|月份|几月|哪个?月)(?!.*(?:几[号日]|哪一?天|日期))"
)
_OF_BIRTH = re.compile(
    r"\b(?:date of birth|birth ?date|d\.?o\.?b|(?:were|was) (?:you|he|she|they) born)\b", re.IGNORECASE
)
_ADDRESS = re.compile("地址|住址")
# One part of it: 地址是几楼
_PART_OF_ADDRESS = re.compile("[^几哪]*(?:几楼|几号楼|哪一?栋)[^几哪]*")
_IN_ADDRESS = re.compile(rf"[{HAN}\d]+[楼号]")
_ONE_THING = re.compile(
    r"叫什么|贵姓|怎么称呼|(?:姓名|名字)(?:是什么|呢)?\W*$|告诉我.{0,4}(?:姓名|名字|城市)|"
    r"(?:哪|什么)(?:一?[个座种款所家])?(?:城市|国家|省|大学|学校|公司|语言|颜色|品牌|牌子|型号|科室|部门|专业|季节|"
    r"尺码|口味|职业|工作)|"
    r"哪(?:一?[个座种款])\W*$|"
    r"\b(?:your|his|her|their|whose|what|first) name\b|\bwho(?:\s+is|[’']s|\s+am)\s+(?:this|calling|speaking|i)\b|"
    r"\b(?:what|which)(?:[’']s| is| kind of| type of)?(?: your)?(?: \w+)? "
    r"(?:city|country|state|colou?r|language|size|brand|model|season|department|flavou?r|one)\b",
    re.IGNORECASE,
)
_BY_WHAT = re.compile(  # "How would you like to pay?"
    r"\bhow (?:would|do|does|will|did|should|shall|can|are|is) (?:you|i|we|he|she|they|it)(?: like| want| prefer)?"
    r"(?: (?:me |us )?to)? (?:pay|travel|get|go|come|receive|send|contact|deliver|reach|ship|collect)(?:l?ing|ting)?\b"
    r"(?! on\b)|"
    r"(?:怎么|怎样|如何|用什么(?:方式)?|什么方式)(?:付|支付|结|缴|去|来|走|联系|送|寄|回|取|配送|出行|过[去来])",
    re.IGNORECASE,
)
_ANY_THING = re.compile(r"什么|啥|哪|谁|地址|目的地|\b(?:what|which|where|who)\b", re.IGNORECASE)
# An offer, after which sentences begin: 有什么可以帮您？, "What else can I do for you?"
_OFFERS = re.compile(
    r"帮|为[您你]|效劳|服务|还有|其他|\b(?:help|assist|else|can i do|what[’']s up|on your mind)\b",
    re.IGNORECASE,
)
_FULL_NAME = re.compile(r"\b(?:full|whole) name\b|\blast name\b", re.IGNORECASE)
_TWO_THINGS = re.compile(
    r"和|以及|还有|\band\b|(?:什么|哪|谁|几|贵姓).*(?:什么|哪|谁|几|贵姓)|"
    r"\b(?:what|which|where|when|who)\b.*\b(?:what|which|where|when|who)\b",
    re.IGNORECASE,
)

# -- answers that fit every question --

_ANY = re.compile(
    r"我?(?:都(?:可以|行|好|要|不要|不是|没有|喜欢)|随便|随意|无所谓|听你的|看你的?|看情况|没有?了|就这些|就这样|没有别的|"
    r"不用了|不需要|不确定|不记得|忘了|没想好|还没想好|你(?:来|帮我)?(?:决定|定|选|推荐)|前者|后者|第[一二三四五]个)"
    r"[吧了啊呀]?|(?:i )?(?:really )?(?:don't|dont|do not) (?:mind|care|know|remember)|"
    r"(?:any|either|both|neither) (?:one|of them)|none(?: of them)?|"
    r"(?:anything|either|whatever|any)(?: one)?(?: is|'s) (?:fine|ok|okay|good)|anything|nothing|nothing else|whatever|"
    r"no preference|up to you|(?:it's )?up to you|you (?:choose|decide|pick)|surprise me|(?:i'm )?not sure|"
    r"that's (?:all|it)|it doesn't matter|the (?:first|second|third|last) one|"
    r"the (?:former|latter)(?: one)?"
)
_ANY_OF_WHAT = re.compile(  # may be the beginning of what is chosen: "either (of them)", "the last (one)"
    r"(?:any|either|both|neither)|the (?:first|second|third|last)"
)

# -- Chinese nouns --

_HUM = r"(?:(?:嗯|哦|啊|好的?|对|是的)[，,、\s]+)?"
_DAY_OF_WEEK = r"(?:周|星期|礼拜)[一二三四五六日天末]"
_TIME_HAN = re.compile(
    rf"{_HUM}(?:我|就|在|大概|应该|可能|是|定在)*"
    rf"(?P<day>(?:大?后|今|明|昨|前)天|[今明]晚|[这下上本]?个?{_DAY_OF_WEEK}|[这下上本]个?(?:周|星期|礼拜|月)|月[底初]|"
    r"[今明后去]年(?:年[底初])?|春节|国庆节?|中秋节?|元旦|圣诞节?)?"
    r"(?:的?(?:上午|下午|早上|早晨|晚上|中午|凌晨|傍晚|半夜))?(?:左右|吧|啊|呀|以?前|以?后)?"
)
_LEAD_HAN = (
    r"(?:叫我|大概是?|应该是?|可能是?|"
    r"我?就?(?:免贵姓|姓|叫|是|住在?|在|去|选|来|要|想要|喜欢|想?(?:吃|喝|去|听|看|学|买))|我的?(?:名字|姓名)?(?:叫|是))?"
)
_NOUN_HAN = re.compile(rf"{_HUM}{_LEAD_HAN}([{HAN}]{{2,8}}?)[吧啊呀]?")
_IN_NO_NOUN = re.compile(
    "[我你您他她它们这那哪谁么怎吗呢了着把被让给问说讲帮请想要觉是在去来没不很会能但因如就得从跟或有吧嗯呃额又再也还]"
)
_IN_NOUNS = re.compile("会计|会议|小说|能源|不锈钢|从化|如皋|来宾|新会|说唱|有限")
_ENDS_NO_NOUN = re.compile("(?:[叫姓称当做]|名为)$")
_DOES = re.compile(r"我?是(?:专门)?(?:做|搞|干|当|开|卖|教|学|跑|管|负责).*(?<!的)$")  # 我是做软件 (的)
_COUNTED = re.compile(  # the thing that is counted follows: 两杯
    r"[一二两三四五六七八九十几半]+[个杯碗份瓶张只条块斤盒本双件套台间位点号天月年口人次种包袋根串盘片罐桶箱把](.*)"
)
_KIND_OF = re.compile(  # 红色的, 大的
    r"(?:我?(?:要|喜欢|想要|选))?(?:[大小中热冰冷温甜辣咸酸新旧男女]|常温|微辣|不辣|[红白黑蓝绿黄紫灰粉橙棕银金]色?)的[吧啊呀]?"
)

# -- English nouns --

_HUM_EN = r"(?:(?:oh|well|yeah|yes|sure|ok|okay),?\s+)*"
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_TIME_EN = re.compile(
    rf"{_HUM_EN}(?:on|in|maybe|probably)?\s*"
    rf"(?P<day>(?:the )?day after tomorrow|today|tomorrow|tonight|yesterday|"
    rf"(?:this|next|last) (?:week(?:end)?|month|year|{_WEEKDAY})|{_WEEKDAY})?"
    r"\s*(?:(?:in )?(?:the |this )?(?:morning|afternoon|evening|night))?"
)
_NOUN_EN = re.compile(
    rf"{_HUM_EN}(?:(?:it's|it is|that's|i'm in|i'm from|i'm|i am|my name is|my name's|this is|call me|i live in|"
    r"i'd like|i want|i like|i'll (?:pay|take|have|use|go)(?: (?:by|with|in|on))?|"
    r"in|from|to|at|by|with|on|via|using)\s+)?(?:(?:a|an|the|some|my)\s+)?([a-z'\-]+(?: [a-z'\-]+){0,2})"
)
_IN_NO_NOUN_EN = frozenset(
    "a an the and or but nor so if because though while when where which who whose what why how that this these "
    "those than as of to in on at by for from with without into about over under between my your his her its our "
    "their is are was were be been am do does did will would can could should shall may might must not very really "
    "just i we they he she it you um uh er uhm like well wait hold hello hey sorry please yes no yeah okay ok maybe "
    "actually then there here let's lets i'm it's i'd want need think have has had go going get got know see say "
    "said tell give take make look mean guess hmm right now also too even only some any i'll i've don't more "
    "most".split()
)
# Of whom or of what may follow: "the manager" (of the shop), "the smaller" (one). But "the red one" is whole
_LED_BY_ARTICLE = re.compile(r"(?:(?:it's|it is|this is|i'm|i am) )?(?:the|a|an) (?!.* ones?$)")
_HAS_HAN = re.compile(f"[{HAN}]")


def answers(text: str, before: str) -> Answers:
    """Whether the text, without a mark or with a full stop, answers what the other asked last."""
    asked = _question(before)
    if not asked or len(text) > LONGEST:
        return Answers.NOT
    text = in_simple_characters(text.strip(" .。!！")).lower().replace("’", "'")
    if _ANY.fullmatch(text):
        return Answers.WHOLE
    if _ANY_OF_WHAT.fullmatch(text):
        return Answers.PERHAPS
    said = yes_or_no(text, asked)
    if said is YesOrNo.WHOLE or takes_choice(text, asked):
        return Answers.WHOLE
    if said is YesOrNo.PERHAPS:
        return Answers.PERHAPS
    if asks_for_time(text, asked):
        return Answers.TIME
    if _is_part(text, asked):
        return Answers.PART
    if (_CLOCK.search(asked) and not _BY_WHAT.search(asked)) or _OFFERS.search(asked) or begins_answer(text):
        return Answers.NOT
    found = _fits(text, asked)
    return Answers.PERHAPS if found is Answers.WHOLE and _TWO_THINGS.search(asked) else found


def _question(before: str) -> str:
    """The last sentence that asks, of the last two."""
    if not before:
        return ""
    sentences = _SENTENCES.split(in_simple_characters(before[-LOOKED_AT:]).strip())[-2:]
    return next((sentence for sentence in reversed(sentences) if _ASKS.search(sentence)), "")


def _is_part(text: str, asked: str) -> bool:
    """Whether more of it is likely: a month of a date, a house of an address, "next" of a day."""
    if _WHOLE_DATE.search(asked) and not _YEAR_OR_MONTH.search(asked):
        if is_month_or_year(text) or text == "next":
            return True
        return _OF_BIRTH.search(asked) is not None and is_day_without_year(text)
    if not _ADDRESS.search(asked) or _PART_OF_ADDRESS.fullmatch(asked):
        return False
    return _IN_ADDRESS.fullmatch(text) is not None


def _fits(text: str, asked: str) -> Answers:
    time = (_TIME_HAN if _HAS_HAN.search(text) else _TIME_EN).fullmatch(text)
    if time is not None:
        if _DAY.search(asked):
            return Answers.WHOLE if time["day"] else Answers.NOT
        return Answers.PERHAPS if _TIME.search(asked) else Answers.NOT
    one = _ONE_THING.search(asked) is not None
    if not (one or _ANY_THING.search(asked) or _BY_WHAT.search(asked)) or not _is_noun(text):
        return Answers.NOT
    if _FULL_NAME.search(asked) and not _HAS_HAN.search(text) and " " not in text:
        return Answers.NOT
    return Answers.WHOLE if one and not _LED_BY_ARTICLE.match(text) else Answers.PERHAPS


def _is_noun(text: str) -> bool:
    """Whether it is a noun, perhaps after 我在 or "I'm from"."""
    if not _HAS_HAN.search(text):
        found = _NOUN_EN.fullmatch(text)
        words = found[1].split() if found else []
        return (
            found is not None
            and not begins_answer(found[1])
            and _IN_NO_NOUN_EN.isdisjoint(words)
            and words[-1] not in LEADS_ON_EN
        )
    if _KIND_OF.fullmatch(text):
        return True
    found = _NOUN_HAN.fullmatch(text)
    if found is None or dangles(found[1]) or _ENDS_NO_NOUN.search(text) or _DOES.match(text):
        return False
    counted = _COUNTED.fullmatch(found[1])
    return not _IN_NO_NOUN.search(_IN_NOUNS.sub("", found[1])) and (counted is None or bool(counted[1]))
