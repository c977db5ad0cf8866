"""Which language a text is in: by its script, and by the small words and the letters that few other languages have.

Knows the rows of the tables. A guess costs little and may be wrong: what somebody has set is better known.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

from realtime.core.languages import LANGUAGES, is_abbreviation
from realtime.core.languages.table import Language

_WORD = re.compile(r"([^\W\d_]+(?:['’][^\W\d_]+)?)(\.?)")
_EVIDENCE_CHARS = 600
_SCRIPT_CHARS = 4_000  # to name each letter of a megabyte would take a third of a second


def _by_hint(hints_of: Callable[[Language], Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The languages of every hint, in the order of the tables."""
    languages: dict[str, tuple[str, ...]] = {}
    for language in LANGUAGES:
        for hint in hints_of(language):
            languages[hint] = (*languages.get(hint, ()), language.code)
    return languages


_TELLING = _by_hint(lambda language: language.telling_words | set(language.requests.split()))
_CODES = tuple(language.code for language in LANGUAGES)  # those with more speakers come first
_LETTERS = _by_hint(lambda language: language.letters.split())
_SCRIPTS = _by_hint(lambda language: language.scripts.split())


def guess_language(text: str) -> str:
    """The language (ISO 639) that a text is most likely in; on a tie the first in the tables; "" without a hint."""
    guessed = guess_languages(text)
    likely = languages_of_script(text)
    for code in likely or _CODES:
        if code in guessed:
            return code
    return likely[0] if likely else ""


def languages_of_script(text: str) -> tuple[str, ...]:
    """The languages whose script most of the text's beginning is in, the most likely first; none for Latin letters."""
    letters = filter(str.isalpha, text[:_SCRIPT_CHARS])
    scripts = Counter(unicodedata.name(char, "").partition(" ")[0] for char in letters)
    known = [(scripts[script], script) for script in _SCRIPTS if scripts[script]]
    if scripts["HIRAGANA"] or scripts["KATAKANA"]:
        return _SCRIPTS["HIRAGANA"]
    if not known or max(known)[0] * 2 < scripts["LATIN"]:
        return ()
    return _SCRIPTS[max(known)[1]]


def guess_languages(text: str) -> frozenset[str]:
    """The languages that most words of the text's beginning are of; several on a tie, none without a hint."""
    return _guess(text[:_EVIDENCE_CHARS].lower())


@lru_cache(maxsize=256)
def _guess(text: str) -> frozenset[str]:
    votes: Counter[str] = Counter()
    words = [word for word, stop in _WORD.findall(text) if not (stop and is_abbreviation(word))]
    for hint in (*words, *(_LETTERS.keys() & set(text))):
        for code in _TELLING.get(hint, ()) or _LETTERS.get(hint, ()):
            votes[code] += 1
    most = max(votes.values(), default=0)
    return frozenset(code for code, count in votes.items() if count == most)
