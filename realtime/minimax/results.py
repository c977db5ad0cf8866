"""What the results of all calls have in common: the whole answer, its name, and no secrets in their repr.

A result is a frozen dataclass derived from `Result`. An unknown field in an answer never breaks decoding; what we do
not know stays in `raw`. Addresses and task tokens are secrets (their signature is in the query): `repr=False`. Results
can be copied and pickled.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, SupportsIndex

from realtime.minimax.json_text import digits

_MOST = 10**20  # counts and times are smaller; more would not fit into a float for sure


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`raw` is the whole answer as it came; `trace_id` names the request for the platform's support."""

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    trace_id: str | None = field(default=None, compare=False)

    def __copy__(self) -> Self:
        return replace(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return replace(self, **{name: deepcopy(getattr(self, name), memo) for name in _names(self)})

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        """Another process has no client of this one: what a result needs it for says so there."""
        return _remade, (type(self), {name: getattr(self, name) for name in _names(self)})


def _names(result: Result) -> list[str]:
    """The fields with what a result says. The others hold the client that it came with: copies share it."""
    return [each.name for each in fields(result) if not each.name.startswith("_")]


def _remade(kind: type[Result], values: Mapping[str, Any]) -> Result:
    return kind(**values)


def text(answer: Mapping[str, Any], name: str) -> str:
    """A text field; "" where it is missing or null. Numbers become their digits (ids are texts outside)."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def whole(answer: Mapping[str, Any], name: str, default: int = 0) -> int:
    """A whole number, also one that came as digits in a text; `default` where it is missing or odd."""
    value = answer.get(name)
    if isinstance(value, bool):
        return default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str):
        sign, plain = (-1, value.strip()[1:]) if value.strip().startswith("-") else (1, value.strip())
        number = digits(plain)
        value = None if number is None else sign * number
    return value if isinstance(value, int) and abs(value) < _MOST else default


def decimal(answer: Mapping[str, Any], name: str, default: float = 0.0) -> float:
    """A number that is 0 or more; `default` where it is missing or odd."""
    value = answer.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MOST:
        return default
    return float(value)


def items(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; [] where it is missing or null."""
    value = answer.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def mapping(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A nested object; {} where it is missing or null."""
    value = answer.get(name)
    return value if isinstance(value, dict) else {}
