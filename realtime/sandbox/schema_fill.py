"""Fills a JSON schema from the words of a prompt. Pure: the same schema and words give the same instance.

Knows types, bounds, formats and choices. Numbers of the text go into number fields, quoted or capitalised words into
string fields, mentioned values of an enum are chosen; what the text does not tell is a plain value that fits.
"""

from __future__ import annotations

import base64
import math
import re
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from .schema import Schema, resolve
from .schema_pattern import matching
from .schema_words import Words, words_of_name

MAX_DEPTH = 10  # below it, lists stay empty and what is optional is left out
MAX_STEPS = 4000  # values tried in one instance; after them it goes on as below the depth
MAX_ITEMS = 20
_SAID = frozenset("answer reply response message explanation reason summary text content description".split())
_MAIL = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_RESULT = frozenset("answer result sum value".split())


def fill(schema: Schema, words: Words) -> Any:
    """An instance of `schema`."""
    labels = {"_".join(words_of_name(name)) for name in property_names(schema)}
    return _Filler(schema, words.without(labels)).value(schema, "", 0)


def property_names(schema: Any) -> Iterator[str]:
    """Every property name in a schema, its definitions included."""
    match schema:
        case Mapping():
            yield from schema.get("properties", ()) if isinstance(schema.get("properties"), Mapping) else ()
            for inner in schema.values():
                yield from property_names(inner)
        case list():
            for inner in schema:
                yield from property_names(inner)


