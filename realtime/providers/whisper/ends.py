"""How sure the model is of how a text ends: of its last word, and of the mark after it. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from realtime.core.characters import is_unspaced
from realtime.core.punctuation import SENTENCE_MARKS

SURE_MARK = 0.9  # probability of the mark that ends a text: another one is not asked for
ASKS_OR_CALLS = "?？؟!！"
ARABIC = ("\u0600", "\u06ff")
LONGEST_PIECE = 4  # tokens of one character that is in no token of its own
BROKEN = "\ufffd"  # a part of a character

Said = Callable[[Sequence[int]], str]


@dataclass(frozen=True, slots=True)
class EndOfText:
    """How sure the model is of how the text ends. Probabilities; None where the text has no such end."""

    last_word: float | None  # in scripts without blanks, of the last character
    stop: float | None  # of the mark that ends a sentence; where the text was aligned, of two such marks


def end_of_text(tokens: Sequence[int], likely: Callable[[int], float], said: Said) -> EndOfText | None:
    """How sure the model is of the last word and of the mark that ends it; None without a token.

    `likely`: the probability of the token at a place. `said`: what tokens say.
    """
    stop: float | None = None
    word: float | None = None
    for start, end, part in _pieces(tokens, said):
        if word is None and not any(character.isalnum() for character in part):
            if part.strip() and part.strip() in SENTENCE_MARKS:
                stop = math.prod(map(likely, range(start, end)))
            continue
        word = math.prod(map(likely, range(start, end)), start=1.0 if word is None else word)
        if part.startswith(" ") or any(map(is_unspaced, part)):
            break
    return EndOfText(word, stop) if tokens else None


def end_of_aligned(
    tokens: Sequence[int],
    align: Callable[[list[int]], list[float]],
    said: Said,
    token_of: Callable[[str], int | None],
) -> EndOfText | None:
    """The same, where it is known how likely each token of a text is, as if there were nothing but text: `align`.

    Whether a sentence asks is no doubt that it ends there, so a mark that is not sure counts together with another one.
    `token_of`: the token of a mark, if it is one.
    """
    if not tokens:
        return None
    likely = align(list(tokens))
    place = _place_of_mark(tokens, said)
    if place is not None and likely[place] < SURE_MARK:
        other = token_of(other_mark(said(tokens[: place + 1])))
        if other is not None:
            likely[place] += align([*tokens[:place], other])[place]
    return end_of_text(tokens, likely.__getitem__, said)


def other_mark(text: str) -> str:
    """The mark that may as well end this text, which ends with one: of a question or a call a full stop, and of a full
    stop a question mark."""
    if text.rstrip()[-1:] in ASKS_OR_CALLS:
        return "。" if any(map(is_unspaced, text)) else "."
    return "؟" if any(ARABIC[0] <= character <= ARABIC[1] for character in text) else "?"


def probability(logits: Any, token: int) -> float:
    """Of this token among all."""
    values = np.asarray(logits).reshape(-1)
    highest = values.max()
    return float(np.exp(values[token] - highest) / np.exp(values - highest).sum())


def _place_of_mark(tokens: Sequence[int], said: Said) -> int | None:
    """Of the mark that ends the text, if it is one token."""
    for start, end, part in _pieces(tokens, said):
        if part.strip():
            return start if end - start == 1 and part.strip() in SENTENCE_MARKS else None
    return None


def _pieces(tokens: Sequence[int], said: Said) -> Iterator[tuple[int, int, str]]:
    """From where to where, and what: tokens that say whole characters, from the last one on."""
    end = len(tokens)
    while end:
        starts = range(end - 1, max(-1, end - 1 - LONGEST_PIECE), -1)
        parts = ((start, said(tokens[start:end])) for start in starts)
        start, part = next((one for one in parts if BROKEN not in one[1]), (end - 1, BROKEN))
        yield start, end, part
        end = start
