"""Normalizes a model's answer as it streams: plain text without markup, for the voice and for the screen.

Knows where in a stream markdown, HTML tags, thinking blocks, formulas and addresses apply (`markup.py` says what they
look like). Leaves pause marks and interjections of the speech model alone. What may be shown and cannot be pronounced
(emoji) stays; `spoken_form.py` removes it for the voice.
"""

from __future__ import annotations

import re

from realtime.core import markup
from realtime.core.characters import is_unspaced
from realtime.core.inline_markup import InlineReader, More


class SpeechNormalizer(InlineReader):
    """Streams normalized text: `feed` gives what is certain, `finish` the rest.

    The whole output does not depend on how the input was cut. `interjections=False` removes `(laughs)` and the
    like, for models that would read them aloud.
    """

    def feed(self, delta: str) -> str:
        """The text that became certain."""
        self._raw += delta
        return self._run()

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        self._final = True
        text = self._run()
        if self._item and not self._hidden and not self._fence:
            self._end_item()
            text += "".join(self._out)
            self._out.clear()
        return text

    def _run(self) -> str:
        try:
            while self._raw:
                self._step()
        except More:
            pass
        text = "".join(self._out)
        self._out.clear()
        return text

    def _step(self) -> None:
        if self._hidden is not None:
            self._skip_hidden(self._hidden)
        elif self._fence:
            self._skip_fence()
        elif self._line_start:
            self._start_line()
        elif self._raw[0] == "\n":
            self._end_line()
        elif self._code:
            self._inside_code()
        else:
            self._inline()

    # lines

    def _start_line(self) -> None:
        blanks = markup.BLANKS.match(self._raw)
        if blanks:
            self._drop(blanks.end())
            return
        raw, first = self._raw, self._raw[0]
        if first == "\n":
            self._end_line()
        elif first == ">":
            self._need(more=len(raw) == 1)
            self._drop(1)
        elif (first in "#-*+•‣◦▪_=:|`~" and self._marked_line(first)) or (
            first in "0123456789" and self._ordered()
        ):
            pass
        else:
            self._line_start = False

    def _marked_line(self, first: str) -> bool:
        """Take the mark a line begins with; False: it was text after all."""
        raw = self._raw
        end = raw.find("\n")
        line = raw if end < 0 else raw[:end]
        if first in "`~":
            self._need(more=end < 0 and set(line) == {first} and len(line) < 3)
            if line.startswith(first * 3):
                self._need(more=end < 0)
                if fence := markup.FENCE.fullmatch(line.rstrip("\r")):
                    self._fence = fence[1]
                    self._drop(len(line))
                    return True
            return False
        if first == "|":
            self._hidden = markup.REST_OF_LINE  # a table's row
            return True
        if markup.RULE_SO_FAR.fullmatch(line.rstrip("\r")):
            self._need(more=end < 0)
            if markup.RULE.fullmatch(line.rstrip("\r")) or not line.strip("-*+•#: \t\r"):
                self._drop(len(line))
                return True
            return False
        for pattern in (markup.HEADING, markup.BULLET):
            if mark := pattern.match(line):
                self._need(more=len(line) == mark.end() and end < 0)
                rest = line[mark.end() :]
                self._need(more=pattern is markup.BULLET and end < 0 and rest[:1] == "[" and len(rest) < 4)
                self._drop(mark.end())
                self._item, self._line_start = True, self._line_start and pattern is markup.BULLET
                return True
        return False

    def _ordered(self) -> bool:
        self._need(more=bool(re.fullmatch(r"\d{1,3}[.)]?", self._raw)))
        mark = markup.ORDERED.match(self._raw)
        if not mark:
            return False
        self._need(more=mark.end() == len(self._raw))
        self._item = True
        self._line_start = False
        self._show(mark.end(), f"{mark[1]}.")
        self._blank = " "
        return True

    def _end_line(self) -> None:
        if self._item:
            self._end_item()
        self._drop(1)
        self._blank = ""
        self._newlines += 1
        if self._newlines == 1 and self._shown not in ("", "\n"):
            self._out.append("\n")
            self._shown = "\n"
        elif self._newlines > 1:
            self._code = ""
        self._line_start = True

    def _end_item(self) -> None:
        """A heading or list item is a sentence."""
        self._item = False
        last = self._shown
        if last and not last.isspace() and last not in markup.TERMINAL and not self._newlines:
            self._out.append("。" if is_unspaced(last) else ".")
            self._shown = "."

    # blocks that are left out

    def _skip_hidden(self, closing: re.Pattern[str]) -> None:
        end = closing.search(self._raw)
        if end:
            self._drop(end.end())
            self._hidden = None
            return
        keep = self._raw.rfind("<", max(0, len(self._raw) - 20))
        self._drop(len(self._raw) if keep < 0 or self._final else keep)
        raise More

    def _skip_fence(self) -> None:
        end = self._raw.find("\n")
        if end < 0 and not self._final:
            raise More
        line = self._raw if end < 0 else self._raw[:end]
        if line.startswith("\n") or not line:
            self._drop(1)
            return
        mark = line.strip()
        if set(mark) == {self._fence[0]} and len(mark) >= len(self._fence):
            self._fence = ""
            self._line_start = False
        self._drop(len(line))
