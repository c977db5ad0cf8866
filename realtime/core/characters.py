"""What a character is to a voice: can it be pronounced, is it one of its own, is it written without blanks.

The one place for these three questions: whoever cuts, counts, times or sends text asks here. Knows Unicode and the
form of a pause mark. Knows no words, no places to cut, no times. The scripts without blanks in which a syllable takes
several characters need tables that the standard library lacks: they are in `unicode_tables.py`.
"""

from __future__ import annotations

import re
import unicodedata

PAUSE_MARK = re.compile(r"<#(\d+(?:\.\d+)?)#>")  # asks the platform's voice for so many seconds of silence

# -- can it be pronounced ----------------------------------------------------------------------------------------------

_FILLERS = "\u115f\u1160\u3164\uffa0"  # of Hangul: letters to Unicode, and nothing to see
_UNPRONOUNCEABLE = "_\u2139" + _FILLERS  # "ℹ" is an emoji, although Unicode calls it a letter
_PRONOUNCEABLE = re.compile(rf"[^\W{_UNPRONOUNCEABLE}]")


def pronounceable(text: str) -> bool:
    """Whether a voice has anything to say for `text`: a letter or a number outside pause marks.

    Numbers are digits and all that stands for a number: "½", "²", "Ⅷ", "①" (Chinese voices read it). Signs such as
    "%", "+", "€" or "°" are read with a number or word beside them; whether a voice reads one alone, nobody promises.
    """
    if "<#" in text:
        text = PAUSE_MARK.sub("", text)
    return _PRONOUNCEABLE.search(text) is not None


def count_pronounceable(text: str) -> int:
    """How many characters of `text`, which has no pause marks in it, are pronounced."""
    return len(_PRONOUNCEABLE.findall(text))


def is_invisible(char: str) -> bool:
    """Whether nothing is shown for this character: controls (line ends too), joiners, unassigned code points."""
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") or char in _FILLERS


def is_blank(text: str) -> bool:
    """Whether a screen shows nothing of this text."""
    return all(char.isspace() or is_invisible(char) for char in text)


# -- scripts: ranges for the inside of a regular expression's [ ] ------------------------------------------------------

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9d\U0001aff0-\U0001b16f"
HANGUL = "\u1100-\u115e\u1161-\u11ff\u3131-\u3163\u3165-\u318e\ua960-\ua97c\uac00-\ud7fb\uffa1-\uffdc"
UNSPACED = HAN + KANA  # written without blanks between words; others: `unicode_tables.SEGMENTED`
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WIDE = re.compile(f"[{UNSPACED}{HANGUL}]")


def is_unspaced(char: str) -> bool:
    """Whether this is a character of a script written without blanks between words: Han or kana."""
    return char >= "\u3005" and _UNSPACED.match(char) is not None


def before_more(text: str) -> str:
    """What was said, with the blank before what is said next, but for a script that has none there."""
    last = next(filter(str.isalnum, reversed(text)), "")
    return text if is_unspaced(last) else f"{text} "


def joined(text: str, following: str) -> str:
    """What was said, and what was said next: with a blank between them, but for a script that has none there."""
    last = next(filter(str.isalnum, reversed(text)), "")
    first = next(filter(str.isalnum, following), "")
    between = "" if not text or not following or is_unspaced(last) or is_unspaced(first) else " "
    return text + between + following


def is_wide(char: str) -> bool:
    """Whether this is a syllable, and takes the time of three Latin letters: Han, kana or Hangul."""
    return char >= "\u1100" and _WIDE.match(char) is not None


# -- graphemes: what is seen as one character --------------------------------------------------------------------------

_LEAD = "\u1100-\u115f\ua960-\ua97c"  # jamo: the parts of a Hangul syllable
_VOWEL = "\u1160-\u11a7\ud7b0-\ud7c6"
_TAIL = "\u11a8-\u11ff\ud7cb-\ud7fb"
_CONJOINERS = "\u094d\u09cd\u0acd\u0b4d\u0c4d\u0d4d\u1039\u17d2"  # join two consonants in a script of India
_LETTER_MARKS = "\u0e33\u0eb3\uff9e\uff9f"  # letters to Unicode, part of the one before: Thai sara am
_JOINER = "\u200d"


_HANGUL_PAIR = re.compile(  # but for a syllable that a vowel follows
    f"[{_LEAD}][{_LEAD}{_VOWEL}\uac00-\ud7a3]|[{_VOWEL}][{_VOWEL}{_TAIL}]|[{_TAIL}\uac00-\ud7a3][{_TAIL}]"
)
_OPEN_AND_VOWEL = re.compile(f"[\uac00-\ud7a3][{_VOWEL}]")


def _is_hangul_pair(text: str, index: int) -> bool:
    """Whether the two jamo or syllables from this place on are drawn together."""
    if text[index] < "\u1100":
        return False
    if _OPEN_AND_VOWEL.match(text, index):
        return (ord(text[index]) - 0xAC00) % 28 == 0  # the syllable has no last consonant
    return _HANGUL_PAIR.match(text, index) is not None


def inside_grapheme(text: str, index: int) -> bool:
    """Whether a cut before `text[index]` would split what is seen as one character.

    The extended grapheme clusters of Unicode's UAX 29, from what the standard library knows: a joiner is taken to
    join all symbols, not emoji alone, and a few vowel signs of Myanmar stay with their consonant.
    """
    if not 0 < index < len(text):
        return False
    before, after = text[index - 1], text[index]
    if after < "\u0300":
        return before == "\r" and after == "\n"
    if before != _JOINER and unicodedata.category(before) in ("Cc", "Zl", "Zp"):
        return False
    if _extends(after):
        return True
    if before == _JOINER and unicodedata.category(after)[0] == "S":
        return True
    if _is_flag_letter(before) and _is_flag_letter(after):
        return _splits_flag(text, index)
    return _is_hangul_pair(text, index - 1) or _ends_conjunct(text, index)


def _extends(char: str) -> bool:
    """Whether `char` belongs to whatever stands before it."""
    return (
        unicodedata.category(char)[0] == "M"
        or char in "\u200c\u200d"
        or char in _LETTER_MARKS
        or "\U0001f3fb" <= char <= "\U0001f3ff"  # tones of skin
        or "\U000e0020" <= char <= "\U000e007f"  # tags: the flag of Scotland
    )


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _splits_flag(text: str, index: int) -> bool:
    """Flags are pairs of letters, counted from the first letter of a run."""
    start = index
    while start and _is_flag_letter(text[start - 1]):
        start -= 1
    return (index - start) % 2 == 1


def _ends_conjunct(text: str, index: int) -> bool:
    """Whether a consonant here is written together with the one before it; a non-joiner keeps them apart."""
    after, at = text[index], index - 1
    if unicodedata.category(after) != "Lo":
        return False
    while at > 0 and _extends(text[at]) and text[at] != "\u200c":
        if text[at] in _CONJOINERS:
            return ord(text[at]) >> 7 == ord(after) >> 7  # of one script
        at -= 1
    return False


def is_whole(text: str) -> bool:
    """Whether UTF-8 can hold it: no half of a surrogate pair is in it. Python makes those of bytes that are no text."""
    return not any("\ud800" <= mark <= "\udfff" for mark in text)
