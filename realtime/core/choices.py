"""Whether a short text takes one of what a question offers: "Large" after "Small, medium or large?", 小杯 after
要大杯还是小杯？.

No dictionary is needed: what is taken stands in the question. It must end where something that is offered ends, before
"or", a comma or 还是, or at the end: 大 (杯) and "New" (York) are none. Knows Chinese and English. Pure.
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
    r"(?:would be|is|sounds) (?:great|fine|good|nice|ok|okay|best|better)|ones?))+$"
)
_SMALL = frozenset("a an the my your our his her their some by with for in on at to of".split())
_ALSO_ALONE = frozenset("with without in out on off before after up down inside outside now later".split())
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
_HAN_LEAD = re.compile(
    r"(?:(?:嗯|哦|啊|好的?|对|是的)[，,、\s]*)?(?:我们?)?(?:就是?|还是|是)?(?:想?要|选|来|用|喜欢|想)?"
)
_HAN_TAIL = re.compile("(?:[的吧啊呀]|那个|那种|就(?:行|好|可以)(?:了)?|好了|谢谢)+$")
_TAKES_NOTHING = frozenset("我 你 您 是 要 去 来 在 有 的 个 不 没 吃 喝 用 想".split())
_LEAST_HALF = 2  # characters before what both have at their ends: 虹桥 (机场), but not 大 (杯)
_HAS_HAN = re.compile(f"[{HAN}]")


def takes_choice(text: str, asked: str) -> bool:
    """Whether the text, in small letters and simple characters, names one of what the question offers."""
    if len(text) > LONGEST:
        return False
    if "还是" in asked:
        return _takes_in_chinese(text, asked.lower())
    return not _HAS_HAN.search(text) and _takes_in_english(text, asked.lower().replace("’", "'"))


def _takes_in_english(text: str, asked: str) -> bool:
    *first, last = _OR.split(asked)
    offered = _WORDS.findall(_AFTER_WHAT_IS_OFFERED.sub("", last.strip()))
    if not first or not offered or offered[0] in _CLAUSE:
        return False
    before = [_WORDS.findall(piece) for part in first for piece in part.split(",")]
    lead = _LEAD.match(text)
    said = _WORDS.findall(_TAIL.sub("", text[lead.end() if lead else 0 :]))
    ends = {words[-1] for words in before if words}
    if len(said) == 1 and said[0] in _ALSO_ALONE:
        return said[0] in ends or said[0] == offered[0]
    if not said or said[-1] in _SMALL:
        return False
    if not set(said) - _SMALL <= {*_WORDS.findall(asked)} - {"or", "and"}:
        return False
    inside = {word for word in offered if word not in _SMALL and word not in _HALF_NAMES}
    return said[-1] in ends or said[-1] == offered[-1] or said[-1] in inside


def _takes_in_chinese(text: str, asked: str) -> bool:
    offered = [_PARTICLES.sub("", piece) for piece in _BETWEEN.split(asked)]
    ends = {
        end for each in offered for end in (each, *(each[: at.start()] for at in re.finditer("的", each)))
    }
    first, second = (_without_lead(each) for each in offered[-2:])
    verb = first[:1] == second[:1]
    for same in range(1, min(len(first), len(second))):
        if first[-same:] == second[-same:]:
            ends |= {half for half in (first[verb:-same], second[verb:-same]) if len(half) >= _LEAST_HALF}
    said = _HAN_TAIL.sub("", text)
    taken = {said, _without_lead(said)}
    # 寄到家里还是公司: 寄到公司
    alike = list(itertools.takewhile(lambda pair: pair[0] == pair[1], zip(said, offered[0], strict=False)))
    taken.add(said[len(alike) :])
    taken -= _TAKES_NOTHING
    return any(each and end.endswith(each) for each in taken for end in ends)


def _without_lead(said: str) -> str:
    return _HAN_LEAD.sub("", said, count=1)
