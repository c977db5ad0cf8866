"""Chooses tools: whether the last message asks for something that an offered tool does, and with which calls.

Knows names, descriptions and JSON Schemas only as words. The arguments are found in `arguments.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .arguments import Missing, arguments_for
from .language import HAN, language_of, words_of
from .sums import find_sum


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the talker."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """The calls to make, or the question to ask because a required argument is missing."""

    calls: tuple[Call, ...] = ()
    question: str = ""


@dataclass(frozen=True, slots=True)
class _Match:
    tool: Mapping[str, Any]
    hits: frozenset[str]  # the words of the tool's name, description and enums that are in the message
    whole: bool  # every specific word of the name is in the message
    score: float


# common first verbs of tools, and words too common to distinguish tools
_GENERIC = frozenset(
    "get set fetch find list create make do run call tool function current update check show give retrieve query "
    "lookup look up api info information data by for of the a an to in on off with from and or is it this that "
    "user new all my your what when where how please can you me i are be use returns return given value "
    "specified provided details about any at as into if not number numbers two".split()
)
_SAME = (  # words that mean the same to a tool
    {"weather", "forecast", "temperature", "rain", "sunny", "snow", "天气", "气温", "下雨", "温度"},
    {"time", "clock", "hour", "几点", "时间"},
    {"date", "day", "today", "日期", "几号"},
    {"light", "lights", "lamp", "灯"},
    {"timer", "countdown", "计时", "倒计时", "定时"},
    {"alarm", "wake", "闹钟"},
    {"remind", "reminder", "提醒"},
    {"email", "mail", "邮件"},
    {"message", "text", "sms", "短信", "消息"},
    {"search", "find", "look", "google", "搜索", "搜", "查找"},
    {"stock", "share", "shares", "股票", "股价"},
    {"price", "cost", "价格", "多少钱", "股价"},
    {"order", "package", "parcel", "订单", "快递"},
    {"flight", "flights", "fly", "plane", "航班", "机票"},
    {"hotel", "room", "酒店"},
    {"book", "reserve", "booking", "reservation", "预订", "订"},
    {"music", "song", "play", "音乐", "播放", "歌"},
    {"translate", "translation", "翻译"},
    {"calculate", "calculator", "compute", "calc", "math", "arithmetic", "evaluate", "计算"},
    {"add", "plus", "sum", "加"},
    {"multiply", "times", "product", "乘"},
    {"news", "headlines", "新闻"},
    {"phone", "dial", "电话"},
    {"calendar", "appointment", "meeting", "event", "日历", "会议", "日程"},
    {"dice", "die", "骰子"},
    {"convert", "conversion", "换算", "转换"},
    {"thermostat", "heating", "空调", "暖气"},
    {"color", "colour", "颜色"},
    {"directions", "route", "navigate", "路线", "导航"},
    {"restaurant", "restaurants", "餐厅", "饭店"},
    {"capital", "首都"},
    {"note", "笔记"},
    {"hang", "end", "goodbye", "挂断"},
)
_GREETING = re.compile(
    r"^(?:\W*\b(?:hello|hi|hey|good (?:morning|afternoon|evening|night)|thanks?|thank you|bye|goodbye|how are you|"
    r"nice to meet you|there|again|everyone|very much|so much|你好|您好|谢谢|再见|嗨|早上好|晚上好))+\W*$",
    re.I,
)
_REQUEST = re.compile(
    r"\?|？|\b(?:what|what's|how|how's|which|when|where|who|why|please|can you|could you|would you|will you|"
    r"tell me|show me|give me|let me know|i want|i need|i'd like|i would like|let's|is it|is there|are there|"
    r"will it|does|do i|should i)\b",
    re.I,
)
_FOLLOW_UP = re.compile(r"^(?:and|what about|how about|and what about|也|那|那么)\b|^那|呢[？?]?$", re.I)


def plan_calls(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    choice: Any,
    text_of: Callable[[Mapping[str, Any]], str],
) -> Plan:
    """The calls for the last user message. An empty plan means: answer in text."""
    functions = [tool["function"] for tool in tools if isinstance(tool.get("function"), Mapping)]
    text = next((text_of(m) for m in reversed(messages) if m.get("role") == "user"), "")
    named = choice.get("function", choice).get("name") if isinstance(choice, Mapping) else None
    if named or choice == "required":
        forced = [f for f in functions if f.get("name") == named] if named else functions
        matches = _matches(text, forced) or [_Match(f, frozenset(), False, 0.0) for f in forced[:1]]
        calls = [call for match in _chosen(matches) for call in _forced(match.tool, text)]
        return Plan(tuple(calls))
    if _GREETING.match(text):
        return Plan()
    text, functions = _with_context(messages, text, functions, text_of)
    matches = _chosen(_matches(text, functions)) if _asks(text, functions) else []
    calls, question = [], ""
    for match in matches:
        try:
            calls += _filled(match.tool, _clause_for(match.tool, text) if len(matches) > 1 else text)
        except Missing as missing:
            question = _question(missing.name, text)
    return Plan(tuple(calls), "" if calls else question)


def _with_context(
    messages: Sequence[Mapping[str, Any]],
    text: str,
    functions: list[Mapping[str, Any]],
    text_of: Callable[[Mapping[str, Any]], str],
) -> tuple[str, list[Mapping[str, Any]]]:
    """Add the context to an answer to our question ("Which city?") or to a follow-up ("And in Rome?")."""
    before = [m for m in messages if m.get("role") in ("user", "assistant")][:-1]
    users = [text_of(m) for m in before if m.get("role") == "user"]
    if not users or not before:
        return text, functions
    last = before[-1]
    if last.get("role") == "assistant" and _OURS.search(text_of(last)):
        if language_of(text) == "zh":
            return text.rstrip("。") + users[-1], functions
        bare = re.sub(r"^(?:in|for|to|at)\s+", "", text.strip(), flags=re.I)
        return f"{users[-1].rstrip('?.! ')} for {bare}", functions
    called = next((m["tool_calls"] for m in reversed(before) if m.get("tool_calls")), None)
    if called and _FOLLOW_UP.search(text) and not _matches(text, functions):
        names = {call.get("function", {}).get("name") for call in called}
        wanted = [f for f in functions if f.get("name") in names]
        words = " ".join(sorted(_name_words(wanted[0]))) if wanted else ""
        return f"{text.rstrip('?.! ')}? {words}", wanted or functions
    return text, functions


def _clause_for(tool: Mapping[str, Any], text: str) -> str:
    """The part of a message with several requests that is about this tool."""
    for clause in re.split(
        r"(?<=[.?!。？！;；])\s*|,?\s+and (?=(?:what|how|when|where|tell|set|turn|play|also)\b)", text
    ):
        if clause and _match(clause, tool):
            return clause
    return text


_OURS = re.compile(r"^For which .+\?$|^请问是哪个.+？$")


def _question(name: str, text: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").lower()
    return f"请问是哪个{words}？" if language_of(text) == "zh" else f"For which {words}?"


def _filled(tool: Mapping[str, Any], text: str) -> list[Call]:
    name = str(tool.get("name", ""))
    return [
        Call(name, arguments)
        for arguments in arguments_for(_schema(tool), text, name_words=_name_words(tool))
    ]


def _forced(tool: Mapping[str, Any], text: str) -> list[Call]:
    name = str(tool.get("name", ""))
    found = arguments_for(_schema(tool), text, name_words=_name_words(tool), forced=True)
    return [Call(name, arguments) for arguments in found]


def _schema(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = tool.get("parameters")
    return schema if isinstance(schema, Mapping) else {}


def _asks(text: str, functions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the message is a request: a question, a polite form, or an order that begins with a verb."""
    if language_of(text) == "zh":
        return not re.match(r"^我(?:很|不)?(?:喜欢|爱|讨厌|叫|住)", text)
    if _REQUEST.search(text):
        return True
    words = words_of(
        re.sub(r"^(?:(?:ok|okay|now|hey|hi|hello|and|then|so)\W+)+", "", text.strip(), flags=re.I)
    )
    if not words:
        return False
    verbs = {
        word
        for f in functions
        for word in words_of(str(f.get("description", "")))[:1] + _split(f.get("name"))[:1]
    }
    return _stem(words[0]) in {_stem(v) for v in verbs | _ORDERS} or find_sum(text) is not None


