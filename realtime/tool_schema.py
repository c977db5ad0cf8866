"""The parameters of a function as a type that JSON is decoded into, and as the JSON Schema that a model reads.

Knows signatures and types; does not know how a function is called.
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Union

import msgspec

from realtime.errors import ConfigError

_REF = "#/$defs/"
# What an annotation may say of a value, in the words of msgspec, which are those of `annotated_types` and pydantic too
_LIMITS = ("gt", "ge", "lt", "le", "multiple_of", "pattern", "min_length", "max_length")
_UNIONS = (Union, types.UnionType)
_CONTAINERS = (list, set, frozenset, tuple, dict)


def arguments_of(function: Callable[..., Any], name: str) -> type[msgspec.Struct]:
    """A struct of the parameters, to decode JSON into. Raises ConfigError."""
    try:
        hints = typing.get_type_hints(_with_hints(function), include_extras=True)
    except NameError as error:
        raise ConfigError(f"Tool {name!r}: a type hint cannot be resolved ({error}).") from error
    fields: list[Any] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise ConfigError(
                f"Tool {name!r}: parameter {parameter} must be a named parameter (no *, ** or /)."
            )
        if parameter.name not in hints:
            raise ConfigError(f"Tool {name!r}: parameter {parameter.name!r} needs a type hint.")
        hint = _described(hints[parameter.name])
        if parameter.default is parameter.empty:
            fields.append((parameter.name, hint))
        else:
            default = msgspec.field(default_factory=functools.partial(_identity, parameter.default))
            fields.append((parameter.name, hint, default))
    return msgspec.defstruct("Arguments", fields, kw_only=True)


def _with_hints(function: Any) -> Any:
    """Where its type hints are: a partial function and an object that can be called have none themselves."""
    if isinstance(function, functools.partial):
        return _with_hints(function.func)
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return type(function).__call__


def _identity(value: Any) -> Any:
    return value


def _described(hint: Any) -> Any:
    """The type with what its annotations say, as msgspec.Meta: `Annotated[str, "Name of the city"]`."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in _UNIONS:
        return Union[tuple(map(_described, parts))]  # noqa: UP007  # made of a tuple
    if origin in _CONTAINERS and parts:
        return origin[tuple(map(_described, parts))]
    return _annotated(_described(parts[0]), parts[1:]) if origin is Annotated else hint


def _annotated(inner: Any, annotations: tuple[Any, ...]) -> Any:
    """msgspec's own annotations count as they are, and first: the limits of others must fit to them."""
    for annotation in annotations:
        if isinstance(annotation, msgspec.Meta):
            inner = Annotated[inner, annotation]
    for annotation in annotations:
        for name, limit in _limits_of(annotation):
            inner = _limited(inner, name, limit)
    said = [text for text in map(_said_by, annotations) if text]
    return Annotated[inner, msgspec.Meta(description=said[-1])] if said else inner


def _said_by(annotation: Any) -> str | None:
    """The description: a text, msgspec's own, or that of pydantic's `Field` and its relatives."""
    said = annotation
    if not isinstance(annotation, str):
        said = getattr(annotation, "description", None) or getattr(annotation, "documentation", None)
    return said if isinstance(said, str) else None


def _limits_of(annotation: Any) -> Iterator[tuple[str, Any]]:
    """Those of pydantic's `Field` and its relatives."""
    if isinstance(annotation, msgspec.Meta | str):
        return
    for part in (annotation, *(getattr(annotation, "metadata", None) or ())):
        for name in _LIMITS:
            if (limit := getattr(part, name, None)) is not None:
                yield name, limit


def _limited(hint: Any, name: str, limit: Any) -> Any:
    """The type with this limit: of a union, each member that can have it. One that cannot be expressed is left out."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated and typing.get_origin(parts[0]) in _UNIONS:
        return Annotated[(_limited(parts[0], name, limit), *parts[1:])]
    try:
        if origin in _UNIONS:
            limited: Any = Union[tuple(_limited(part, name, limit) for part in parts)]  # noqa: UP007  # of a tuple
        else:
            limited = Annotated[hint, msgspec.Meta(**{name: limit})]
        msgspec.json.Decoder(limited)
    except Exception:  # whatever msgspec says of somebody's limit
        return hint
    return limited


def schema_of(arguments: type[msgspec.Struct], name: str) -> dict[str, Any]:
    """The JSON Schema of these parameters. Raises ConfigError."""
    try:
        (reference,), parts = msgspec.json.schema_components([arguments], ref_template=_REF + "{name}")
    except TypeError as error:
        raise ConfigError(
            f"Tool {name!r}: a parameter has a type that JSON cannot represent ({error})."
        ) from error
    schema = parts.pop(reference["$ref"].removeprefix(_REF))
    schema.pop("title", None)
    for field in msgspec.structs.fields(arguments):
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
            if default is None or isinstance(default, str | int | float | bool):
                schema["properties"][field.name] = {**schema["properties"][field.name], "default": default}
    return {**schema, "$defs": parts} if parts else schema
