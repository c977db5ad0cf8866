"""What the results of all calls have in common: the whole answer, its name, and no secrets in their repr.

A result is a frozen dataclass derived from `Result`. An unknown field in an answer never breaks decoding; what we do
not know stays in `raw`. Addresses and task tokens are secrets (their signature is in the query): `repr=False`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`raw` is the whole answer as it came; `trace_id` names the request for the platform's support."""

    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    trace_id: str | None = field(default=None, compare=False)


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
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().lstrip("-").isdigit():
        return int(value) if len(value) < 40 else default
    return default


def items(answer: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list; [] where it is missing or null."""
    value = answer.get(name)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def mapping(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A nested object; {} where it is missing or null."""
    value = answer.get(name)
    return value if isinstance(value, Mapping) else {}
