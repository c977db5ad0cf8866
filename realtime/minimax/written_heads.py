"""Calls of tools behind a mark of plain words, at the beginning of a line, without I/O: other vendors' chat templates.

Knows `functools[…]` (Phi, FireFunction), `Action: NAME` with `Action Input:` (ReAct), an `Action:` before a code block
(Command R), `✿FUNCTION✿` (Qwen-Agent), `>>>NAME` and a name on a line of its own (Functionary, GLM-4), gpt-oss without
its tokens, `[unused11]` (Pangu) and the headers of GigaChat and HyperCLOVA. Words may be prose, so such a text counts
only if it names an offered tool and nothing follows on its line (docs/minimax/chat.md 4, "Calls in the text").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from realtime.minimax.call_assembler import Schemas
from realtime.minimax.json_text import decode_json
from realtime.minimax.typed_arguments import property_of
from realtime.minimax.written_ends import WRAPPER_ENDINGS, JsonEnd
from realtime.minimax.written_forms import WrittenCall, call_with_json, read_calls

_LOOK = 300  # characters in which the JSON must begin
# Before JSON that names the tool, without blanks.
_BEFORE_JSON = (
    "functools",
    "Action:```json",
    "Action:```",
    "functioncall<|role_sep|>",
    "<|message_sep|>functioncall<|role_sep|>",
    "->tool/function_call",
    "[unused11]",
)
_JSON = ("[{", '{"', "{'")
# Before the arguments, without blanks: NAME stands for the name of a tool.
_CHANNELS = tuple(
    f"{start}{channel}to=functions.NAME"
    for start in ("", "assistant")
    for channel in ("", "commentary", "analysis")
)
_BEFORE_ARGUMENTS = (
    "Action:NAMEActionInput:",
    "✿FUNCTION✿:NAME✿ARGS✿:",
    ">>>NAME",
    "<|recipient|>NAME<|content|>",
    "<|from|>assistant<|recipient|>NAME<|content|>",
)
_ALL = (*_CHANNELS, *_BEFORE_ARGUMENTS, "NAME")
_TWICE = "<|message_model|>NAME<|content_invoke_tool_json|>"  # Inkling: the JSON names the tool again
# What gpt-oss puts between the name and the arguments.
_BETWEEN = ("<|channel|>", "<|constrain|>", "<|message|>", "commentary", "analysis", "json", "code")
_BETWEEN_SOME = re.compile(rf"(?:{'|'.join(map(re.escape, _BETWEEN))})*")
_BLANKS = " \t\r\n,;"
_LEFTOVERS = "`<✿["  # how what a template puts behind a call may begin


@dataclass(frozen=True, slots=True)
class Head:
    """`json_at` is the place of the JSON. `name` is empty where the JSON names the tool; a `bare` name has no mark."""

    json_at: int
    name: str = ""
    bare: bool = False


class Heads:
    """The marks for the tools that were offered."""

    def __init__(self, schemas: Schemas) -> None:
        named = ((mark.replace("NAME", name), name) for name in schemas for mark in _ALL)
        marks = [
            *((mark, "") for mark in _BEFORE_JSON),
            *((_TWICE.replace("NAME", name), "") for name in schemas),
            *named,
        ]
        self._by_beginning: dict[str, list[tuple[str, str]]] = {}  # of two letters, so that few are tried
        for mark, name in marks:
            for beginning in {mark[:1], mark[:2]}:
                self._by_beginning.setdefault(beginning, []).append((mark, name))

    def find(self, text: str) -> Head | bool:
        """The mark at the beginning of the text. False: there is none; True: more text could make one."""
        look = text[:_LOOK]
        tight = "".join(look.split())
        could_be = False
        for mark, name in self._by_beginning.get(tight[:2], ()):
            if not tight.startswith(mark):
                could_be = could_be or mark.startswith(tight)
                continue
            is_channel = mark.endswith(f"to=functions.{name}")
            rest = tight[len(mark) :]
            rest = _BETWEEN_SOME.sub("", rest, count=1) if is_channel else rest
            if rest and rest.startswith("{" if name else _JSON):
                place = _place(look, len(tight) - len(rest))
                if mark != name or "\n" in look[:place]:
                    return Head(place, name, bare=mark == name)
            following = _BETWEEN if is_channel else () if name else _JSON
            could_be = could_be or not rest or any(one.startswith(rest) for one in following)
        return could_be and len(text) < _LOOK


def read_headed(
    text: str, head: Head, schemas: Schemas, *, final: bool, cut: bool
) -> tuple[int, tuple[WrittenCall, ...]]:
    """How long the call is, -1 if more is needed, 0 if it is text; the calls, also of tools that are not offered."""
    length = value_end(text, head.json_at, final=final)
    if length < 0:
        return -1, ()
    if goes_on(text, length, but=_LEFTOVERS):
        return 0, ()
    block = text[head.json_at : length]
    calls = [call_with_json(head.name, block, schemas)] if head.name else read_calls(block, schemas)
    if not calls and not head.bare and block[-1] not in "}]":
        return length, ()  # the answer ended in it
    if not calls or (head.bare and not (calls[0].whole and _fits(calls[0], schemas[head.name]))):
        return 0, ()
    return length, tuple(call for call in calls if call.whole or not cut)


def value_end(text: str, begin: int, *, final: bool) -> int:
    """Where the JSON that begins there ends, without the blanks behind it; -1 if more is needed."""
    rest = text[begin:]
    length = JsonEnd().feed(rest + "\n\x00" if final else rest)
    if length < 0 and not final:
        return -1
    return begin + len(rest[: length if length >= 0 else len(rest)].rstrip(_BLANKS))


def goes_on(text: str, at: int, *, but: str = "") -> bool:
    """Whether the line goes on behind this place, with anything but these characters or a mark of an end before it."""
    rest = text[at:]
    bare = rest.lstrip(_BLANKS)
    same_line = "\n" not in rest[: len(rest) - len(bare)]
    return bool(bare) and same_line and bare[0] not in but and not text[:at].endswith(WRAPPER_ENDINGS)


def _fits(call: WrittenCall, schema: object) -> bool:
    """Whether the tool has all of these arguments, and asks for no others: a name and `{}` may be an example."""
    given = decode_json(call.arguments)
    needed = schema.get("required", ()) if isinstance(schema, Mapping) else ()
    return all(property_of(schema, name, schema) for name in given) and all(name in given for name in needed)


def _place(look: str, count: int) -> int:
    """The place behind so many characters that are no blanks, and the blanks behind them."""
    for place, letter in enumerate(look):
        if not letter.isspace():
            if not count:
                return place
            count -= 1
    return len(look)
