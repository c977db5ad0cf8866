"""Finds names of places in a message. Knows no schema."""

from __future__ import annotations

import re

from .language import HAN, language_of

PROPER = r"[A-Z\u00c0-\u00de][\w'’.-]*(?: (?:of |de |la |del |the )?[A-Z\u00c0-\u00de][\w'’-]*)*"
_LOWER_END = (
    r"(?=[.,;!?]|\s+(?:today|tomorrow|tonight|now|right|please|like|in|on|at|and|or|this|next|from|to|for|with)\b"
    r"|$)"
)
NOT_NAMES = frozenset(
    "today tomorrow tonight now please i what what's how how's which when where is are the a an and or can could tell "
    "monday tuesday wednesday thursday friday saturday sunday celsius fahrenheit me you it this that there here "
    "weather check get show give will does do let's hey hi hello ok okay minutes minute seconds hours".split()
)


def places_in(text: str) -> list[str]:
    """Every place named, in order: `in Paris and in Rome`, `Paris, Rome and Oslo`, `巴黎和罗马的天气`."""
    return _places_zh(text) if language_of(text) == "zh" else _places_en(text)


def _places_en(text: str) -> list[str]:
    found: list[str] = []
    names = rf"{PROPER}(?:(?:,? and |,? or |, )(?:in |for |at )?{PROPER})*"
    for match in re.finditer(rf"\b(?:in|for|at|to|from|of|near|about|around|is) ({names})", text):
        for name in re.split(
            r",? and (?:in |for |at )?|,? or (?:in |for |at )?|, (?:in |for |at )?", match[1]
        ):
            _keep(found, re.sub(r"'s$", "", name.strip(" .'")))
    for match in re.finditer(rf"({PROPER})'s? (?:weather|forecast|temperature|time)", text):
        _keep(found, re.sub(r"'s?$", "", match[1]))
    if not found:
        lower = re.search(
            rf"\b(?:in|for|at|near|to) ((?!the moment|degrees)[a-z][\w' -]*?){_LOWER_END}", text
        )
        if (
            lower
            and lower[1].lower() not in NOT_NAMES
            and not re.search(r"\d|\bminutes?\b|\bhours?\b|\bme\b", lower[1])
        ):
            _keep(found, lower[1].strip().title())
    if not found:
        for name in re.findall(PROPER, text):
            _keep(found, re.sub(r"'s?$", "", name.strip(" .'")))
    return found


def _keep(found: list[str], name: str) -> None:
    words = [word for word in name.split(" ") if word.lower().strip("'.") not in NOT_NAMES]
    kept = " ".join(words).strip(" .'-")
    if kept and kept not in found:
        found.append(kept)


_ZH_LEAD = re.compile(
    r"^(?:请问|请|麻烦|帮我|帮忙|你|能|可以|知道|告诉我|查询|查一下|查一查|查|看看|看一下|一下|今天|明天|后天|现在|今晚|我想知道|我想|想|在|去|到|那|和|的|是)+"
)
_ZH_AFTER = re.compile(
    r"(?:的)?(?:今天|明天|后天|现在|今晚|这周)*(?:的)?(?:天气|气温|温度|时间|几点|会?下雨|怎么样|如何|冷不冷|热不热|呢|有什么|新闻|航班|酒店)"
)


def _places_zh(text: str) -> list[str]:
    found: list[str] = []
    for part in re.split(r"[，。！？,.!?\s]+", text):
        match = _ZH_AFTER.search(part)
        head = _ZH_LEAD.sub("", part[: match.start()] if match else part if len(part) <= 6 else "")
        for name in re.split(r"和|与|跟|以及|、|还有", head):
            name = re.sub(r"(?:今天|明天|后天|现在|今晚|的)+$", "", _ZH_LEAD.sub("", name))
            if re.fullmatch(f"[{HAN}A-Za-z]{{2,12}}", name) and name not in found:
                found.append(name)
    return found
