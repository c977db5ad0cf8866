"""Whether a short text takes one of what a question offers: "Large" after "Small, medium or large?", 小杯 after
要大杯还是小杯？.

No dictionary is needed: what is taken stands in the question. It must end where something that is offered ends, before
"or", a comma or 还是, or at the end, or before what both offers end with: "Red" (wine). A half is none, 大 (杯), "New"
(York) or "forty" (one), nor is what both have: 票, "seat". Knows Chinese and English. Pure.
"""

from __future__ import annotations

import itertools
import re

from realtime.core.characters import HAN
from realtime.core.hesitations import LEADS_ON_EN

LONGEST = 32  # characters of what is taken

# -- English --

_OR = re.compile(r"\bor\b")
_WORDS = re.compile(r"[a-z0-9](?:[a-z0-9'\-]*[a-z0-9])?")
_LEAD = re.compile(
    r"(?:(?:oh|well|um|uh|yes|yeah|sure|okay|ok|just|maybe|probably|definitely|i think|i guess|i'd like|i would like|"
    r"i'd prefer|i prefer|i'd rather(?: have)?|i want|i'll (?:take|have|go with|do|pay|use)|i'd go with|"
    r"let's (?:do|go with|say|have)|"
    r"make it|it's|it is|can i (?:have|get)|give me|we'd like|we'll (?:take|have)),? )*"
)
_TAIL = re.compile(
    r"(?:,? (?:please|thanks|thank you|then|i think|i guess|works|will do|"
    r"(?:would be|is|sounds) (?:great|fine|good|nice|ok|okay|best|better))|(?<!ty) ones?)+$"
)
_SMALL = frozenset("a an the my your our his her their some by with for in on at to of".split())
_ALSO_ALONE = frozenset("with without in out on off before after up down inside outside now later".split())
_LED_BY = _ALSO_ALONE - {"now", "later"}
_PRONOUNS = frozenset("it him her them me us this that these those you".split())
_NUMBERS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million oh".split()
)
# What goes on after "or" as a sentence offers nothing by its words: "or should I stop?"
_CLAUSE = frozenset(
    "are is am was were do does did should shall would will can could may might have has i we you they he she it "
    "not what where when which who how why something anything somewhere so".split()
)
_AFTER_WHAT_IS_OFFERED = re.compile(
    r"(?<=\w) (?:with|for|to|in|on|at|by|of|from|today|tonight|tomorrow|this|please)\b.*"
)
_HALF_NAMES = LEADS_ON_EN | {"apple", "orange", "credit", "debit", "green"}

# -- Chinese --

_BETWEEN = re.compile("还是|[、,，]")
_PARTICLES = re.compile(r"[呢啊呀吧嘛么的\s?？。.!！]+$")
_VERBS = "坐订买吃喝看去到"
_HAN_LEAD = re.compile(
    r"(?:(?:嗯|哦|啊|好的?|对|是的)[，,、\s]*)?(?:请问)?(?:(?:我|[您你])们?)?(?:就是?|还是|是)?(?:需要|想?要|选|来|用|喜欢|想)?"
    rf"(?:[{_VERBS}](?=..))?"
)
_HAN_TAIL = re.compile("(?:[的吧啊呀]|那个|那种|就(?:行|好|可以)(?:了)?|好了|谢谢)+$")
_TAKES_NOTHING = frozenset("我 你 您 是 要 去 来 在 有 的 个 不 没 吃 喝 用 想".split())
_LEAST_HALF = 2  # characters before what both have at their ends: 虹桥 (机场), but not 大 (杯)
_COUNTS = re.compile(r"[第一二两三四五六七八九十百几半\d]+.?")  # 三个 (月), 二号 (线)
_HAS_HAN = re.compile(f"[{HAN}]")


def takes_choice(text: str, asked: str) -> bool:
    """Whether the text, in small letters and simple characters, names one of what the question offers."""
    if len(text) > LONGEST:
        return False
    if "还是" in asked:
        return _takes_in_chinese(text, asked.lower())
    return not _HAS_HAN.search(text) and _takes_in_english(text, asked.lower().replace("’", "'"))


