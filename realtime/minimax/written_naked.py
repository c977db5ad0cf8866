"""Calls of tools that carry no mark at all, without I/O: the JSON or the Python call alone on its line (Llama 3, xLAM).

Such a text counts as a call only if it names an offered tool, holds arguments and nothing follows on its line
(docs/minimax/chat.md 4, "Calls in the text"). Whether it begins its line is known by `written_calls`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from realtime.minimax.call_assembler import Schemas
from realtime.minimax.written_forms import WrittenCall, read_calls
from realtime.minimax.written_heads import goes_on, value_end

_LOOK = 200  # characters in which the name must come
_HEADS = ("", '"type":"function",', '"type":"function","function":{')
_ARGUMENTS = re.compile(r"\"(?:arguments|parameters|args|input)\"\s*:|^\[\s*\w[\w.]*\(")


def could_be_naked(text: str, schemas: Schemas) -> bool:
    """Whether this is such a call, or its beginning."""
    if text[0] not in "{[":
        return False
    tight = _tight(text)
    return any(one.startswith(tight) or tight.startswith(one) for one in _beginnings(schemas))


def is_naked(text: str, schemas: Schemas) -> bool:
    """Whether its name is there, so that it is no beginning of something else."""
    tight = _tight(text)
    return any(tight.startswith(one) for one in _beginnings(schemas))


def begins_python_list(body: str, schemas: Schemas) -> bool:
    """Whether `[NAME(` begins here, or `print(NAME(` as Gemma writes it, or could."""
    opening = "[" if body[0] == "[" else "print("
    if not body.startswith(opening):
        return opening.startswith(body)
    inner = body.removeprefix(opening).lstrip()
    calls = [f"{space}{name}(" for name in schemas for space in ("", "default_api.")]
    return any(one.startswith(inner) or inner.startswith(one) for one in calls)


def read_naked(text: str, schemas: Schemas, *, final: bool) -> tuple[int, tuple[WrittenCall, ...]]:
    """How long it is, -1 if more is needed; its calls, none if it is text."""
    length = value_end(text, 0, final=final)
    if length < 0:
        return -1, ()
    if goes_on(text, length) or not _ARGUMENTS.search(text[:length]):
        return length, ()
    calls = read_calls(text[:length], schemas)
    return length, tuple(call for call in calls if call.name in schemas and call.whole)


def _beginnings(schemas: Schemas) -> Iterator[str]:
    for name in schemas:
        yield f"[{name}("
        for head in _HEADS:
            yield f'{{{head}"name":"{name}"'
            yield f'[{{{head}"name":"{name}"'


def _tight(text: str) -> str:
    return "".join(text[:_LOOK].split())
