"""JSON from outside, decoded so that a damaged part of it costs that part alone. Knows no envelope.

The quick decoder takes what is right. What it refuses is read again by one that allows what upstream services really
send: half an emoji, raw control characters, bytes that are not UTF-8, a number that is none (docs/minimax/chat.md 4).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from realtime.core.writable import without_halves

_MOST_DIGITS = 19  # the platform's numbers and ids have fewer; the interpreter refuses thousands


def decode_json(content: bytes | str, *, keep_halves: bool = False) -> Any:
    """The value. Half of a surrogate pair becomes U+FFFD, unless `keep_halves`: its other half may come later.

    Raises msgspec.DecodeError for what is no JSON, also for what is nested without end.
    """
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return _decode_damaged(content, keep_halves, error)


def decode_json_strictly(content: bytes | str) -> Any:
    """The value of JSON without any damage, for what goes out to a service. Raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(content)
    except (UnicodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"it cannot be read: {error}") from error


def objects_in(payload: bytes | str) -> list[Mapping[str, Any]] | None:
    """The JSON objects of one stream event, halves kept; None if nothing in it can be read.

    Some services send a list, and some forget the blank line between two events, so that both arrive as one.
    """
    try:
        value = decode_json(payload, keep_halves=True)
    except msgspec.DecodeError:
        return _objects_of_lines(payload)
    return [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]


def json_text_of(value: Any) -> str:
    """The value as compact JSON text, which may hold halves."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def digits(text: str) -> int | None:
    """The number that a text of plain digits means; None for everything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def count_of(value: object) -> int:
    """A count that some services send as a float or as a text; 0 for what is no count."""
    if isinstance(value, str):
        return digits(value.strip()) or 0
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) else 0
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else 0


def _decode_damaged(content: bytes | str, keep_halves: bool, first: Exception) -> Any:
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    try:
        value = json.loads(
            text.lstrip("\ufeff"),
            strict=False,
            parse_constant=lambda _: None,
            parse_float=_finite,
            parse_int=_whole,
        )
        return value if keep_halves else without_halves(value)
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(f"it cannot be read: {first}") from error


def _objects_of_lines(payload: bytes | str) -> list[Mapping[str, Any]] | None:
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 2:
        return _objects_in_a_row(text) or None
    found = [item for line in lines for item in objects_in(line) or ()]
    return found or None


def _objects_in_a_row(text: str) -> list[Mapping[str, Any]]:
    """Objects that follow one another without anything between; what is behind the last whole one is lost."""
    decoder, found, at = json.JSONDecoder(strict=False), [], 0
    text = text.strip()
    while text.startswith("{", at):
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            break
        found.append(value)
        at = len(text) - len(text[end:].lstrip())
    return found


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:  # thousands of digits
        return None
