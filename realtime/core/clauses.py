"""Where a text may be cut for speech: paragraphs, sentences, clauses, words.

Knows English, Chinese, Japanese and mixtures of them, and what is not an end although it looks like one: a
decimal, an abbreviation, a list number, an address. Counts what there is to say before a cut; how long that takes and
where to cut is for others to decide (`playback_clock.py`, `chunker.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from realtime.core.characters import (
    HANGUL,
    KANA,
    PAUSE_MARK,
    UNSPACED,
    count_pronounceable,
    inside_grapheme,
    is_unspaced,
    pronounceable,
)

OPENERS = "([{\"'“‘«「『（【《〈"
CLOSERS = ")]}\"'”’»」』）】》〉"
_STOPS = ".!?。！？｡"
_WIDE_MARKS = "。！？，；：、…—｡､"
_MARKS = ".,;:!?–" + _WIDE_MARKS

_TOKEN = re.compile(
    rf"(?P<pause>{PAUSE_MARK.pattern})"
    rf"|(?P<punct>[{_MARKS}]+|-{{2,}}|(?<=\s)-(?=\s))(?P<close>[{re.escape(CLOSERS)}]*)(?P<space>\s*)"
    rf"|(?P<gap>\s+)"
    rf"|(?P<unspaced>[{UNSPACED}][\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef]*)"
    rf"|(?P<word>(?:(?!<\#)[^\s{UNSPACED}{_MARKS}])+(?:[.,:;!?–]+(?=[^\W_])(?![{UNSPACED}])(?:(?!<\#)[^\s{UNSPACED}{_MARKS}])+)*)"
)
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_HANGUL = re.compile(f"[{HANGUL}]")
_KANA = re.compile(f"[{KANA}]")
_LETTERS_WITH_DOTS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")

# never the end of a sentence while something follows
_TITLES = frozenset(
    "dr mr mrs ms mx prof st gen col capt lt sgt rev hon gov sen rep pres messrs vs cf e.g i.e viz www".split()
)
# an end only if a capital or a new line follows
_SHORT = frozenset(
    "etc approx appt dept est inc ltd co corp jr sr fig figs eq vol ch sec secs pp ave blvd rd mt ft oz "
    "lb lbs hr hrs min mins jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur "
    "thurs fri sat sun al ed a.m p.m i".split()
)
_NUMBERED = frozenset("no nos p art".split())  # an abbreviation only before a digit
_ADDRESS = "/.@=&"  # in a word that may be an address, and go on after its "?"
_SCHEMES = frozenset("http https ftp mailto".split())
# words that lean on what follows: a chunk should not end with one
_LEANING = frozenset(
    "a an the of to in on at by for from with and or but nor so as if than that this these those is are "
    "was were be been am will would can could should may might must have has had do does did not no very "
    "my your his her its our their we i you he she it they who which what when where how why because "
    "while into over about".split()
)
# Chinese is cut only where a word surely ends or begins: one of these ends nearly every word it is in, or begins it ...
_ENDS_PHRASE = "的了着过吗呢吧啊呀嘛们"
_STARTS_PHRASE = "我你您他她它这那但并而或因所如就也都在把被从让还又没最很更却每第两几和"
# ... except here
_GLUED = frozenset(
    "目的 的确 的话 了解 了不 着急 着火 着手 着重 过去 过来 过程 过年 过于 过度 过分 过敏 "
    "自我 其他 其它 吉他 不但 合并 原因 场所 厕所 成就 首都 成都 存在 现在 正在 实在 自从 "
    "服从 转让 归还 淹没 变更 冷却 忘却 温和 共和 缓和 暖和 进而 反而 从而 然而 也就 例如 "
    "比如 假如 主的".split()
)
_NUMERALS = "零〇一二三四五六七八九十百千万亿"
_BEFORE_NUMERALS = "第统唯专单星期周拜初之点分时年月块元几两" + _NUMERALS  # "第一", "星期三", "三点二十"


class Boundary(IntEnum):
    """What a text ends with at a cut, weakest first."""

    WORD = 1
    CLAUSE = 2
    SENTENCE = 3
    PARAGRAPH = 4
    END = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is to say.

    `wide` counts characters that are a syllable each (Han, kana, Hangul), `narrow` all others that take time, a digit
    three times. `pause_ms`: milliseconds of silence that the text asks for. `marks` counts what a voice adds at
    punctuation (a longer last syllable, a breath): one after Han or kana, three after another word, by the sandbox's
    voice ("No," takes three times what its letters do).
    """

    narrow: int = 0
    wide: int = 0
    pause_ms: float = 0.0
    marks: int = 0


