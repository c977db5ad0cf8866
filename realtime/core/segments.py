"""Where words or syllables meet in scripts that put no blanks between them.

Chinese and Japanese by the few characters that surely end or begin a word; Thai by BudouX, a small model of words; Lao,
Khmer, Burmese and Tibetan by how syllables are written. Not everywhere two words meet, but nowhere else. Knows letters
alone: no punctuation, no sizes.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import budoux

from realtime.core.characters import inside_grapheme, is_unspaced

# -- Chinese and Japanese ----------------------------------------------------------------------------------------------

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


def chinese_word_ends(text: str, end: int) -> bool:
    """Whether a Chinese word surely ends at `end`, inside the text."""
    last, following = text[end - 1], text[end]
    if last + following in _GLUED or text[end - 2 : end] in _GLUED:
        return False
    if following in _NUMERALS:
        return last not in _BEFORE_NUMERALS
    return last in _ENDS_PHRASE or following in _STARTS_PHRASE or not is_unspaced(following)


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