def _takes_in_english(text: str, asked: str) -> bool:
    *first, last = (part.strip() for part in _OR.split(asked))
    more = _AFTER_WHAT_IS_OFFERED.search(last)
    # Tea with milk or tea with lemon: what follows belongs to both
    belongs = more is not None and " ".join(
        [*last[: more.start()].split()[-1:], more[0].split()[0]]
    ) in "".join(first)
    offered = _WORDS.findall(last if more is None or belongs else last[: more.start()])
    if not first or not offered or offered[0] in _CLAUSE:
        return False
    before = [_WORDS.findall(piece) for part in first for piece in part.split(",")]
    lead = _LEAD.match(text)
    said = _WORDS.findall(_TAIL.sub("", text[lead.end() if lead else 0 :]))
    before = [words for words in before if words]
    if not before or not said or (len(said) == 1 and said[0] in _NUMBERS and _has_long_number(asked)):
        return False
    return _names_one(said, before, offered, asked)


def _names_one(said: list[str], before: list[list[str]], offered: list[str], asked: str) -> bool:
    head, telling = _head(before[-1], offered)
    if len(said) == 1 and said[0] in _ALSO_ALONE:
        # "Before" (or after lunch), but not "in" (May or in June)
        in_both = len(offered) == 1 or before[-1][-1] in _LED_BY
        return said[0] in {*telling, *(words[-1] for words in before)} or (in_both and said[0] == offered[0])
    if said[-1] in _SMALL or not set(said) - _SMALL <= {*_WORDS.findall(asked)} - {"or", "and"}:
        return False
    if said[-1] in telling:
        return True
    named = [word for word in said if word not in _SMALL]
    begins = [word for word in offered if word not in _SMALL]
    if set(named) <= head or (len(named) < len(begins) and named == begins[: len(named)]):
        return False
    return said[-1] == offered[-1] or said[-1] in {words[-1] for words in before}


def _head(first: list[str], last: list[str]) -> tuple[set[str], set[str]]:
    """The words with which both offers end, and those before them that tell one from the other: red or white (wine)."""
    same = 0
    while same < min(len(first), len(last)) and _singular(first[-same - 1]) == _singular(last[-same - 1]):
        same += 1
    head = {*first[-same:], *last[-same:]} if same else set()
    if not head or head & (_SMALL | _PRONOUNS) or same in (len(first), len(last)):
        return head, set()
    telling = {first[-same - 1], last[-same - 1]} - _SMALL - (_HALF_NAMES - _ALSO_ALONE)
    return head, set() if last[-same] in _NUMBERS else telling


def _singular(word: str) -> str:
    return word.removesuffix("s")


def _has_long_number(asked: str) -> bool:
    """Whether a number of several words is offered, as forty one is: then "forty" is a half."""
    return any({*pair} <= _NUMBERS for pair in itertools.pairwise(_WORDS.findall(asked)))


def _takes_in_chinese(text: str, asked: str) -> bool:
    offered = [_PARTICLES.sub("", piece) for piece in _BETWEEN.split(asked)]
    ends = {
        end for each in offered for end in (each, *(each[: at.start()] for at in re.finditer("的", each)))
    }
    bare = [_without_lead(each) for each in offered]
    first, second = bare[-2:]
    alike_at = first[:1] == second[:1]
    ends.update(bare)
    # 喝茶还是喝咖啡: 茶
    said_twice = [verb for verb in _VERBS if all(verb in each for each in offered[-2:])]
    ends |= {each.partition(verb)[2] for each in offered[-2:] for verb in said_twice}
    halves, head = set(), ""
    for same in range(1, min(len(first), len(second))):
        if first[-same:] == second[-same:]:
            head = first[-same:]
            halves |= {first[alike_at:-same], second[alike_at:-same]}
    said = _HAN_TAIL.sub("", text)
    if len(text) == 1 and f"{text}的" in asked:
        return False
    taken = {said, _without_lead(said)}
    # 寄到家里还是公司: 寄到公司
    alike = list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(said, offered[0], strict=False)))
    taken.add(said[len(alike) :])
    # What both offers end with chooses none of them: 票, 座位
    taken = {
        each
        for each in taken - _TAKES_NOTHING
        if each and not head.endswith(each) and f"的{each}" not in asked
    }
    if any(each in halves and len(each) >= _LEAST_HALF and not _COUNTS.fullmatch(each) for each in taken):
        return True
    return any(
        each == end if len(each) < _LEAST_HALF else end.endswith(each) for each in taken for end in ends
    )


def _without_lead(said: str) -> str:
    return _HAN_LEAD.sub("", said, count=1)
