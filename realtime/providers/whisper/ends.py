"""How sure the model is of how a text ends: of its last word, and of the mark after it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.core.characters import is_unspaced
from realtime.core.punctuation import SENTENCE_MARKS

FULL_STOPS = ".。"


@dataclass(frozen=True, slots=True)
class EndOfText:
    """How sure the model is of how the text ends. Probabilities; None where the text has no such end."""

    last_word: float | None
    stop: float | None  # of the full stop, question or exclamation mark that ends it


def end_of_text(
    tokens: Sequence[int], likely: Callable[[int], float], said: Callable[[int], str]
) -> EndOfText | None:
    """How sure the model is of the last word and of the mark that ends it; None without a token.

    `likely`: the probability of the token at a place. `said`: what a token says.
    """
    stop: float | None = None
    word: float | None = None
    for place in reversed(range(len(tokens))):
        part = said(tokens[place])
        if word is None and not any(character.isalnum() for character in part):
            if part.strip() and part.strip() in SENTENCE_MARKS:
                stop = likely(place)
            continue
        word = (1.0 if word is None else word) * likely(place)
        if part.startswith(" ") or not part.isascii():
            break
    return EndOfText(word, stop) if tokens else None


def other_mark(text: str) -> str | None:
    """The mark that may as well end this text, where one does: whether it asks is no doubt that it ends there."""
    mark = text[-1:]
    if mark not in SENTENCE_MARKS:
        return None
    if mark in FULL_STOPS:
        return "?"
    return "。" if any(map(is_unspaced, text)) else "."


def probability(logits: Any, token: int) -> float:
    """Of this token among all."""
    values = np.asarray(logits).reshape(-1)
    highest = values.max()
    return float(np.exp(values[token] - highest) / np.exp(values - highest).sum())
