"""Whether a transcriber invented its text: nobody can have said it, or it is what such models write for silence.

What invented texts have in common: they are longer than the sound that they stand for, the model is not sure, or they
repeat what it was primed with (a prompt, a list of keywords). Only credits and goodbyes of videos need a table. The
words of a prompt that are spoken at a normal speed are the user's words. Pure: text and numbers in, a verdict out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from realtime.core.folding import fold, units
from realtime.core.syllables import least_syllables
from realtime.core.video_phrases import ANYWHERE, PROMPTS, WHOLE

# Syllables that nobody exceeds: so many at once, and so many a second. The fastest speakers reach 10 a second.
AT_ONCE, A_SECOND = 3.0, 11.0
# ... and that speakers of a prompt's or a goodbye's words do not exceed: normal are 4 to 6 a second.
SUSPECT_AT_ONCE, SUSPECT_A_SECOND = 1.0, 6.5
UNSURE = -1.8  # log-probability: below this a suspicious text is not believed; single words reach -1.5
SURE = -0.5  # above it even a goodbye to viewers is
LONGEST = 160  # characters of a folded text that can be of a video
SHARE = 0.6  # of the words of a text are those of the prompt: an echo

_ANYWHERE = re.compile("|".join(ANYWHERE))
_WHOLE = re.compile("(?:(?:" + "|".join(WHOLE) + r")\s*)+")


def is_invented(
    text: str,
    sounding_s: float,
    *,
    primed: Iterable[str] = (),
    log_probability: float | None = None,
    so_far: bool = False,
) -> bool:
    """Whether to drop this text of a sound that lasted so many seconds. `primed`: what the model may have been given,
    or nobody knows: the usual prompts are always among it. `log_probability`: of the mean word, if known. `so_far`: the
    speaker goes on, and a guess may run ahead of the sound."""
    syllables = least_syllables(text)
    if not so_far and syllables > AT_ONCE + A_SECOND * sounding_s:
        return True
    if of_a_video(text):
        return log_probability is None or log_probability < SURE or _hasty(syllables, sounding_s)
    unsure = log_probability is not None and log_probability < UNSURE
    return (unsure or _hasty(syllables, sounding_s)) and any(
        echoes(text, each) for each in (*primed, *PROMPTS)
    )


def _hasty(syllables: float, sounding_s: float) -> bool:
    return syllables > SUSPECT_AT_ONCE + SUSPECT_A_SECOND * sounding_s


def of_a_video(text: str) -> bool:
    """Whether this is a credit or a goodbye to the viewers of a video, and nothing else."""
    folded = fold(text)
    if len(folded) > LONGEST:
        return False
    return _ANYWHERE.search(folded) is not None or _WHOLE.fullmatch(folded) is not None


def echoes(text: str, prompt: str) -> bool:
    """Whether most of the text is out of the prompt: a part of it, in any order, any number of times, with other marks
    and capitals, or with a few words or characters changed (simplified for traditional ones)."""
    words, primed = units(fold(text)), set(units(fold(prompt)))
    return bool(words) and sum(word in primed for word in words) >= SHARE * len(words)


def keywords_and_prompt(prompt: str | None, keywords: Sequence[str] | None) -> tuple[str, ...]:
    """What a client primes a transcriber with, as one list; the keywords are one text."""
    return tuple(text for text in (prompt, " ".join(keywords or ())) if text)
