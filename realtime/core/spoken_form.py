"""What the voice gets for a piece of transcript, and where each of its characters came from.

Knows what cannot be pronounced and the platform's rule for pause marks (shared/minimax t2a-websocket.md 1.2).
Markdown is gone before this (`speakable.py`).
"""

from __future__ import annotations

import re
import unicodedata

_PAUSE = re.compile(r"<#(\d+(?:\.\d+)?)#>")
_VALID_PAUSE = re.compile(r"\d{1,2}(?:\.\d{1,2})?")
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\U000e0020-\U000e007f\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\u00a9\u00ae\u203c\u2049\u2122\u2139\u20e3\ufe00-\ufe0f]"
)
_NEVER_FIRST = ".,;:!?…)]}”’»，。！？；：、）】」』"
_NO_SPACE_BEFORE = frozenset(_NEVER_FIRST)

_Item = tuple[str, int]  # what is spoken, where it begins in the text


def spoken_form(text: str) -> tuple[str, tuple[int, ...]]:
    """The pronounceable part of `text` and, for each of its characters, the position in `text`.

    The offsets rise, have one entry more than the spoken text, and end with `len(text)`. Emoji, controls and zero-width
    characters go, white space is tidied, pause marks stay only between speakable text and never two in a row. "" means
    that there is nothing to pronounce.
    """
    items = _tidy(_settle_pauses(_items(text)))
    if not any(_sounds(piece) for piece, _ in items):
        return "", (len(text),)
    offsets = [start + index for piece, start in items for index in range(len(piece))]
    return "".join(piece for piece, _ in items), (*offsets, len(text))


def _items(text: str) -> list[_Item]:
    """Characters and valid pause marks, without what cannot be pronounced; an omitted emoji leaves an empty item."""
    items: list[_Item] = []
    position = 0
    while position < len(text):
        if text[position] == "<" and (pause := _PAUSE.match(text, position)):
            if _VALID_PAUSE.fullmatch(pause[1]) and float(pause[1]) >= 0.01:
                items.append((pause.group(), position))
            position = pause.end()
            continue
        char = text[position]
        if char.isspace():
            items.append(("\n" if char == "\n" else " ", position))
        elif _EMOJI.match(char):
            items.append(("", position))
        elif not _invisible(text, position):
            items.append((char, position))
        position += 1
    return items


def _invisible(text: str, position: int) -> bool:
    char = text[position]
    if char in "\u200c\u200d":  # joiners shape letters in some scripts
        around = text[max(0, position - 1) : position] + text[position + 1 : position + 2]
        return not (len(around) == 2 and all(unicodedata.category(near)[0] in "LM" for near in around))
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")


def _tidy(items: list[_Item]) -> list[_Item]:
    """Runs of white space become one blank or newline; none at the ends, none before a mark an emoji stood before."""
    tidy: list[_Item] = []
    blank: _Item | None = None
    omitted = False
    for piece, start in items:
        if not piece:
            omitted = True
        elif piece.isspace():
            blank = (
                (piece, start) if blank is None else ("\n" if "\n" in (piece, blank[0]) else " ", blank[1])
            )
        elif tidy or piece not in _NO_SPACE_BEFORE:
            if blank is not None and tidy and not (omitted and piece in _NO_SPACE_BEFORE):
                tidy.append(blank)
            tidy.append((piece, start))
            blank, omitted = None, False
    return tidy


def _settle_pauses(items: list[_Item]) -> list[_Item]:
    """Omit the pause marks that do not stand between two things that sound."""
    last_sound = max((index for index, (piece, _) in enumerate(items) if _sounds(piece)), default=-1)
    settled: list[_Item] = []
    sounded = False
    for index, (piece, start) in enumerate(items):
        if len(piece) > 1:
            keep = sounded and index < last_sound
            settled.append((piece if keep else "", start))
            sounded = False if keep else sounded
        else:
            sounded = sounded or _sounds(piece)
            settled.append((piece, start))
    return settled


def _sounds(piece: str) -> bool:
    return len(piece) == 1 and piece.isalnum()
