"""Whether a text that was read in a microphone's sound repeats what a loudspeaker was saying: an echo in words.

Tolerates words that were misread. Texts in, a verdict out; which words were said at that time is for the caller to know
(docs/turn-taking.md, "Echo").
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import reduce
from itertools import accumulate
from operator import or_

from realtime.core.characters import is_unspaced
from realtime.core.folding import fold, units
from realtime.core.short_words import takes_turn

SHARE = 0.6  # of the letters of a text must be in words that were said, in their order
ALIKE = 0.7  # of the letters of a word: it was misread
LEAST_LETTERS, MOST_DIFFERENCE = 3, 3  # of a word that may be another one misread
SEVERAL_WORDS, SEVERAL_CHARACTERS = 3, 4  # fewer may be a listener who repeats a word: "Tuesday?"
LETTER_BITS = 61  # letters of one alphabet hardly ever share a bit
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
    places = _alike_places(words, spoken)
    rows = [
        [0] * (len(spoken) + 1)
    ]  # the most weight, by how many words and how many spoken ones are looked at
    for word in words:
        rows.append(_next_row(rows[-1], places[word], _weight(word)))
    found: set[int] = set()
    index, place = len(words), len(spoken)
    while index and place:
        row, above, word = rows[index], rows[index - 1], words[index - 1]
        if place - 1 in places[word] and above[place - 1] + _weight(word) == row[place]:
            index, place = index - 1, place - 1
            found.add(index)
        elif row[place - 1] == row[place]:
            place -= 1
        else:
            index -= 1
    return found


def _next_row(above: list[int], places: set[int], weight: int) -> list[int]:
    """The row of one word more, which may be at these places."""
    if not places:
        return above
    row = above.copy()
    for place in places:
        row[place + 1] = max(row[place + 1], above[place] + weight)
    return list(accumulate(row, max))


def _alike_places(words: Sequence[str], spoken: Sequence[str]) -> dict[str, set[int]]:
    """Where each word was said, perhaps misread. Each two words are compared once: it runs while others wait."""
    said: dict[str, list[int]] = {}
    for place, other in enumerate(spoken):
        said.setdefault(other, []).append(place)
    letters = {word: _letters(word) for word in {*words, *said}}
    return {
        word: {
            place
            for other, places in said.items()
            if _alike(word, other, letters[word], letters[other])
            for place in places
        }
        for word in set(words)
    }


def _letters(word: str) -> int:
    """A bit for each letter that is in the word; several letters may share one."""
    return reduce(or_, (1 << ord(letter) % LETTER_BITS for letter in word), 0)


def _alike(word: str, other: str, letters: int, others: int) -> bool:
    """Whether they are the same word, or one may be the other misread. `letters`, `others`: what is in them."""
    if word == other:
        return True
    if min(len(word), len(other)) < LEAST_LETTERS or abs(len(word) - len(other)) > MOST_DIFFERENCE:
        return False
    own, foreign = (letters & ~others).bit_count(), (others & ~letters).bit_count()
    common = min(len(word) - own, len(other) - foreign)  # at most
    if 2 * common < ALIKE * (len(word) + len(other)):
        return False
    matcher = SequenceMatcher(None, word, other, autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE
