"""Reads the JSON that models write into their text: strict or not, in the spelling of Python, or without its end.

Gives values. What of them is a call of a tool is `written_forms`.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from realtime.minimax.json_text import decode_json

_PYTHON = re.compile(r"(?:\[\s*)?\{\s*'")


def json_values(text: str) -> Iterator[tuple[Any, bool]]:
    """The JSON objects and lists in a text, one after the other. The last one may lack its end: then False."""
    decoder = json.JSONDecoder(strict=False)
    at = 0
    while found := re.compile(r"[{\[]").search(text, at):
        try:
            value, at = decoder.raw_decode(text, found.start())
            yield value, True
        except (json.JSONDecodeError, RecursionError):
            if (written := _python_value(text[found.start() :])) is not None:
                yield written, True
            elif (value := _completed(text[found.start() :])) is not None:
                yield value, False
            return


def _python_value(text: str) -> Any:
    """The object or list that Python would write so, with single quotes and None; None where it is none of its."""
    if not _PYTHON.match(text):
        return None
    try:
        value = ast.literal_eval(text[: text.rindex("}" if text[0] == "{" else "]") + 1])
        return decode_json(json.dumps(value, allow_nan=False)) if isinstance(value, dict | list) else None
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return None


def _completed(text: str) -> Any:
    """The value of a JSON text whose end is missing, None where that is not all that is wrong."""
    closing: list[str] = []
    quoted = False
    for token in re.finditer(r"\\.|.", text, re.DOTALL):
        match token[0]:
            case '"':
                quoted = not quoted
            case "{" | "[" as opened if not quoted:
                closing.append("}" if opened == "{" else "]")
            case "}" | "]" as closed if not quoted:
                if not closing or closing.pop() != closed:
                    return None
    try:
        return decode_json(text.rstrip().rstrip(",") + '"' * quoted + "".join(reversed(closing)))
    except msgspec.DecodeError:
        return None
