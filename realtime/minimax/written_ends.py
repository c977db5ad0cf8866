"""Finds where a call that is written as text ends, while it streams, without I/O.

Each piece is looked at once, so that a long call costs no more than a long text. An ending inside the value of a
parameter or inside a text of JSON belongs to that value. Where a call begins is `written_calls`.
"""

from __future__ import annotations

import re

from realtime.minimax.written_forms import MARK

# The wrappers of the family, and those of other vendors' templates: without "<" and ">".
WRAPPERS = (
    "minimax:tool_call",
    "minimax:tool_calls",
    "tool_call",
    "tool_calls",
    "function_call",
    "function_calls",
    "|tool_call|",
    "|python_tag|",
)
RELATIVES = (
    "seed:tool_call",
    "longcat_tool_call",
    "TOOLCALL",
    "TOOL_CALL",
    "tool_use",
    "start_function_call",
    "antml:function_calls",
    "|tool_call_start|",
    "|tool_call",
    "|tools_prefix|",
    "|START_ACTION|",
    "|python_start|",
    "|plugin|",
    "|action_start|",
    "｜tool▁calls▁begin｜",
    "｜tool▁call▁begin｜",
    "｜tool_calls_begin｜",
    "｜DSML｜function_calls",
    "｜DSML｜tool_calls",
    "｜DSML｜calls",
    "|tool_calls|",
    "|function_call|",
    "|content_invoke_tool_json|",
    "|plamo:begin_tool_requests:plamo|",
    "dots_function_call",
    "tools",
    "functions",
    "function",
)
# How what stands in them may begin, besides JSON and the name of a tool.
INNER = (
    "<invoke name",
    "invoke name",
    "<invoke\n",
    "<function",
    "<name>",
    "<tool_name>",
    "<|tool_call_begin|>",
    "functions.",
    "<｜tool▁call▁begin｜>",
    "<｜tool_call_begin｜>",
    "<｜DSML｜invoke name=",
    "<antml:invoke name=",
    "<|plugin|>",
    "function<｜tool▁sep｜>",
    "call:",
    "<|tool_call:begin|>",
    "<|plamo:begin_tool_request:plamo|>",
)
WRAPPER_ENDINGS = (
    "</seed:tool_call>",
    "</longcat_tool_call>",
    "</TOOLCALL>",
    "</TOOL_CALL>",
    "</tool_use>",
    "<end_function_call>",
    "</antml:function_calls>",
    "<tool_call|>",
    "<|tools_suffix|>",
    "<|END_ACTION|>",
    "<|python_end|>",
    "<|action_end|>",
    "<｜tool▁calls▁end｜>",
    "<｜tool_calls_end｜>",
    "</｜DSML｜function_calls>",
    "</｜DSML｜tool_calls>",
    "</｜DSML｜ calls>",
    "</｜DSML｜calls>",
    "<|/tool_calls|>",
    "<|calls|>",
    "<|end_message|>",
    "<|plamo:end_tool_requests:plamo|>",
    "</dots_function_call>",
    "</tools>",
    "</functions>",
    "<|call|>",
    "</minimax:tool_call>",
    "</minimax:tool_calls>",
    "</tool_call>",
    "</tool_calls>",
    "</function_call>",
    "</function_calls>",
    "[/TOOL_CALL]",
    "[/TOOL_CALLS]",
    "<|tool_calls_section_end|>",
    "<|tool_call_section_end|>",
    "<|/tool_call|>",
    "<|eom_id|>",
    "<|eot_id|>",
)
ENDINGS = (
    *WRAPPER_ENDINGS,
    "</invoke>",
    "</function>",
    "<|tool_call_end|>",
    "<｜tool▁call▁end｜>",
    "<|tool_call:end|>",
    "<|plamo:end_tool_request:plamo|>",
)
# What a template puts behind a call, and what ends nothing inside it.
LEFTOVERS = ("<|stop|>", "✿RESULT✿")
_WINDOW = 300  # characters that are looked at again with the next piece: no mark is longer


def _any(marks: tuple[str, ...]) -> str:
    return "|".join(map(re.escape, marks))


