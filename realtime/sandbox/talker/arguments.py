"""Finds the arguments of a tool call in the user's message, by the schema's property names, types and enums."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .language import HAN, language_of, words_of
from .numbers import with_digits
from .places import NOT_NAMES, PROPER, places_in
from .sums import find_sum

Schema = Mapping[str, Any]


class Missing(Exception):
    """A required argument is not in the message."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


_PLACES = frozenset(
    "city location place town destination where country region area address state capital".split()
)
_FROM = frozenset("origin from source departure start".split())
_TO = frozenset("destination to arrival target".split())
_DAYS = frozenset("date day when".split())
_CLOCKS = frozenset("time hour at".split())
_PEOPLE = frozenset("name person contact recipient who guest customer".split())
_IDS = frozenset("id number code order reference tracking symbol ticker".split())
_UNITS_S = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "day": 86_400,
    "秒": 1,
    "分钟": 60,
    "小时": 3600,
    "天": 86_400,
}
_ON = re.compile(r"\b(?:on|enable|start|open|true|yes|unlock)\b|打开|开启|开")
_OFF = re.compile(r"\b(?:off|disable|stop|close|false|no|don't)\b|关闭|关掉|关")
_COLORS = "red green blue yellow orange purple pink white black brown gray grey cyan magenta violet gold silver".split()
_LANGUAGES = (
    "english chinese french german spanish italian japanese korean portuguese russian arabic dutch".split()
)
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_DAY = re.compile(
    rf"\b(?:\d{{4}}-\d\d?-\d\d?|(?:next |this |on )?(?:{'|'.join(_WEEKDAYS)})|today|tonight|tomorrow|yesterday|"
    r"the day after tomorrow|next week|this weekend|(?:january|february|march|april|may|june|july|august|september|"
    r"october|november|december) \d{1,2}(?:st|nd|rd|th)?)\b|"
    r"今天|明天|后天|昨天|今晚|(?:下|这)?(?:周|星期)[一二三四五六日天]",
    re.I,
)
_CLOCK = re.compile(
    r"\b\d{1,2}(?::\d\d)?\s*(?:am|pm|a\.m\.|p\.m\.|o'clock)(?=\W|$)|\b\d{1,2}:\d\d\b|\bnoon\b|\bmidnight\b|"
    r"(?:早上|上午|下午|晚上|中午)?\d{1,2}点(?:半|\d{1,2}分?)?",
    re.I,
)
_QUOTED = re.compile(r"[\"“「](.+?)[\"”」]|(?<!\w)'([^']+)'(?!\w)")


def arguments_for(
    schema: Schema, text: str, *, name_words: frozenset[str] = frozenset(), forced: bool = False
) -> list[dict[str, Any]]:
    """The arguments of one call, or of several when the text names several places for one property.

    Raises Missing for a required property that is not in the text. If `forced`, a default of its type is used instead.
    """
    text = text.replace("’", "'")
    reader = _Reader(text, name_words, forced)
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return [{}]
    required = [name for name in schema.get("required") or () if isinstance(name, str)]
    first = [*[n for n in properties if n in required], *[n for n in properties if n not in required]]
    found: dict[str, Any] = {}
    several: tuple[str, list[str]] | None = None
    for name in first:
        spec = properties[name] if isinstance(properties[name], Mapping) else {}
        needed = name in required
        places = places_in(text) if _kind(spec) == "string" and reader.is_place(name) else []
        if len(places) > 1 and several is None and not _is_route(properties):
            several = name, places
            found[name] = places[0]
            continue
        value = reader.value(name, spec, needed)
        if value is not None:
            found[name] = value
        elif needed and not forced:
            raise Missing(name)
        elif needed:
            found[name] = _default_value(spec, text)
    ordered = {name: found[name] for name in properties if name in found}
    if several is None:
        return [ordered]
    return [{**ordered, several[0]: place} for place in several[1]]


def _is_route(properties: Mapping[str, Any]) -> bool:
    words = [set(_split(name)) for name in properties]
    return any(w & _FROM for w in words) and any(w & _TO for w in words)


