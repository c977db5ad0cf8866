"""How long texts should sound in one session, and whether what was received of them is all of it. Pure.

Learns the speaking rate from the texts of the session that have ended; without one, a usual rate for each script. Knows
neither ends (`speech_ends.py`) nor timeouts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from realtime.core.clauses import Size
    from realtime.core.playback_clock import SpeakingRate

ENOUGH = 0.85  # of the expected length: more of it need not come, voices differ by as much from text to text
_LEAST_MS = 100.0  # that may be missing of the shortest texts too: less than a syllable at the normal speed
_KEPT = 12  # ended texts
_ROUNDS = 8  # of learning: each halves what the rate is still wrong by


class ExpectedLengths:
    """The expected lengths of texts, in milliseconds. `speed` as in the session's configuration."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._ended: deque[tuple[str, float]] = deque(maxlen=_KEPT)
        self._fitted: SpeakingRate | None = None

    def __repr__(self) -> str:
        return f"<ExpectedLengths of {len(self._ended)} texts>"

    @property
    def learnt(self) -> bool:
        """Whether a text has ended, so that the rate is this voice's own."""
        return bool(self._ended)

    def learn(self, text: str, ms: float) -> None:
        """This text has ended, and its sound was so long."""
        if ms > 0:
            self._ended.append((text, ms))
            self._fitted = None

    def expected_ms(self, text: str) -> float:
        return self._rate().expected_ms(_size(text))

    def complete(self, texts: Iterable[str], received_ms: float) -> bool:
        """Whether sound of this length is that of all these texts, but for what a voice may be faster."""
        listed = list(texts)
        fitted_ms, evenly_ms = sum(map(self.expected_ms, listed)), sum(map(self._evenly_ms, listed))
        expected_ms = min(fitted_ms, evenly_ms)
        least_ms = min(ENOUGH * expected_ms, expected_ms - _LEAST_MS / self._speed)
        return received_ms > 0 and received_ms >= least_ms

    def _evenly_ms(self, text: str) -> float:
        """As if this voice were slower or faster by one factor, but for pauses that were asked for.

        A few short texts do not tell letters from marks.
        """
        usual, size = _usual(self._speed), _size(text)
        alike = [(_size(each), ms) for each, ms in self._ended]
        alike = [(ended, ms) for ended, ms in alike if _in_syllables(ended) is _in_syllables(size)]
        usual_ms = sum(usual.expected_ms(ended) - ended.pause_ms for ended, _ in alike)
        spoken_ms = sum(max(0.0, ms - ended.pause_ms) for ended, ms in alike)
        factor = spoken_ms / usual_ms if usual_ms and spoken_ms else 1.0
        return factor * (usual.expected_ms(size) - size.pause_ms) + size.pause_ms

    def _rate(self) -> SpeakingRate:
        if self._fitted is None:
            self._fitted = _fit(self._ended, self._speed)
        return self._fitted


def _fit(ended: Iterable[tuple[str, float]], speed: float) -> SpeakingRate:
    from realtime.core.clauses import Size

    rate = _usual(speed)
    # All texts of a kind together, so that a long one counts for more
    learnt: dict[bool, tuple[Size, float]] = {}
    for text, ms in ended:
        size = _size(text)
        so_far, so_far_ms = learnt.get(_in_syllables(size), (Size(), 0.0))
        learnt[_in_syllables(size)] = _sum(so_far, size), so_far_ms + ms
    for _ in range(_ROUNDS):
        for size, ms in learnt.values():
            rate.learn(size, ms)
    return rate


def _usual(speed: float) -> SpeakingRate:
    # Imported here, because it is slow to import and hardly ever needed.
    from realtime.core.playback_clock import SpeakingRate

    usual = SpeakingRate()
    return SpeakingRate(usual.ms_per_narrow / speed, usual.ms_per_wide / speed, usual.ms_per_mark / speed)


def _size(text: str) -> Size:
    """With a space at the end: the sound of a text has silence at its edges, which counts in one of a few letters."""
    from realtime.core.clauses import measure

    return measure(text.rstrip() + " ")


def _in_syllables(size: Size) -> bool:
    """Whether most of it are characters of a syllable each, which have a rate of their own."""
    return 3 * size.wide > size.narrow


def _sum(one: Size, other: Size) -> Size:
    return type(one)(
        one.narrow + other.narrow,
        one.wide + other.wide,
        one.pause_ms + other.pause_ms,
        one.marks + other.marks,
    )
