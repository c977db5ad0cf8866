"""How far a transcript is from what was said: word and character error rates."""

from __future__ import annotations

import re
import unicodedata

_DIGITS = dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True))


def words(text: str) -> list[str]:
    """The words as they are heard: no case, no punctuation, single digits spelt out."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("'", "")
    return [_DIGITS.get(word, word) for word in re.findall(r"[^\W_]+", plain)]


def characters(text: str) -> list[str]:
    """The characters that are heard: no punctuation, no spaces."""
    return [c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum()]


def edits(said: list[str], heard: list[str]) -> int:
    """The fewest insertions, deletions and substitutions that turn one list into the other."""
    row = list(range(len(heard) + 1))
    for i, a in enumerate(said, 1):
        previous, row = row, [i]
        for j, b in enumerate(heard, 1):
            row.append(min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a != b)))
    return row[-1]


def word_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Errors per word said, over all (said, heard) pairs together."""
    return _rate([(words(said), words(heard)) for said, heard in pairs])


def character_error_rate(pairs: list[tuple[str, str]]) -> float:
    """Errors per character said, over all (said, heard) pairs together."""
    return _rate([(characters(said), characters(heard)) for said, heard in pairs])


def _rate(pairs: list[tuple[list[str], list[str]]]) -> float:
    return sum(edits(said, heard) for said, heard in pairs) / max(1, sum(len(said) for said, _ in pairs))