_ORDERS = set(
    "turn switch set start stop make play send call book order search find look add remove delete create show get "
    "open close remind schedule translate calculate compute convert roll check read write tell give cancel dim put "
    "change lower raise increase decrease reserve buy lock unlock navigate wake note save remember multiply divide "
    "subtract end hang transfer pause resume".split()
)


def _matches(text: str, functions: Sequence[Mapping[str, Any]]) -> list[_Match]:
    found = (_match(text, function) for function in functions)
    return sorted((match for match in found if match is not None), key=lambda match: -match.score)


def _match(text: str, tool: Mapping[str, Any]) -> _Match | None:
    mentioned = _concepts(text)
    name_words = _split(tool.get("name"))
    specific = {word for word in name_words if word not in _GENERIC} or set(name_words)
    named = {word for word in specific if _concept(word) in mentioned}
    extra = {word for word in name_words if word not in specific and _stem(word) in mentioned}
    described = {
        word for word in words_of(str(tool.get("description", ""))) if word not in _GENERIC and len(word) > 2
    }
    described = {word for word in described if _concept(word) in mentioned} - named
    described |= _han_pairs(str(tool.get("description", ""))) & _han_pairs(text)
    described |= _enum_hits(_schema(tool), text)
    if not named and len(described) < 2:
        sums = find_sum(text) is not None and _concept("calculate") in map(_concept, specific)
        return _Match(tool, frozenset({"sum"}), False, 1.0) if sums else None
    hits = frozenset(_concept(word) for word in named | extra) or frozenset(described)
    score = 2.0 * len(named) / len(specific) + len(extra) + 0.5 * len(described)
    return _Match(tool, hits, bool(named) and named == specific, score)