_PARAMETERS = "parameter|param|argument|arg"
_OPEN = rf"(?P<open><(?:{_PARAMETERS})(?:\s+name\s*=|\s*=)[^<>]*>)"
_VALUE_END = re.compile(
    rf"(?P<close></(?:{_PARAMETERS})>)|</(?:invoke|function)>\s*(?:{re.escape(MARK)})?(?:{_any(WRAPPER_ENDINGS)})"
)
_SINGLE = re.compile(rf"{_OPEN}|{_any(ENDINGS)}")
# The last alternative: the wrapper has no end, and the answer goes on.
_WRAPPED = re.compile(rf"{_OPEN}|{_any(WRAPPER_ENDINGS)}|</(?:invoke|function)>(?=\s*[^\s<\]\[])")
_JSON_TOKEN = re.compile(
    rf"(?P<end>{_any(WRAPPER_ENDINGS)})|(?P<mark>[\"{{}}\[\]])|(?P<blank>[\s,;]+)|(?P<other>.)", re.DOTALL
)
_NEXT = "[TOOL_CALL"  # Mistral puts its mark before each call
_QUOTED = re.compile(r"[^\"\\]+|\\.|\"", re.DOTALL)


class TagEnd:
    """The end of a block of tags. `single`: it has no wrapper around it."""

    def __init__(self, *, single: bool) -> None:
        self._outside = _SINGLE if single else _WRAPPED
        self._window = ""
        self._passed = 0  # characters before the window
        self._in_value = False

    def feed(self, piece: str) -> int:
        """How long the block is, from its beginning on; -1 if its end has not come."""
        window, at = self._window + piece, 0
        while found := (_VALUE_END if self._in_value else self._outside).search(window, at):
            at = found.end()
            if found.lastgroup is None:
                return self._passed + at
            self._in_value = found.lastgroup == "open"
        at = max(at, len(window) - _WINDOW)
        self._passed += at
        self._window = window[at:]
        return -1


def end_in_doubt(text: str, *, single: bool) -> int:
    """Where a block ends whose end was not found: at the first ending, wherever it stands. -1: there is none."""
    found = (_SINGLE if single else _WRAPPED).finditer(text)
    return next((ending.end() for ending in found if ending.lastgroup is None), -1)


class JsonEnd:
    """The end of JSON values in a wrapper: behind the wrapper's own end, or where something else follows them.

    Brackets too many at the end belong to the value, and brackets that are missing do not hide the wrapper's end.
    """

    def __init__(self) -> None:
        self._window = ""
        self._passed = 0
        self._depth = 0
        self._begun = False
        self._in_text = False
        self._value_end = 0

    def feed(self, piece: str) -> int:
        """How long the block is, from its first value on; -1 if its end has not come."""
        window, at = self._window + piece, 0
        while at < len(window):
            if self._in_text:
                token = _QUOTED.match(window, at)
                if token is None:  # a backslash at the end
                    break
                self._in_text = token[0] != '"'
                at = token.end()
                continue
            if _may_begin(window[at : at + _WINDOW]):
                break
            token = _JSON_TOKEN.match(window, at)
            assert token is not None
            if token.lastgroup == "end":
                return self._passed + token.end()
            if self._stops(token):
                return self._value_end
            at = token.end()
            if token.lastgroup == "mark":
                self._read_mark(token[0])
            self._value_end = self._passed + at
        self._passed += at
        self._window = window[at:]
        return -1

    def _stops(self, token: re.Match[str]) -> bool:
        if not self._begun or self._depth:
            return False
        return token.lastgroup == "other" or token[0] == '"' or token.string.startswith(_NEXT, token.start())

    def _read_mark(self, mark: str) -> None:
        self._begun = True
        match mark:
            case '"':
                self._in_text = True
            case "{" | "[":
                self._depth += 1
            case _:
                self._depth = max(0, self._depth - 1)


def _may_begin(rest: str) -> bool:
    """Whether this is the beginning of a mark whose other part comes with the next piece."""
    return any(mark.startswith(rest) and mark != rest for mark in (*WRAPPER_ENDINGS, _NEXT))


class FenceEnd:
    """The end of a code block with calls in it, the closing fence included if it belongs to the call."""

    def __init__(self, *, included: bool) -> None:
        self._included = included
        self._window = ""
        self._passed = 0
        self._called = not included  # the fence before the first call opens the block

    def feed(self, piece: str) -> int:
        """How long the block is, from its beginning on; -1 if its end has not come."""
        window, at = self._window + piece, 0
        if not self._called and (begun := window.find("functions.")) >= 0:
            self._called, at = True, begun
        end = window.find("```", at) if self._called else -1
        if end >= 0:
            return self._passed + end + (3 if self._included else 0)
        at = max(at, len(window) - _WINDOW)
        self._passed += at
        self._window = window[at:]
        return -1
