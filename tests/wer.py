"""Word and character error rates of transcripts."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))


def words(text: str) -> list[str]:
    """The words for comparison: no case, no punctuation, single digits spelt out."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("'", "")
    return [_DIGITS.get(word, word) for word in re.findall(r"[^\W_]+", plain)]


def characters(text: str) -> list[str]:
    """The characters for comparison: no punctuation, no spaces."""
    return [c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum()]


def edits(said: list[str], transcribed: list[str]) -> int:
    """The fewest insertions, deletions and substitutions that turn one list into the other."""
    row = list(range(len(transcribed) + 1))
    for i, a in enumerate(said, 1):
        previous, row = row, [i]
        for j, b in enumerate(transcribed, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b)))
    return row[-1]


def word_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Errors per spoken word, over all pairs of (spoken, transcribed) text."""
    return _rate([(words(said), words(transcribed)) for said, transcribed in pairs])


def character_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Errors per spoken character, over all pairs of (spoken, transcribed) text."""
    return _rate([(characters(said), characters(transcribed)) for said, transcribed in pairs])


def _rate(pairs: list[tuple[list[str], list[str]]]) -> float:
    return sum(edits(said, transcribed) for said, transcribed in pairs) / max(
        1, sum(len(said) for said, _ in pairs)
    )
