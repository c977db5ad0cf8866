"""Text that repeats itself because its decoder was caught in a loop. Knows no model and no audio."""

from __future__ import annotations

import re
from collections.abc import Sequence

from realtime.core.characters import UNSPACED, is_unspaced
from realtime.core.invented import is_invented
from realtime.core.punctuation import SENTENCE_MARKS
from realtime.core.syllables import least_syllables
from realtime.core.unicode_tables import SEGMENTED, is_segmented

_OPENED = re.compile(r"(?:\s+[\"'“‘(¿¡]*|[“‘（「『《]+)$")  # what stands before a word that is taken away
_BROKEN = "\ufffd"  # what an incomplete character becomes
# Syllables of Chinese: normal are 4 to 6. The fastest reach 10, but hardly while they say a sentence twice
TWICE_A_SECOND = 8.0
_LONGEST_WORD = 40  # characters; German ones and telephone numbers are shorter
_UNIT = re.compile(rf"[{UNSPACED}{SEGMENTED}]|(?:(?![{UNSPACED}{SEGMENTED}])\w|(?<=\w)['’](?=\w))+")


def loops(text: str) -> bool:
    """Whether the text repeats itself as only a decoder in a loop does.

    That is: three or more words twice, two words three times, one word four times; or an incomplete character. Each
    character of a script without blanks counts, whatever blanks the text has: four twice, two or three three times,
    one five times, because people say 谢谢谢谢. Latin letters and digits are words in every text: 8888 is no loop.
    """
    if _BROKEN in text:
        return True
    units = [unit for unit, _ in _units(text)]
    return any(_first_round(units, size) is not None for size in range(1, len(units) // 2 + 1))


def said_once(text: str) -> str:
    """A text that `loops`, up to where it begins to repeat itself: "Drop the two. Drop the two." is "Drop the two."."""
    text = text.split(_BROKEN)[0].rstrip()
    found = _units(text)
    units = [unit for unit, _ in found]
    rounds = [_first_round(units, size) for size in range(1, len(units) // 2 + 1)]
    ends = [last for last in rounds if last is not None]
    if not ends:
        return text
    _, begins_again = found[min(ends) + 1]
    return _OPENED.sub("", text[:begins_again])


def is_surely_once(text: str, sounding_s: float) -> bool:
    """Whether a text is one Chinese sentence and nothing but the same again, and hardly anybody can say it twice in a
    sound of so many seconds: then it is what was `said_once` (docs/engines.md 2.4)."""
    whole, once = text.split(_BROKEN)[0], said_once(text)
    said, units = ([unit for unit, _ in _units(part)] for part in (once, whole))
    if not loops(whole) or once[-1:] not in SENTENCE_MARKS or is_invented(once, sounding_s):
        return False
    is_again = all(unit == said[place % len(said)] for place, unit in enumerate(units))
    return is_again and 2 * least_syllables(once) > TWICE_A_SECOND * sounding_s


def _units(text: str) -> list[tuple[str, int]]:
    """Words, and the characters of scripts without blanks, and where each begins in the text. A word that is too long
    for one is its characters."""
    units: list[tuple[str, int]] = []
    for found in _UNIT.finditer(text):
        unit, begin = found.group(), found.start()
        pieces = unit if len(unit) > _LONGEST_WORD else [unit]
        for piece in pieces:
            units.append((piece.lower(), begin))
            begin += len(piece)
    return units


def _first_round(units: Sequence[str], size: int) -> int | None:
    """The last unit of the first round, if `size` units stand back to back too often."""
    run = 0
    for index in range(size, len(units)):
        run = run + 1 if units[index] == units[index - size] else 0
        if run >= size * (_times(units[index - size + 1 : index + 1]) - 1):
            return index - run
    return None


def _times(piece: Sequence[str]) -> int:
    """How often a piece has to be there to be a loop: the more it says, the less often."""
    wide = sum(_is_wide(unit) for unit in piece)
    if len(piece) == 1:
        return 5 if wide else 4
    # three words, or four characters, or as much of both
    return 2 if 4 * (len(piece) - wide) + 3 * wide >= 12 else 3


def _is_wide(unit: str) -> bool:
    return len(unit) == 1 and (is_unspaced(unit) or is_segmented(unit))
