"""What a short word during an answer means: a backchannel ("mm-hmm", "genau"), or a word that takes the turn.

The words are in `backchannels.py` and `turn_words.py`, in the languages of the voices. Which language it is does not
matter: all tables are one. A word that is a backchannel in one language and an objection in another ("no", "ne") is
no backchannel: it is better to stop once too often than to talk on over a "no". The same words, when nobody else talks,
are whole answers, but for those of `leading_words.py`, which lead in their own language alone. Knows text alone; the
rules are `turn.py` and `completeness.py` (docs/architecture.md 2.5).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Set

from realtime.core.backchannels import AGREEMENT, BACKCHANNELS
from realtime.core.characters import HAN, HANGUL, UNSPACED, is_unspaced
from realtime.core.folding import fold, scripts_apart, shorten, units
from realtime.core.han_variants import in_simple_characters
from realtime.core.laughter import is_described_sound, is_laughter, with_hey
from realtime.core.leading_words import ALONE, ANSWERS, GO_ON, LEADING, THANKS, TOGETHER
from realtime.core.turn_words import TURN_WORDS

_SYLLABLE = re.compile(  # of a hum, as anybody may spell it: "hmm", "um", "hum", "unh", "uh", "huh", "ahem"
    r"h*(?:u+|e+r*)?h*m+h*|h+n+|n+h+|n{2,}|m{2,}a+|u+h*n+h*|a+h+n+|a+h+e?m+|h*(?:u+|a+|e+|o+)h+"
)
_HUM = re.compile(  # breath, humming and laughing, in any spelling: "mhm", "um-hum", "uh-huh", "aah", "haha"
    r"u+h+u+m+|a+h*a+[mn]*|a{2,}|o{3,}|(?:h+a+)+h*|(?:he|hi|ho){2,}"
    r"|[мгх]*м[мгх]*|у+г+у+м+|[μχ]*μ[μχ]*|[אה]?(?:מ{2,}ם?|מם)|[اأإ]?ه?م{2,}|(?:[हम]\u094d?)*म\u094d?म"
    r"|u+g+h*|a+[ur]*g+h+|ん+|ふ+ん+|む+|음+|흠+|으+[음흠]|흐+음"
)
_OF_SYLLABLES = re.compile("[haeoumnr]+")
_LONG_RUN = re.compile(r"(.)\1{3,}")  # "mmmm" is "mmm"
_LONGEST_SYLLABLE, _LONGEST_HUM = 18, 100  # characters, without long runs

_IN_FORM = re.compile("[a-z]+(?: [a-z]+)*")
_BEGINS_LIKE_HUM = re.compile("[aeiouh]*m")
_HUMMED = re.compile(r"\Amm[hm]*")  # before a word: "mm-okay", "M-M-M-OK"


def _form(text: str) -> str:
    return in_simple_characters(scripts_apart(fold(with_hey(text))))


def _words(table: Mapping[str, str]) -> frozenset[str]:
    """Most are in that form already: a start of the server need not wait for them."""
    phrases = (phrase for line in table.values() for phrase in line.split("|"))
    return frozenset(phrase if _IN_FORM.fullmatch(phrase) else _form(phrase) for phrase in phrases)


def without_leading(table: Mapping[str, str], leading: Mapping[str, str]) -> frozenset[str]:
    """The words of a table but those that lead in their own language; they may be a yes or a no of another one."""
    each = (_words({code: words}) - _words({code: leading.get(code, "")}) for code, words in table.items())
    return frozenset[str]().union(*each)


_TURN_WORDS = _words(TURN_WORDS)
_HUMS = frozenset("嗯 恩 唉 额 唔 哦 噢 喔 啊 呃 欸 诶 哎 哈 哼 呣 噷 姆".split())
_BACKCHANNELS = (_words(BACKCHANNELS) | _words(AGREEMENT) | _HUMS) - _TURN_WORDS
_OF_WHOLE_ANSWERS = (without_leading(table, LEADING) for table in (BACKCHANNELS, TURN_WORDS, ANSWERS))
_WHOLE_ANSWERS = frozenset(TOGETHER.split("|")).union(*_OF_WHOLE_ANSWERS) - _HUMS
_PIECES = _WHOLE_ANSWERS - _words(LEADING) - frozenset(ALONE.split("|"))  # of an answer of several words
_GO_ON, _THANKS = frozenset(GO_ON.split("|")), tuple(THANKS.split("|"))
_ASKS_BOTH = re.compile(r"(?<![不没])([^不没]{1,2})[不没]\1")  # 是不是, 可以不可以: begins a question
_IF = re.compile(r"\bsi\b(?!,?\s+p[eo]r\b)", re.IGNORECASE)  # a yes has an accent: "sí", "sì"
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}])\s+(?=[{HAN}])")  # no mark: such a blank says nothing
_BEGINNINGS = frozenset(phrase[:end] for phrase in _BACKCHANNELS for end in range(1, len(phrase)))
_MORE_THAN_A_PARTICLE = 3  # letters
_LONGEST = max(len(phrase.split()) for phrase in _BACKCHANNELS | _TURN_WORDS | _WHOLE_ANSWERS)  # in words
_WITHOUT_BLANKS = re.compile(f"[{UNSPACED}{HANGUL}\u0e00-\u0e7f]+")
_LONGEST_PIECE = max(  # of a word of a script without blanks, in characters
    len(phrase) for phrase in _BACKCHANNELS | _TURN_WORDS | _PIECES if _WITHOUT_BLANKS.fullmatch(phrase)
)
_ENGLISH = _words({"en": f"{BACKCHANNELS['en']}|{TURN_WORDS['en']}"})
_LONGEST_ENGLISH = max(map(len, _ENGLISH))  # in letters
_AGAIN = re.compile(rf"([a-z]{{2,{_LONGEST_ENGLISH}}}?)\1+")  # "okok"


def is_backchannel(text: str) -> bool:
    """Whether the text is nothing but backchannels, in any language and any number; no text at all is one, too."""
    return is_described_sound(text) or _made_of(_form(text), _BACKCHANNELS, hums=True)


def may_become_backchannel(text: str) -> bool:
    """Whether it is the beginning of a backchannel, perhaps after others: "yeah, I", "inter", "原来"."""
    words = _form(text).split()
    reached = _reached(words, _BACKCHANNELS, hums=True)
    return any(
        " ".join(words[start:]) in _BEGINNINGS
        for start in range(max(0, len(words) - _LONGEST), len(words) + 1)
        if start in reached
    )


def is_hum(text: str) -> bool:
    """Whether the text is only breath, humming and laughing, without a word of any language; no text at all is, too."""
    return is_described_sound(text) or _made_of(_form(text), _HUMS, hums=True)


def takes_turn(text: str) -> bool:
    """Whether the text is a command, an objection or a question of one word, said once or again and again."""
    folded = _form(text)
    if not folded or folded in _BACKCHANNELS:  # 不错 is not 不, 错
        return False
    return _made_of(folded, _TURN_WORDS, hums=False)


def ends_with_command(text: str) -> bool:
    """Whether the text takes the turn, perhaps after murmurs: "Stop.", "Um, no.", "Mm, okay, wait"."""
    words = _form(text).split()
    murmured = _reached(words, _BACKCHANNELS, hums=True)
    return len(words) in _reached(words, _TURN_WORDS, hums=False, begun=murmured) - murmured


def is_whole_answer(text: str) -> bool:
    """Whether the text is a yes, a no, thanks or a command, or several of them, and nobody needs a mark to know it."""
    folded = _form(_BETWEEN_HAN.sub("", text))
    if not folded or _ASKS_BOTH.search(folded) or _IF.search(unicodedata.normalize("NFC", text)):
        return False
    return _is_one_answer(folded) or _made_of(folded, _PIECES, hums=False, split=_is_chain_of_answers)


def _is_one_answer(folded: str) -> bool:
    """Whether it is one word or phrase of the table, or one word said again and again: "da, da", 有有."""
    words = {shorten(word) for word in folded.split()}
    again = words | set(folded) if len(set(folded.replace(" ", ""))) == 1 else words
    return folded in _WHOLE_ANSWERS or (len(words) == 1 and not again.isdisjoint(_WHOLE_ANSWERS))


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


_Split = Callable[[str, frozenset[str]], bool]


def _split(word: str, table: frozenset[str]) -> bool:
    """Whether a word of a script without blanks is made of words of the table: "对对对", "はいはい"."""
    return _is_chain(word, lambda start, end: word[start:end] in table)


def _is_chain_of_answers(word: str, table: frozenset[str]) -> bool:
    """Whether it is made of answers none of which belongs to the one before: 好的谢谢, and not 不是不要 or 好是好."""

    def is_answer(start: int, end: int) -> bool:
        piece = word[start:end]
        if len(piece) > 2 and len(set(piece)) == 1 and piece[0] in table:  # 对对对没错
            return True
        if piece not in table or (is_unspaced(piece) and len(piece) == 1):
            return False
        return piece not in _GO_ON or end == len(word) or word.startswith((piece, *_THANKS), end)

    return _is_chain(word, is_answer)


def _is_chain(word: str, is_piece: Callable[[int, int], bool]) -> bool:
    """Whether a word of a script without blanks is made of pieces, none of which is longer than any phrase."""
    return _WITHOUT_BLANKS.fullmatch(word) is not None and _is_row(word, _LONGEST_PIECE, is_piece)


def _is_row(word: str, longest: int, is_piece: Callable[[int, int], bool]) -> bool:
    """Whether a word is made of pieces of at most so many characters."""
    reached = {0}
    for start in range(len(word)):
        if start in reached:
            ends = range(start + 1, min(start + longest, len(word)) + 1)
            reached |= {end for end in ends if is_piece(start, end)}
    return len(word) in reached


def _is_hum(word: str) -> bool:
    """Whether a folded word is breath or humming. Its syllables are no repeated part of one expression: what may be
    read in many ways ("hmhhmhhmhx") would be tried in all of them."""
    word = _LONG_RUN.sub(r"\1\1\1", word)
    if len(word) > _LONGEST_HUM:
        return False
    if _HUM.fullmatch(word):
        return True

    def is_syllable(start: int, end: int) -> bool:
        return _SYLLABLE.fullmatch(word, start, end) is not None

    return _OF_SYLLABLES.fullmatch(word) is not None and _is_row(word, _LONGEST_SYLLABLE, is_syllable)


def _made_of(folded: str, table: frozenset[str], *, hums: bool, split: _Split = _split) -> bool:
    """Whether phrases of the table, one after the other, are the whole text."""
    words = folded.split()
    return len(words) in _reached(words, table, hums=hums, split=split)


def _reached(
    words: list[str],
    table: frozenset[str],
    *,
    hums: bool,
    split: _Split = _split,
    begun: Set[int] = frozenset((0,)),
) -> set[int]:
    """How many words of the beginning are phrases of the table, one after the other. `begun`: after how many."""
    reached = set(begun)
    for start in range(len(words)):
        if start not in reached:
            continue
        for end in range(start + 1, min(start + _LONGEST, len(words)) + 1):
            if _in_table(words[start:end], table, hums, split):
                reached.add(end)
    return reached


def _in_table(words: list[str], table: frozenset[str], hums: bool, split: _Split) -> bool:
    phrase = " ".join(words)
    if phrase in table or " ".join(map(shorten, words)) in table:
        return True
    if phrase in _TURN_WORDS:  # "uh-uh" is no "uh-huh"
        return False
    if hums and is_laughter(phrase):
        return True
    if len(words) > 1:
        return False
    if hums and (_is_hum(phrase) or _HUMMED.sub("", phrase, count=1) in table):
        return True
    again = _AGAIN.fullmatch(phrase)
    if again is not None and again[1] in _ENGLISH:  # but "mama" is no "ma, ma"
        return again[1] in table
    return split(phrase, table)
