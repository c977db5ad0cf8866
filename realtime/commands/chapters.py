"""A book from a text or a Markdown file: its title and its chapters, cut at the headings. Pure.

Knows what headings look like; `epub` reads that format. A chapter begins with its own heading, which is read out too.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from realtime.core.normalize import said_of
from realtime.errors import InvalidArgument

LONGEST_CHAPTER = 900_000  # characters; the platform reads out less than 1,000,000
_LONGEST_HEADING = 80
_NUMBER = (
    r"(?:\d+|[ivxlcdm]+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|"
    r"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty(?:-\w+)?|the \w+)"
)
_ENGLISH = re.compile(
    rf"(?:(?:chapter|part|book|section|act|volume)\s+{_NUMBER}(?![\w-]).*"
    r"|(?:prologue|epilogue|introduction|preface|foreword|afterword|appendix|conclusion)\b[.:]?)",
    re.I,
)
_CHINESE = re.compile(
    r"(?:第\s*[\d零〇一二三四五六七八九十百千两]+\s*[章回节卷部篇集幕](?:[\s:：、.].*|.{0,20})?"
    r"|序章?|序言|楔子|引子|前言|后记|尾声|终章|番外\S*)"
)
_MARKDOWN = re.compile(r" {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_FRONT = re.compile(r"---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|$)", re.S)
_FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.M)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading and the text that is read out, which begins with it."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Book:
    """The chapters in order; at least one."""

    title: str
    chapters: tuple[Chapter, ...]

    @property
    def characters(self) -> int:
        return sum(len(chapter.text) for chapter in self.chapters)

    def as_one(self) -> Book:
        """The same text as one chapter."""
        text = "\n\n".join(chapter.text for chapter in self.chapters)
        return Book(self.title, (Chapter(self.title, text),))


def decoded(content: bytes, name: str, encoding: str | None = None) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, or in `encoding`. Raises InvalidArgument for anything else."""
    if encoding is None:
        encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except LookupError:
        raise InvalidArgument(f"There is no encoding {encoding!r}.", param="encoding") from None
    except UnicodeError:
        raise InvalidArgument(
            f"{name} is no text in UTF-8. If it is a text, name its encoding, like --encoding gb18030.",
            param="source",
        ) from None
    if "\x00" in text:
        raise InvalidArgument(f"{name} is binary, not a text.", param="source")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def markdown_book(text: str, title: str) -> Book:
    """Chapters at the highest level of headings that is there more than once. Raises InvalidArgument for no words."""
    front = _FRONT.match(text)
    if front is not None:
        text = text[front.end() :]
        named = _FRONT_TITLE.search(front[1])
        title = named[1].strip() if named else title
    lines = text.split("\n")
    headings = list(_markdown_headings(lines))
    levels = [level for _, level, _ in headings]
    level = next((each for each in range(1, 7) if levels.count(each) > 1), 0)
    if front is None and levels.count(1) == 1 and levels[0] == 1:
        title = said_of(headings[0][2]).strip() or title
    starts = [(at, said_of(heading).strip()) for at, each, heading in headings if each <= level]
    return _book(title, [(head, said_of(body)) for head, body in _cut(lines, starts, title)])


def text_book(text: str, title: str) -> Book:
    """Chapters at lines like "Chapter 3" and 第三章, if there are two at least. Raises InvalidArgument for no words."""
    lines = text.split("\n")
    starts = [(at, line.strip()) for at, line in enumerate(lines) if _is_heading(line.strip())]
    return _book(title, _cut(lines, starts if len(starts) > 1 else [], title))


def made_book(title: str, sections: Iterable[tuple[str, str]]) -> Book:
    """A book from headings and texts that something else has found. Raises InvalidArgument for no words."""
    return _book(title, list(sections))


def _markdown_headings(lines: Sequence[str]) -> Iterable[tuple[int, int, str]]:
    """Line number, level and text of each heading outside of code."""
    fence = ""
    for at, line in enumerate(lines):
        if mark := _FENCE.match(line):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence):
                fence = ""
        elif not fence and (heading := _MARKDOWN.match(line)):
            yield at, len(heading[1]), heading[2]


def _is_heading(line: str) -> bool:
    if not line or len(line) > _LONGEST_HEADING or line[-1] in ",;，；":
        return False
    return bool(_ENGLISH.fullmatch(line) or _CHINESE.fullmatch(line))


def _cut(lines: Sequence[str], starts: Sequence[tuple[int, str]], title: str) -> list[tuple[str, str]]:
    """The text before the first heading under the book's title, then each heading with what follows."""
    begins = [(0, title), *starts] if not starts or starts[0][0] else list(starts)
    return [
        (heading, "\n".join(lines[at:end]))
        for (at, heading), (end, _) in pairwise([*begins, (len(lines), "")])
    ]


def _book(title: str, sections: Sequence[tuple[str, str]]) -> Book:
    chapters: list[Chapter] = []
    waiting = ""  # headings without a text of their own are read out before the next chapter
    for number, (heading, text) in enumerate(sections, 1):
        text = text.strip()
        if number < len(sections) and _letters(text) in ("", _letters(heading)):
            waiting += f"{text}\n\n" if text else ""
            continue
        chapters += _parts(heading or title, (waiting + text).strip())
        waiting = ""
    chapters = [chapter for chapter in chapters if _letters(chapter.text)]
    if not chapters:
        raise InvalidArgument("There is nothing to read out: the text has no word.", param="source")
    return Book(title, tuple(chapters))


def _parts(title: str, text: str) -> Iterable[Chapter]:
    """The chapter, in several parts if it is too long for the platform; cut at paragraphs where there are some."""
    number = 1
    while len(text) > LONGEST_CHAPTER:
        cut = max(text.rfind("\n", LONGEST_CHAPTER // 2, LONGEST_CHAPTER), 0) or LONGEST_CHAPTER
        yield Chapter(f"{title} ({number})", text[:cut].strip())
        text, number = text[cut:].strip(), number + 1
    yield Chapter(title if number == 1 else f"{title} ({number})", text)


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())
