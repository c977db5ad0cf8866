"""Which language a text is in: by its script, and by the small words and the letters that few other languages have.

Knows the rows of the tables. A guess costs little and may be wrong: what somebody has set is better known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

from realtime.core.languages import LANGUAGES, is_abbreviation
from realtime.core.languages.table import Language
from realtime.core.scripts import weigh_scripts

_WORD = re.compile(r"([^\W\d_]+(?:['’][^\W\d_]+)?)(\.?)")
_LATIN_WORD = re.compile(r"[a-z\u00c0-\u024f]+(?:['’][a-z]+)?")
# Few of them stand alone in another language
_CHINESE_SMALL_WORDS = "的了吗呢吧把给用写做请帮怎什么哪个一这那是在和與個這給寫請幫麼嗎"
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
    scripts = weigh_scripts(text[:_SCRIPT_CHARS])
    if scripts["KANA"]:
        return _SCRIPTS["KANA"]
    known = [(scripts[script], script) for script in _SCRIPTS if scripts[script]]
    if not known:
        return ()
    weight, script = max(known)
    if script == "HAN":
        return _SCRIPTS[script] if weight >= scripts["LATIN"] or _is_chinese_with_names(text) else ()
    return _SCRIPTS[script] if weight * 2 >= scripts["LATIN"] else ()


def _is_chinese_with_names(text: str) -> bool:
    """Whether the Latin letters are names in a Chinese sentence: "写一个 hello world".

    In "How do you say 你好?" they are the sentence, and Chinese is a name in it: the small words tell it.
    """
    text = text[:_EVIDENCE_CHARS].lower()
    words = sum(word in _TELLING for word in _LATIN_WORD.findall(text))
    return sum(map(text.count, _CHINESE_SMALL_WORDS)) >= words


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