class _Filler:
    def __init__(self, root: Schema, words: Words) -> None:
        self.root = root
        self.words = words
        self.steps = 0
        self.claimed: set[int] = set()  # places of numbers that a sibling's name stands beside

    def value(self, raw: Any, name: str, depth: int) -> Any:
        """The value of one place; `name` is that of its property, or of the list that it is in."""
        self.steps += 1
        if depth > 3 * MAX_DEPTH:
            return None  # a schema that requires itself has no instance
        schema = resolve(raw, self.root)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            chosen = self.words.choice(schema["enum"])
            return schema.get("default", schema["enum"][0]) if chosen is None else chosen
        for key in ("anyOf", "oneOf"):
            if key in schema:
                outer = {other: value for other, value in schema.items() if other != key}
                return self._best([{**outer, **resolve(o, self.root)} for o in schema[key]], name, depth)
        kind = schema.get("type") or _guessed_type(schema)
        if isinstance(kind, list):
            return self._best([{**schema, "type": each} for each in kind], name, depth)
        return self._of_type(kind, schema, name, depth)

    def _of_type(self, kind: str, schema: Schema, name: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, depth)
            case "array":
                return self._array(schema, name, depth)
            case "integer" | "number":
                return self._number(schema, name, kind == "integer")
            case "boolean":
                return self._boolean(schema, name)
            case "null":
                return None
            case _:
                return self._string(schema, name)

    def _best(self, options: list[dict[str, Any]], name: str, depth: int) -> Any:
        """The option that the text says most about; null if it may be null and the text says nothing."""
        if self._deep(depth):
            return self.value(_simplest(options), name, depth + 1)
        original, best = self.words, None
        for option in options:
            self.words = original.copy()
            value = self.value(option, name, depth + 1)
            told = self.words.found - original.found + self._tag_is_named(option)
            rank = (told, 1 if value is None else 0)
            if best is None or rank > best[0]:
                best = rank, value, self.words
        self.words = original
        if best is None:
            return None
        original.become(best[2])
        return best[1]

    def _deep(self, depth: int) -> bool:
        return depth >= MAX_DEPTH or self.steps >= MAX_STEPS

    def _tag_is_named(self, option: Schema) -> int:
        """Evidence for one member of a tagged union: its tag or title stands in the text."""
        fixed = [resolve(spec, self.root) for spec in option.get("properties", {}).values()]
        tags = [spec["const"] for spec in fixed if "const" in spec]
        tags += [spec["enum"][0] for spec in fixed if len(spec.get("enum", ())) == 1]
        return sum(3 for tag in (*tags, option.get("title", "")) if tag and self.words.mentions(str(tag)))

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        outer = self.claimed
        made: dict[str, Any] = {}
        for name, spec in properties.items():
            if name not in required and (self._deep(depth) or not self._told(spec, name)):
                continue
            siblings = (self.words.named_number(other) for other in properties if other != name)
            self.claimed = outer | {found[0] for found in siblings if found}
            made[name] = self.value(spec, name, depth + 1)
        self.claimed = outer
        for name in required:
            if name not in made:
                made[name] = self.value(schema.get("additionalProperties"), name, depth + 1)
        if (
            not properties
            and isinstance(schema.get("additionalProperties"), Mapping)
            and not self._deep(depth)
        ):
            return self._pairs(schema["additionalProperties"], depth) | made
        return made

    def _told(self, spec: Any, name: str) -> bool:
        """Whether the text speaks of an optional property."""
        schema = resolve(spec, self.root)
        return self.words.mentions(name) or (
            "enum" in schema and self.words.copy().choice(schema["enum"]) is not None
        )

    def _pairs(self, spec: Any, depth: int) -> dict[str, Any]:
        keys = re.findall(r"([A-Za-z_]\w*)\s*(?:[:=]|is|are)\s*\S", self.words.text)
        return {key: self.value(spec, key, depth + 1) for key in keys[:MAX_ITEMS]}

    def _array(self, schema: Schema, name: str, depth: int) -> list[Any]:
        made = [self.value(spec, name, depth + 1) for spec in schema.get("prefixItems", ())]
        items = schema.get("items", not made)
        least, most = schema.get("minItems", 0), min(schema.get("maxItems", MAX_ITEMS), MAX_ITEMS)
        most = max(least, most)
        if items is False:
            return made
        if not self._deep(depth):
            made += self._items(resolve(items, self.root), name, depth, most - len(made))
        while len(made) < least:
            made.append(self._other(self.value(items, name, depth + 1), made, schema))
        return _unique(made) if schema.get("uniqueItems") else made

    def _items(self, items: Schema, name: str, depth: int, room: int) -> list[Any]:
        """As many items as the text has words for."""
        if "enum" in items:
            mentioned = [value for value in items["enum"] if self.words.choice([value]) is not None]
            return mentioned[:room]
        if items.get("type", "string") == "string" and not items.keys() & {"format", "pattern", "anyOf"}:
            singular = name[:-1] if name.endswith("s") else name
            listed = self.words.listed(name) or self.words.listed(singular)
            if listed:
                return [_bounded(text, items) for text in listed[:room]]
        made: list[Any] = []
        counted = False  # the first item had a number, so each one has
        while len(made) < room:
            before, left = self.words, self.words.copy()
            self.words = left
            value = self.value(items, name, depth + 1)
            self.words = before
            numbers, names = len(before.numbers) - len(left.numbers), len(before.names) - len(left.names)
            if not numbers + names or (counted and not numbers):
                break
            counted = counted or numbers > 0
            before.become(left)
            made.append(value)
        return made

    def _other(self, value: Any, made: list[Any], schema: Schema) -> Any:
        """A value that the list does not have yet, if it has to be unique."""
        if not schema.get("uniqueItems") or value not in made:
            return value
        return f"{value} {len(made) + 1}" if isinstance(value, str) else len(made)

    def _number(self, schema: Schema, name: str, whole: bool) -> int | float:
        if _RESULT & set(words_of_name(name)) and (last := re.findall(r"-?\d+(?:\.\d+)?", self.words.said)):
            found: float | None = float(last[-1])
            self.words.found += 1
        else:
            found = self.words.take_number(name, self.claimed, whole)
        if found is None and isinstance(schema.get("default"), int | float):
            found = schema["default"]
        return _in_bounds(found or 0, schema, whole)

    def _boolean(self, schema: Schema, name: str) -> bool:
        if not self.words.mentions(name) and isinstance(schema.get("default"), bool):
            return bool(schema["default"])
        return self.words.says_yes(name)

    def _string(self, schema: Schema, name: str) -> str:
        if "contentEncoding" in schema:
            return base64.b64encode(self.words.text[:30].encode()).decode()
        if "format" in schema and (text := self._format(schema["format"], name)) is not None:
            return text
        if "pattern" in schema:
            return matching(schema["pattern"], self.words.text, schema.get("minLength", 0))
        if set(words_of_name(name)) & {"email", "mail"} and (mail := re.search(_MAIL, self.words.text)):
            self.words.found += 1
            return _bounded(mail[0], schema)
        text = self.words.labelled(name) if name else None
        if text is None and _SAID & set(words_of_name(name)):
            self.words.found += 1
            text = self.words.said
        if text is None:
            text = self.words.take_name()
        if text is None:
            text = schema.get("default") if isinstance(schema.get("default"), str) else "unknown"
        return _bounded(str(text), schema)

    def _format(self, format: str, name: str) -> str | None:
        """A text of a known format, None for one that any text fits."""
        words, now = self.words, self.words.now
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
                return self._seen(_MAIL, "someone@example.com")
            case "uri" | "url" | "uri-reference" | "iri":
                return self._seen(r"https?://[^\s\"'<>，。]*[\w/]", "https://example.com/")
            case "uuid":
                return self._seen(
                    r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
                    str(uuid.uuid5(uuid.NAMESPACE_URL, words.text)),
                )
            case "ipv4":
                return self._seen(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "192.0.2.1")
            case "ipv6":
                return "2001:db8::1"
            case "hostname":
                return "example.com"
            case "duration":
                number = words.take_number(name, self.claimed, True)
                return f"PT{int(number or 0)}S"
            case "decimal":
                return f"{words.take_number(name, self.claimed, False) or 0:g}"
            case _:
                return None

    def _seen(self, pattern: str, otherwise: str) -> str:
        match = re.search(pattern, self.words.text)
        self.words.found += match is not None
        return match[0] if match else otherwise


def _simplest(options: list[dict[str, Any]]) -> dict[str, Any]:
    """The member with the least inside."""
    order = ["null", "boolean", "integer", "number", "string"]
    return min(options, key=lambda o: order.index(o["type"]) if o.get("type") in order else len(order))


def _guessed_type(schema: Schema) -> str:
    """The type of a schema that names none."""
    if schema.keys() & {"properties", "required", "additionalProperties"}:
        return "object"
    if schema.keys() & {"items", "prefixItems", "minItems"}:
        return "array"
    return "number" if schema.keys() & {"minimum", "maximum", "multipleOf"} else "string"


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


def _bounded(text: str, schema: Schema) -> str:
    """The text, cut or lengthened to the lengths that are allowed."""
    text = text[: int(schema.get("maxLength", 1000))]
    return text.ljust(int(schema.get("minLength", 0)), ".")


def _unique(values: list[Any]) -> list[Any]:
    return [value for place, value in enumerate(values) if value not in values[:place]]