def _chosen(matches: Sequence[_Match]) -> list[_Match]:
    """The best match, and every other complete match with words of its own."""
    if not matches:
        return []
    kept = [matches[0]]
    for match in matches[1:]:
        if match.whole and all(
            not match.hits <= other.hits and not other.hits <= match.hits for other in kept
        ):
            kept.append(match)
    return kept


def _split(name: Any) -> list[str]:
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", str(name or ""))
    return [word for word in re.split(r"[\W_]+", spaced.lower()) if word]


def _name_words(tool: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(_split(tool.get("name")))


def _stem(word: str) -> str:
    for ending in ("ies", "ing", "es", "ed", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _concept(word: str) -> str:
    stem = _stem(word)
    for place, group in enumerate(_SAME):
        if word in group or stem in group:
            return f"#{place}"
    return stem


def _concepts(text: str) -> set[str]:
    words = words_of(text)
    found = {_concept(word.removesuffix("'s")) for word in words} | {
        _stem(word.removesuffix("'s")) for word in words
    }
    for place, group in enumerate(_SAME):
        if any(word in text for word in group if re.match(f"[{HAN}]", word)):
            found.add(f"#{place}")
    return found


_HAN_COMMON = {
    "查询",
    "获取",
    "当前",
    "城市",
    "一个",
    "指定",
    "返回",
    "设置",
    "用户",
    "可以",
    "使用",
    "信息",
    "进行",
    "什么",
    "现在",
}


def _han_pairs(text: str) -> set[str]:
    runs = re.findall(f"[{HAN}]+", text)
    return {run[at : at + 2] for run in runs for at in range(len(run) - 1)} - _HAN_COMMON


def _enum_hits(schema: Mapping[str, Any], text: str) -> set[str]:
    plain = f" {' '.join(words_of(text))} "
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return set()
    values = [
        v
        for p in properties.values()
        if isinstance(p, Mapping)
        for v in p.get("enum") or ()
        if isinstance(v, str)
    ]
    return {value for value in values if f" {value.lower().replace('_', ' ')} " in plain}
