"""What the voice gets for a stretch of transcript, and where each of its characters came from.

Knows what is shown and must not be sent, and the platform's rule for pause marks (docs/minimax/t2a-websocket.md 1.2);
`characters.py` says what can be pronounced. Markdown is gone before this (`normalize.py`).
"""

from __future__ import annotations

import re
import unicodedata

from realtime.core.characters import PAUSE_MARK, is_invisible, pronounceable

_VALID_PAUSE = re.compile(r"\d{1,2}(?:\.\d{1,2})?")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\u00a9\u00ae\u203c\u2049\u2122\u2139\u20e3\ufe00-\ufe0f]"
)
_NEVER_FIRST = ".,;:!?…)]}”’»，。！？；：、）】」』"
_NO_SPACE_BEFORE = frozenset(_NEVER_FIRST)

_Item = tuple[str, int]  # a character or pause mark ("" = left out), and where it begins in the text


def spoken_form(text: str) -> tuple[str, tuple[int, ...]]:
    """The pronounceable part of `text` and, for each of its characters, the position in `text`.

    The offsets rise, have one entry more than the spoken text, and end with `len(text)`. Emoji, controls and zero-width
    characters go, white space is tidied, pause marks stay only between what is pronounced and never two in a row. ""
    means that there is nothing to pronounce.
    """
    items = _tidy(_settle_pauses(_items(text)))
    if not any(pronounceable(said) for said, _ in items):
        return "", (len(text),)
    offsets = [start + index for said, start in items for index in range(len(said))]
    return "".join(said for said, _ in items), (*offsets, len(text))


def _items(text: str) -> list[_Item]:
    """Characters and valid pause marks, without what must not be sent; an omitted emoji leaves an empty item."""
    items: list[_Item] = []
    position = 0
    while position < len(text):
        if text[position] == "<" and (pause := PAUSE_MARK.match(text, position)):
            if _VALID_PAUSE.fullmatch(pause[1]) and float(pause[1]) >= 0.01:
                items.append((pause.group(), position))
            position = pause.end()
            continue
        char = text[position]
        if char.isspace():
            items.append(("\n" if char == "\n" else " ", position))
        elif _EMOJI.match(char) and not pronounceable(char):  # "①" is in their midst
            items.append(("", position))
        elif not _invisible(text, position):
            if char == "#":
                _open_no_mark(items)
            items.append((char, position))
        position += 1
    return items


def _open_no_mark(items: list[_Item]) -> None:
    """Before a "#" that is text, no "<" may be left: together they begin a pause mark for the platform."""
    last = next((index for index in range(len(items) - 1, -1, -1) if items[index][0]), None)
    if last is not None and items[last][0] == "<":
        items[last] = ("", items[last][1])


def _invisible(text: str, position: int) -> bool:
    char = text[position]
    if char in "\u200c\u200d":  # joiners shape letters in some scripts
        around = text[max(0, position - 1) : position] + text[position + 1 : position + 2]
        return not (len(around) == 2 and all(unicodedata.category(near)[0] in "LM" for near in around))
    return is_invisible(char)


def _tidy(items: list[_Item]) -> list[_Item]:
    """Runs of white space become one blank or newline; none at the ends, none before a mark an emoji stood before."""
    tidy: list[_Item] = []
    blank: _Item | None = None
    omitted = False
    for said, start in items:
        if not said:
            omitted = True
        elif said.isspace():
            blank = (said, start) if blank is None else ("\n" if "\n" in (said, blank[0]) else " ", blank[1])
        elif tidy or said not in _NO_SPACE_BEFORE:
            if blank is not None and tidy and not (omitted and said in _NO_SPACE_BEFORE):
                tidy.append(blank)
            tidy.append((said, start))
            blank, omitted = None, False
    return tidy


def _settle_pauses(items: list[_Item]) -> list[_Item]:
    """Omit the pause marks that do not stand between two things that sound."""
    last_sound = max((index for index, (said, _) in enumerate(items) if pronounceable(said)), default=-1)
    settled: list[_Item] = []
    sounded = False
    for index, (said, start) in enumerate(items):
        if len(said) > 1:
            keep = sounded and index < last_sound
            settled.append((said if keep else "", start))
            sounded = False if keep else sounded
        else:
            sounded = sounded or pronounceable(said)
            settled.append((said, start))
    return settled
