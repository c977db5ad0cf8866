"""How long a silence must be before the user's turn is over, from how finished the sentence looks.

Looks at text only: its last mark and its last word. A prior on the silence, never the only gate: the longest
wait of the chosen eagerness always ends the turn (shared/design.md 2.5, shared/realtime-wire.md 2.1).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

Eagerness = Literal["low", "medium", "high", "auto"]


class Finish(Enum):
    """What the text looks like."""

    COMPLETE = 0
    OPEN = 1  # could be complete
    CUT = 2  # ends where no sentence ends


LONGEST_MS: dict[Eagerness, int] = {"low": 8_000, "medium": 4_000, "auto": 4_000, "high": 2_000}
WAIT_MS: dict[Eagerness, tuple[int, int, int]] = {  # complete, open, cut off
    "high": (250, 450, 1_000),
    "medium": (300, 650, 1_500),
    "auto": (300, 650, 1_500),
    "low": (600, 1_200, 2_500),
}

_ENDS = re.compile(r"[.!?。！？][\"'”’)）」』\]]*\s*$")
_TRAILS_OFF = re.compile(r"(?:\.{2,}|…|[,;:，、；：\-—])\s*$")
_DANGLING = frozenset(  # words that rarely end what somebody says
    "a an the and or but nor so if because although though while when where which who whose that than as of to in on "
    "at by for from with without into about over under between my your his her its our their this these those is are "
    "was were be been am do does did will would can could should shall may might must not very really just i we they "
    "he she um uh er like well".split()
)
_DANGLING_HAN = re.compile(
    r"(?:的|地|得|和|跟|与|或|但|但是|因为|所以|如果|然后|还有|就是|那个|这个|嗯|呃|在|把|被|对|给|从|向|是|有|要|想)[，。,.]?$"
)
_HAN = re.compile(r"[一-鿿]")


def finish_of(text: str) -> Finish:
    """How finished the text looks."""
    text = text.strip()
    if not text or _TRAILS_OFF.search(text):
        return Finish.CUT
    if _HAN.search(text):
        if _DANGLING_HAN.search(text):
            return Finish.CUT
        return Finish.COMPLETE if _ENDS.search(text) else Finish.OPEN
    words = re.findall(r"[\w']+", text.lower())
    if words and words[-1] in _DANGLING and not text.endswith(("?", "!")):
        return (
            Finish.OPEN if _ENDS.search(text) else Finish.CUT
        )  # transcribers end fragments with a full stop, too
    return Finish.COMPLETE if _ENDS.search(text) else Finish.OPEN


def silence_ms(text: str | None, eagerness: Eagerness) -> int:
    """Milliseconds of silence that end the turn after this text; None: nothing is known about the text yet."""
    complete, open_, cut = WAIT_MS[eagerness]
    if text is None:
        wait_ms = (open_ + cut) // 2
    else:
        wait_ms = {Finish.COMPLETE: complete, Finish.OPEN: open_, Finish.CUT: cut}[finish_of(text)]
    return min(wait_ms, LONGEST_MS[eagerness])