@dataclass(frozen=True, slots=True)
class Cut:
    """A place to cut: `text[:end]` may be a chunk. Counts are from the start of the text.

    `closed` is False where text still to come could show that this was no end ("example." before "com").
    `poor` marks a word boundary a speaker would not pause at.
    """

    end: int
    boundary: Boundary
    closed: bool
    poor: bool
    words: int
    unspaced: int  # characters of a script without blanks
    size: Size

    @property
    def pronounceable(self) -> bool:
        """Whether there is anything to pronounce before the cut."""
        return self.words + self.unspaced > 0


def measure(text: str) -> Size:
    """How much there is to say in `text`."""
    walk = _Walk(text, final=True)
    for match in _TOKEN.finditer(text):
        walk.count(match)
    return walk.size


def find_cuts(text: str, *, final: bool, limit: int = 600) -> list[Cut]:
    """All places `text` may be cut, in order, up to the first beyond `limit` characters. `final`: nothing follows."""
    return [
        cut
        for cut in _Walk(text, final=final).cuts(limit)
        if cut.pronounceable and not inside_grapheme(text, cut.end)
    ]


class _Walk:
    """One pass over a text, counting what was passed."""

    def __init__(self, text: str, *, final: bool) -> None:
        self._text = text
        self._final = final
        self._japanese = _KANA.search(text, 0, 400) is not None
        self._words = self._unspaced = self._narrow = self._wide = self._marks = 0
        self._pause_ms = 0.0
        self._last = ""  # the last word, or character of a script without blanks
        self._last_start = 0
        self._quotes = 0  # open quotation marks and brackets

    @property
    def size(self) -> Size:
        return Size(self._narrow, self._wide, self._pause_ms, self._marks)

    def cuts(self, limit: int) -> Iterator[Cut]:
        for match in _TOKEN.finditer(self._text):
            self.count(match)
            boundary = self._boundary(match)
            if boundary is not None:
                poor = boundary is Boundary.WORD and self._leans()
                yield Cut(
                    match.end(), boundary, self._closed(match), poor, self._words, self._unspaced, self.size
                )
                if match.end() > limit:
                    return

    def count(self, match: re.Match[str]) -> None:
        token = match.group()
        match match.lastgroup:
            case "pause":
                self._pause_ms += 1000 * min(99.99, float(token[2:-2]))
            case "unspaced":
                self._last, self._last_start = token, match.start()
                if pronounceable(token):
                    self._unspaced += 1
                    self._wide += 1
            case "word":
                self._last, self._last_start = token, match.start()
                hangul = len(_HANGUL.findall(token))
                letters = count_pronounceable(token)
                self._words += letters > 0
                self._wide += hangul
                self._narrow += letters - hangul + 2 * sum(char.isdigit() for char in token)
            case "space":
                self._narrow += 1
                self._marks += 1 if is_unspaced(self._last[:1]) else 3
            case _:
                self._narrow += 1
        for char in token:
            if char == '"':
                self._quotes += -1 if self._quotes > 0 else 1
            elif char in "“‘«「『（【《〈([{":
                self._quotes += 1
            elif char in "”»」』）】》〉)]}":
                self._quotes = max(0, self._quotes - 1)

    def _boundary(self, match: re.Match[str]) -> Boundary | None:
        match match.lastgroup:
            case "space":
                return self._after_punctuation(match)
            case "gap":
                return self._after_gap(match)
            case "unspaced":
                return Boundary.WORD if self._between_unspaced(match) else None
            case "word":
                following = self._text[match.end() : match.end() + 1]
                letters = match.group()[-1].isalpha() and match.group()[0] not in OPENERS
                return Boundary.WORD if letters and following and is_unspaced(following) else None
        return None

    def _after_gap(self, match: re.Match[str]) -> Boundary | None:
        newlines = match.group().count("\n")
        if self._text[match.end() :].startswith("<#") or self._text[: match.start()].endswith(
            tuple(OPENERS[:3] + "“‘「『（")
        ):
            return None
        if newlines:
            return Boundary.PARAGRAPH if newlines > 1 else Boundary.SENTENCE
        return Boundary.WORD

    def _after_punctuation(self, match: re.Match[str]) -> Boundary | None:
        punct, close, space = match.group("punct"), match.group("close"), match.group("space")
        rest = self._text[match.end() : match.end() + 2]
        touching = not space and rest != ""
        wide = punct[-1] in _WIDE_MARKS or punct[0] in _WIDE_MARKS
        if rest.startswith("<#") or (touching and not wide and not is_unspaced(rest[0])):
            return None
        if not space and not rest and not self._final and not self._certain(punct, close):
            return None
        newlines = space.count("\n")
        if newlines:
            return Boundary.PARAGRAPH if newlines > 1 else Boundary.SENTENCE
        if punct == "." and not self._ends_sentence(rest):
            joined = self._abbreviated() in _TITLES or self._list_number() or not space
            return None if joined else Boundary.WORD
        if "..." in punct or "…" in punct or not any(char in _STOPS for char in punct):
            return Boundary.CLAUSE
        return Boundary.SENTENCE

    def _certain(self, punct: str, close: str) -> bool:
        """Whether punctuation at the very end of the received text can be taken without seeing what follows."""
        if (self._quotes > 0 and not close) or punct in ("-", "–"):
            return False
        if punct[-1] in "!?" and not close:
            return not any(char in _ADDRESS for char in self._last)
        if punct[-1] in _WIDE_MARKS or close:
            return True
        if is_unspaced(self._last[:1]):
            return True
        word = self._last.strip(OPENERS + CLOSERS)
        if not _PLAIN_WORD.fullmatch(word):
            return False
        if punct == ".":
            return len(word) > 1 and word.lower() not in _TITLES | _SHORT
        return not (punct == ":" and word.lower() in _SCHEMES)

    def _ends_sentence(self, rest: str) -> bool:
        """Whether one full stop after the last word is the end of a sentence, `rest` being what follows."""
        if self._list_number():
            return False
        if is_unspaced(self._last[:1]) or (not rest and self._final):
            return True
        word, following = self._abbreviated(), rest[:1]
        if not following:
            short = word in _TITLES | _SHORT | _NUMBERED or _LETTERS_WITH_DOTS.fullmatch(word)
            return not short
        if following.islower() or word in _TITLES:
            return False
        if word in _NUMBERED and following.isdigit():
            return False
        if word in _SHORT:
            return not following.isdigit()
        return not _LETTERS_WITH_DOTS.fullmatch(word)

    def _abbreviated(self) -> str:
        return self._last.strip(OPENERS + CLOSERS).lower()

    def _list_number(self) -> bool:
        before = self._text[: self._last_start].rstrip(" \t")
        return self._last.isdigit() and len(self._last) <= 3 and (not before or before.endswith("\n"))

    def _closed(self, match: re.Match[str]) -> bool:
        return self._final or match.end() < len(self._text) or match.group()[-1:].isspace()

    def _between_unspaced(self, match: re.Match[str]) -> bool:
        """Whether a cut after this character can be between two words."""
        following = self._text[match.end() : match.end() + 1]
        if not following or not (is_unspaced(following) or following.isalpha()):
            return False
        if not self._japanese:
            return self._between_words(match.end())
        last = self._last[0]
        phrase = (
            _script(last) == "kana" and _script(following) != "kana" and last not in "おご"
        )  # as in "お茶"
        return phrase or last == "を" or not is_unspaced(following)

    def _leans(self) -> bool:
        """Whether a chunk that ends with this word would pause where no speaker does."""
        if is_unspaced(self._last[:1]):
            return False
        word = self._last.strip(OPENERS + CLOSERS).lower()
        return word in _LEANING or word in _TITLES or word[-1:].isdigit()

    def _between_words(self, end: int) -> bool:
        """Whether a Chinese word surely ends here."""
        last, following = self._last[0], self._text[end]
        if last + following in _GLUED or self._text[end - 2 : end] in _GLUED:
            return False
        if following in _NUMERALS:
            return last not in _BEFORE_NUMERALS
        return last in _ENDS_PHRASE or following in _STARTS_PHRASE or not is_unspaced(following)


def _script(char: str) -> str:
    if "\u3040" <= char <= "\u309f":
        return "kana"
    return "katakana" if "\u30a0" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9d" else "han"
