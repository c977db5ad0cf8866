"""Finds calls of tools that a model wrote into its answer as text, while it streams, without I/O.

Text in; text and `WrittenCall`s out. Holds back only what could still become the beginning of a call. The forms are in
`written_forms`; what counts as a call and what as text about calls is decided here (docs/minimax/chat.md 6).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

from realtime.minimax.call_assembler import Schemas
from realtime.minimax.written_ends import ENDINGS, LEFTOVERS, FenceEnd, JsonEnd, TagEnd, end_in_doubt
from realtime.minimax.written_forms import MARK, WrittenCall, read_calls, shows_tools
from realtime.minimax.written_heads import Head, Heads, read_headed
from realtime.minimax.written_naked import could_be_naked, is_naked, read_naked
from realtime.minimax.written_openings import (
    FUNCTION,
    NAME,
    NAME_BEGUN,
    NAMED,
    body_of,
    could_open,
    end_finder,
    end_of,
    is_single,
    may_be_body,
    opens,
    tight,
    without_marks,
)

Piece = str | WrittenCall

_FENCE = re.compile(r"```[\w+-]{0,16}[ \t]*(?:\r?\n\s*)?")
_CODE_FENCE = re.compile(r"```(?:typescript|ts|javascript|js)?[ \t]*\r?\n\s*")
_WORDS = re.compile(r"[^`<\[\]{\n]*\n|[^`<\[\]{\n]+")  # of a line, up to what could begin a call
_LABELS = ("tool_code", "tool_call", "tool_calls")  # of code blocks that are calls
_SHORT = 500  # characters of a block that are read anew with each piece: by then it is clear what it is


@dataclass(slots=True)
class WrittenCalls:
    """One answer. `schemas`: the arguments of the tools that the request offered, by name; without any all is text."""

    schemas: Schemas
    _heads: Heads = field(init=False)
    _took: bool = False  # a block was taken out, so blanks at the end go too
    _pending: str = ""
    _blanks: str = ""  # before the first word, or behind a call: they go out with the next word
    _has_words: bool = False
    _last: str = ""  # character that went out
    _span: str = ""  # the backticks of the code span that is open, up to the end of the line
    _in_fence: bool = False
    _fenced: bool = False  # the block stood in a code fence, whose end belongs to it
    _labelled: bool = False  # the fence itself says that a call stands in it
    _behind: bool = False  # a block has just ended: its leftovers go too
    _doubtful: str = ""  # a block of a tool that was not offered: text if the line goes on behind it
    _long_run: bool = False  # of backticks, more than open a code block: what goes on of it is text
    _end: TagEnd | JsonEnd | FenceEnd | None = None  # of the long block that is open
    _block: list[str] = field(default_factory=list)  # its pieces
    _out: list[Piece] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._heads = Heads(self.schemas)

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain."""
        if not self.schemas:
            return [text] if text else []
        if self._end is not None:
            self._block.append(text)
            if self._end.feed(text) < 0:
                return []
            text = self._close_block()
        self._pending += text
        return self._read(final=False, cut=False)

    def finish(self, *, cut: bool = False) -> list[Piece]:
        """The rest. A call whose end is missing counts, unless the answer was `cut` by a limit: then it goes."""
        if not self.schemas:
            return []
        self._pending += self._close_block()
        pieces = self._read(final=True, cut=cut)
        blanks, self._blanks = self._blanks, ""
        return [*pieces, blanks] if blanks and not self._took else pieces

    def _close_block(self) -> str:
        block, self._end = "".join(self._block), None
        self._block.clear()
        return block

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
        self._long_run = self._long_run and self._pending[0] == "`"
        if self._at_line_start and (done := self._read_line_start(final, cut)) is not None:
            return done
        words = _WORDS.match(self._pending)
        if words is not None:
            return self._say(words.end())
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
        all_run = run == len(self._pending) and not final
        if self._long_run or run > 3:
            self._long_run = all_run
            return self._say(run)
        if all_run:
            return False
        if run != 3:
            self._span = "`" * run if run < 3 else ""
            return self._say(run)
        head = _FENCE.match(self._pending)
        assert head is not None
        rest = self._pending[head.end() :]
        if not rest and not final:
            return False
        is_call = opens(rest) or (_CODE_FENCE.fullmatch(head[0]) is not None and rest.startswith(FUNCTION))
        self._labelled = "\n" in head[0] and head[0].strip("` \t\r\n") in _LABELS
        is_call = is_call or self._labelled
        called = "\n" in head[0] and FUNCTION.startswith(rest)
        if not is_call and not final and len(rest) <= _SHORT and (could_open(rest) or called):
            return False
        if is_call:
            self._fenced = True
            return self._read_opening(head.end(), final, cut)
        self._in_fence = True
        return self._say(3)

    # -- calls

    def _read_line_start(self, final: bool, cut: bool) -> bool | None:
        """The blanks of a line, or a call whose mark is plain words. None: neither stands there."""
        bare = self._pending.lstrip()
        if len(bare) < len(self._pending):
            return self._say(len(self._pending) - len(bare))
        head = self._heads.find(self._pending)
        if not isinstance(head, Head):
            return False if head and not final else None
        length, calls = read_headed(self._pending, head, self.schemas, final=final, cut=cut)
        if length < 0:
            return self._wait_for_json(head.json_at)
        known = tuple(call for call in calls if call.name in self.schemas)
        is_fenced = "`" in self._pending[: head.json_at]
        if not length or (is_fenced and not known):
            return None
        self._fenced = is_fenced
        return self._take(length, known)

    def _wait_for_json(self, begin: int) -> bool:
        """The end of long JSON is looked for in what is new only."""
        if len(self._pending) > _SHORT:
            self._end = JsonEnd()
            self._end.feed(self._pending[begin:])
            self._block, self._pending = [self._pending], ""
        return False

    def _read_opening(self, at: int, final: bool, cut: bool) -> bool:
        """A call may begin at `at`; before it stands the beginning of a code fence or nothing."""
        text = self._pending[at:]
        if not at and self._at_line_start and could_be_naked(text, self.schemas):
            if is_naked(text, self.schemas):
                return self._read_naked(text, final)
            if not final:
                return False
        if not opens(text) and not self._labelled and not (at and text.startswith(FUNCTION)):
            begun = could_open(text)
            if begun and not final and len(text) <= _SHORT:
                return False
            # M3's mark is a token of the model and never a word
            return (
                self._take(len(self._pending), ()) if begun and text.startswith(MARK) else self._was_text(at)
            )
        end, closed = self._end_of_block(text, final, cut)
        if end is None:
            self._wait_for_end(text)
            return False
        if not end:
            return self._was_text(at)
        calls = read_calls(text[:end], self.schemas)
        if not calls and shows_tools(text[:end], self.schemas):
            return self._was_text(at)
        if not closed and not cut and calls and not any(call.name in self.schemas for call in calls):
            return self._was_text(at)
        known = (call for call in calls if call.name in self.schemas and (closed or call.whole or not cut))
        return self._take(at + end, tuple(known))

    def _read_naked(self, text: str, final: bool) -> bool:
        """A call without any mark, or the text that looks like one."""
        length, calls = read_naked(text, self.schemas, final=final)
        if length < 0:
            return self._wait_for_json(0)
        return self._take(length, calls) if calls else self._say(length)

    def _was_text(self, at: int) -> bool:
        """No call begins here. Inside a fence the whole fence is text."""
        self._in_fence, self._fenced, self._labelled = bool(at), False, False
        return self._say(3 if at else 1)

    def _wait_for_end(self, text: str) -> None:
        """The end of a long block is looked for in what is new only."""
        if len(text) > _SHORT:
            begin, self._end = (0, FenceEnd(included=False)) if self._labelled else end_finder(text)
            self._end.feed(text[begin:])
            self._block, self._pending = [self._pending], ""

    def _end_of_block(self, text: str, final: bool, cut: bool) -> tuple[int | None, bool]:
        """The length of the block at the beginning of the text; 0 if it is none; None if more is needed.

        And whether its end was written.
        """
        body = body_of(text)
        if not body:
            own = text.startswith(MARK) or "minimax:" in text
            if not final:
                return (None if len(text) <= _SHORT else 0), False
            return (len(text) if own or self._at_line_start else 0), False
        named = NAME.match(body)
        rest = body[named.end() :] if named else ""
        if not may_be_body(body, self.schemas) or (rest and rest[0] not in "<{]"):
            return 0, False
        if not named and tight(body).startswith(NAMED) and (len(text) > _SHORT or not NAME_BEGUN.match(body)):
            return 0, False
        end = text.find("```") if self._labelled else end_of(text)
        if end < 0 and final and not cut:
            end = end_in_doubt(text, single=is_single(without_marks(text)))
        if end >= 0:
            return end, True
        return (len(text) if final else None), False

    @property
    def _at_line_start(self) -> bool:
        return not self._has_words or self._last == "\n"

    def _take(self, length: int, calls: tuple[WrittenCall, ...]) -> bool:
        block, self._pending = self._pending[:length], self._pending[length:]
        self._behind, self._labelled = True, False
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
        endings = (
            *ENDINGS,
            *LEFTOVERS,
            *(MARK + ending for ending in ENDINGS),
            *(("```",) if self._fenced else ()),
        )
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
