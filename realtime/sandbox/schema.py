"""JSON schemas of structured answers: checking one, following its references, finding one in a prompt.

Knows the keywords that a language model's `response_format` uses. Does not know how an instance is filled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
TYPES = frozenset("null boolean object array number string integer".split())
MAX_TRIES = 300  # opening braces of a prompt that are looked at
_PLACES = ("properties", "$defs", "definitions", "patternProperties")  # name -> schema
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "contains", "propertyNames")
_BOUNDS = (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems"))
_LEAST_LENGTHS = frozenset(("minLength", "minItems"))
_NUMBERS = frozenset(name for pair in _BOUNDS for name in pair) | {
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf"
}  # fmt: skip
MOST_NUMBER = 1e15  # what a number of an answer can be compared with exactly
MOST_LENGTH = 10_000  # characters and items that a schema may ask for at least
_KEYS_OF_A_SCHEMA = frozenset(("properties", "$ref", "$defs", "items", "enum", "anyOf", "oneOf", "allOf"))


class BadSchema(Exception):
    """The schema is not a JSON schema; the text says where and why."""


def check_schema(schema: Any) -> None:
    """Raises BadSchema naming the first mistake."""
    if not isinstance(schema, Mapping):
        raise BadSchema("must be an object")
    _check(schema, schema, "$")


def _check(schema: Any, root: Schema, path: str) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        raise BadSchema(f"{path} must be an object")
    _check_own(schema, root, path)
    for name, inner in _children(schema, path):
        _check(inner, root, name)


def _check_own(schema: Schema, root: Schema, path: str) -> None:
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind not in TYPES:
            raise BadSchema(f"{path}.type '{kind}' is not a type")
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise BadSchema(f"{path}.required must be a list of names")
    if "enum" in schema and not (isinstance(schema["enum"], list) and schema["enum"]):
        raise BadSchema(f"{path}.enum must be a list that is not empty")
    if "$ref" in schema:
        _pointed(schema["$ref"], root)
    _check_numbers(schema, path)
    if "pattern" in schema:
        _check_pattern(schema["pattern"], path)


def _check_numbers(schema: Schema, path: str) -> None:
    for name in schema.keys() & _NUMBERS:
        value = schema[name]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadSchema(f"{path}.{name} must be a number")
        most = MOST_LENGTH if name in _LEAST_LENGTHS else MOST_NUMBER
        if not -most <= value <= most:
            raise BadSchema(f"{path}.{name} is larger than {most:g}")
    if schema.get("multipleOf", 1) <= 0:
        raise BadSchema(f"{path}.multipleOf must be larger than 0")
    for low, high in _BOUNDS:
        if low in schema and high in schema and schema[low] > schema[high]:
            raise BadSchema(f"{path}.{low} is larger than {high}")


def _check_pattern(pattern: Any, path: str) -> None:
    try:
        re.compile(pattern)
    except (re.error, TypeError):
        raise BadSchema(f"{path}.pattern is not a regular expression") from None


def _children(schema: Schema, path: str) -> Iterator[tuple[str, Any]]:
    for key in _PLACES:
        inner = schema.get(key, {})
        if not isinstance(inner, Mapping):
            raise BadSchema(f"{path}.{key} must be an object")
        yield from ((f"{path}.{key}.{name}", value) for name, value in inner.items())
    for key in _LISTS:
        listed = schema.get(key, [])
        if not isinstance(listed, list) or (key in schema and not listed):
            raise BadSchema(f"{path}.{key} must be a list that is not empty")
        yield from ((f"{path}.{key}[{place}]", value) for place, value in enumerate(listed))
    yield from ((f"{path}.{key}", schema[key]) for key in _SINGLE if key in schema)


def _pointed(pointer: Any, root: Schema) -> Any:
    """What a `$ref` inside the document names. Raises BadSchema."""
    if not isinstance(pointer, str) or not pointer.startswith("#"):
        raise BadSchema(f"$ref '{pointer}' is not in the schema")
    found: Any = root
    for part in pointer.removeprefix("#").split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or key not in found:
            raise BadSchema(f"$ref '{pointer}' is not in the schema")
        found = found[key]
    return found


def resolve(schema: Any, root: Schema) -> Schema:
    """The schema with its `$ref` and `allOf` followed; `true` allows everything."""
    if not isinstance(schema, Mapping):
        return {}
    merged = dict(schema)
    for _ in range(20):  # a chain of references that leads back to itself ends here
        if "$ref" not in merged:
            break
        merged = {**_mapping(_pointed(merged.pop("$ref"), root)), **merged}
    merged.pop("$ref", None)
    for part in merged.pop("allOf", ()):
        merged = _joined(merged, resolve(part, root))
    return merged


def _joined(one: Schema, other: Schema) -> dict[str, Any]:
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    required = [*one.get("required", ()), *other.get("required", ())]
    joined = {**one, **other}
    return {**joined, "properties": properties, "required": required} if properties else joined


def _mapping(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}


def schema_in(text: str) -> tuple[Schema, str] | None:
    """The last JSON schema that stands in a prompt, and the prompt without its schemas; None without one."""
    found: Schema | None = None
    rest, at = "", 0
    decoder = json.JSONDecoder()
    for _ in range(MAX_TRIES):
        start = text.find("{", at)
        if start < 0:
            break
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value, end = None, start + 1
        schema = _as_schema(value)
        rest += text[at : start if schema is not None else end]
        at, found = end, schema if schema is not None else found
    return None if found is None else (found, rest + text[at:])


def _as_schema(value: Any) -> Schema | None:
    """`value` if it is a schema, or the one inside `{"name": …, "schema": …}`."""
    if isinstance(value, Mapping) and isinstance(value.get("schema"), Mapping):
        value = value["schema"]
    if not isinstance(value, Mapping) or not (_KEYS_OF_A_SCHEMA & value.keys() or value.get("type") in TYPES):
        return None
    try:
        check_schema(value)
    except BadSchema:
        return None
    return value
