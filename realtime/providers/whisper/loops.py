"""Text that repeats itself because its decoder was caught in a loop. Knows no model and no audio."""

from __future__ import annotations

import re
from collections.abc import Sequence

from realtime.core.characters import UNSPACED, is_unspaced
from realtime.core.unicode_tables import SEGMENTED, is_segmented

_LONGEST_WORD = 40  # characters; German ones and telephone numbers are shorter
_UNIT = re.compile(rf"[{UNSPACED}{SEGMENTED}]|(?:(?![{UNSPACED}{SEGMENTED}])\w|(?<=\w)['’](?=\w))+")


def loops(text: str) -> bool:
    """Whether the text repeats itself as only a decoder in a loop does.

    That is: three or more words twice, two words three times, one word four times; or an incomplete character. Each
    character of a script without blanks counts, whatever blanks the text has: four twice, two or three three times,
    one five times, because people say 谢谢谢谢. Latin letters and digits are words in every text: 8888 is no loop.
    """
    if "\ufffd" in text:
        return True
    units = _units(text)
    return any(_repeats(units, size) for size in range(1, len(units) // 2 + 1))


def _units(text: str) -> list[str]:
    """Words, and the characters of scripts without blanks. A word that is too long for one is its characters."""
    units: list[str] = []
    for unit in _UNIT.findall(text.lower()):
        units += unit if len(unit) > _LONGEST_WORD else [unit]
    return units


def _repeats(units: Sequence[str], size: int) -> bool:
    """Whether `size` units stand back to back too often."""
    run = 0
    for index in range(size, len(units)):
        run = run + 1 if units[index] == units[index - size] else 0
        if run >= size * (_times(units[index - size + 1 : index + 1]) - 1):
            return True
    return False


def _times(piece: Sequence[str]) -> int:
    """How often a piece has to be there to be a loop: the more it says, the less often."""
    wide = sum(_is_wide(unit) for unit in piece)
    if len(piece) == 1:
        return 5 if wide else 4
    # three words, or four characters, or as much of both
    return 2 if 4 * (len(piece) - wide) + 3 * wide >= 12 else 3


def _is_wide(unit: str) -> bool:
    return len(unit) == 1 and (is_unspaced(unit) or is_segmented(unit))
