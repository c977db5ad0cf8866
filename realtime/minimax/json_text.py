"""JSON from outside, decoded so that everything that is wrong with it is one kind of error. Knows no envelope."""

from __future__ import annotations

from typing import Any

import msgspec

_MOST_DIGITS = 19  # the platform's numbers and ids have fewer; the interpreter refuses thousands


def decode_json(content: bytes | str) -> Any:
    """The value. Raises msgspec.DecodeError, also for what is not UTF-8 and for what is nested without end."""
    try:
        return msgspec.json.decode(content)
    except (UnicodeError, RecursionError) as error:
        raise msgspec.DecodeError(f"it cannot be read: {error}") from error


def digits(text: str) -> int | None:
    """The number that a text of plain digits means; None for everything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
