"""Where words or syllables meet in scripts that put no blanks between them.

Chinese by the few characters that nearly always end or begin a word, where neither a table of common words
(`chinese_words.py`) nor BudouX, a small model of words, is against it; Japanese by such characters alone; Thai by
BudouX; Lao, Khmer, Burmese and Tibetan by how syllables are written. Not everywhere two words meet, and hardly anywhere
else. Knows letters alone: no punctuation, no sizes.
"""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache

import budoux

from realtime.core.characters import inside_grapheme, is_unspaced
from realtime.core.chinese_words import joined

# -- Chinese and Japanese ----------------------------------------------------------------------------------------------

# Chinese is cut only where a word most likely ends or begins: one of these ends nearly every word it is in, or begins
# it; no word of a table has it inside; and a model of words agrees.
ENDS_PHRASE = "的了着过吗呢吧啊呀嘛们"
# Of these, those that are hardly ever a word by themselves: a model is not needed
_PARTICLES = "的吗呢吧啊呀嘛们"
STARTS_PHRASE = "我你您他她它这那但并而或因所如就也都在把被从让还又没最很更却每第两几和"
NUMERALS = "零〇一二三四五六七八九十百千万亿"
_BEFORE_NUMERALS = "第统唯专单星期周拜初之点分时年月块元几两" + NUMERALS  # "第一", "星期三", "三点二十"
# "负三", "五比三", "同一", "不一样", "高三"
_COUNTING = "负正加减乘除比不同每逐进某另任其无合高大小老这那哪各约近半"
_BEFORE, _AFTER = 3, 2  # characters of each side that the model gets
_SURE = 1000  # by so much the model is sure of a place that no character tells


def chinese_word_ends(text: str, end: int, *, complete: bool = True) -> bool:
    """Whether a Chinese word surely ends at `end`, inside the text, and a speaker may pause there.

    `complete`: nothing follows the text; else nothing is said of a place before its last character.
    """
    last, following = text[end - 1], text[end]
    if not is_unspaced(following):
        return True
    if following in NUMERALS:
        tells = not joins_numeral(last)
    else:
        tells = last in ENDS_PHRASE or following in STARTS_PHRASE
    least = -math.inf if last in _PARTICLES else 0
    return tells and _model_sees_end(text, end, complete, least)


def chinese_word_may_end(text: str, end: int, *, complete: bool = True) -> bool:
    """Whether a Chinese word ends at `end` for all that the model of words knows, though no character tells it."""
    last, following = text[end - 1], text[end]
    if following in ENDS_PHRASE or last in STARTS_PHRASE or following in NUMERALS or last in NUMERALS:
        return False  # belongs to the other side
    return _model_sees_end(text, end, complete, _SURE)


def joins_numeral(last: str) -> bool:
    """Whether a numeral after this character belongs to it."""
    return last in _BEFORE_NUMERALS or last in _COUNTING


def _model_sees_end(text: str, end: int, complete: bool, least: float) -> bool:
    if joined(text[end - 1], text[end]) or (end + 1 == len(text) and not complete):
        return False
    return _chinese_score(text[max(0, end - _BEFORE) : end], text[end : end + _AFTER]) > least


class _WordModel:
    """A model of BudouX, asked about one place at a time: its own `parse` scores all places and tells no score."""

    def __init__(self, parser: budoux.Parser) -> None:
        # "UW1" is the score of one character at the first of six places around, "BW1" of two, "TW1" of three
        self._features = tuple(
            (int(name[2]) - (3 if name[0] == "B" else 4), " UBT".index(name[0]), scores)
            for name, scores in parser.model.items()
        )
        self._half = sum(sum(scores.values()) for scores in parser.model.values()) / 2
        self.characters = {char for _, length, scores in self._features if length == 1 for char in scores}

    def score(self, before: str, after: str) -> float:
        """How sure it is that a word ends between the two: more than 0 is likely."""
        text, at = before + after, len(before)
        return (
            sum(
                scores.get(text[at + first : at + first + length], 0)
                for first, length, scores in self._features
                if at + first >= 0
            )
            - self._half
        )


# Read when the module is, in a few milliseconds: not while the first Chinese answer waits for its voice
_SIMPLIFIED = _WordModel(budoux.load_default_simplified_chinese_parser())
_TRADITIONAL = _WordModel(budoux.load_default_traditional_chinese_parser())
_ONLY_TRADITIONAL = frozenset(char for char in _TRADITIONAL.characters if not char.encode("gb2312", "ignore"))


