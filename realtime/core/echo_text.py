"""Whether a text that was read in a microphone's sound repeats what a loudspeaker was saying: an echo in words.

Tolerates words that were misread or spelled otherwise, and compares the times: who takes an option of a question says
words of it, too, but later than any echo. Texts and times in, a verdict out (docs/turn-taking.md, "Echo").
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import reduce
from heapq import nlargest
from itertools import accumulate, islice
from operator import or_

import numpy as np
from numpy.typing import NDArray

from realtime.core.heard_units import Unit, heard_units, is_japanese
from realtime.core.sent_sound import SaidWord
from realtime.core.short_words import takes_turn

SHARE = 0.6  # of the letters of a text must be in words that were said, in their order
ALIKE = 0.7  # of the letters of a word: it was misread
LEAST_LETTERS, MOST_DIFFERENCE = 3, 3  # of a word that may be another one misread
SEVERAL_WORDS, SEVERAL_CHARACTERS = 3, 4  # fewer may be a listener who repeats a word: "Tuesday?"
LONGER_S = 0.5  # a detector may hear an echo so much longer than it was said
LETTER_BITS = 61  # letters of one alphabet hardly ever share a bit
MOST_SAID = 500  # units of what was said are compared, the last ones: more than a voice says in the sound that is kept
# Who says no to an option says its words, too: "Tuesday doesn't work", "Not the north clinic"
DENIALS = frozenset(
    "never cannot cant doesnt didnt wont without instead keine keinen jamais niet degil".split()
)
# Others an echo may be misread as ("now" as "not", "is in" as "isn't"): they count only where the text begins with them
FIRST_DENIALS = frozenset("not isnt arent wasnt werent kein pas geen inte ikke".split())
# Words whose times tell how late a text is: their middle, since a word may be found by accident
COMPARED_TIMES = 5

_Weights = NDArray[np.int64]
_Places = NDArray[np.bool_]


def repeats(
    text: str,
    said: Sequence[SaidWord],
    began_s: float,
    latest_s: float,
    *,
    few: bool = False,
    ended_s: float | None = None,
    tail: bool = True,
) -> bool:
    """Whether most of this text, which began at `began_s`, is an echo of what was said, at most `latest_s` late.

    `few`: one or two words count as well, if all of them were said; else they are believed to be the user's. A command
    or a denial that was not said never is an echo, nor is what begins with a command and goes on otherwise.

    `ended_s`: when it ended, if all had been said when it began. It may still be the last sentence, from a loudspeaker
    that is late: it must be the very last words, and no longer than they were; without `tail` all of them."""
    whole = "".join(word.text for word in said)
    by_reading = not is_japanese(text + whole)
    words, spoken = (
        heard_units(text, by_reading=by_reading),
        heard_units(whole, by_reading=by_reading)[-MOST_SAID:],
    )
    if not words or not spoken or _is_longer(words, spoken):
        return False
    echoed = _in_order([unit.form for unit in words], [unit.form for unit in spoken], _weights(words))
    own = [unit for index, unit in enumerate(words) if index not in echoed]
    if _says_more(words, own):
        return False
    share = 1 - sum(_weights(own)) / sum(_weights(words))
    alike = share >= SHARE if _several(words) else few and not own
    if not alike:
        return False
    if ended_s is None:
        return began_s - _begins_s(words, spoken, echoed, said) <= latest_s
    first = len(spoken) - len(words)
    if first and not tail:
        return False
    if sorted(echoed.values()) != [*range(first, len(spoken))]:
        return False
    begins_s = next(islice(_times_s(spoken, said), first, None))
    longer_s = (ended_s - began_s) - (said[-1].end_s - begins_s)
    return began_s - begins_s <= latest_s and longer_s <= LONGER_S


def _says_more(words: Sequence[Unit], own: Sequence[Unit]) -> bool:
    """Whether words that were not said command or deny something, or all of it goes on from a command."""
    if not own:
        return False
    denies = any(unit.word in DENIALS for unit in own) or (
        own[0] is words[0] and own[0].word in FIRST_DENIALS
    )
    return denies or takes_turn(words[0].word) or any(takes_turn(unit.word) for unit in own)


def _several(words: Sequence[Unit]) -> bool:
    characters, blanks = sum(unit.is_character for unit in words), sum(unit.is_word for unit in words)
    return characters >= SEVERAL_CHARACTERS or blanks >= SEVERAL_WORDS


def _is_longer(words: Sequence[Unit], spoken: Sequence[Unit]) -> bool:
    """Whether it is too long for an echo, whatever it says: of a long text that need not be looked for."""
    weights = _weights(words)
    return sum(nlargest(len(spoken), weights)) < SHARE * sum(weights)


def _weights(words: Sequence[Unit]) -> list[int]:
    return [unit.weight for unit in words]


def _begins_s(
    words: Sequence[Unit], spoken: Sequence[Unit], echoed: Mapping[int, int], said: Sequence[SaidWord]
) -> float:
    """When was said what the text begins with, if its words followed each other as fast as those that were said."""
    times_s, before = list(_times_s(spoken, said)), [0, *accumulate(_weights(words))]
    pace_s = (said[-1].end_s - times_s[0]) / sum(_weights(spoken))
    first = islice(sorted(echoed.items()), COMPARED_TIMES)
    begins_s = sorted(times_s[place] - before[index] * pace_s for index, place in first)
    return begins_s[len(begins_s) // 2]


def _times_s(spoken: Sequence[Unit], said: Sequence[SaidWord]) -> Iterator[float]:
    """When each unit of what was said began."""
    ends = list(accumulate(len(word.text) for word in said))
    for unit in spoken:
        index = bisect_right(ends, unit.place)
        text, start_s, end_s = said[index]
        yield start_s + (end_s - start_s) * (unit.place - ends[index] + len(text)) / len(text)


def _in_order(words: Sequence[str], spoken: Sequence[str], weights: Sequence[int]) -> dict[int, int]:
    """Which of the words are found among the spoken ones in the same order, and at which place each, so that they weigh
    most."""
    places = _alike_places(words, spoken)
    # The most weight, by how many words and how many spoken ones are looked at
    rows = [np.zeros(len(spoken) + 1, np.int64)]
    for word, weight in zip(words, weights, strict=True):
        rows.append(_next_row(rows[-1], places[word], weight))
    found: dict[int, int] = {}
    index, place = len(words), len(spoken)
    while index and place:
        row, above, word = rows[index], rows[index - 1], words[index - 1]
        if places[word][place - 1] and above[place - 1] + weights[index - 1] == row[place]:
            index, place = index - 1, place - 1
            found[index] = place
        elif row[place - 1] == row[place]:
            place -= 1
        else:
            index -= 1
    return found


def _next_row(above: _Weights, places: _Places, weight: int) -> _Weights:
    """The row of one word more, which may be at these places."""
    if not places.any():
        return above
    taken = np.where(places, above[:-1] + weight, 0)
    return np.maximum.accumulate(np.concatenate((above[:1], np.maximum(above[1:], taken))))


def _alike_places(words: Sequence[str], spoken: Sequence[str]) -> dict[str, _Places]:
    """At which places each word was said, perhaps misread. Each two words are compared once: it runs while others
    wait."""
    said: dict[str, list[int]] = {}
    for place, other in enumerate(spoken):
        said.setdefault(other, []).append(place)
    letters = {word: _letters(word) for word in {*words, *said}}
    found: dict[str, _Places] = {}
    for word in set(words):
        found[word] = np.zeros(len(spoken), np.bool_)
        for other, places in said.items():
            if _alike(word, other, letters[word], letters[other]):
                found[word][places] = True
    return found


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
