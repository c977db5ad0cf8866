"""What an abbreviation means in a language, and which words begin its sentences: tables by language.

Knows the languages that the voice speaks (docs/minimax/t2a-websocket.md 4). Does not know which language a text is in
(`guess.py`), nor where it is cut (`full_stops.py`).
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from realtime.core.languages import germanic, others, romance, slavic
from realtime.core.languages.table import Language

LANGUAGES: tuple[Language, ...] = germanic.ALL + romance.ALL + slavic.ALL + others.ALL


class Kind(IntEnum):
    """What a word before a full stop is. The tables know the first four."""

    WORD = 0  # no abbreviation
    NUMBERED = 1  # one only before a number
    MAYBE_LAST = 2  # may be the last word of a sentence
    LEADING = 3  # leads on to what it belongs to; never the last word
    INITIAL = 4
    ORDINAL = 5


# Abbreviations that are whole words in another language of the tables: they count in their own language alone.
_ALSO_WORDS = frozenset(
    (
        "a ab abs adj ag al all am an apt ara arch art arts as at av ave bab bad bil bl br brig bul c ca cad "
        "cal cap cas co col com comm d da dag dan de dec del der di dim dk do dom don dos du dub e ed el eli "
        "en ene ent es est et ev ex ext fam fig figs fin fr fra g ga gal gas gem gen gent gl god gold gov gr "
        "gru h hab hal haz him hl hod hon hora hr hul hun i id ill im in ing ir is it jan jun kab kas kg ko "
        "kol kos kr kuva l la led lei lek lg lip lis lit ln loc lt luku lun m ma mac mad mag mai maj mar mark "
        "mars mat max may me med mer mes mi mill mim min mio misc mm mo mon mun n nam nb ng nis no nos nov ns "
        "o oct od ok oko old on op or org os out p pang par para pass pe per phil pl plus po pod pop por pow "
        "pr pres prim pro pt q qua qui r ra rag red ref rep res rev ruj s sa sab sag sal sam sat sc sec sed "
        "seg sek sen ser set sex si sid sig sing sit sk sl sn so sob som son sot sp spa st ste stol stu stud "
        "su sun svi t tab tai te tel tem ten ter tex thu tim tir to tom ton tor tr tra trg tri tue tur u ud "
        "uds un uno us ust v va van ve ven ver vet vi vie vier viz vol vr wed wk wo www y yd za zo бер вер "
        "год груд им лист мар мин пор рис список ср тел ум час"
    ).split()
)


def _abbreviations() -> dict[str, dict[str, Kind]]:
    kinds: dict[str, dict[str, Kind]] = {}
    for language in LANGUAGES:
        for kind, words in (
            (Kind.NUMBERED, language.numbered),
            (Kind.MAYBE_LAST, language.short),
            (Kind.LEADING, language.leading),
        ):
            for word in words.split():
                kinds.setdefault(word, {})[language.code] = kind
    return kinds


_ABBREVIATIONS = _abbreviations()
_ORDINARY = frozenset[str]().union(*(language.telling_words for language in LANGUAGES))
_STARTS = {language.code: language.start_words for language in LANGUAGES}
_ANY_START = frozenset[str]().union(*_STARTS.values())
_ORDINALS = frozenset(language.code for language in LANGUAGES if language.ordinals)


def is_abbreviation(word: str) -> bool:
    """Whether this word is an abbreviation in any language."""
    return word in _ABBREVIATIONS or word.lower() in _ABBREVIATIONS


@lru_cache(maxsize=4096)
def abbreviation(word: str, languages: frozenset[str]) -> Kind:
    """What kind of abbreviation this word is in a text of one of these languages (ISO 639), if it is any."""
    known = _ABBREVIATIONS.get(word) or _ABBREVIATIONS.get(word.lower())
    if known is None:
        return Kind.WORD
    own = [kind for code, kind in known.items() if code in languages]
    if own:
        return max(own)
    if (word.lower() in _ALSO_WORDS or word.lower() in _ORDINARY) and (languages or word.lower() == word):
        return Kind.WORD
    return max(known.values())


def leads_in(word: str, languages: frozenset[str]) -> bool:
    """Whether this word, as it is written, is a title in one of these languages, or leads on as "e.g." does."""
    known = _ABBREVIATIONS.get(word)
    if known is None and not (len(word) > 1 and word.isupper()):
        known = _ABBREVIATIONS.get(word.lower())
    return known is not None and any(known.get(code) is Kind.LEADING for code in languages)


def is_also_word(word: str) -> bool:
    """Whether this abbreviation, in any case, is a word of some language as well: "rep", "red"."""
    return word.lower() in _ALSO_WORDS or word.lower() in _ORDINARY


def starts_sentence(word: str, languages: frozenset[str]) -> bool:
    """Whether a sentence often begins with this word, which is no name."""
    word = word.lower().replace("’", "'")
    if not languages:
        return word in _ANY_START
    return any(word in _STARTS[code] for code in languages)


def writes_ordinals_with_stops(languages: frozenset[str]) -> bool:
    """Whether "3." may be "third"."""
    return not _ORDINALS.isdisjoint(languages)
