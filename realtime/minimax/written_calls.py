"""Finds calls of tools that a model wrote into its answer as text, while it streams, without I/O.

Text in; text and `WrittenCall`s out. Holds back only what could still become the beginning of a call. The forms are in
`written_forms`; what counts as a call and what as text about calls is decided here (docs/minimax/chat.md 6).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import groupby

from realtime.minimax.call_assembler import Schemas
from realtime.minimax.written_forms import MARK, WrittenCall, read_calls

Piece = str | WrittenCall

_WRAPPERS = tuple(
    f"<{name}>"
    for name in (
        "minimax:tool_call",
        "minimax:tool_calls",
        "tool_call",
        "tool_calls",
        "function_call",
        "function_calls",
    )
)
_TOKENS = ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>", "<|tool_call_begin|>")
_BRACKETS = ("[TOOL_CALL]", "[TOOL_CALLS]")
_BARE = ("<invoke name=", "<function=")  # also without a wrapper: a service may take a special token out
_OPENINGS = (*_WRAPPERS, *_TOKENS, *_BRACKETS, *_BARE)
_WRAPPER_ENDINGS = (
    *(wrapper.replace("<", "</") for wrapper in _WRAPPERS),
    "[/TOOL_CALL]",
    "[/TOOL_CALLS]",
    "<|tool_calls_section_end|>",
    "<|tool_call_section_end|>",
)
_ENDINGS = (*_WRAPPER_ENDINGS, "</invoke>", "</function>", "<|tool_call_end|>")
_INNER = (
    MARK,
    "<invoke name",
    "invoke name",
    "<invoke\n",
    "<function",
    "<name>",
    "<tool_name>",
    "<|tool_call_begin|>",
    "functions.",
    "```",
)
_FORGOTTEN = "invoke name="  # M3 forgets the "<" behind its mark now and then
_BLANKS = re.compile(r"(?<!<)\s+")
_FUNCTION = "functions."  # Text-01, in a code block of TypeScript
_FENCE = re.compile(r"```[\w+-]{0,16}[ \t]*(?:\r?\n\s*)?")
_CODE_FENCE = re.compile(r"```(?:typescript|ts|javascript|js)?[ \t]*\r?\n\s*")
_SPECIAL = re.compile(r"[`<\[\]]")
_JSON_BEGINNING = re.compile(r"[{\[]\s*(?:$|[\"'{\[}\]]|tool\b|to?o?$)")
_JSON = json.JSONDecoder(strict=False)
_QUOTED = re.compile(r"\\.")  # an escaped character ends no text
_NAME = re.compile(r"<?(?:invoke\s+name\s*=|function\s*=)\s*[\"'“”‘’]?(?P<name>[^\"'“”‘’<>/\s]+)[^<>]*>\s*")
_AFTER_CALL = re.compile(r"</(?:invoke|function)>(?=\s*[^\s<\]\[])")


@dataclass(slots=True)
class WrittenCalls:
    """One answer. `schemas`: the arguments of the tools that the request offered, by name; without any all is text."""

    schemas: Schemas
    _took: bool = False  # a block was taken out, so blanks at the end go too
    _pending: str = ""
    _blanks: str = ""  # before the first word, or behind a call: they go out with the next word
    _has_words: bool = False
    _last: str = ""  # character that went out
    _span: str = ""  # the backticks of the code span that is open, up to the end of the line
    _in_fence: bool = False
    _fenced: bool = False  # the block stood in a code fence, whose end belongs to it
    _behind: bool = False  # a block has just ended: its leftovers go too
    _doubtful: str = ""  # a block of a tool that was not offered: text if the line goes on behind it
    _out: list[Piece] = field(default_factory=list)

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain."""
        if not self.schemas:
            return [text] if text else []
        self._pending += text
        return self._read(final=False, cut=False)

    def finish(self, *, cut: bool = False) -> list[Piece]:
        """The rest. A call whose end is missing counts, unless the answer was `cut` by a limit: then it goes."""
        if not self.schemas:
            return []
        pieces = self._read(final=True, cut=cut)
        blanks, self._blanks = self._blanks, ""
        return [*pieces, blanks] if blanks and not self._took else pieces

    def _read(self, *, final: bool, cut: bool) -> list[Piece]:
        while (self._pending or self._doubtful) and self._step(final, cut):
            pass
        pieces, self._out = self._out, []
        return [
            piece
            for is_text, run in groupby(pieces, key=lambda piece: isinstance(piece, str))
            for piece in (["".join(map(str, run))] if is_text else run)
        ]

    def _step(self, final: bool, cut: bool) -> bool:
        """Take something from the pending text. False: more is needed."""
        if self._behind or self._doubtful:
            return self._skip_leftovers(final)
        if self._span or self._in_fence:
            return self._read_code(final)
        found = _SPECIAL.search(self._pending)
        if found is None:
            return self._say(len(self._pending))
        if found.start():
            return self._say(found.start())
        if self._pending[0] == "`":
            return self._read_backticks(final, cut)
        return self._read_opening(0, final, cut)

    # -- text

    def _say(self, length: int) -> bool:
        text, self._pending = self._pending[:length], self._pending[length:]
        if not self._has_words and (not text or text.isspace()):
            self._blanks += text
            return True
        self._put(text)
        return True

    def _put(self, text: str) -> None:
        self._out.append(self._blanks + text)
        self._blanks, self._has_words, self._last = "", True, text[-1:]

    def _read_code(self, final: bool) -> bool:
        """Code is text up to its end, whatever it is about. A span ends with its line at the latest."""
        closing = "```" if self._in_fence else self._span
        at = self._pending.find(closing)
        line = -1 if self._in_fence else self._pending.find("\n")
        if line >= 0 and (at < 0 or line < at):
            self._span = ""
            return self._say(line)
        if at >= 0:
            self._span, self._in_fence = "", False
            return self._say(at + len(closing))
        if final:
            return self._say(len(self._pending))
        held = len(self._pending) - len(self._pending.rstrip("`"))
        self._say(len(self._pending) - held)
        return False

    def _read_backticks(self, final: bool, cut: bool) -> bool:
        run = len(self._pending) - len(self._pending.lstrip("`"))
        if run == len(self._pending) and not final:
            return False
        if run != 3:
            self._span = "`" * run if run < 3 else ""
            return self._say(run)
        head = _FENCE.match(self._pending)
        assert head is not None
        rest = self._pending[head.end() :]
        if not rest and not final:
            return False
        opens = _opens(rest) or (_CODE_FENCE.fullmatch(head[0]) is not None and rest.startswith(_FUNCTION))
        if not opens and not final and "\n" in head[0] and (_could_open(rest) or _FUNCTION.startswith(rest)):
            return False
        if opens:
            self._fenced = True
            return self._read_opening(head.end(), final, cut)
        self._in_fence = True
        return self._say(3)

    # -- calls

    def _read_opening(self, at: int, final: bool, cut: bool) -> bool:
        """A call may begin at `at`; before it stands the beginning of a code fence or nothing."""
        text = self._pending[at:]
        if not _opens(text) and not (at and text.startswith(_FUNCTION)):
            begun = _could_open(text)
            if begun and not final:
                return False
            # M3's mark is a token of the model and never a word
            return (
                self._take(len(self._pending), ()) if begun and text.startswith(MARK) else self._was_text(at)
            )
        end = self._end_of_block(text, final)
        if end is None:
            return False
        if not end:
            return self._was_text(at)
        calls = read_calls(text[:end], self.schemas)
        closed = _end_of(text) >= 0
        if not closed and not cut and calls and not any(call.name in self.schemas for call in calls):
            return self._was_text(at)
        known = (call for call in calls if call.name in self.schemas and (closed or call.whole or not cut))
        return self._take(at + end, tuple(known))

    def _was_text(self, at: int) -> bool:
        """No call begins here. Inside a fence the whole fence is text."""
        self._in_fence, self._fenced = bool(at), False
        return self._say(3 if at else 1)

    def _end_of_block(self, text: str, final: bool) -> int | None:
        """The length of the block at the beginning of the text; 0 if it is none; None if more is needed."""
        body = _body(text)
        if not body:
            own = text.startswith(MARK) or "minimax:" in text
            return None if not final else len(text) if own or self._at_line_start else 0
        if not self._may_be_body(body):
            return 0
        named = _NAME.match(body)
        rest = body[named.end() :] if named else ""
        if rest and rest[0] not in "<{]":
            return 0
        end = _end_of(text)
        if end >= 0:
            return end
        return len(text) if final else None

    @property
    def _at_line_start(self) -> bool:
        return not self._has_words or self._last == "\n"

    def _may_be_body(self, body: str) -> bool:
        if body.startswith(("{", "[")) and not body.startswith(_BRACKETS):
            return _JSON_BEGINNING.match(body) is not None
        tight = _tight(body)
        tags = (f"<{name}>" for name in self.schemas)
        beginnings = map(_tight, (*_INNER, *_OPENINGS, *self.schemas, *tags))
        return any(tight.startswith(beginning) or beginning.startswith(tight) for beginning in beginnings)

    def _take(self, length: int, calls: tuple[WrittenCall, ...]) -> bool:
        block, self._pending = self._pending[:length], self._pending[length:]
        self._behind = True
        if calls:
            self._took, self._has_words, self._blanks = True, False, ""
            self._out += calls
        elif self._fenced:  # code about a tool that there is not
            self._behind = False
            self._pending = block + self._pending
            return self._was_text(3)
        else:
            self._doubtful = block
        return True

    def _skip_leftovers(self, final: bool) -> bool:
        """Take endings, and the end of the fence, behind a block; then see what becomes of a doubtful one."""
        bare = self._pending.lstrip()
        endings = (*_ENDINGS, *(MARK + ending for ending in _ENDINGS), *(("```",) if self._fenced else ()))
        ending = next((ending for ending in endings if bare.startswith(ending)), None)
        if ending is not None:
            self._fenced = self._fenced and ending != "```"
            self._pending = bare[len(ending) :]
            return True
        if not final and (not bare or any(ending.startswith(bare) for ending in endings)):
            return False
        self._behind = self._fenced = False
        doubtful, self._doubtful = self._doubtful, ""
        goes_on = (
            bare and bare[0] not in "<[]" and "\n" not in self._pending[: len(self._pending) - len(bare)]
        )
        if doubtful and goes_on:
            self._put(doubtful)
        elif doubtful:
            self._took, self._has_words = True, False
        return True


