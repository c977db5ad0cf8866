"""Fills a JSON schema from the words of a prompt. Pure: the same schema and words give the same instance.

Knows types, bounds, formats and choices. Numbers of the text go into number fields, quoted or capitalised words into
string fields, mentioned values of an enum are chosen; what the text does not tell is a plain value that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .schema import Schema, resolve
from .schema_values import boolean_value, bounded_text, number_value, string_value
from .schema_words import Words, words_of_name

MAX_DEPTH = 10  # below it, lists stay empty and what is optional is left out
MAX_STEPS = 4000  # values tried in one instance; after them it goes on as below the depth
MAX_ITEMS = 20


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
                return number_value(schema, name, self.words, self.claimed)
            case "boolean":
                return boolean_value(schema, name, self.words)
            case "null":
                return None
            case _:
                return string_value(schema, name, self.words, self.claimed)

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
                return [bounded_text(text, items) for text in listed[:room]]
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


def _unique(values: list[Any]) -> list[Any]:
    return [value for place, value in enumerate(values) if value not in values[:place]]
