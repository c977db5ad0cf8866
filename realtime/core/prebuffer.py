"""When the sound of a chunk may be passed on, so that it plays to its end without a break.

A voice may bring its sound more slowly than it plays. Passed on as it comes, playback runs dry in the middle of words,
again and again. A chunk that is kept back until what is there outlasts what the rest of it falls behind pauses only
before it begins, and chunks begin at the best boundaries. A voice that keeps up is never kept back.
Pure: the time is an argument, in seconds of any clock that does not jump.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low

MAX_HOLD_S = 5.0  # no chunk is kept back for longer
_CHUNKS = 5  # so many are remembered
_NOTHING = 0.02  # a smaller lag is the clock's
_TELLING_MS = 500.0  # sound after the first that a chunk needs to tell anything
_AWAY = 0.1  # of that time whoever reads may have been away, or lateness is not the voice's
_DOUBT = 1.25  # a chunk may be so much longer than expected


class Delivery:
    """How fast a voice's sound comes, learnt from its last chunks; one odd chunk among several does not count."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_CHUNKS)
        self._largest_ms: deque[float] = deque(maxlen=_CHUNKS)

    def __repr__(self) -> str:
        return f"<Delivery {self.lag:.2f} behind in {len(self._lags)} chunks>"

    @property
    def lag(self) -> float:
        """How far playback gets ahead of each second of sound, in seconds: 0.25 for a voice at 0.8 of real time."""
        lag = median_low(self._lags) if self._lags else 0.0
        return lag if lag > _NOTHING else 0.0

    @property
    def largest_ms(self) -> float:
        """The most sound that lately came at once."""
        return max(self._largest_ms, default=0.0)

    def learn(self, sound_ms: float, took_ms: float, largest_ms: float = 0.0) -> None:
        """So much sound of one chunk, without what came first, took so long to come, and so much came at once."""
        self._lags.append(took_ms / sound_ms - 1)
        self._largest_ms.append(largest_ms)


@dataclass(slots=True)
class _Chunk:
    began_s: float
    first_ms: float
    last_s: float = 0.0
    received_ms: float = 0.0
    largest_ms: float = 0.0  # that came at once
    away_s: float = 0.0


class Prebuffer:
    """The chunks of one reply, one after the other: may what came of them be passed on by now?"""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._chunk: _Chunk | None = None
        self.passing = True

    def sound(self, ms: float, expected_ms: Callable[[], float], now_s: float) -> None:
        """More sound of a chunk came. `expected_ms` tells how long the chunk should last; it is not asked as long as
        the voice keeps up."""
        chunk = self._chunk
        if chunk is None:
            chunk = self._chunk = _Chunk(now_s, ms, largest_ms=self._delivery.largest_ms)
            self.passing = False
        chunk.last_s = now_s
        chunk.received_ms += ms
        chunk.largest_ms = max(chunk.largest_ms, ms)
        if not self.passing:
            self.passing = self._lasts(chunk, expected_ms) or now_s - chunk.began_s >= MAX_HOLD_S

    def away(self, seconds: float) -> None:
        """For so long nobody waited for the voice: what was passed on had to wait itself."""
        if self._chunk is not None:
            self._chunk.away_s += seconds

    def complete(self) -> None:
        """The chunk has come to its end: all of it is passed on, and it tells how fast it came."""
        if self._chunk is not None:
            self._learn(self._chunk)
        self._chunk, self.passing = None, True

    def _lasts(self, chunk: _Chunk, expected_ms: Callable[[], float]) -> bool:
        """Whether what is there outlasts what the rest falls behind, and the wait for one more delivery."""
        lag = self._delivery.lag
        if not lag:
            return True
        behind_ms = lag * max(0.0, _DOUBT * expected_ms() - chunk.received_ms)
        return behind_ms <= 0 or chunk.received_ms - chunk.largest_ms >= behind_ms

    def _learn(self, chunk: _Chunk) -> None:
        sound_ms, took_s = chunk.received_ms - chunk.first_ms, chunk.last_s - chunk.began_s
        late = took_s * 1000 > sound_ms
        if sound_ms >= _TELLING_MS and not (late and chunk.away_s > _AWAY * took_s):
            self._delivery.learn(sound_ms, took_s * 1000, chunk.largest_ms)
