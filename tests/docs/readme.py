"""The READMEs, taken apart: their code blocks, headings, tables and shell lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = "README.md", "README.zh.md"


@dataclass(frozen=True, slots=True)
class Block:
    """One code block: its language ("" for a picture), the line it begins at and its text."""

    language: str
    line: int
    text: str

    @property
    def name(self) -> str:
        """The file that the block says to be ("# weather.py"), or "example.py"."""
        named = re.match(r"# ([\w-]+\.py)\n", self.text)
        return named[1] if named else "example.py"


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """All code blocks of a page, in order."""
    text = read(page)
    return [
        Block(found[1], text[: found.start()].count("\n") + 1, found[2])
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def shell_lines(page: str) -> list[str]:
    """All lines of the shell blocks, without what stands after a blank and a `#`."""
    lines = [line for block in blocks(page) if block.language == "sh" for line in block.text.splitlines()]
    return [code for line in lines if (code := without_comment(line))]


def without_comment(line: str) -> str:
    """The line up to its comment. No line of ours has such a mark inside quotes."""
    return re.sub(r"(^|\s+)(#|//) .*$", "", line).rstrip()


def code_of(block: Block) -> list[str]:
    """The lines of a block without comments: they are prose, in the language of the page."""
    return [code for line in block.text.splitlines() if (code := without_comment(line))]


def prose(page: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```\w*\n.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)


def headings(page: str) -> list[int]:
    """The levels of the headings, in order."""
    return [len(found) for found in re.findall(r"^(#+) ", prose(page), re.MULTILINE)]


def tables(page: str) -> list[list[list[str]]]:
    """The cells of all tables: table, row, cell."""
    found = re.findall(r"(?:^\|.*\|\n?)+", prose(page), re.MULTILINE)
    return [[row.strip().strip("|").split("|") for row in table.strip().splitlines()] for table in found]


def codes(text: str) -> list[str]:
    """What stands between backquotes."""
    return re.findall(r"`([^`]+)`", text)
