"""JSON from clients: messages and bodies of requests, decoded with a bound on how deep they are nested.

What is nested deeper than any real value would take the stack of whoever reads or writes it later. Half of a surrogate
pair, as JavaScript and Python write a text that was cut inside an emoji, becomes U+FFFD (docs/wire.md 3.11). Knows no
event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

import msgspec

MAX_DEPTH = 100  # a schema of a tool takes two levels for each object in an object

TOO_DEEP = f"Invalid value: arrays and objects may be nested {MAX_DEPTH} levels deep at most."

_decoder = msgspec.json.Decoder()
_half = re.compile(rb"\\u[dD][89a-fA-F]")  # perhaps: of a whole pair it is the same
STEP_CHARS = 64 * 1024
_surrogate = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """It is no JSON, or no UTF-8, or nested so deep that nobody can say. The message is for the client."""


def parse(data: str | bytes, what: str) -> Any:
    """The value. `what` names the data in the message of NotJson."""
    steps = parse_in_steps(data, what)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def parse_in_steps(data: str | bytes, what: str) -> Generator[None, None, Any]:
    """Like `parse`, in steps of a few milliseconds."""
    try:
        try:
            return _decoder.decode(data)
        except ValueError:  # DecodeError and UnicodeError
            yield
            return _decoder.decode((yield from _without_halves(data)))
    except RecursionError as error:
        raise NotJson(TOO_DEEP) from error
    except ValueError as error:
        raise NotJson(f"Invalid value: {what} is not valid JSON.") from error


def _without_halves(data: str | bytes) -> Generator[None, None, bytes]:
    """The same JSON with U+FFFD for each escape of half a pair. Raises ValueError if it has none, or is no JSON."""
    raw = data.encode() if isinstance(data, str) else data
    if not _half.search(raw):
        raise ValueError("no half")
    value = json.loads(raw.decode())
    yield
    text = json.dumps(value, ensure_ascii=False)  # what only Python takes for JSON is refused later
    pieces = []
    for start in range(0, len(text), STEP_CHARS):
        yield
        pieces.append(_surrogate.sub("\ufffd", text[start : start + STEP_CHARS]).encode())
    return b"".join(pieces)


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
