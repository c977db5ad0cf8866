"""The language of a text of any length is guessed from its beginning: nobody may make the guess cost more."""

from __future__ import annotations

import unicodedata

import pytest

from realtime.core import scripts
from realtime.core.languages import guess


@pytest.mark.parametrize(
    ("beginning", "code"), [("Слово за слово. ", "ru"), ("日本語のテキスト。", "ja"), ("한국어 ", "ko")]
)
def test_what_comes_after_the_beginning_changes_nothing(beginning: str, code: str):
    long = beginning * 1_000
    assert guess.guess_language(long) == guess.guess_language(long + "plain words here " * 60_000) == code


def test_a_megabyte_costs_no_more_than_its_beginning(monkeypatch: pytest.MonkeyPatch):
    named: list[str] = []

    class Names:
        @staticmethod
        def name(char: str, default: str) -> str:
            named.append(char)
            return unicodedata.name(char, default)

        normalize = staticmethod(unicodedata.normalize)

    monkeypatch.setattr(scripts, "unicodedata", Names)
    guess.languages_of_script("слова без конца " * 60_000)
    assert 0 < len(named) <= 4_000
