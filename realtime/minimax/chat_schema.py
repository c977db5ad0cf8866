"""A type as a JSON schema, and a model's text as a value of it, without I/O.

Takes every type that msgspec decodes (a Struct, a dataclass, `list[int]`, ...) or a JSON schema as a mapping. Finds the
JSON in what a model says around it. Asks no model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from realtime.errors import InvalidArgument
from realtime.minimax.json_text import decode_json

_FENCED = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_MAX_COMPLAINTS = 5


class Mismatch(ValueError):
    """The text is not JSON, or not the JSON that was wanted. Its words are for the model as much as for people."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer has to be. `convert` turns plain JSON data into the value, or raises Mismatch."""

    name: str
    schema: Mapping[str, Any]
    convert: Callable[[Any], Any]

    def read(self, text: str) -> Any:
        """The value in this text. Raises Mismatch with the reason."""
        return self.convert(_json_in(text))


def shape_of(wanted: Any) -> Shape:
    """The shape of a type or a JSON schema. Raises InvalidArgument for what has none."""
    return _of_schema(wanted) if isinstance(wanted, Mapping) else _of_type(wanted)


def _of_type(wanted: Any) -> Shape:
    try:
        schema = _inlined(msgspec.json.schema(wanted))
    except (TypeError, RuntimeError) as error:
        raise InvalidArgument(f"shape has no JSON schema: {error}", param="shape") from error

    def convert(data: Any) -> Any:
        try:
            return msgspec.convert(data, wanted, builtin_types=(), str_keys=True)
        except msgspec.ValidationError as error:
            raise Mismatch(str(error)) from error

    return Shape(_name(schema, getattr(wanted, "__name__", "")), schema, convert)


def _of_schema(schema: Mapping[str, Any]) -> Shape:
    import jsonschema  # only here: it takes a tenth of a second to load
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise InvalidArgument(
            f"shape is not a JSON schema: {error.message} at {error.json_path}.", param="shape"
        ) from error
    validator = kind(schema, registry=Registry())  # an empty registry: references are never fetched

    def convert(data: Any) -> Any:
        try:
            errors = sorted(validator.iter_errors(data), key=lambda error: error.json_path)
        except Unresolvable as error:
            raise InvalidArgument(
                f"shape refers to what it does not hold: {error}.", param="shape"
            ) from error
        if errors:
            raise Mismatch("; ".join(f"{e.message} - at `{e.json_path}`" for e in errors[:_MAX_COMPLAINTS]))
        return data

    return Shape(_name(schema, ""), dict(schema), convert)


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the type itself at the top: msgspec makes that a reference too, which fewer models follow."""
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definitions = dict(schema["$defs"])
    own = reference.rpartition("/")[2]
    top = dict(definitions[own])
    rest = {name: one for name, one in definitions.items() if name != own}
    if _mentions(definitions, reference):
        return {**top, "$defs": definitions}  # it holds itself, such as a tree
    return {**top, "$defs": rest} if rest else top


def _mentions(definitions: Mapping[str, Any], reference: str) -> bool:
    return f'"{reference}"'.encode() in msgspec.json.encode(definitions)


def _name(schema: Mapping[str, Any], other: str) -> str:
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", str(schema.get("title") or other)).strip("_")[:64]
    return name or "answer"


def _json_in(text: str) -> Any:
    """The first of the places where JSON may stand that does hold JSON. Raises Mismatch if none does."""
    complaint = "there is no JSON in the answer"
    for index, candidate in enumerate(_candidates(text)):
        try:
            return decode_json(candidate)
        except msgspec.DecodeError as error:
            if index == 0 or candidate[:1] in "{[":
                complaint = f"not valid JSON: {error}"
    raise Mismatch(complaint)


def _candidates(text: str) -> Iterator[str]:
    """The whole text, then each code fence, then from the first bracket to the last one."""
    text = text.strip()
    yield text
    for fence in _FENCED.finditer(text):
        yield fence[1].strip()
    start = min((at for at in (text.find("{"), text.find("[")) if at >= 0), default=-1)
    end = max(text.rfind("}"), text.rfind("]"))
    if 0 <= start < end:
        yield text[start : end + 1]
