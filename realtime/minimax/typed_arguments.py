"""Values for the arguments of a call that was written as text: what a tag holds, by the JSON schema of the tool.

Follows the platform's own parser for M2 (docs/minimax/chat.md 4): what does not fit its type stays a text, and who runs
the tool can say so. Knows no form of calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from realtime.minimax.json_text import decode_json

Schema = Mapping[str, Any]
_FAILED = object()
_INTEGER = re.compile(r"[+-]?\d{1,400}(?:\.0+)?$")
_ORDER = ("null", "integer", "number", "boolean", "object", "array", "string")
_SYNONYMS = {"str": "string", "text": "string", "int": "integer", "float": "number", "bool": "boolean"}
_DEEPEST = 20  # schemas that name themselves


def as_typed(text: str, schema: Any, root: Any = None) -> Any:
    """The value that the text means for this schema; the text itself where it fits none of its types.

    `root` is the schema in which `$ref` points.
    """
    text = text.strip()
    listed = _listed(text, schema)
    if listed is not _FAILED:
        return listed
    if text.lower() == "null":
        return None
    kinds = types_of(schema, root)
    for kind in (kind for kind in _ORDER if kind in kinds):
        value = _as(kind, text)
        if value is not _FAILED:
            return value
    return text


def types_of(schema: Any, root: Any = None, depth: int = 0) -> frozenset[str]:
    """The names of all types that this schema allows. Nothing known is a text."""
    schema = resolved(schema, root)
    found = set(_named(schema.get("type")))
    for key in ("anyOf", "oneOf", "allOf"):
        for part in _list(schema.get(key)) if depth < _DEEPEST else ():
            found |= types_of(part, root, depth + 1)
    if not found and "properties" in schema:
        found.add("object")
    if not found and "items" in schema:
        found.add("array")
    return frozenset(found or {"string"})


def resolved(schema: Any, root: Any) -> Schema:
    """The schema itself, with `$ref` followed inside `root`."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        schema = root
        for name in reference[2:].split("/"):
            schema = (
                schema.get(name.replace("~1", "/").replace("~0", "~"))
                if isinstance(schema, Mapping)
                else None
            )
    return schema if isinstance(schema, Mapping) else {}


def property_of(schema: Any, name: str, root: Any = None, depth: int = 0) -> Any:
    """The schema of one property, looked for in all alternatives; {} where it is not known."""
    schema = resolved(schema, root)
    properties = schema.get("properties")
    if isinstance(properties, Mapping) and name in properties:
        return properties[name]
    for key in ("anyOf", "oneOf", "allOf"):
        for part in _list(schema.get(key)) if depth < _DEEPEST else ():
            if found := property_of(part, name, root, depth + 1):
                return found
    more = schema.get("additionalProperties")
    return more if isinstance(more, Mapping) else {}


def is_schema(arguments: Any, schema: Any) -> bool:
    """Whether these are no arguments for this schema, but a schema themselves."""
    if not isinstance(arguments, Mapping) or arguments.get("type") != "object":
        return False
    return isinstance(arguments.get("properties"), Mapping) and not property_of(schema, "properties", schema)


def items_of(schema: Any, root: Any = None) -> Any:
    """The schema of the items of a list; {} where it is not known."""
    schema = resolved(schema, root)
    if isinstance(schema.get("items"), Mapping):
        return schema["items"]
    parts = [part for key in ("anyOf", "oneOf", "allOf") for part in _list(schema.get(key))]
    return next((found["items"] for part in parts if "items" in (found := resolved(part, root))), {})


def _listed(text: str, schema: Any) -> Any:
    """The value of `enum` or `const` that is written so."""
    if not isinstance(schema, Mapping):
        return _FAILED
    for value in (*_list(schema.get("enum")), *([schema["const"]] if "const" in schema else [])):
        written = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if written == text:
            return value
    return _FAILED


def _named(names: Any) -> Sequence[str]:
    if isinstance(names, str):
        names = [names]
    lowered = [name.lower() for name in _list(names) if isinstance(name, str)]
    return [_SYNONYMS.get(name, name) for name in lowered]


def _as(kind: str, text: str) -> Any:
    match kind:
        case "string":
            return text
        case "integer":
            return int(text.split(".")[0]) if _INTEGER.match(text) else _FAILED
        case "number":
            return _number(text)
        case "boolean":
            return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), _FAILED)
        case "object" | "array":
            try:
                value = decode_json(text)
            except msgspec.DecodeError:
                return _FAILED
            return value if isinstance(value, Mapping if kind == "object" else list) else _FAILED
    return _FAILED


def _number(text: str) -> Any:
    if _INTEGER.match(text):
        return int(text.split(".")[0])
    try:
        value = float(text)
    except ValueError:
        return _FAILED
    return value if abs(value) < float("inf") else _FAILED


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()
