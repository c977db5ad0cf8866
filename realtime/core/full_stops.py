"""Whether a full stop ends a sentence, or belongs to an abbreviation, a number or an initial.

Knows the text around it and the tables by language. A full stop that can be either ends a sentence if a word follows
that often begins one ("at 5 p.m. Then ..."), and not if another word does ("at 5 p.m. Monday"). Does not know which
cut is wanted (`clauses.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from realtime.core.characters import is_unspaced
from realtime.core.languages import (
    Kind,
    abbreviation,
    is_abbreviation,
    is_also_word,
    leads_in,
    starts_sentence,
    writes_ordinals_with_stops,
)
from realtime.core.languages.guess import guess_languages
from realtime.core.punctuation import BRACKETS, OPENERS
from realtime.core.unicode_tables import COMBINING


class Stop(Enum):
    """What a full stop is."""

    END = 0
    INSIDE = 1  # no end; a chunk may end there, between two words
    JOINED = 2  # no end, and what follows belongs to it
    UNKNOWN = 3  # text still to come decides


@dataclass(frozen=True, slots=True)
class _Next:
    """The word after a full stop."""

    word: str
    whole: bool  # more letters cannot come
    dotted: bool  # a short word before another full stop: "B." after "z."


_LETTER = rf"(?:[^\W\d_][{COMBINING}]*)"
_DOTTED = re.compile(rf"(?:{_LETTER}{{1,3}}\.)+-?{_LETTER}{{1,3}}")  # "U.S", "a.m", "Ph.D"
_ELISION = re.compile(r"^(?:[^\W\d_]{1,5})['’]")
_PARTS_BEFORE = re.compile(rf"(?<![^\W_])(?:-?{_LETTER}{{1,4}}\.[ \u00a0\u202f]?){{1,3}}$")
_NEXT = re.compile(rf"[{re.escape(OPENERS)}]*(\d+|(?:{_LETTER}|(?<=\w)['’](?=\w))*)")
_ROMAN = re.compile(r"(?=[IVX])(?:X{0,3})(?:IX|IV|V?I{0,3})")
_THAI = re.compile(r"[\u0e01-\u0e4e]")
_GEORGIAN = re.compile(r"[\u10d0-\u10ff]")  # its letters are small to Unicode, and begin sentences
# No vowels: "พ.ศ", "น"
_THAI_SHORT = re.compile(r"(?<![\u0e01-\u0e4e])(?:เ?[ก-ฮ]{1,3}\.)*(?:เ?[ก-ฮ]{1,4}|โทร)$")
_ENGLISH = frozenset(("en",))
_NO_WORDS = frozenset(("eg", "viz", "www"))  # in English
_BEGUN = re.compile(r"\w[^.!?。！？]*$")  # a word of the same sentence
_BEFORE = 24  # characters that tell what a word is
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\.?\s+$")
# a letter alone after one of these is a name for a thing, and may be the last word: "vitamin C.", "plan B."
_LETTER_AFTER = frozenset(
    "vitamin vitamins vitamina vitamine vitamines plan plans planen plano piano option options opción opção opzione "
    "answer answers antwort respuesta letter letters buchstabe letra lettre grade type typ tipo group gruppe grupo "
    "groupe gruppo team class klasse part teil parte section point punkt punto variable hepatitis level step room "
    "variant blood a b c and or than as am".split()
)
_CARDINAL_AFTER = frozenset(
    "um gegen klokken klokka kl klockan kello klo saat gate room zimmer platform gleis".split()
)


class FullStops:
    """The full stops of one text. `final`: nothing follows the text."""

    def __init__(self, text: str, *, final: bool) -> None:
        self._text = text
        self._final = final
        self._known: frozenset[str] | None = None

    def may_not_end(self, start: int, word: str) -> bool:
        """Whether a full stop after `word`, which stands at `start`, at the end of the text may be no end."""
        if len(word) < 2:
            return True
        return (is_abbreviation(word) or word[:1] == "-") and self._kind(start, word) > Kind.NUMBERED

    def judge(self, start: int, raw: str, after: int) -> Stop:
        """The full stop after the word `raw`, which stands at `start`; what follows it and its space is at `after`."""
        if self.is_list_number(start, raw):
            return Stop.JOINED
        if is_unspaced(raw[:1]):
            return Stop.END
        if _THAI.match(raw) and after < len(self._text):
            dot = start + len(raw)
            return Stop.INSIDE if _THAI_SHORT.search(self._text, max(0, dot - 16), dot) else Stop.END
        word = raw.strip(BRACKETS)
        if after >= len(self._text):
            return Stop.END if self._final else self._at_the_end(self._kind(start, word), word)
        following = self._next(after)
        if following.word[:1].islower() and not _GEORGIAN.match(following.word):
            return self._before_small(start, word, following)
        return self._before_capital(self._kind(start, word), word, following)

    def is_list_number(self, start: int, raw: str) -> bool:
        """Whether this begins a line, and numbers it."""
        if not raw.isdigit() or len(raw) > 3:
            return False
        before = self._text[:start].rstrip(" \t")
        return not before or before.endswith("\n")

    def is_leading(self, start: int, word: str) -> bool:
        """Whether a chunk that ends with this abbreviation would pause where no speaker does."""
        return is_abbreviation(word) and self._kind(start, word) is Kind.LEADING

    def is_title(self, start: int, word: str) -> bool:
        """Whether a transcript that ends with this abbreviation stops before what it belongs to: "I need to see Dr."

        Of a word, and no letter, only English counts and the language that the text shows: "Red." is a colour, and a
        title in Polish. What is a word as well is a title with a capital, after other words: "I wrote to Rep."."""
        before = self._text[:start]
        found = _found(before[-_BEFORE:], word)
        if "." in found or len(word) == 1:
            return self._kind(start, word) is Kind.LEADING
        ordinary = is_also_word(word) and word.lower() not in _NO_WORDS
        if ordinary and (word.islower() or not _BEGUN.search(before)):
            return False
        known = self._languages
        return leads_in(found, _ENGLISH if "en" in known else known | _ENGLISH)

    @staticmethod
    def _at_the_end(kind: Kind, word: str) -> Stop:
        if kind is Kind.WORD and len(word) > 1:
            return Stop.END
        joined = kind in (Kind.LEADING, Kind.INITIAL, Kind.NUMBERED) or len(word) < 2
        return Stop.JOINED if joined else Stop.INSIDE

    def _before_small(self, start: int, word: str, following: _Next) -> Stop:
        if following.dotted and len(word) <= 2:
            return Stop.JOINED
        return Stop.JOINED if self._kind(start, word) is Kind.LEADING else Stop.INSIDE

    def _before_capital(self, kind: Kind, word: str, following: _Next) -> Stop:
        """Before a capital, a digit, or a letter of a script that has no capitals."""
        if kind is Kind.LEADING:
            return Stop.JOINED
        if following.word[:1].isdigit():
            joined = kind in (Kind.NUMBERED, Kind.ORDINAL, Kind.INITIAL)
            return Stop.JOINED if joined else Stop.END if kind is Kind.WORD else Stop.INSIDE
        if kind in (Kind.WORD, Kind.NUMBERED):
            if not word.isalpha() or not (len(word) == 1 or (len(word) == 2 and word.isupper())):
                return Stop.END
            if following.dotted:
                return Stop.JOINED  # "z. B.", "EE. UU."
            return Stop.END if following.whole or len(following.word) > 3 else Stop.UNKNOWN
        if following.dotted and len(word) <= 3 and kind is not Kind.ORDINAL:
            return Stop.JOINED
        if not following.whole:
            return Stop.UNKNOWN
        if not following.word or starts_sentence(following.word, self._languages):
            return Stop.END
        return Stop.JOINED if kind is Kind.INITIAL else Stop.INSIDE

    def _next(self, after: int) -> _Next:
        match = _NEXT.match(self._text, after)
        word = match.group(1) if match else ""
        end = match.end(1) if match else after
        rest = self._text[end : end + 1]
        return _Next(
            word, self._final or rest != "", rest == "." and 0 < len(word) <= 3 and not word.isdigit()
        )

    def _kind(self, start: int, word: str) -> Kind:
        """What the word before a full stop is."""
        if _is_plain(word) and "." not in self._text[max(0, start - 2) : start]:
            return Kind.WORD
        return _kind_after(self._text[max(0, start - _BEFORE) : start], word, self._languages)

    @property
    def _languages(self) -> frozenset[str]:
        if self._known is None:
            self._known = guess_languages(self._text)
        return self._known


def _is_plain(word: str) -> bool:
    """Whether a word can only be a word, in any language, after any other."""
    plain = len(word) > 1 and word.isalpha() and not word.isupper() and not word.endswith("str")
    return plain and not is_abbreviation(word)


@lru_cache(maxsize=4096)  # pending text is looked through again with every delta
def _kind_after(before: str, word: str, languages: frozenset[str]) -> Kind:
    """What a word before a full stop is, from the tables and from how it looks; `before`: the text before it."""
    if word.isdigit() or (word.isupper() and len(word) > 1 and _ROMAN.fullmatch(word)):
        return _number_kind(before, word, languages)
    if (short := _abbreviation(before, word, languages)) is not Kind.WORD:
        return short
    if _DOTTED.fullmatch(word):
        return Kind.INITIAL if word.isupper() and len(word) <= 5 else Kind.MAYBE_LAST
    if len(word) == 1 and word.isalpha() and not word.islower():
        return Kind.WORD if _word_before(before) in _LETTER_AFTER else Kind.INITIAL
    return Kind.WORD


def _number_kind(before: str, word: str, languages: frozenset[str]) -> Kind:
    ordinal = len(word) <= 3 or not word.isdigit()
    unknown = not word.isdigit() and not languages  # a king, more often than a war
    if not ordinal or not (unknown or writes_ordinals_with_stops(languages)):
        return Kind.WORD
    return Kind.WORD if _word_before(before) in _CARDINAL_AFTER else Kind.ORDINAL


def _abbreviation(before: str, word: str, languages: frozenset[str]) -> Kind:
    if found := _found(before, word):
        return abbreviation(found, languages)
    return Kind.MAYBE_LAST if len(word) > 4 and word.endswith("str") else Kind.WORD  # "Goethestr. 5"


def _found(before: str, word: str) -> str:
    """The abbreviation of the tables that ends with this word, and perhaps begins before it: "e.g"; "" if none does."""
    if "'" in word or "’" in word:
        word = _ELISION.sub("", word)  # "l'avv."
    near = before[-20:]
    after_stop = near.endswith((".", ". ", ".\u00a0", ".\u202f"))  # asked first: the search is slow
    if parts_before := _PARTS_BEFORE.search(near) if after_stop else None:
        parts = "".join(parts_before.group().split()).lower()
        while parts:
            if is_abbreviation(parts + word):
                return parts + word
            parts = parts.partition(".")[2]
    return word if is_abbreviation(word) else ""


def _word_before(before: str) -> str:
    match = _WORD_BEFORE.search(before)
    return match.group(1).lower() if match else ""
