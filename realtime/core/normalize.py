"""Says a model's answer as it streams: the text as it is, and beside it what a voice should say for it.

Knows where in a stream lines and blocks of markup apply (`markup.py` says what they look like, `inline_markup.py` reads
inside a line). Code blocks and tables are text for which nothing is said. Leaves pause marks, interjections and emoji
alone; `spoken_form.py` removes for the voice what cannot be pronounced.
"""

from __future__ import annotations

import re

from realtime.core import markup
from realtime.core.characters import is_unspaced
from realtime.core.inline_markup import InlineReader
from realtime.core.markup_reader import More
from realtime.core.wording import Wording

_PIECE = 256  # characters read at once: what is received and not taken is copied with each word
_LINE_MARKS = "#_=:|`~>" + markup.BULLETS


def said_of(text: str) -> str:
    """What is said of a whole text."""
    normalizer = SpeechNormalizer()
    return normalizer.feed(text).said + normalizer.finish().said


class SpeechNormalizer(InlineReader):
    """Streams wordings: `feed` gives what is certain, `finish` the rest.

    The texts of all wordings together are exactly what was fed, and what is said does not depend on how it was cut.
    """

    def __init__(self) -> None:
        super().__init__()
        self._item = False  # inside a heading or list item
        self._fence = ""  # the mark that opened a code block
        self._fenced_prose = False  # nothing of the code block looks like code
        self._table = False  # the line before was a row

    def feed(self, delta: str) -> Wording:
        """What became certain."""
        if (plain := self._plain_delta(delta)) is not None:
            return plain
        for start in range(0, len(delta), _PIECE):
            self._raw += delta[start : start + _PIECE]
            self._advance()
        return self._give()

    def finish(self) -> Wording:
        """What was held back, now that nothing follows."""
        self._final = True
        self._advance()
        if self._item and not self._fence:
            self._end_item()
        return self._give()

    def _plain_delta(self, delta: str) -> Wording | None:
        """`feed` for a delta of words alone, inside a line and with nothing held: as most are. None: it is another."""
        if self._raw or self._line_start or self._newlines or self._code or self._fence or self._rest:
            return None
        if self._heading and "#" in delta:
            return None  # may be the end of the heading
        if not markup.PLAIN_DELTA.fullmatch(delta) or markup.MAYBE_ADDRESS.search(delta):
            return None
        return self._take_words(delta) if self._shown and not (self._blank and delta[0] == " ") else None

    def _advance(self) -> None:
        try:
            while self._raw:
                self._step()
        except More:
            pass

    def _step(self) -> None:
        if self._rest:
            self._drop_rest()
        elif self._fence:
            self._fenced()
        elif self._line_start:
            self._start_line()
        elif self._raw[0] == "\n":
            self._end_line()
        elif self._code:
            self._inside_code()
        else:
            self._inline()

    # -- lines -------------------------------------------------------------------------------------------------------

    def _start_line(self) -> None:
        if blanks := markup.BLANKS.match(self._raw):
            self._drop(blanks.end())
            self._previous = "\n"
            return
        first = self._raw[0]
        if first == "\n":
            self._end_line()
            return
        if not (
            (first in _LINE_MARKS and self._marked_line(first)) or (first in "0123456789" and self._ordered())
        ):
            self._line_start = self._table = False

    def _marked_line(self, first: str) -> bool:
        """Take the mark a line begins with; False: it was text after all."""
        raw = self._raw[: markup.MAX_CONSTRUCT]  # what stands beyond does not count, however early it came
        end = raw.find("\n")
        line = raw if end < 0 else raw[:end]
        match first:
            case "`" | "~":
                return self._opens_fence(first, line, ended=end >= 0)
            case "|":
                return self._row(line, ended=end >= 0)
            case ">":
                return self._quote()
        if markup.RULE_SO_FAR.fullmatch(line.rstrip("\r")):
            self._need(more=end < 0)
            if markup.RULE.fullmatch(line.rstrip("\r")) or not line.strip("-*+•#: \t\r"):
                self._drop(len(line))
                self._table = "|" in line
                return True
            return False
        if first in "-*+" and markup.NUMBERS.fullmatch(self._above) and self._operand(line, ended=end >= 0):
            return False
        return self._heading_or_bullet(line, ended=end >= 0)

    def _operand(self, line: str, *, ended: bool) -> bool:
        """Whether this is a line of a sum ("+ 30"), and no item of a list."""
        if markup.OPERAND.fullmatch(line):
            self._need(more=not ended)
            return True
        self._need(more=not ended and re.fullmatch(r"[-*+][ \t]+[$€£]?", line) is not None)
        return False

    def _heading_or_bullet(self, line: str, *, ended: bool) -> bool:
        self._need(more=not ended and line in markup.BULLETS)  # its blank may come
        for pattern in (markup.HEADING, markup.BULLET):
            if mark := pattern.match(line):
                rest = line[mark.end() :]
                self._need(more=not rest and not ended)
                self._need(more=pattern is markup.BULLET and not ended and rest[:1] == "[" and len(rest) < 4)
                self._drop(mark.end())
                self._previous = "\n"
                self._item, self._line_start = True, pattern is markup.BULLET
                self._heading = pattern is markup.HEADING
                return True
        return False

    def _ordered(self) -> bool:
        self._need(more=bool(re.fullmatch(r"\d{1,3}[.)]?", self._raw)))
        mark = markup.ORDERED.match(self._raw)
        if not mark:
            return False
        self._need(more=mark.end() == len(self._raw))
        self._item, self._line_start = True, False
        self._show(len(mark[1]) + 1, f"{mark[1]}.")
        return True

    def _quote(self) -> bool:
        self._need(more=re.fullmatch(r">[ \t]*-?", self._raw) is not None)
        if not markup.QUOTE.match(self._raw):
            return False
        self._drop(1)
        self._previous = "\n"
        return True

    def _row(self, line: str, *, ended: bool) -> bool:
        """Take a row of a table. The first needs another one below it: bars in a line alone are text ("|x| > |y|")."""
        if not self._table:
            if self._find(markup.BAR, 1, markup.SENTENCE_STOP)[0] is None:
                return False
            self._need(more=not ended)
            if not ended or not line.rstrip(" \t\r").endswith("|"):
                return False
            below = self._raw[len(line) + 1 : len(line) + 33].lstrip(" \t")
            self._need(more=not below, limit=len(line) + 33)
            self._table = below.startswith("|")
        if self._table:
            self._drop(len(line))
            self._rest = markup.LINE
        return self._table

    def _end_line(self) -> None:
        if self._item:
            self._end_item()
        self._brackets.clear()
        self._closers.clear()
        self._table = self._table and self._previous != "\n"
        self._break_line()
        self._drop(1)
        if self._newlines > 1:
            self._end_paragraph()

    def _end_item(self) -> None:
        """A heading or list item is a sentence."""
        self._item = self._heading = False
        last = self._shown
        if last and not last.isspace() and last not in markup.TERMINAL and not self._newlines:
            self._say("。" if is_unspaced(last) else ".", [self._passed])
        self._line = ""

    # -- blocks of code ----------------------------------------------------------------------------------------------

    def _opens_fence(self, first: str, line: str, *, ended: bool) -> bool:
        self._need(more=not ended and set(line) == {first} and len(line) < 3)
        if not line.startswith(first * 3):
            return False
        fence = markup.FENCE.fullmatch(line)
        self._need(more=not ended and (fence is not None or markup.FENCE.fullmatch(line + "x.") is not None))
        if fence is None:
            return False
        self._fence, self._fenced_prose = fence[1], True
        self._drop(len(line) + ended)
        return True

    def _fenced(self) -> None:
        """Take a code block. Sentences at its end are held: nobody may have closed it, and they are text."""
        at = taken = 0
        prose = self._fenced_prose
        while at < len(self._raw):
            end = self._raw.find("\n", at)
            if end < 0 and not self._final:
                break
            line = self._raw[at:] if end < 0 else self._raw[at:end]
            if self._closes_fence(line):
                self._drop(at + len(line))
                self._fence, self._line_start, self._blank = "", False, ""
                return
            at += len(line) + (end >= 0)
            prose = not line.strip() or (prose and markup.is_prose(line))  # an empty line begins a paragraph
            if not prose or at - taken > markup.MAX_FENCED:
                taken, prose = at, False
        self._drop(taken)
        if taken:
            self._fenced_prose = False
        self._need(more=True, limit=1 << 30)
        self._give_back()

    def _closes_fence(self, line: str) -> bool:
        mark = line.strip()
        return len(mark) >= len(self._fence) and set(mark) == {self._fence[0]}

    def _give_back(self) -> None:
        """Nobody closed the block: sentences at its end are text."""
        self._fence = ""
        if not markup.ends_prose(self._raw):
            self._drop(len(self._raw))
        self._line_start = True
