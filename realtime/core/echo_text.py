"""Whether a text that was read in a microphone's sound repeats what a loudspeaker was saying: an echo in words.

Tolerates words that were misread. Texts in, a verdict out; which words were said at that time is for the caller to know
(docs/turn-taking.md, "Echo").
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from realtime.core.characters import is_unspaced
from realtime.core.folding import fold, units
from realtime.core.short_words import takes_turn

SHARE = 0.6  # of the letters of a text must be in words that were said, in their order
ALIKE = 0.7  # of the letters of a word: it was misread
LEAST_LETTERS, MOST_DIFFERENCE = 3, 3  # of a word that may be another one misread
SEVERAL_WORDS, SEVERAL_CHARACTERS = 3, 4  # fewer may be a listener who repeats a word: "Tuesday?"
CHARACTER_WEIGHT = 3  # of a character of a script without blanks, in letters


def repeats(text: str, said: str, *, few: bool = False) -> bool:
    """Whether most of this text is an echo of what was said. `few`: one or two words count as well, if all of them were
    said; else they are believed to be the user's. A command that was not said never is an
    echo, nor is what begins with one and goes on otherwise."""
    words, spoken = units(fold(text)), units(fold(said))
    if not words or not spoken:
        return False
    echoed = _in_order(words, spoken)
    own = [word for index, word in enumerate(words) if index not in echoed]
    if any(map(takes_turn, own)) or (own and takes_turn(words[0])):
        return False
    share = 1 - sum(map(_weight, own)) / sum(map(_weight, words))
    return share >= SHARE if _several(words) else few and not own


def _several(words: Sequence[str]) -> bool:
    characters = sum(map(is_unspaced, words))
    return characters >= SEVERAL_CHARACTERS or len(words) - characters >= SEVERAL_WORDS


def _weight(word: str) -> int:
    return CHARACTER_WEIGHT if is_unspaced(word) else len(word)


def _in_order(words: Sequence[str], spoken: Sequence[str]) -> set[int]:
    """Which of the words are found among the spoken ones in the same order, so that they weigh most."""
    best: list[tuple[int, tuple[int, ...]]] = [(0, ())] * (len(spoken) + 1)
    for index, word in enumerate(words):
        row = [best[0]]
        for place, other in enumerate(spoken):
            weight, found = best[place]
            taken = (weight + _weight(word), (*found, index)) if _alike(word, other) else (0, ())
            row.append(max(taken, row[-1], best[place + 1], key=lambda each: each[0]))
        best = row
    return set(best[-1][1])


def _alike(word: str, other: str) -> bool:
    """Whether they are the same word, or one may be the other misread."""
    if word == other:
        return True
    short = min(len(word), len(other)) < LEAST_LETTERS or abs(len(word) - len(other)) > MOST_DIFFERENCE
    if short or not set(word) & set(other):
        return False
    matcher = SequenceMatcher(None, word, other, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