@lru_cache(maxsize=8192)
def _chinese_score(before: str, after: str) -> float:
    model = _SIMPLIFIED if _ONLY_TRADITIONAL.isdisjoint(before + after) else _TRADITIONAL
    return model.score(before, after)


def japanese_phrase_ends(last: str, following: str) -> bool:
    """Whether a Japanese phrase ends between these characters."""
    # "お" and "ご" belong to the word behind them, as in "お茶"
    phrase = _kana_or_han(last) == "kana" and _kana_or_han(following) != "kana" and last not in "おご"
    return phrase or last == "を" or not is_unspaced(following)


def _kana_or_han(char: str) -> str:
    if "\u3040" <= char <= "\u309f":
        return "kana"
    return "katakana" if "\u30a0" <= char <= "\u30ff" or "\uff66" <= char <= "\uff9d" else "han"


# -- Thai --------------------------------------------------------------------------------------------------------------

_THAI = re.compile(r"[\u0e00-\u0e7f]")
_THAI_WINDOW = 3  # the model looks at so many characters before and after a place
# inside a syllable, whatever the model thinks: before what follows its consonant, after a vowel that precedes it
_THAI_NEVER = re.compile(r".?(?<![เแโใไ])(?![ะาำๅๆฯ\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]|[ก-ฮ][ิุ]?์)", re.DOTALL)


@cache
def _thai_model() -> budoux.Parser:
    return budoux.load_default_thai_parser()


@lru_cache(maxsize=8192)
def _thai_word_ends(before: str, after: str) -> bool:
    place = 0
    for word in _thai_model().parse(before + after):
        place += len(word)
        if place >= len(before):
            break
    return place == len(before) and _THAI_NEVER.match(before[-1] + after, 0) is not None


def _thai_ends(text: str, start: int, end: int, complete: bool) -> list[int]:
    last = end if complete else end - _THAI_WINDOW + 1
    return [
        place
        for place in range(start + 1, last)
        if _thai_word_ends(
            text[max(start, place - _THAI_WINDOW) : place], text[place : min(end, place + _THAI_WINDOW)]
        )
    ]


# -- scripts whose syllables can be seen -------------------------------------------------------------------------------

_SYLLABLE_STARTS = (
    # Lao: a vowel that is written first, or what follows a vowel that is always last
    re.compile(r"(?<![ເແໂໃໄ])(?=[ເແໂໃໄ])|(?<=[ະຳ])(?=[ກ-ຮໜໝ])"),
    # Khmer: a consonant that has a vowel sign; one with others under it only after a syllable that is closed, because
    # the upper one may close it; a vowel letter
    re.compile(r"(?<!\u17d2)(?=[ក-អ][\u17c9-\u17d1]*[\u17b6-\u17c5]|[ឣ-ឳ])"),
    re.compile(r"(?<=[\u17b6-\u17d1][ក-អ])(?=[ក-អ](?:\u17d2[ក-អ])+[\u17b6-\u17c5])"),
    # Burmese: a consonant that is neither stacked nor killed, a vowel letter
    re.compile(r"(?<![\u1039])(?=(?:[က-အဿ](?!\u1037?\u103a|\u1039)|[ဣ-ဪ၌-၏]).[^\u200b])", re.DOTALL),
    # Tibetan: after the mark that stands between syllables
    re.compile(r"(?<=[་༌])(?=[ཀ-ཬ])"),
    # a blank of no width, which writers of all these scripts put between words
    re.compile(r"(?<=\u200b)(?=[^\u200b])"),
)


def count_as_words(text: str) -> bool:
    """Whether the segments of this run of letters are words; else they are syllables."""
    return _THAI.match(text) is not None


def segment_ends(text: str, start: int, end: int, *, complete: bool) -> list[int]:
    """Where words or syllables end inside `text[start:end]`, letters of Thai, Lao, Khmer ...; `end` is not among them.

    `complete`: it is known that the run ends there; else nothing is said of places that later letters can change.
    """
    if count_as_words(text[start]):
        ends = _thai_ends(text, start, end, complete)
    else:
        run = text[start:end] + ("  " if complete else "")
        ends = sorted(
            {start + match.start() for pattern in _SYLLABLE_STARTS for match in pattern.finditer(run)}
        )
    return [place for place in ends if start < place < end and not inside_grapheme(text, place)]
