"""Takes characters from the front of the model's text and notes what is said for them.

Every character taken is text, whatever is said for it: nothing can be lost here. `inline_markup.py` and
`normalize.py` say what markup is.
"""

from __future__ import annotations

import re

from realtime.core import markup
from realtime.core.wording import Wording

_LINE_BEGINNING = 64  # characters that tell a line of a sum


class More(Exception):
    """The received text is ambiguous here."""


class MarkupReader:
    """The received text, and what has become certain of it."""

    def __init__(self) -> None:
        self._raw = ""  # received and not taken yet
        self._final = False  # nothing follows
        self._passed = 0  # characters taken since the start
        self._previous = "\n"  # the last of them
        self._blank = ""  # white space that is said before the next thing said ...
        self._blank_at = 0  # ... and where it stands
        self._newlines = 0  # line ends since something was said
        self._shown = ""  # the last character said
        self._line = ""  # what is said in this line, the beginning of it
        self._above = ""  # what is said in the line before
        self._line_start = True
        self._rest: re.Pattern[str] | None = None  # what else of a taken construct is not said
        self._taken: list[str] = []  # text not given out yet
        self._given = 0  # where it begins
        self._said: list[str] = []
        self._offsets: list[int] = []  # of each character said, since the start

    def _give(self) -> Wording:
        """What became certain. Text from a waiting blank on stays, so that a blank said later is in its text."""
        taken = "".join(self._taken)
        end = self._blank_at if self._blank and not self._final else self._passed
        text, rest = taken[: end - self._given], taken[end - self._given :]
        wording = Wording(text, "".join(self._said), tuple(offset - self._given for offset in self._offsets))
        self._taken, self._given = [rest] if rest else [], end
        self._said, self._offsets = [], []
        return wording

    def _take_words(self, delta: str) -> Wording:
        """Take words with single blanks between them at once, and give them out. Nothing else may be held."""
        words = delta.removesuffix(" ")
        held = "".join(self._taken)  # a blank, and marks after it
        text, said = held + words, (" " if self._blank else "") + words
        unsaid = len(text) - len(said)
        offsets = (0, *range(unsaid + 1, len(text))) if unsaid else tuple(range(len(text)))
        self._passed += len(delta)
        self._given += len(text)
        self._taken = [" "] if words != delta else []
        self._blank, self._blank_at = "".join(self._taken), self._given
        self._previous, self._shown = delta[-1], words[-1]
        self._line = (self._line + said)[:_LINE_BEGINNING]
        return Wording(text, said, offsets)

    # -- taking text -----------------------------------------------------------------------------------------------

    def _drop(self, length: int) -> None:
        """Take `length` characters for which nothing is said."""
        if length:
            self._taken.append(self._raw[:length])
            self._previous = self._raw[length - 1]
            self._raw = self._raw[length:]
            self._passed += length

    def _drop_rest(self) -> None:
        """Take what else belongs to a construct that was longer than what is waited for."""
        rest = self._rest.match(self._raw) if self._rest else None
        self._drop(rest.end() if rest else 0)
        if self._raw:
            self._rest = None

    def _show(self, length: int, said: str | None = None) -> None:
        """Take `length` characters and say them, or `said` in their place."""
        start = self._passed
        said = self._raw[:length] if said is None else said
        self._drop(length)
        if not said:
            return
        self._separate(start)
        if len(said) == length:
            self._say(said, range(start, start + length))
        else:
            self._say(said, [start + index * length // len(said) for index in range(len(said))])

    def _separate(self, at: int) -> None:
        """Say the white space that waits before what is said at `at`."""
        if self._shown:
            if self._newlines > 1 and self._shown == "\n":
                self._say("\n", [at])
            elif self._blank and not self._newlines and self._shown != "\n":
                self._say(self._blank, [self._blank_at])
        self._blank, self._newlines = "", 0

    def _say(self, said: str, offsets: range | list[int]) -> None:
        self._said.append(said)
        self._offsets.extend(offsets)
        self._shown = said[-1]
        self._line = "" if said == "\n" else (self._line + said)[:_LINE_BEGINNING]

    def _wait_blank(self) -> None:
        """Here stands white space, which is said once something follows."""
        if not self._blank:
            self._blank, self._blank_at = " ", self._passed

    def _break_line(self) -> None:
        """What follows begins a line."""
        self._blank = ""
        self._newlines += 1
        self._above, self._line = self._line, ""
        if self._newlines == 1 and self._shown not in ("", "\n"):
            self._say("\n", [self._passed])
        self._line_start = True
        self._previous = "\n"

    # -- looking ahead ---------------------------------------------------------------------------------------------

    def _need(self, *, more: bool, limit: int = markup.MAX_CONSTRUCT) -> None:
        """Wait for more text where it could change the reading, unless nothing follows."""
        if more and not self._final and len(self._raw) < limit:
            raise More

    def _find(
        self,
        wanted: re.Pattern[str],
        start: int,
        stop: re.Pattern[str] = markup.STOP,
        limit: int = markup.LOOKAHEAD,
    ) -> tuple[re.Match[str] | None, str]:
        """The first `wanted` from `start` on, before the first `stop`; else None and what stopped it ("" = too far)."""
        end = start + limit
        found = wanted.search(self._raw, start, end)
        stopped = stop.search(self._raw, start, found.end() if found else end)
        first = stopped if stopped and not (found and found.start() <= stopped.start()) else found
        if first is None or first.end() == len(self._raw):
            self._need(more=len(self._raw) <= end, limit=end + 1)
        if first is stopped:
            return None, stopped.group() if stopped else ""
        return found, ""
