"""Plain values of a structured answer from the words of a prompt: numbers, truth, texts of a format or pattern.

Knows bounds, lengths and formats. Does not know objects, lists or choices between schemas.
"""

from __future__ import annotations

import base64
import math
import re
import uuid

from .schema import Schema
from .schema_pattern import matching
from .schema_words import Words, words_of_name

_SAID = frozenset("answer reply response message explanation reason summary text content description".split())
_RESULT = frozenset("answer result sum".split())
_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"


def number_value(schema: Schema, name: str, words: Words, claimed: set[int]) -> int | float:
    """A number or integer; `claimed` are the places of numbers that belong to other fields."""
    whole = schema.get("type") == "integer"
    told = re.findall(r"-?\d+(?:\.\d+)?", words.said)
    if told and _RESULT & set(words_of_name(name)) and not words.named_number(name):
        found: float | None = float(told[-1])
        words.found += 1
    else:
        found = words.take_number(name, claimed, whole)
    if found is None and isinstance(schema.get("default"), int | float):
        found = schema["default"]
    return _in_bounds(found or 0, schema, whole)


def boolean_value(schema: Schema, name: str, words: Words) -> bool:
    """True if the text names the field and does not deny it."""
    if not words.mentions(name) and isinstance(schema.get("default"), bool):
        return bool(schema["default"])
    return words.says_yes(name)


def string_value(schema: Schema, name: str, words: Words, claimed: set[int]) -> str:
    """A text of the format, pattern and lengths that are asked for."""
    if "contentEncoding" in schema:
        return base64.b64encode(words.text[:30].encode()).decode()
    if "format" in schema and (text := _format(schema["format"], name, words, claimed)) is not None:
        return text
    if "pattern" in schema:
        return matching(schema["pattern"], words.text, schema.get("minLength", 0))
    if set(words_of_name(name)) & {"email", "mail"} and (mail := re.search(_MAIL, words.text)):
        words.found += 1
        return bounded_text(mail[0], schema)
    text = words.labelled(name) if name else None
    if text is None and _SAID & set(words_of_name(name)):
        words.found += 1
        text = words.said
    if text is None:
        text = words.take_name()
    if text is None:
        text = schema.get("default") if isinstance(schema.get("default"), str) else "unknown"
    return bounded_text(str(text), schema)


def _format(format: str, name: str, words: Words, claimed: set[int]) -> str | None:
    """A text of a known format, None for one that any text fits."""
    now = words.now
    day = words.day() if format in ("date", "date-time") else None
    clock = words.clock() if format in ("time", "date-time") else None
    words.found += (day is not None) + (clock is not None)
    hours = "{:02}:{:02}:{:02}".format(*(clock or (now.hour, now.minute, now.second)))
    match format:
        case "date":
            return (day or now.date()).isoformat()
        case "time":
            return hours + "Z"
        case "date-time":
            return f"{(day or now.date()).isoformat()}T{hours}Z"
        case "email" | "idn-email":
            return _seen(words, _MAIL, "someone@example.com")
        case "uri" | "url" | "uri-reference" | "iri":
            return _seen(words, r"https?://[^\s\"'<>，。]*[\w/]", "https://example.com/")
        case "uuid":
            return _seen(
                words,
                r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
                str(uuid.uuid5(uuid.NAMESPACE_URL, words.text)),
            )
        case "ipv4":
            return _seen(words, r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "192.0.2.1")
        case "ipv6":
            return "2001:db8::1"
        case "hostname":
            return "example.com"
        case "duration":
            number = words.take_number(name, claimed, True)
            return f"PT{int(number or 0)}S"
        case "decimal":
            return f"{words.take_number(name, claimed, False) or 0:g}"
        case _:
            return None


def _seen(words: Words, pattern: str, otherwise: str) -> str:
    match = re.search(pattern, words.text)
    words.found += match is not None
    return match[0] if match else otherwise


def _in_bounds(value: float, schema: Schema, whole: bool) -> int | float:
    """The value, moved into the bounds and to the next multiple."""
    step = schema.get("multipleOf", 1 if whole else 0)
    small = step or 0.5
    low = max(schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf))
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf))
    value = min(max(value, low), high)
    if step:
        value = round(round(value / step) * step, 9)
        value = value + step if value < low else value - step if value > high else value
    span = min(small, (high - low) / 2)
    if value == schema.get("exclusiveMinimum"):
        value += step or span
    elif value == schema.get("exclusiveMaximum"):
        value -= step or span
    return int(value) if float(value).is_integer() else value


def bounded_text(text: str, schema: Schema) -> str:
    """The text, cut or lengthened to the lengths that are allowed."""
    text = text[: int(schema.get("maxLength", 1000))]
    return text.ljust(int(schema.get("minLength", 0)), ".")