def _kind(spec: Schema) -> str:
    kind = spec.get("type", "string")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "string")
    return str(kind)


def _split(name: str) -> list[str]:
    return [
        word for word in re.split(r"[\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower()) if word
    ]


def _default_value(spec: Schema, text: str) -> Any:
    if spec.get("enum"):
        return spec["enum"][0]
    match _kind(spec):
        case "integer" | "number":
            return spec.get("minimum", 0)
        case "boolean":
            return True
        case "array":
            return []
        case "object":
            return {}
        case _:
            return text


@dataclass(slots=True)
class _Reader:
    """Reads values from one message; numbers are used in their order in the text."""

    text: str
    name_words: frozenset[str]
    forced: bool
    numbers_used: int = 0

    def value(self, name: str, spec: Schema, needed: bool) -> Any:
        if "const" in spec:
            return spec["const"]
        if isinstance(spec.get("enum"), list):
            return self._enum(spec, needed)
        match _kind(spec):
            case "boolean":
                return self._boolean(needed)
            case "integer" | "number":
                return self._number(name, spec, needed)
            case "array":
                return self._array(name, spec, needed)
            case "object":
                return self._object(spec, needed)
            case _:
                return self._string(name, spec, needed)

    def is_place(self, name: str) -> bool:
        words = set(_split(name))
        return bool(words & _PLACES)

    def _enum(self, spec: Schema, needed: bool) -> Any:
        plain = f" {' '.join(words_of(with_digits(self.text)))} "
        for value in spec["enum"]:
            written = str(value).lower().replace("_", " ")
            if (
                f" {written} " in plain
                or f" {written}s " in plain
                or (re.match(f"[{HAN}]", written) and written in self.text)
            ):
                return value
        for value, pattern in (("on", _ON), ("off", _OFF)):
            if value in spec["enum"] and pattern.search(self.text.lower()):
                return value
        return spec.get("default", spec["enum"][0]) if needed else None

    def _boolean(self, needed: bool) -> bool | None:
        plain = self.text.lower()
        if _OFF.search(plain):
            return False
        return True if _ON.search(plain) or needed else None

    def _number(self, name: str, spec: Schema, needed: bool) -> int | float | None:
        digits = with_digits(self.text)
        words = {word.rstrip("s") for word in _split(name)}
        unit = next((u for u in ("second", "minute", "hour", "day") if u in words), None)
        timed = [
            (float(n), u)
            for n, u in re.findall(r"(\d+(?:\.\d+)?)[ -]*(second|minute|hour|day|秒|分钟|小时|天)", digits)
        ]
        if timed and (unit or "duration" in words or "timeout" in words):
            total = sum(n * _UNITS_S[u] for n, u in timed)
            return _as(spec, total / _UNITS_S[unit or "second"])
        found = [float(n) for n in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", digits)]
        if self.numbers_used < len(found) and (needed or self._mentions(words)):
            self.numbers_used += 1
            return _as(spec, found[self.numbers_used - 1])
        default = spec.get("default")
        return default if needed and isinstance(default, int | float) else None

    def _mentions(self, words: set[str]) -> bool:
        return bool(words & {word.rstrip("s") for word in words_of(self.text)})

    def _array(self, name: str, spec: Schema, needed: bool) -> list[Any] | None:
        items = spec.get("items")
        inner = items if isinstance(items, Mapping) else {}
        if _kind(inner) in ("integer", "number"):
            return [
                _as(inner, float(n)) for n in re.findall(r"-?\d+(?:\.\d+)?", with_digits(self.text))
            ] or None
        if isinstance(inner.get("enum"), list):
            plain = " ".join(words_of(self.text))
            return [value for value in inner["enum"] if str(value).lower() in plain] or None
        places = (
            places_in(self.text)
            if any(word.rstrip("s") in _PLACES or word == "cities" for word in _split(name))
            else []
        )
        if places:
            return places
        text = self._string(name, inner, needed)
        return (
            [part.strip() for part in re.split(r",\s*(?:and )?|\s+and\s+|、|和", text) if part.strip()]
            if text
            else None
        )

    def _object(self, spec: Schema, needed: bool) -> dict[str, Any] | None:
        try:
            value = arguments_for(spec, self.text, name_words=self.name_words, forced=self.forced)[0]
        except Missing:
            if needed:
                raise
            return None
        return value if value or needed else None

    def _string(self, name: str, spec: Schema, needed: bool) -> str | None:
        words = set(_split(name))
        text = self.text
        if words & ({"email", "mail", "recipient"} | _TO) and (
            match := re.search(r"[\w.+-]+@[\w-]+\.[\w.-]+\w", text)
        ):
            return match[0]
        if words & {"url", "link"}:
            return _first(re.search(r"https?://\S+|\bwww\.\S+", text))
        if words & {"expression", "equation", "formula", "calculation"} and (found := find_sum(text)):
            return found.expression
        if words & {"color", "colour"}:
            return next((c for c in words_of(text) if c in _COLORS), None)
        if words & {"language", "lang"}:
            return next((w.capitalize() for w in words_of(text) if w in _LANGUAGES), None)
        if words & _FROM and (match := re.search(rf"\bfrom ({PROPER})", text)):
            return match[1]
        if words & _TO and (match := re.search(rf"\bto ({PROPER})", text)):
            return match[1]
        if words & _PLACES:
            return next(iter(places_in(self.text)), None)
        if words & _DAYS:
            return _first(_DAY.search(text))
        if words & _CLOCKS or words & {"timezone", "zone"}:
            return _first(_CLOCK.search(with_digits(text))) or (
                next(iter(places_in(self.text)), None) if "zone" in name else None
            )
        if quoted := _QUOTED.search(text):
            return quoted[1] or quoted[2]
        if words & {"phone", "telephone"}:
            return _first(re.search(r"\+?\d[\d -]{4,}\d", text))
        if words & _IDS:
            return _first(
                re.search(r"\b[A-Za-z]*-?\d[\w-]*\b|\b[A-Z]{2,6}\b", with_digits(text))
            ) or self._proper(needed)
        if words & _PEOPLE:
            return self._proper(needed)
        return self._phrase(words, needed)

    def _proper(self, needed: bool) -> str | None:
        match = re.search(rf"\b(?:to|with|for|call|named|called|of|from|about) ({PROPER})", self.text)
        if match:
            return match[1]
        names = [n for n in re.findall(PROPER, self.text[1:]) if n.lower() not in NOT_NAMES]
        return names[0] if names else (self._phrase(set(), needed) if needed else None)

    def _phrase(self, words: set[str], needed: bool) -> str | None:
        """The rest of the request: after `for`, `about`, `that`, `saying`, or without its first words."""
        if (
            not needed
            and not self._mentions(words)
            and not words & {"query", "text", "message", "content", "title"}
        ):
            return None
        text = self.text.strip().rstrip(".?!。？！")
        if language_of(text) == "zh":
            rest = re.sub(
                r"^(?:请|麻烦|帮我|你|能不能|可以|给我)*(?:搜索|搜|查找|查询|查|播放|放|提醒我|翻译|告诉我|记下|发)?(?:一下|一首|关于)?",
                "",
                text,
            )
            return rest or None
        match = re.search(
            r"\b(?:saying|that says|says|saying that|about|for|called|named|titled|to remind me to|me to|that)"
            r"[: ]+(.+)$",
            text,
            re.I,
        )
        if match:
            return re.sub(r",? please$", "", match[1], flags=re.I).strip() or None
        rest = re.sub(
            r"^(?:(?:please|hey|ok|okay|now|can you|could you|would you|will you|i want you to|i want to)[, ]+)+",
            "",
            text,
            flags=re.I,
        )
        words_left = rest.split(" ", 1)
        if len(words_left) > 1 and (
            words_left[0].lower() in self.name_words
            or self.name_words & {"search", "play", "translate", "note"}
        ):
            rest = words_left[1]
        return re.sub(r",? please$", "", rest, flags=re.I).strip() or None


def _first(match: re.Match[str] | None) -> str | None:
    return match[0].strip() if match else None


def _as(spec: Schema, value: float) -> int | float:
    return int(value) if _kind(spec) == "integer" or value.is_integer() else value