def _without_marks(text: str) -> str:
    while text.startswith(MARK):
        text = text[len(MARK) :].lstrip()
    return text


def _tight(text: str) -> str:
    """The beginning of the text without the blanks that a tag may have inside."""
    return _BLANKS.sub("", text[:60])


def _opens(text: str) -> bool:
    bare = _without_marks(text)
    openings = (*_OPENINGS, _FORGOTTEN) if bare != text else _OPENINGS
    return _tight(bare).startswith(tuple(map(_tight, openings)))


def _could_open(text: str) -> bool:
    """Whether more text could make this the beginning of a call."""
    bare = _without_marks(text)
    if MARK.startswith(bare):
        return True
    openings = (*_OPENINGS, _FORGOTTEN) if bare != text else _OPENINGS
    tight = _tight(bare)
    return any(_tight(opening).startswith(tight) for opening in openings)


def _body(text: str) -> str:
    """What stands in the wrappers, or the text itself where a call has none."""
    bare = _without_marks(text)
    if not _tight(bare).startswith((*_WRAPPERS, *_TOKENS[:2], *_BRACKETS)):
        return bare
    end = bare.index("]" if bare.startswith("[") else ">") + 1
    return _without_marks(bare[end:].lstrip())


def _end_of(text: str) -> int:
    """Where the block at the beginning of the text ends; -1 if its end has not come."""
    bare = _without_marks(text)
    if bare.startswith(_FUNCTION):
        return text.find("```")
    if bare.startswith("<function_call>") and "```" in bare:
        at = text.find("```", text.find(_FUNCTION)) if _FUNCTION in text else -1
        return at + 3 if at >= 0 else -1
    single = _tight(bare).startswith(tuple(map(_tight, (*_BARE, _TOKENS[2], _FORGOTTEN))))
    if single and (tag := _NAME.match(bare)) and tag[0].rstrip().endswith("/>"):
        return len(text) - len(bare) + len(tag[0].rstrip())
    if not single and (body := _body(text)).startswith(("{", "[")):
        return _end_of_json(text, len(text) - len(body))
    endings = _ENDINGS if single else _WRAPPER_ENDINGS
    found = [at + len(ending) for ending in endings if (at := text.find(ending)) >= 0]
    if not single and (after := _AFTER_CALL.search(text)):  # the wrapper has no end, and the answer goes on
        found.append(after.end())
    return min(found, default=-1)


def _end_of_json(text: str, at: int) -> int:
    """Where a wrapper with JSON ends: behind its last value, or behind its end if that has come. -1: not yet."""
    begin = at
    try:
        while text[at : at + 1] in ("{", "["):
            _, at = _JSON.raw_decode(text, at)
            at += len(text[at:]) - len(text[at:].lstrip(" \t\r\n,"))
    except (ValueError, RecursionError):
        found = [at + len(ending) for ending in _WRAPPER_ENDINGS if (at := text.find(ending, begin)) >= 0]
        end = min(found, default=-1)
        return end if end >= 0 and _QUOTED.sub("", text[begin:end]).count('"') % 2 == 0 else -1
    rest = text[at:]
    ending = next((ending for ending in _WRAPPER_ENDINGS if rest.startswith(ending)), None)
    if ending is not None:
        return at + len(ending)
    return -1 if not rest or any(ending.startswith(rest) for ending in _WRAPPER_ENDINGS) else at
