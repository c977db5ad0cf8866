"""Reads the fields of a JSON body with their types and ranges; what is wrong is refused with 2013.

Knows no endpoint. A field that is missing or null has its default; without one it is required.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar, overload

from .refusal import Refusal

_MISSING: Any = object()
T = TypeVar("T")
D = TypeVar("D")


def invalid(name: str, why: str = "") -> Refusal:
    """The platform's refusal of a field, as in `invalid params, invalid params: voice_setting emotion`."""
    return Refusal(2013, f"invalid params, invalid params: {name}{why and f', {why}'}")


def _value(body: Mapping[str, Any], name: str, default: Any) -> Any:
    value = body.get(name)
    if value is not None:
        return value
    if default is _MISSING:
        raise Refusal(2013, f"invalid params, binding: expr_path={name}, cause=missing required parameter")
    return _MISSING


def text(
    body: Mapping[str, Any], name: str, default: str = _MISSING, *, least: int = 0, most: int | None = None
) -> str:
    """A string of `least` to `most` characters; one that is required must not be empty."""
    value = _value(body, name, default)
    if value is _MISSING:
        return default
    if not isinstance(value, str):
        raise invalid(name, "must be a string")
    least = max(least, 1) if default is _MISSING else least
    if len(value) < least or (most is not None and len(value) > most):
        raise invalid(name, f"length {len(value)}, allowed {least} to {most or 'any'}")
    return value


def number(body: Mapping[str, Any], name: str, least: float, most: float, default: float = _MISSING) -> float:
    """A number from `least` to `most`."""
    value = _value(body, name, default)
    if value is _MISSING:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise invalid(name, f"must be a number from {least:g} to {most:g}")
    return float(value)


def whole(body: Mapping[str, Any], name: str, least: int, most: int, default: int = _MISSING) -> int:
    """An integer from `least` to `most`; a string is refused, as the platform does."""
    value = _value(body, name, default)
    if value is _MISSING:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(name, f"must be an integer from {least} to {most}")
    return value


def int64(body: Mapping[str, Any], name: str) -> int:
    """A required id: a JSON integer of 64 bits."""
    return whole(body, name, 1, 2**63 - 1)


def flag(body: Mapping[str, Any], name: str, default: bool = False) -> bool:
    """A boolean."""
    value = _value(body, name, default)
    if value is _MISSING:
        return default
    if not isinstance(value, bool):
        raise invalid(name, "must be true or false")
    return value


@overload
def one_of(body: Mapping[str, Any], name: str, allowed: Collection[T]) -> T: ...
@overload
def one_of(body: Mapping[str, Any], name: str, allowed: Collection[T], default: D) -> T | D: ...
def one_of(body: Mapping[str, Any], name: str, allowed: Collection[Any], default: Any = _MISSING) -> Any:
    """One of some values."""
    value = _value(body, name, default)
    if value is _MISSING:
        return default
    if isinstance(value, list | dict | bool) or value not in allowed:
        raise invalid(name, f"must be one of {', '.join(map(str, allowed))}")
    return value


def mapping(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object; missing: an empty one."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise invalid(name, "must be an object")
    return value or {}


def items(body: Mapping[str, Any], name: str, most: int | None = None) -> list[Any]:
    """A list; missing: an empty one."""
    value = body.get(name)
    if value is not None and (not isinstance(value, list) or (most is not None and len(value) > most)):
        raise invalid(name, "must be a list" + (f" of at most {most}" if most is not None else ""))
    return list(value or ())
