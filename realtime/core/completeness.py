"""The end-of-turn delay: how long a silence must be before the user's turn is over, from how complete the sentence is.

Looks at the text, its last mark and its last word, and at the probability of an acoustic model where there is one.
The text only moves the delay: the longest one of the chosen eagerness always ends the turn
(docs/architecture.md 2.5, docs/wire.md 2.1). Knows English and Chinese; hears nothing and has no clock.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Literal

from realtime.core.characters import HAN
from realtime.core.full_stops import FullStops
from realtime.core.marks import CLAUSE_MARKS, SENTENCE_MARKS
from realtime.core.unicode_tables import ranges

Eagerness = Literal["low", "medium", "high", "auto"]


class Completeness(Enum):
    """Whether the text looks like a whole sentence."""

    COMPLETE = 0
    OPEN = 1  # could be complete
    INCOMPLETE = 2  # ends where no sentence ends


LONGEST_MS: dict[Eagerness, int] = {"low": 8_000, "medium": 4_000, "auto": 4_000, "high": 2_000}
# for a complete, an open and an incomplete sentence; from the end of the voice's energy
WAIT_MS: dict[Eagerness, tuple[int, int, int]] = {
    "high": (330, 530, 1_080),
    "medium": (380, 730, 1_580),
    "auto": (380, 730, 1_580),
    "low": (680, 1_280, 2_580),
}

_ENDS = re.compile(rf"(?:[{ranges(''.join(SENTENCE_MARKS))}]|(?<=[\u0370-\u03ff]);)[\"'”’)）」』\]]*\s*$")
_TRAILS_OFF = re.compile(rf"(?:\.{{2,}}|(?!(?<=[\u0370-\u03ff]);)[{ranges(''.join(CLAUSE_MARKS))}\-])\s*$")
_LAST_STOP = re.compile(r"([^\W\d_]+)\.$")
_DANGLING = frozenset(  # words that rarely end what somebody says
    "a an the and or but nor so if because although though while when where which who whose that than as of to in on "
    "at by for from with without into about over under between my your his her its our their this these those is are "
    "was were be been am do does did will would can could should shall may might must not very really just i we they "
    "he she um uh er like well".split()
)
_DANGLING_HAN = re.compile(
    r"(?:的|地|得|和|跟|与|或|但|但是|因为|所以|如果|然后|还有|就是|那个|这个|嗯|呃|在|把|被|对|给|从|向|是|有|要|想)[，。,.]?$"
)
_HAN_ANSWERS = re.compile(  # end in a dangling character and are whole all the same
    r"^(?:对|是|有|要|想|嗯)$|(?:好的|是的|对的|真的|可以的|没有|不是|是不是|有没有|不要|要不要|不对|谢谢你的)$"
)
_MARKS = re.compile(r"[\s，。！？,.!?]+$")
_HAN = re.compile(f"[{HAN}]")

_COMPLETENESS = {  # by dangling, and ended by a mark: transcribers end fragments with a full stop, too
    (False, True): Completeness.COMPLETE,
    (False, False): Completeness.OPEN,
    (True, True): Completeness.OPEN,
    (True, False): Completeness.INCOMPLETE,
}


def completeness_of(text: str) -> Completeness:
    """Whether the text looks like a whole sentence."""
    text = text.strip()
    if not text or _TRAILS_OFF.search(text) or _ends_with_title(text):
        return Completeness.INCOMPLETE
    if _HAN.search(text):
        dangling = _DANGLING_HAN.search(text) and not _HAN_ANSWERS.search(_MARKS.sub("", text))
        return _COMPLETENESS[bool(dangling), bool(_ENDS.search(text))]
    words = re.findall(r"[\w']+", text.lower())
    dangling = bool(words) and words[-1] in _DANGLING and not text.endswith(("?", "!"))
    return _COMPLETENESS[dangling, bool(_ENDS.search(text))]


def _ends_with_title(text: str) -> bool:
    """Whether the last word is an abbreviation that leads on: "I need to see Dr."."""
    last = _LAST_STOP.search(text)
    return last is not None and FullStops(text, final=False).is_leading(last.start(), last.group(1))


class Likelihood(Enum):
    """How likely the turn is over, by the sound of the voice (docs/engines.md 4)."""

    LIKELY = 0
    MAYBE = 1
    UNLIKELY = 2


# Where between the shortest and the longest wait each pair of opinions lands: 0 complete, 1 open, 2 incomplete.
_PLACES = {
    (Completeness.COMPLETE, Likelihood.LIKELY): 0.0,
    (Completeness.COMPLETE, Likelihood.MAYBE): 0.6,
    (Completeness.COMPLETE, Likelihood.UNLIKELY): 1.4,  # transcribers end fragments with a full stop, too
    (Completeness.OPEN, Likelihood.LIKELY): 0.0,
    (Completeness.OPEN, Likelihood.MAYBE): 1.0,
    (Completeness.OPEN, Likelihood.UNLIKELY): 1.8,
    (Completeness.INCOMPLETE, Likelihood.LIKELY): 1.0,
    (Completeness.INCOMPLETE, Likelihood.MAYBE): 1.6,
    (Completeness.INCOMPLETE, Likelihood.UNLIKELY): 2.0,
}
_PLACES_HAN = {  # the model calls nearly all Chinese complete: that says little, and the contrary says something
    (Completeness.COMPLETE, Likelihood.LIKELY): 0.0,
    (Completeness.COMPLETE, Likelihood.MAYBE): 0.5,
    (Completeness.COMPLETE, Likelihood.UNLIKELY): 1.0,
    (Completeness.OPEN, Likelihood.LIKELY): 0.8,
    (Completeness.OPEN, Likelihood.MAYBE): 1.2,
    (Completeness.OPEN, Likelihood.UNLIKELY): 1.8,
    (Completeness.INCOMPLETE, Likelihood.LIKELY): 1.8,
    (Completeness.INCOMPLETE, Likelihood.MAYBE): 2.0,
    (Completeness.INCOMPLETE, Likelihood.UNLIKELY): 2.0,
}
LIKELY_FROM, UNLIKELY_BELOW = 0.7, 0.3  # probability


def likelihood_of(acoustic: float) -> Likelihood:
    """What this probability of an ended turn says."""
    if acoustic > LIKELY_FROM:
        return Likelihood.LIKELY
    return Likelihood.UNLIKELY if acoustic < UNLIKELY_BELOW else Likelihood.MAYBE


def silence_ms(text: str | None, eagerness: Eagerness, acoustic: float | None = None) -> int:
    """Milliseconds of silence that end the turn after this text.

    `text` None: nothing is known about it yet. `acoustic`: the probability that the voice has ended its turn, None
    where nobody listens for that.
    """
    if acoustic is None:
        place = 1.5 if text is None else float(completeness_of(text).value)
    elif text is None:
        place = {Likelihood.LIKELY: 0.5, Likelihood.MAYBE: 1.0, Likelihood.UNLIKELY: 2.0}[
            likelihood_of(acoustic)
        ]
    else:
        table = _PLACES_HAN if _HAN.search(text) else _PLACES
        place = table[completeness_of(text), likelihood_of(acoustic)]
    return min(_between(WAIT_MS[eagerness], place), LONGEST_MS[eagerness])


def _between(waits_ms: tuple[int, int, int], place: float) -> int:
    complete, open_, incomplete = waits_ms
    if place <= 1:
        return round(complete + place * (open_ - complete))
    return round(open_ + (place - 1) * (incomplete - open_))
