"""When a turn is over: one probability from all that is known about a pause, and the silence that it asks for.

    silence of the base curve, by the probability and the eagerness
      + as much as an early answer still needs, up to `STRETCH_MS`: until its first sound is in hand, waiting is free
      - what counts as silence of the time before the pause (`silences.py`)

What is known are the text, the doubts of the transcriber about its last word and its full stop, and the opinion of an
acoustic model. All numbers were chosen on two thirds of the recordings (docs/turn-taking.md, bench/README.md). The
curve ends: after 1.9 s, times the eagerness, and that stretch, every turn is over. Pure: it has no clock.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from realtime.core.asked_answers import LONGEST
from realtime.core.characters import HAN
from realtime.core.completeness import Completeness, Eagerness, Judged, completeness_of, judge


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a pause. `text` None: nothing yet. Probabilities are None where nobody tells them."""

    text: str | None = None
    last_word: float | None = None  # probability, by the transcriber
    stop: float | None = None  # that a full stop (or "?", "!") ends the text, by the transcriber
    acoustic: float | None = None  # that the turn is over, by the sound
    silent_ms: float = 0.0  # so much of the time before the pause counts as silence
    before: str = ""  # what the other said last, perhaps a question


class EarlyAnswer(Enum):
    """How far the answer is that was begun before the turn is over."""

    NONE = 0  # nobody has begun one: each millisecond of waiting delays the answer
    IN_THE_MAKING = 1
    READY = 2  # its first sound (or, where the voice may not begin, its first clause) is in hand


# Log-odds that the turn is over. Chosen by logistic regression (bench/README.md, "When a turn is over").
LOOKS_OVER = {
    Completeness.COMPLETE: 0.2,
    Completeness.OPEN: -1.1,
    Completeness.DANGLING: -1.1,
    Completeness.INCOMPLETE: -1.7,
    Completeness.LIKELY: -0.2,
    Completeness.SHORT: -1.7,
}
# However sure the last word is and however it sounds: more than 900 ms between two groups of a number
MOST_LIKELY_SHORT = 0.39
# 800 ms after an answer that may be told more exactly, or less where the same words need less that answer nothing
MOST_LIKELY_LIKELY = 0.45
NO_TEXT_YET = -0.9
# A doubt is worth this much for each unit of log-odds below (or above) what the transcriber says of most last words.
STOP_WEIGHT, STOP_USUAL = 1.4, 0.72
WORD_WEIGHT, WORD_USUAL = 0.35, 0.85
ACOUSTIC_WEIGHT, ACOUSTIC_USUAL = 0.2, 0.3
ACOUSTIC_WEIGHT_UNDOUBTED = 0.4  # where the transcriber tells no doubts ...
ACOUSTIC_WEIGHT_ALONE = 0.8  # ... and where there is no text
ACOUSTIC_WEIGHT_HAN, ACOUSTIC_USUAL_HAN = 0.1, 0.8  # it calls nearly all Chinese over (docs/engines.md 4)
MOST = 3.0  # units of log-odds that one doubt may add or take

# The silence for a probability, in ms since the end of the voice's energy; between two points, a straight line.
CURVE = (
    (0.0, 1_900),
    (0.1, 1_500),
    (0.25, 1_250),
    (0.45, 800),
    (0.55, 600),
    (0.65, 500),
    (0.8, 400),
    (1.0, 360),
)
FACTOR: dict[Eagerness, float] = {"high": 0.75, "medium": 1.0, "auto": 1.0, "low": 1.8}
# An answer that was asked for at the end of the voice has its first sound after about 730 ms.
STRETCH_MS = 400
# From this part of the silence on the turn is likely over: the voice may begin, unheard (docs/turn-taking.md, 1).
LIKELY_OVER_FROM = 0.6
# However long no word was said before, so much silence is heard after the last sound: a word may have begun in it.
LEAST_ANEW_MS = 200

_HAN = re.compile(f"[{HAN}]")
_FULL_STOP = re.compile(r"(?<![.。…])[.。]$")


def probability_over(known: Evidence) -> float:
    """How likely the turn is over, 0 to 1."""
    return _probability(known, _judged(known))


def _probability(known: Evidence, judged: Judged) -> float:
    if known.text is None:
        return _of_odds(NO_TEXT_YET + _by_sound(known))
    sound, looks_like = _by_sound(known), judged.looks
    over = _of_odds(_by_text(judged, known) + sound)
    if looks_like is Completeness.SHORT:
        return min(over, MOST_LIKELY_SHORT)
    if looks_like is Completeness.LIKELY:
        unasked = _of_odds(_by_text(Judged(Completeness.OPEN), known) + sound)
        return max(unasked, min(over, MOST_LIKELY_LIKELY))
    # A doubted mark after what answers a question never costs more than none
    whole = judged.alone and looks_like is Completeness.COMPLETE
    bare = None if whole or looks_like is Completeness.INCOMPLETE else _without_stop(known)
    if bare is None:
        return over
    likely = _probability(bare, Judged(Completeness.LIKELY))
    # Judging takes time, so only where it can change something
    return likely if likely > over and _judged(bare).looks is Completeness.LIKELY else over


