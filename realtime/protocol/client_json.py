"""JSON from clients: messages and bodies of requests, decoded with a bound on how deep they are nested.

What is nested deeper than any real value would take the stack of whoever reads or writes it later. Knows no event.
"""

from __future__ import annotations

from typing import Any

import msgspec

MAX_DEPTH = 100  # a schema of a tool takes two levels for each object in an object

TOO_DEEP = f"Invalid value: arrays and objects may be nested {MAX_DEPTH} levels deep at most."

_decoder = msgspec.json.Decoder()


class NotJson(ValueError):
    """It is no JSON, or no UTF-8, or nested so deep that nobody can say. The message is for the client."""


def parse(data: str | bytes, what: str) -> Any:
    """The value. `what` names the data in the message of NotJson."""
    try:
        return _decoder.decode(data)
    except RecursionError as error:
        raise NotJson(TOO_DEEP) from error
    except ValueError as error:  # DecodeError and UnicodeError
        raise NotJson(f"Invalid value: {what} is not valid JSON.") from error


def too_deep(value: Any) -> bool:
    """Whether arrays and objects are nested more than MAX_DEPTH levels."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
