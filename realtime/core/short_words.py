"""What a short word during an answer means: a backchannel ("mm-hmm", "genau"), or a word that takes the turn.

The words are in `backchannels.py` and `turn_words.py`, in the languages of the voices. Which language it is does not
matter: all tables are one. A word that is a backchannel in one language and an objection in another ("no", "ne") is
no backchannel: it is better to stop once too often than to talk on over a "no". The same words, when nobody else talks,
are whole answers, but for those of `leading_words.py`. Knows text alone; the rules are `turn.py` and `completeness.py`
(docs/architecture.md 2.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from realtime.core.backchannels import BACKCHANNELS
from realtime.core.characters import HANGUL, UNSPACED, is_unspaced
from realtime.core.folding import fold, shorten, units
from realtime.core.han_variants import in_simple_characters
from realtime.core.leading_words import ANSWERS, LEADING
from realtime.core.turn_words import TURN_WORDS

_SYLLABLE = (  # one of a hum, as anybody may spell it: "hmm", "um", "hum", "unh", "uh", "huh", "ahem"
    r"h*(?:u+|e+r*)?h*m+h*|h+n+|n+h+|n{2,}|m{2,}a+|u+h*n+h*|a+h+n+|a+h+e?m+|h*(?:u+|a+|e+|o+)h+"
)
_HUM = re.compile(  # breath, humming and laughing, in any spelling: "mhm", "um-hum", "uh-huh", "aah", "haha"
    rf"(?:{_SYLLABLE})+|u+h+u+m+|a+h*a+[mn]*|a{{2,}}|o{{3,}}|(?:h+a+)+h*|(?:he|hi|ho){{2,}}"
    r"|[мгх]*м[мгх]*|у+г+у+м+|[μχ]*μ[μχ]*|[אה]?(?:מ{2,}ם?|מם)|[اأإ]?ه?م{2,}|(?:[हम]\u094d?)*म\u094d?म"
    r"|ん+|ふ+ん+|む+|음+|흠+|으+[음흠]|흐+음"
)

_BEGINS_LIKE_HUM = re.compile("[aeiouh]*m")
_HUMMED = re.compile(r"\Amm[hm]*")  # before a word: "mm-okay", "M-M-M-OK"


def _form(text: str) -> str:
    return in_simple_characters(fold(text))


def _words(table: Mapping[str, str]) -> frozenset[str]:
    return frozenset(_form(word) for line in table.values() for word in line.split("|"))


_TURN_WORDS = _words(TURN_WORDS)
_HUMS = frozenset("嗯 恩 唔 哦 噢 喔 啊 呃 欸 诶 哎 哈 哼 呣 噷 姆".split())
_BACKCHANNELS = (_words(BACKCHANNELS) | _HUMS) - _TURN_WORDS
_WHOLE_ANSWERS = (_BACKCHANNELS | _TURN_WORDS | _words(ANSWERS)) - _words(LEADING) - _HUMS
_ASKS_BOTH = re.compile(r"(?<![不没])(.)[不没]\1")  # 是不是, 对不对: begins a question
_BEGINNINGS = frozenset(phrase[:end] for phrase in _BACKCHANNELS for end in range(1, len(phrase)))
_MORE_THAN_A_PARTICLE = 3  # letters
_LONGEST = max(len(phrase.split()) for phrase in _BACKCHANNELS | _TURN_WORDS | _WHOLE_ANSWERS)  # in words
_WITHOUT_BLANKS = re.compile(f"[{UNSPACED}{HANGUL}\u0e00-\u0e7f]+")


def is_backchannel(text: str) -> bool:
    """Whether the text is nothing but backchannels, in any language and any number; no text at all is one, too."""
    return _made_of(_form(text), _BACKCHANNELS, hums=True)


def may_become_backchannel(text: str) -> bool:
    """Whether it is the beginning of a backchannel, perhaps after others: "yeah, I", "inter", "原来"."""
    words = _form(text).split()
    return any(" ".join(words[start:]) in _BEGINNINGS for start in _reached(words, _BACKCHANNELS, hums=True))


def is_hum(text: str) -> bool:
    """Whether the text is only breath and humming, without a word of any language; no text at all is, too."""
    return _made_of(_form(text), _HUMS, hums=True)


def takes_turn(text: str) -> bool:
    """Whether the text is a command, an objection or a question of one word, said once or again and again."""
    folded = _form(text)
    return bool(folded) and _made_of(folded, _TURN_WORDS, hums=False)


def is_whole_answer(text: str) -> bool:
    """Whether the text is a yes, a no, thanks or a command, or several of them, and nobody needs a mark to know it."""
    folded = _form(text)
    return bool(folded) and not _ASKS_BOTH.search(folded) and _made_of(folded, _WHOLE_ANSWERS, hums=False)


def begins_like_hum(text: str) -> bool:
    """Whether the first consonant but h is an m: so does what a transcriber makes of a "mm-hmm" that it cannot read."""
    return _BEGINS_LIKE_HUM.match(_form(text).replace(" ", "")) is not None


def ends_a_hum(text: str) -> bool:
    """Whether two hums or more are followed by one word that takes no turn: "M. M. Sun" was a "mm-hmm"."""
    words = _form(text).split()
    before, last = " ".join(words[:-1]), words[-1:]
    return len(words) > 2 and is_hum(before) and not takes_turn(last[0]) and not is_hum(last[0])


def has_several_words(text: str) -> bool:
    """Whether two words or more are no particles; in scripts without blanks, whether there are three characters."""
    found = units(_form(text))
    return sum(len(unit) >= _MORE_THAN_A_PARTICLE for unit in found) >= 2 or sum(map(is_unspaced, found)) >= 3


def _made_of(folded: str, table: frozenset[str], *, hums: bool) -> bool:
    """Whether phrases of the table, one after the other, are the whole text."""
    words = folded.split()
    return len(words) in _reached(words, table, hums=hums)


def _reached(words: list[str], table: frozenset[str], *, hums: bool) -> set[int]:
    """How many words of the beginning are phrases of the table, one after the other."""
    reached = {0}
    for start in range(len(words)):
        if start not in reached:
            continue
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            if _in_table(words[start:end], table, hums):
                reached.add(end)
    return reached


def _in_table(words: list[str], table: frozenset[str], hums: bool) -> bool:
    phrase = " ".join(words)
    if phrase in table or " ".join(map(shorten, words)) in table:
        return True
    if len(words) > 1 or phrase in _TURN_WORDS:  # "uh-uh" is no "uh-huh"
        return False
    if hums and (_HUM.fullmatch(phrase) or _HUMMED.sub("", phrase, count=1) in table):
        return True
    return _split(phrase, table)


def _split(word: str, table: frozenset[str]) -> bool:
    """Whether a word of a script without blanks is made of words of the table: "对对对", "はいはい"."""
    if not _WITHOUT_BLANKS.fullmatch(word):
        return False
    reached = {0}
    for start in range(len(word)):
        if start in reached:
            reached |= {end for end in range(start + 1, len(word) + 1) if word[start:end] in table}
    return len(word) in reached
