"""The text of a conversation in the terminal: words in time with the audio, and what was heard before an interruption.

`SpokenText` is pure; `Screen` writes on a page: a terminal, a file, or the lines above a prompt (`prompt.py`).
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .columns import Wrap
from .prompt import is_dumb

NAME_WIDTH = 10
_CONTROLS = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of characters, ends of lines and of paragraphs
_LEFT_OUT = frozenset("\u00ad\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
TAB = " " * 4  # a terminal would jump by columns that `Wrap` does not count


@dataclass(slots=True)
class SpokenText:
    """The text of one reply and how much of it has been shown.

    With `timed`, text is due when its word sounds (the `words` extension); otherwise as soon as it is known.
    """

    timed: bool = False
    transcript: str = ""
    shown: int = 0  # characters of the transcript
    words: list[tuple[int, str]] = field(default_factory=list)  # start_ms, text

    def add(self, delta: str) -> None:
        self.transcript += delta

    def add_words(self, words: Iterable[Mapping[str, Any]]) -> None:
        self.words.extend((int(word["start_ms"]), str(word["text"])) for word in words)

    def due(self, heard_ms: int) -> str:
        """The text that is to be shown by now and has not been shown."""
        if not self.timed:
            return self.rest()
        end = sum(len(text) for start_ms, text in self.words if start_ms < heard_ms)
        return self._up_to(end)

    def rest(self) -> str:
        """All text that has not been shown."""
        return self._up_to(len(self.transcript))

    def _up_to(self, end: int) -> str:
        new = self.transcript[self.shown : end]
        self.shown = max(self.shown, min(end, len(self.transcript)))
        return new


def printable(text: str) -> str:
    """Text that cannot control the terminal; every letter of it stays.

    Escapes and what else controls becomes a blank. What only turns the direction of writing, or allows a hyphen, is
    left out: it may stand within a word. Joiners stay, and characters that are newer than this Python's tables.
    """
    return "".join(map(_shown, text))


def _shown(mark: str) -> str:
    if mark in _LEFT_OUT:
        return ""
    return " " if unicodedata.category(mark) in _CONTROLS else mark


class Page(Protocol):
    """What a screen writes on. `width` in columns now, None where lines have no end."""

    def width(self) -> int | None: ...

    def write(self, text: str, style: str) -> None:
        """Add text; `style` is one of rich."""
        ...

    def erase(self, columns: int) -> None:
        """Take back so many columns at the end of the line; only called where there is a width."""
        ...


@dataclass(frozen=True, slots=True)
class PlainPage:
    """A file, a pipe, or a terminal that only takes text."""

    add: Callable[[str, str], None] = lambda text, style: print(text, end="", flush=True)

    def width(self) -> int | None:
        return None

    def write(self, text: str, style: str) -> None:
        self.add(text, style)

    def erase(self, columns: int) -> None:
        return


class TerminalPage:
    """Standard output on a terminal, with colours where rich is installed."""

    def __init__(self) -> None:
        self._write = _rich_writer() or PlainPage().write

    def width(self) -> int | None:
        return shutil.get_terminal_size().columns

    def write(self, text: str, style: str) -> None:
        self._write(text, style)

    def erase(self, columns: int) -> None:
        print("\b" * columns + " " * columns + "\b" * columns, end="", flush=True)


class Screen:
    """Lines of a conversation: `you`, `assistant` and notes, on a page or into `write(text, style)`.

    On a terminal no word is split at the right edge. Where a program reads standard output, notes and problems go to
    standard error: they are no part of an answer.
    """

    def __init__(self, page: Page | Callable[[str, str], None] | None = None) -> None:
        self._page = _page(page)
        self._aside = PlainPage(_to_stderr) if page is None and not sys.stdout.isatty() else None
        self._wrap = Wrap(self._page.width, NAME_WIDTH)
        self._open = False  # a line of a reply is not finished
        self._breaks = 0  # line breaks of a reply, written when more of it follows

    def you(self, text: str) -> None:
        self._line("you", printable(text), "bold cyan")

    def note(self, text: str) -> None:
        self._beside("", printable(text), "dim")

    def problem(self, text: str) -> None:
        self._beside("!", printable(text), "bold red")

    def reply(self, text: str) -> None:
        """More of the assistant's current reply. Its line breaks stay, so that lists and code can be read."""
        if not self._open:
            text = text.lstrip()
            if not text:
                return
            self._write("assistant".ljust(NAME_WIDTH), "bold green")
            self._open = True
        for number, line in enumerate(text.replace("\t", TAB).split("\n")):
            self._breaks += number > 0
            if line:
                self._break()
                self._write(printable(line), "")

    def _break(self) -> None:
        """Begin the next line of a reply below its first one."""
        if self._breaks:
            self._write("\n" * self._breaks + " " * self._wrap.indent, "")
            self._breaks = 0

    def end_reply(self) -> None:
        self._breaks = 0  # those at its end are nobody's
        if self._open:
            self._write("\n", "")
            self._open = False

    def interrupted(self, heard: str) -> None:
        """The reply was interrupted; `heard` is what the history keeps."""
        self.note(f"(interrupted; heard: {heard.strip()!r})" if heard.strip() else "(interrupted, unheard)")

    def _beside(self, name: str, text: str, style: str) -> None:
        if self._aside is None:
            self._line(name, text, style)
        else:
            self._aside.write(f"{name.ljust(NAME_WIDTH)}{text}\n", style)

    def _line(self, name: str, text: str, style: str) -> None:
        self.end_reply()
        self._write(name.ljust(NAME_WIDTH), style)
        self._write(f"{text}\n", "dim" if style == "dim" else "")

    def _write(self, text: str, style: str) -> None:
        for step in self._wrap.feed(text):
            if isinstance(step, int):
                self._page.erase(step)
            else:
                self._page.write(step, style)


def _to_stderr(text: str, style: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def _page(given: Page | Callable[[str, str], None] | None) -> Page:
    if given is None:
        return TerminalPage() if sys.stdout.isatty() and not is_dumb() else PlainPage()
    return PlainPage(given) if callable(given) else given


def _rich_writer() -> Callable[[str, str], None] | None:
    try:
        from rich.console import Console
    except ImportError:
        return None
    console = Console(highlight=False)
    return lambda text, style: console.print(
        text, style=style or None, end="", markup=False, soft_wrap=True, emoji=False
    )
