"""One form for all ways to write the same spoken words: capitals, marks, accents and drawn-out letters do not count.

For tables of words and for comparisons, never for what is shown or remembered. Knows Unicode; knows no words.
"""

from __future__ import annotations

import re
import unicodedata

from realtime.core.characters import UNSPACED, is_unspaced

# Of Latin, Greek and Cyrillic: the vowel signs of other scripts are letters
_ACCENTS = re.compile("[\u0300-\u036f]")
_PLAIN = str.maketrans({"đ": "d", "ð": "d", "ø": "o", "ł": "l", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})
_INSIDE_WORDS = re.compile("['\u2019\u02bc`\u00b4\u2010\u2011\u00ad\u200c\u200d-]")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_LATIN = "a-zA-Z\u00c0-\u024f\u1e00-\u1eff"
_SCRIPTS_MEET = re.compile(
    rf"(?<=[{UNSPACED}])(?=[^\W{UNSPACED}])|(?<=[^\W{UNSPACED}])(?=[{UNSPACED}])|"
    rf"(?<=[^\W\d_{_LATIN}])(?=[{_LATIN}])|(?<=[{_LATIN}])(?=[^\W\d_{_LATIN}])"
)
_LENGTH_MARKS = re.compile("[ー〜～~]+")


def fold(text: str) -> str:
    """Small letters and numbers without accents; one blank in place of everything else; hyphens join: "uh-huh"."""
    text = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN)
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    text = _LENGTH_MARKS.sub("", _INSIDE_WORDS.sub("", text))
    return " ".join("".join(char if _counts(char) else " " for char in text).split())


def _counts(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"


def scripts_apart(text: str) -> str:
    """With a blank where two scripts meet that are written together, one of them Latin or without blanks: "OK 好的"."""
    return _SCRIPTS_MEET.sub(" ", text)


def shorten(word: str) -> str:
    """A folded word without its drawn-out letters: "yeaaah" is "yeah". What is doubled stays."""
    return _DRAWN_OUT.sub(r"\1", word)


def units(folded: str) -> list[str]:
    """The words of a folded text; of scripts without blanks, the characters."""
    out: list[str] = []
    for word in folded.split():
        start = 0
        for index, char in enumerate(word):
            if is_unspaced(char):
                out += [word[start:index], char]
                start = index + 1
        out.append(word[start:])
    return [unit for unit in out if unit]
