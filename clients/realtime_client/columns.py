"""Text in the columns of a terminal: how wide it is, and where a line ends so that no word is split. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

_CLOSING = frozenset(",.;:!?)]}%'\"’”»、。，．：；！？）］｝」』】》〉〕…～ー々")  # never first in a line
_EMOJI = range(0x1F000, 0x1FB00)  # the blocks of pictures: what is not assigned in them is wide when it comes
_HAN = range(0x20000, 0x3FFFE)  # and so it is here


def columns(text: str) -> int:
    """How many columns a terminal needs: two for East Asian and emoji characters, none for marks upon others."""
    return sum(map(_columns, text))


def _columns(mark: str) -> int:
    category = unicodedata.category(mark)
    if category in ("Mn", "Me", "Cf"):
        return 0
    if category == "Cn":  # newer than the tables of this Python, which say of all these that they are wide
        return 2 if ord(mark) in _EMOJI or ord(mark) in _HAN else 1
    return 2 if unicodedata.east_asian_width(mark) in "WF" else 1


def _edge(width: int) -> int:
    return max(2, width - 1)


class Wrap:
    """Breaks text that comes in fragments. `width` gives the columns of the terminal now, None: never break.

    A word is shown as it comes; if it grows over the edge, its beginning is erased and it goes to the next line. The
    last column stays free: terminals differ in what they do there.
    """

    def __init__(self, width: Callable[[], int | None], indent: int = 0) -> None:
        self._width = width
        self._indent = indent
        self._column = 0
        self._word = ""  # what must stay together at the end of this line
        self._fresh = False  # the line was begun by us, and nothing but the indent is in it

    @property
    def indent(self) -> int:
        """How far a line that goes on is indented now: not at all in a narrow terminal."""
        width = self._width()
        return self._indent if width is None or _edge(width) >= 3 * self._indent else 0

    def feed(self, text: str) -> Iterator[str | int]:
        """What to write, in order; a number is so many columns to erase at the end of the line."""
        width = self._width()
        if width is None:
            yield text
            return
        edge, indent = _edge(width), self.indent
        run = ""
        for mark in text:
            size = _columns(mark)
            if mark == "\n":
                self._column, self._word, self._fresh = 0, "", False
            elif self._column + size > edge:
                # the blank at the end of a line is its end: nothing has to move
                word = "" if mark == " " or self._splits_before(mark, size) else self._movable(edge, indent)
                inside = len(word) if run.endswith(word) else 0  # not written yet
                run = run[: len(run) - inside]
                yield from (run,) if run else ()
                yield from (columns(word),) if word and not inside else ()
                run = "\n" + " " * indent + word
                self._column, self._word, self._fresh = indent + columns(word), word, not word
                if mark == " ":
                    continue
                self._add(mark, size)
            elif mark == " " and self._fresh:
                continue
            else:
                self._add(mark, size)
            run += mark
        if run:
            yield run

    def _movable(self, edge: int, indent: int) -> str:
        """The word at the end of this line, if the next line has room for it and this one has more than it."""
        size = columns(self._word)
        return self._word if indent + size + 2 <= edge and self._column > size + indent else ""

    def _splits_before(self, mark: str, size: int) -> bool:
        """Whether a line may end before this character: in East Asian text nearly everywhere."""
        return size == 2 and mark not in _CLOSING

    def _add(self, mark: str, size: int) -> None:
        if mark == " " or self._splits_before(mark, size):
            self._word = ""
        if mark != " ":
            self._word += mark
            self._fresh = False
        self._column += size
