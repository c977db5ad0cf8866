"""Where the sound goes on that a text does not have: the decoder took the end of a segment for the end of all.

docs/engines.md 2.2 has what was measured. Pure: samples and times in, a time out.
"""

from __future__ import annotations

import itertools

from realtime.core.energy_gate import sounding_s, stretches_s
from realtime.core.syllables import least_syllables
from realtime.providers.base import Samples

LONG_PAUSE_S = 1.0  # after it even a word may be missing
SHORT_PAUSE_S, LONG_REST_S = 0.25, 2.0  # after a shorter one only so much sound
SLOW_A_SECOND = 2.5  # syllables: people who say less may have said more than their text
REACHED_WITHIN_S = 0.3  # a timestamp may be so late ...
REACHED_ABOUT_S = 0.5  # ... and more, as many are whole seconds
LEAST_REST_S = 0.3  # less is a click or a breath


def may_go_on(samples: Samples, text: str) -> bool:
    """Whether it is worth an alignment to know where this text ends: after a long pause, or if it says so little."""
    paused = len(stretches_s(samples, LONG_PAUSE_S)) > 1
    return paused or least_syllables(text) < SLOW_A_SECOND * (sounding_s(samples) - LONG_REST_S)


def unread_from_s(samples: Samples, reached_s: float) -> float | None:
    """Where the sound begins that a text does not have which ends here; None if it has all."""
    long, short = stretches_s(samples, LONG_PAUSE_S), stretches_s(samples, SHORT_PAUSE_S)
    words = [
        (quiet_s, begin_s)
        for (_, quiet_s), (begin_s, end_s) in itertools.pairwise(long)
        if begin_s > reached_s - REACHED_WITHIN_S and end_s - begin_s >= LEAST_REST_S
    ]
    sentences = [
        (quiet_s, begin_s)
        for (_, quiet_s), (begin_s, _) in itertools.pairwise(short)
        if begin_s > reached_s - REACHED_ABOUT_S and short[-1][1] - begin_s >= LONG_REST_S
    ]
    if not words and not sentences:
        return None
    quiet_s, begin_s = min(words + sentences)
    return max(quiet_s, begin_s - REACHED_WITHIN_S)
