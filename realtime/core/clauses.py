"""Where a text may be cut for speech: paragraphs, sentences, clauses, words.

Walks over a text in any script and knows what is not an end although it looks like one: a decimal, a time, a list
number, an address. Which marks there are says `punctuation.py`, what a full stop is `full_stops.py`, where words meet
without blanks `segments.py`. Counts what there is to say before a cut; how long that takes and where to cut is for
others to decide (`playback_clock.py`, `chunker.py`).
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
from realtime.core.full_stops import FullStops, Stop
from realtime.core.punctuation import (
    BRACKETS,
    CLOSERS,
    DIGIT_JOINING,
    JOINING,
    MARKS,
    OPENERS,
    QUOTES,
    TOUCHING,
    ends_sentence,
    follow_quotes,
)
from realtime.core.segments import (
    chinese_word_ends,
    chinese_word_may_end,
    count_as_words,
    japanese_phrase_ends,
    segment_ends,
)
from realtime.core.unicode_tables import COMBINING, SEGMENTED, count_inherent_vowels, is_segmented

_ANY_MARK = re.escape(MARKS)
_CHARS = rf"(?:[^\s{UNSPACED}{SEGMENTED}{_ANY_MARK}፡<·]++|<(?!\#)|·(?!\s))+"  # of a word
# The most frequent first: this runs over the pending text with every delta.
_TOKEN = re.compile(
    rf"(?P<word>(?!--|(?<=\s)-\s){_CHARS}"
    rf"(?:(?:[{JOINING}]+(?=[^\W_])(?![{UNSPACED}{SEGMENTED}])|(?<=\d)[{DIGIT_JOINING}](?=\d)){_CHARS})*)"
    rf"|(?P<gap>[\s፡]+)"
    rf"|(?P<unspaced>[{UNSPACED}][\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef]*)"
    rf"|(?P<run>[{SEGMENTED}][{SEGMENTED}\u200b-\u200d]*)"
    rf"|(?P<punct>[{_ANY_MARK}]+(?:(?<=[།༎]) +[།༎])*|-{{2,}}|(?<=\s)-(?=\s)|(?<=[\u0370-\u03ff])·(?=\s))"
    rf"(?P<close>(?:[{re.escape(CLOSERS)}]|[“«](?=[\s.,;:!?])|[ \u00a0\u202f]»(?=[\s.,;:!?]))*)(?P<space>\s*)"
    rf"|(?P<pause>{PAUSE_MARK.pattern})"
)
_PLAIN_WORD = re.compile(rf"[^\W\d_](?:['’-]?[^\W\d_]|[{COMBINING}])*")
_HANGUL = re.compile(f"[{HANGUL}]")
_KANA = re.compile(f"[{KANA}]")
_MARK_AHEAD = re.compile(rf"[{_ANY_MARK}]+(?:[\s{re.escape(CLOSERS)}]|$)|»(?=[\s{_ANY_MARK}]|$)|[ๆฯໆៗ]")
_NUMBER_BEFORE, _NUMBER_AFTER = (
    re.compile(r"(?<![\d.,])\d{1,3}(?:[ \u00a0\u202f]\d{3})*$|\d\d$"),
    re.compile(r"\d+"),
)

_DIGIT_JOINING_SET = frozenset(DIGIT_JOINING)
_NO_GAP_AFTER = frozenset(OPENERS) - frozenset("\"'")
_SURE_ENDS = frozenset("!?") | frozenset(char for char in MARKS if char in "؟‽⁇⁈⁉！？")
_SCORE = frozenset(":-–：")
_AHEAD = 200  # characters after the limit that may tell what a place before it is
_NO_SURE_END = 8  # Chinese characters after which an end that is not sure counts
_ADDRESS = "/.@=&"  # in a word that may be an address, and go on after its "?"
_SCHEMES = frozenset("http https ftp mailto".split())
# words that lean on what follows: a chunk should not end with one
_LEANING = frozenset(
    "a an the of to in on at by for from with and or but nor so as if than that this these those is are "
    "was were be been am will would can could should may might must have has had do does did no very "
    "my your his her its our their we i you he she it they who which what when where how why because "
    "while into over about".split()
)


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
    unspaced: int  # characters, or else syllables, of a script without blanks
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
    """All places `text` may be cut, in order, up to the first beyond `limit` characters. `final`: nothing follows.

    What stands far beyond the limit is not looked at, so that a long text costs no more than a short one.
    """
    if len(text) > limit + _AHEAD:
        text, final = text[: limit + _AHEAD], False
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
        self._japanese: bool | None = None  # not yet asked
        self._words = self._unspaced = self._narrow = self._wide = self._marks = 0
        self._pause_ms = 0.0
        self._last = ""  # the last word, or character or segment of a script without blanks
        self._last_start = 0
        self._quotes: list[str] = []  # open quotation marks and brackets
        self._stops = FullStops(text, final=final)
        self._unsure = False  # only the model of words thinks that a Chinese word ends here
        self._sure_at = 0  # how many characters without blanks stood before the last sure end of one

    @property
    def size(self) -> Size:
        return Size(self._narrow, self._wide, self._pause_ms, self._marks)

    def cuts(self, limit: int) -> Iterator[Cut]:
        for match in _TOKEN.finditer(self._text):
            if match.lastgroup == "run":
                yield from self._cuts_of_run(match)
                boundary = self._before_unspaced(match)
            else:
                self.count(match)
                boundary = self._boundary(match)
            if boundary is not None:
                yield self._cut(match.end(), boundary, self._closed(match))
                if match.end() > limit:
                    return

    def count(self, match: re.Match[str]) -> None:
        token, kind = match.group(), match.lastgroup
        if kind == "unspaced":
            self._last, self._last_start = token, match.start()
            if pronounceable(token):
                self._unspaced += 1
                self._wide += 1
            return
        match kind:
            case "word":
                self._last, self._last_start = token, match.start()
                self._count_word(token)
            case "space":
                self._narrow += 1
                self._marks += 1 if is_unspaced(self._last[:1]) else 3
            case "pause":
                self._pause_ms += 1000 * min(99.99, float(token[2:-2]))
            case "run":
                self._count_segment(token, match.start())
            case _:
                self._narrow += 1
        if not QUOTES.isdisjoint(token):
            follow_quotes(self._quotes, token)

    def _count_word(self, token: str) -> None:
        if token.isascii() and token.isalpha():
            self._words += 1
            self._narrow += len(token)
            return
        letters, hangul = count_pronounceable(token), len(_HANGUL.findall(token))
        self._words += letters > 0
        self._wide += hangul
        self._narrow += letters - hangul + count_inherent_vowels(token) + 2 * sum(map(str.isdigit, token))

    def _count_segment(self, segment: str, start: int) -> None:
        self._last, self._last_start = segment, start
        letters = count_pronounceable(segment)
        self._narrow += letters + count_inherent_vowels(segment)
        if count_as_words(segment):
            self._words += letters > 0
        else:
            self._unspaced += letters > 0

    def _cuts_of_run(self, match: re.Match[str]) -> Iterator[Cut]:
        start, end = match.span()
        complete = self._final or end < len(self._text)
        for place in segment_ends(self._text, start, end, complete=complete):
            self._count_segment(self._text[start:place], start)
            yield self._cut(place, Boundary.WORD, closed=True)
            start = place
        self._count_segment(self._text[start:end], start)

    def _cut(self, end: int, boundary: Boundary, closed: bool) -> Cut:
        poor = boundary is Boundary.WORD and self._leans()
        return Cut(end, boundary, closed, poor, self._words, self._unspaced, self.size)

    def _boundary(self, match: re.Match[str]) -> Boundary | None:
        self._unsure = False
        match match.lastgroup:
            case "unspaced":
                return Boundary.WORD if self._between_unspaced(match.end()) else None
            case "gap":
                return self._after_gap(match)
            case "space":
                return self._after_punctuation(match)
            case "word":
                return self._before_unspaced(match)
        return None

    def _before_unspaced(self, match: re.Match[str]) -> Boundary | None:
        """After a word that a script without blanks follows."""
        following = self._text[match.end() : match.end() + 1]
        if following < "\u0e00" or not (is_unspaced(following) or is_segmented(following)):
            return None
        return Boundary.WORD if self._last[-1].isalpha() and match.group()[0] not in OPENERS else None

    def _after_gap(self, match: re.Match[str]) -> Boundary | None:
        start, end = match.span()
        before, following = self._text[start - 1 : start], self._text[end : end + 1]
        if before in _NO_GAP_AFTER or (following == "<" and self._text.startswith("<#", end)):
            return None
        if (newlines := match.group().count("\n")) > 0:
            return Boundary.PARAGRAPH if newlines > 1 else Boundary.SENTENCE
        if before.isdigit() and self._inside_number(start, end):
            return None
        if following and not following.isalpha() and _MARK_AHEAD.match(self._text, end):
            return None  # as French writes: "Ça va ?"
        if is_segmented(before) and is_segmented(following):
            return None if following in "ๆໆៗ" else Boundary.CLAUSE  # blanks stand between phrases, not words
        return Boundary.WORD

    def _inside_number(self, start: int, end: int) -> bool:
        """Whether the gap is inside "10 000" or "06 12 34"."""
        after = _NUMBER_AFTER.match(self._text, end)
        before = _NUMBER_BEFORE.search(self._text, max(0, start - 12), start)
        if end == len(self._text) and before:
            return not self._final  # more digits may come
        if not after or not before:
            return False
        digits = len(after.group())
        growing = not self._final and after.end() == len(self._text)
        return digits in (2, 3) or (growing and digits < 3)

    def _after_punctuation(self, match: re.Match[str]) -> Boundary | None:
        punct, close, space = match.group("punct"), match.group("close"), match.group("space")
        rest = self._text[match.end() : match.end() + 2]
        if rest.startswith("<#") or (rest and not space and not self._may_touch(punct, rest[0])):
            return None
        if not space and not rest and not self._final and not self._certain(punct, close):
            return None
        newlines = space.count("\n")
        if newlines:
            return Boundary.PARAGRAPH if newlines > 1 else Boundary.SENTENCE
        if punct == ".":
            return self._after_full_stop(match, bool(space))
        if punct in _SCORE and self._inside_score(match, rest):
            return None
        return Boundary.SENTENCE if ends_sentence(punct, self._last) else Boundary.CLAUSE

    def _inside_score(self, match: re.Match[str], rest: str) -> bool:
        """Whether this mark may stand between the numbers of "3 : 2"."""
        if not self._last[-1:].isdigit() or not self._text[match.start() - 1].isspace():
            return False
        return rest[:1].isdigit() or (not rest and not self._final)

    def _after_full_stop(self, match: re.Match[str], space: bool) -> Boundary | None:
        match self._stops.judge(self._last_start, self._last, match.end()):
            case Stop.END:
                return Boundary.SENTENCE
            case Stop.INSIDE:
                return Boundary.WORD if space else None
        return None

    def _may_touch(self, punct: str, following: str) -> bool:
        """Whether there can be a cut after this mark without a blank."""
        if following.isdigit() and punct in _DIGIT_JOINING_SET and self._last[-1:].isdigit():
            return False
        if punct[-1] in TOUCHING or punct[0] in TOUCHING or is_unspaced(following):
            return True
        return is_segmented(following) and punct[-1] != "."

    def _certain(self, punct: str, close: str) -> bool:
        """Whether punctuation at the very end of the received text can be taken without seeing what follows."""
        if (self._quotes and not close) or punct in ("-", "–"):
            return False
        if punct[-1] in _SURE_ENDS and not close:
            return not any(char in _ADDRESS for char in self._last)
        if punct[-1] in _DIGIT_JOINING_SET and self._last[-1:].isdigit():
            return False
        if punct[-1] in TOUCHING or close:
            return True
        if is_unspaced(self._last[:1]):
            return True
        word = self._last.strip(BRACKETS)
        if not _PLAIN_WORD.fullmatch(word):
            return False
        if word.lower() == "www":
            return False  # an address begins
        if punct == ".":
            return not is_segmented(word[0]) and not self._stops.may_not_end(self._last_start, word)
        return not (punct == ":" and word.lower() in _SCHEMES)

    def _closed(self, match: re.Match[str]) -> bool:
        return self._final or match.end() < len(self._text) or match.group()[-1:].isspace()

    def _between_unspaced(self, end: int) -> bool:
        """Whether a cut after this character can be between two words."""
        following = self._text[end : end + 1]
        if not following or not (following.isalpha() or is_unspaced(following)):
            return False
        if self._japanese is None:
            self._japanese = _KANA.search(self._text, 0, 400) is not None
        if self._japanese:
            return japanese_phrase_ends(self._last[0], following)
        if chinese_word_ends(self._text, end, complete=self._final):
            self._sure_at = self._unspaced
            return True
        self._unsure = self._unspaced - self._sure_at >= _NO_SURE_END and chinese_word_may_end(
            self._text, end, complete=self._final
        )
        return self._unsure

    def _leans(self) -> bool:
        """Whether a chunk that ends with this word would pause where no speaker does."""
        last = self._last
        if is_unspaced(last[:1]):
            return self._unsure
        word = last if last.isalpha() else last.strip(BRACKETS)
        return (
            word.lower() in _LEANING or word[-1:].isdigit() or self._stops.is_leading(self._last_start, word)
        )
