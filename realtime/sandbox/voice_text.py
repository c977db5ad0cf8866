"""Prepares text for the voice: sentences, pause marks, interjections, readings, runs of one language, words.

Pure functions on strings; every part keeps its offsets in the original text. Source of the marks:
docs/minimax/t2a-websocket.md 1.2 and 4.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

INTERJECTIONS = frozenset(
    "laughs chuckle coughs clear-throat groans breath pant inhale exhale gasps sniffs sighs snorts burps lip-smacking "
    "humming hissing emm sneezes whistles crying applause".split()
)
LONGEST_SEGMENT = 120  # characters

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_MARKS = "\u0300-\u036f\u0591-\u06ed\u0900-\u0dff\u0e00-\u0e7f"
_LETTER = rf"(?:(?![{_HAN}{_KANA}_])[\w{_MARKS}])"
_WORD = re.compile(
    rf"[{_HAN}]|[\u3040-\u309f]+|[\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f]+"
    rf"|{_LETTER}+(?:['’\-]{_LETTER}+|(?<=\d)[.,:](?=\d){_LETTER}+)*"
)
_MARK = re.compile(
    r"<#\s*(?P<pause>\d{0,2}(?:\.\d*)?)\s*#>|\((?P<sound>[a-z][a-z-]*)\)|\((?P<pinyin>[a-z]+[1-6])\)"
)
_SCRIPTS = (
    (re.compile(f"[{_HAN}]"), "han"),
    (re.compile(f"[{_KANA}]"), "ja"),
    (re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"), "ko"),
    (re.compile("[\u0400-\u052f]"), "cyrillic"),
    (re.compile("[\u0600-\u06ff\u0750-\u077f]"), "arabic"),
    (re.compile("[\u0590-\u05ff]"), "he"),
    (re.compile("[\u0900-\u097f]"), "hi"),
    (re.compile("[\u0b80-\u0bff]"), "ta"),
    (re.compile("[\u0e00-\u0e7f]"), "th"),
    (re.compile("[\u0370-\u03ff\u1f00-\u1fff]"), "el"),
    (re.compile("[A-Za-z\u00aa-\u024f\u1e00-\u1eff]"), "latin"),
)
_ABBREVIATIONS = frozenset("mr mrs ms dr st prof sr jr vs etc e.g i.e no fig a.m p.m".split())


@dataclass(frozen=True, slots=True)
class Segment:
    """One sentence (or a part of a very long one); `begin` and `end` are character offsets into the whole text."""

    text: str
    begin: int
    end: int
    pause_ms: int  # silence that follows it


@dataclass(frozen=True, slots=True)
class Say:
    """A run of one language. `origin[i]` is the offset in the segment of the text behind character `i`."""

    text: str
    origin: tuple[int, ...]
    script: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Interjection:
    name: str


Part = Say | Pause | Interjection


def segments(text: str) -> list[Segment]:
    """Split a text into sentences; only blanks are lost."""
    found: list[Segment] = []
    begin = 0
    for cut, pause_ms in [*_cuts(text), (len(text), 100)]:
        sentence = text[begin:cut]
        lead = len(sentence) - len(sentence.lstrip())
        if sentence.strip():
            found.append(Segment(sentence.strip(), begin + lead, begin + len(sentence.rstrip()), pause_ms))
        begin = cut
    return found


def _cuts(text: str) -> Iterator[tuple[int, int]]:
    last = space = 0
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char.isspace() or char in "，、,：:":
            space = index
        if char in "。！？…；!?;\n" or (char == "." and _ends_sentence(text, index)):
            while index < len(text) and text[index] in "。！？…!?.\"'”’」』）)":
                index += 1
            if index < len(text):
                yield index, 400 if char == "\n" else 260
                last = space = index
        elif index - last >= LONGEST_SEGMENT:
            # A forced cut must not be inside a mark.
            cut = space if space > last else index
            if "<#" not in text[max(last, cut - 8) : cut] and "(" not in text[max(last, cut - 14) : cut]:
                yield cut, 60
                last = space = cut


def _ends_sentence(text: str, after: int) -> bool:
    if after < len(text) and not (text[after].isspace() or text[after] in "\"'”’)）"):
        return False
    words = text[max(0, after - 12) : after - 1].split()
    word = words[-1].lower().lstrip("(\"'“‘") if words else ""
    return word not in _ABBREVIATIONS and not (len(word) == 1 and word.isalpha() and word != "i")


def words(text: str) -> list[tuple[int, int]]:
    """(begin, end) of every spoken word; a Han character is one word. Marks are not words."""
    hidden = _MARK.sub(lambda m: " " * len(m[0]) if _is_mark(m) else m[0], text)
    return [m.span() for m in _WORD.finditer(hidden)]


def _is_mark(match: re.Match[str]) -> bool:
    return match["sound"] is None or match["sound"] in INTERJECTIONS


@dataclass(slots=True)
class _Run:
    chars: list[str] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    script: str = ""

    def flush(self) -> Iterator[Say]:
        text = "".join(self.chars)
        if any(c.isalnum() or c in "%$€£¥°&+=@" for c in text):
            yield Say(text, tuple(self.origin), self.script or "latin")
        self.chars, self.origin, self.script = [], [], ""

    def add(self, char: str, origin: int) -> None:
        self.chars.append(char)
        self.origin.append(origin)


def plan(text: str, *, interjections: bool, readings: Mapping[str, str]) -> list[Part]:
    """The parts of one segment: runs of one language, pauses and interjections.

    `interjections`: whether `(laughs)` is spoken (2.8 models) or dropped. `readings`: `pronunciation_dict`.
    """
    parts: list[Part] = []
    run = _Run()
    index = 0
    while index < len(text):
        mark = _MARK.match(text, index)
        if mark and _is_mark(mark):
            if mark["pause"]:
                parts += [*run.flush(), Pause(_seconds(mark["pause"]))]
            elif mark["sound"] and interjections:
                parts += [*run.flush(), Interjection(mark["sound"])]
            index = mark.end()
            continue
        word = next((w for w in readings if text.startswith(w, index)), None)
        for char in readings[word] if word else text[index]:
            script = _script(char)
            if script and run.script and script != run.script:
                parts += run.flush()
            run.script = script or run.script
            run.add(_speakable(char), index)
        index += len(word) if word else 1
    return [*parts, *run.flush()]


def _seconds(digits: str) -> float:
    try:
        return min(float(digits), 99.99)
    except ValueError:
        return 0.0


def _script(char: str) -> str | None:
    return next((name for pattern, name in _SCRIPTS if pattern.match(char)), None)


def _speakable(char: str) -> str:
    """A blank for characters that are not spoken: emoji, markup, control characters."""
    return (
        " "
        if char in "*#_~`|<>[]{}" or unicodedata.category(char) in ("So", "Cs", "Cc", "Cf", "Co")
        else char
    )


def invisible_ratio(text: str) -> float:
    """Share of invisible characters (control and format characters; line breaks and tabs do not count)."""
    hidden = sum(
        unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs") and c not in "\n\r\t" for c in text
    )
    return hidden / len(text) if text else 0.0


def readings(tone: list[str]) -> dict[str, str]:
    """`pronunciation_dict.tone` as word -> reading; a phonetic reading in brackets does not change the word."""
    pairs = (entry.partition("/") for entry in tone)
    return {word: reading for word, _, reading in pairs if word and reading and not reading.startswith("(")}
