"""Which tables a language is in: each that it needs, and those that belong together with the same languages."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from realtime.core import likely_murmurs
from realtime.core.backchannels import BACKCHANNELS
from realtime.core.languages import LANGUAGES
from realtime.core.leading_words import ANSWERS, LEADING
from realtime.core.sample_sentences import SENTENCES
from realtime.core.short_words import without_leading
from realtime.core.stand_in import PHRASES
from realtime.core.turn_words import TURN_WORDS
from realtime.minimax.speech_config import LANGUAGE_BOOSTS

Tables = dict[str, Collection[str]]

WORDS: Tables = {  # every language that people may speak
    "BACKCHANNELS in core/backchannels.py": BACKCHANNELS,
    "TURN_WORDS in core/turn_words.py": TURN_WORDS,
    "LEADING in core/leading_words.py": LEADING,
}
OF_VOICES: Tables = {  # beside WORDS, every language that the platform's voices speak
    "core/languages/": [language.code for language in LANGUAGES],
    "SENTENCES in core/sample_sentences.py": SENTENCES,
    "PHRASES in core/stand_in.py": PHRASES,
}
MURMURS: Tables = {  # a few; all of them or none
    "MURMURS in core/likely_murmurs.py": likely_murmurs.MURMURS,
    "OBJECTIONS in core/likely_murmurs.py": likely_murmurs.OBJECTIONS,
    "LIKELIER in core/likely_murmurs.py": likely_murmurs.LIKELIER,
}
OPTIONAL: Tables = {"ANSWERS in core/leading_words.py": ANSWERS, **MURMURS}
ALSO = {"no": "nb", "nn": "nb", "yue": "zh"}  # what has no row of its own is in that of another code


def missing(languages: Collection[str], tables: Tables) -> list[str]:
    return [
        f"{language}: {table} (CONTRIBUTING.md, A language)"
        for table, codes in tables.items()
        for language in languages
        if language not in codes
        and ALSO.get(language, language) not in {ALSO.get(code, code) for code in codes}
    ]


@pytest.mark.parametrize(
    ("languages", "tables"),
    [
        (set().union(*WORDS.values(), *OPTIONAL.values()), WORDS),
        (set(LANGUAGE_BOOSTS), {**WORDS, **OF_VOICES}),
        (set().union(*MURMURS.values()), MURMURS),
    ],
    ids=["whoever speaks", "voices", "murmurs"],
)
def test_every_language_is_in_the_tables_that_it_needs(languages, tables):
    assert missing(languages, tables) == []


def test_a_language_without_leading_words_has_whole_answers_all_the_same():
    assert without_leading({"sw": "ndiyo|sawa", "en": "yes|wait"}, {"en": "wait"}) == {"ndiyo", "sawa", "yes"}