def _without_stop(known: Evidence) -> Evidence | None:
    """The same without its full stop; None where nothing was asked, no full stop ends the text or it is no answer."""
    text = (known.text or "").strip()
    found = _FULL_STOP.search(text) if known.before and len(text) <= LONGEST + 1 else None
    return replace(known, text=text[: found.start()], stop=None) if found else None


def _judged(known: Evidence) -> Judged:
    return Judged(Completeness.INCOMPLETE) if known.text is None else judge(known.text, known.before)


def _of_odds(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def looks(known: Evidence) -> Completeness:
    """Whether the text looks like a whole sentence, after what the other said; no text does not."""
    return Completeness.INCOMPLETE if known.text is None else completeness_of(known.text, known.before)


# A text while the voice still sounds is worth a question from this probability on; from less if a second decode agrees.
ASK_FROM, ASK_AGREED_FROM = 0.7, 0.4
MOST_QUESTIONS = 8  # about texts of one turn, before it is over
# After so many texts decodes have to agree, and for so much sound: where each one changes the text, questions are left
# for the end, and two decodes of nearly the same sound prove little.
MOST_ALONE, AGREED_MS = 2, 96.0
MOST_UNLIKELY = 5  # of those, about texts of pauses that are hardly the end, before the turn is likely over


def worth_asking(known: Evidence, *, same_ms: float, asked: int = 0) -> bool:
    """Whether an interim text is so likely all there is that the answer may begin.

    `same_ms`: decodes have said the same for so much sound, pauses too, 0 for a new text; `asked`: so many texts were
    asked about while the voice sounded."""
    judged = _judged(known)
    whole = judged.looks
    agreed = same_ms > 0 if asked < MOST_ALONE else same_ms >= AGREED_MS
    if whole is Completeness.INCOMPLETE or (asked >= MOST_ALONE and not agreed):
        return False
    least = ASK_AGREED_FROM if agreed and whole is Completeness.COMPLETE else ASK_FROM
    return _probability(known, judged) >= least


def worth_asking_in_pause(known: Evidence, *, unlikely: int) -> bool:
    """Whether the text of a pause is worth a question: any may be all there is. But who hesitates again and again has
    one left for the end. `unlikely`: so many were asked in this turn about texts that were hardly the end."""
    return unlikely < MOST_UNLIKELY or not is_unlikely(known)


def is_unlikely(known: Evidence) -> bool:
    """Whether this text is hardly all there is."""
    return probability_over(known) < ASK_AGREED_FROM


def _by_text(judged: Judged, known: Evidence) -> float:
    whole = judged.looks
    word = _doubt(known.last_word, WORD_USUAL, WORD_WEIGHT)
    # A word that ends few sentences ends this one where the transcriber is sure of the stop ("Turn it on."); at the end
    # of a list or of digits it is always sure
    ends = whole in (Completeness.COMPLETE, Completeness.DANGLING)
    stop = _doubt(known.stop, STOP_USUAL, STOP_WEIGHT) if ends else 0.0
    if judged.alone:
        # It is doubted because it is short: the usual probability of the stop after "No." is 0.4
        word, stop = max(0.0, word), max(0.0, stop)
    return LOOKS_OVER[whole] + word + stop


def _by_sound(known: Evidence) -> float:
    if known.text is None:
        return _doubt(known.acoustic, ACOUSTIC_USUAL, ACOUSTIC_WEIGHT_ALONE)
    if _HAN.search(known.text):
        return _doubt(known.acoustic, ACOUSTIC_USUAL_HAN, ACOUSTIC_WEIGHT_HAN)
    weight = ACOUSTIC_WEIGHT_UNDOUBTED if known.last_word is None else ACOUSTIC_WEIGHT
    return _doubt(known.acoustic, ACOUSTIC_USUAL, weight)


class Waits(NamedTuple):
    """Milliseconds of silence after which a turn is over, and after which it likely is and may still go on."""

    silence_ms: int
    likely_over_ms: float


def waits(known: Evidence, eagerness: Eagerness, answer: EarlyAnswer = EarlyAnswer.NONE) -> Waits:
    """How long the user may be silent."""
    wait_ms = _on_curve(probability_over(known)) * FACTOR[eagerness]
    stretch_ms = STRETCH_MS if answer is EarlyAnswer.IN_THE_MAKING else 0
    over_ms, stretched_ms = (
        round(max(LEAST_ANEW_MS, each - known.silent_ms)) for each in (wait_ms, wait_ms + stretch_ms)
    )
    return Waits(stretched_ms, LIKELY_OVER_FROM * over_ms)


def silence_ms(known: Evidence, eagerness: Eagerness, answer: EarlyAnswer = EarlyAnswer.NONE) -> int:
    """Milliseconds of silence that end the turn."""
    return waits(known, eagerness, answer).silence_ms


def _doubt(probability: float | None, usual: float, weight: float) -> float:
    if probability is None:
        return 0.0
    return weight * max(-MOST, min(MOST, _log_odds(probability) - _log_odds(usual)))


def _log_odds(probability: float) -> float:
    kept = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(kept / (1 - kept))


def _on_curve(probability: float) -> float:
    for (left, left_ms), (right, right_ms) in itertools.pairwise(CURVE):
        if probability <= right:
            return left_ms + (right_ms - left_ms) * (probability - left) / (right - left)
    return CURVE[-1][1]
