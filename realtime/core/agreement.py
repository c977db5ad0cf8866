"""Interim transcripts that never change, from guesses that do.

A transcriber that decodes a growing utterance again and again revises its last words. The wire's transcription deltas
are appended by clients and can never be taken back. So a word is passed on only when two guesses in a row agree on it,
and the mark after the last word only when a word follows: every guess ends like a sentence. So does a number wait for
a word that is none: while it is spoken it grows and is written anew (20, 25; 138, 13 8225). Knows text alone.

A word that was passed on may be guessed otherwise from then on: 9点, 九点. The guess is aligned with what was passed
on, by how both sound, and what follows there is passed on next.

Of a long utterance the beginning is settled: it was read for good, and guesses are of the rest. Then nobody knows which
of the words that were passed on are in the rest, because the text that was settled may have other words than the
guesses. The two are aligned with the next guess: what was not passed on yet follows, and no word comes twice. So it is
with the text of the whole utterance at its end: see `ending`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from realtime.core.characters import UNSPACED, is_unspaced, joined
from realtime.core.essence import NUMERALS
from realtime.core.folding import fold
from realtime.core.heard_units import Unit, heard_units, is_japanese

_WORD = re.compile(rf"\s*[{UNSPACED}]|\s*[^\s{UNSPACED}]+")
_MARKS = " .,;:!?…。，、；：！？"
MOST_ALIGNED = 64  # of the words that were passed on last: where those end is where all end
MOST_DRIFT = 192  # words by which a long text may be longer or shorter than what was passed on of it
# Of numbers as they are heard (`heard_units.py`), and words that the next guess may make digits of: "two point five"
_DIGITS = frozenset("〇一二三四五六七八九")
_NUMERAL = re.compile(f"[{NUMERALS}]")
_PARTS_OF_NUMBERS = frozenset(
    "hundred thousand million billion point dot and a half percent double triple treble oh nought oclock dollars "
    "点 點 块 塊 元 分 毛".split()
)


class Agreement:
    """Follows the guesses for one utterance."""

    def __init__(self) -> None:
        self._last: list[str] = []
        self._said = ""
        self._told: list[str] = []  # what was passed on of what the guesses say now ...
        self._guessed = ""  # ... and how the guess began of which the last of it was
        self._settled: list[str] | None = None  # words that were settled and are not aligned yet

    def __repr__(self) -> str:
        return f"<Agreement on {self._said!r}>"

    @property
    def said(self) -> str:
        """Everything passed on so far."""
        return self._said

    def settle(self, text: str) -> None:
        """The beginning of what was guessed was read for good, as this text: what is guessed now is the rest."""
        before = self._settled or []
        self._settled = [*before, *_words(_after("".join(before), text.strip()))]
        self._last = []

    def feed(self, guess: str) -> str:
        """The words that this guess confirms, ready to be appended to what was said; often empty."""
        words = _words(guess.strip().rstrip(_MARKS))
        fresh = ""
        if self._settled is not None:
            fresh, self._settled = self._align(self._settled, words), None
        agreed = 0
        for old, new in zip(self._last, words, strict=False):
            if old != new:
                break
            agreed += 1
        self._last = words
        sure = _without_last_number(words[:agreed])
        if more := self._more(sure):
            fresh += more if self._told else _after(self._said + fresh, more)
            self._told += _words(more)
            self._guessed = "".join(sure)
        self._said += fresh
        return fresh

    def _more(self, agreed: list[str]) -> str:
        """What follows in these words after what was passed on of them."""
        text = "".join(agreed)
        return text[len(self._guessed) :] if text.startswith(self._guessed) else _rest(agreed, self._told)

    def _align(self, settled: list[str], guess: list[str]) -> str:
        """What is settled and was not passed on yet, before this first guess of the rest."""
        whole, told = [*settled, *guess], self._told
        place = _end_in(whole, told)
        self._told = guess[: max(0, place - len(settled))]
        self._guessed = "".join(self._told)
        marks = _marks_after(told[-1], whole[place - 1]) if told and 0 < place <= len(settled) else ""
        rest = "".join(settled[place:])
        return marks + (rest if place else _after(self._said, rest))


def ending(said: str, text: str) -> str:
    """What `text`, which the whole utterance says, has after the words that were passed on. Appended to them it gives
    the text, unless one of them was read otherwise."""
    if not said or text.startswith(said):
        return text[len(said) :]
    told, words = _words(said), _words(text)
    words = words[max(0, len(told) - MOST_ALIGNED - MOST_DRIFT) :]
    place = _end_in(words[: MOST_ALIGNED + 2 * MOST_DRIFT], told)
    rest = "".join(words[place:])
    return _marks_after(told[-1], words[place - 1]) + rest if place else _after(said, rest)


def _rest(words: list[str], told: list[str]) -> str:
    """What these words have after those that were passed on; marks alone are nothing."""
    place = _end_in(words, told)
    rest = "".join(words[place:])
    if not rest.strip(_MARKS):
        return ""
    return _marks_after(told[-1], words[place - 1]) + rest if place else _after("".join(told), rest)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _is_digit(unit: Unit) -> bool:
    """Whether it is one of a number, and no character that is read as one is: 午, 五."""
    return unit.form in _DIGITS and not (is_unspaced(unit.word[0]) and not _NUMERAL.match(unit.word))


def _without_last_number(words: list[str]) -> list[str]:
    """These words up to the number that they end with, which may still grow."""
    first = len(words)
    for place in reversed(range(len(words))):
        heard = heard_units(words[place], by_reading=True)
        if heard and _is_digit(heard[-1]):
            first = place
        elif fold(words[place]) not in _PARTS_OF_NUMBERS and fold(words[place]):
            break
    return words[:first]


def _after(said: str, text: str) -> str:
    """This text with a blank before it, where one is needed after what was said."""
    return joined(said, text)[len(said) :] if text and not text[0].isspace() else text


def _marks_after(told: str, word: str) -> str:
    """The marks of this word that were not passed on with it, however it was spelled then."""
    marks = word.rstrip()[len(word.rstrip(_MARKS)) :]
    if not marks or told.rstrip()[-1:] in _MARKS:
        return ""
    before, now = heard_units(told, by_reading=True), heard_units(word, by_reading=True)
    return marks if before and now and before[-1].form == now[-1].form else ""


def _end_in(whole: Sequence[str], told: Sequence[str]) -> int:
    """How many words of the whole text the words are that were passed on, though some were read otherwise: with the
    fewest changes, and of two such places the later one. A number of which only the first digits were passed on is
    none of them: better twice than without the others."""
    by_reading = not is_japanese("".join(whole) + "".join(told))
    known = heard_units(_text(told)[0], by_reading=by_reading)
    if not known:
        return 0
    text, ends = _text(whole)
    heard = heard_units(text, by_reading=by_reading)
    count = _end_of(known, heard)
    of_words = [bisect_left(ends, unit.end) for unit in heard]
    last, following = heard[max(0, count - 1) : count], heard[count : count + 1]
    place = of_words[count - 1] + 1 if last else 0
    if last and following and of_words[count] < place and _is_digit(last[0]) and _is_digit(following[0]):
        place = bisect_right(ends, heard[of_words.index(place - 1)].place)
    marked = not fold(told[-1])  # its mark was passed on as well
    return place + (marked and 0 < place < len(whole) and not fold(whole[place]))


def _end_of(known: Sequence[Unit], heard: Sequence[Unit]) -> int:
    """How many of the heard units are those that are known."""
    first = len(known) - MOST_ALIGNED
    # By place in the whole text: how many changes make of it what was passed on so far
    changes = [0] * (len(heard) + 1) if first > 0 else list(range(len(heard) + 1))
    for unit in known[max(0, first) :]:
        row = [changes[0] + 1]
        for place, other in enumerate(heard):
            same = unit.form == other.form
            # A digit is never another word
            changed = changes[place] + (0 if same else 1 + (_is_digit(unit) != _is_digit(other)))
            row.append(min(changes[place + 1] + 1, row[place] + 1, changed))
        changes = row
    least = min(changes)
    return max(place for place, count in enumerate(changes) if count == least)


def _text(words: Sequence[str]) -> tuple[str, list[int]]:
    """The text of these words, and where in it each of them ends. Two that stood in two texts stay two."""
    text, ends = "", list[int]()
    for word in words:
        apart = bool(text) and not (text[-1].isspace() or word[0].isspace())
        text += " " + word if apart and not (is_unspaced(text[-1]) or is_unspaced(word[0])) else word
        ends.append(len(text))
    return text, ends
