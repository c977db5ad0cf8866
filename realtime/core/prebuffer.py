"""Holds the audio of a chunk back until it can play to its end without a break.

A voice may deliver audio more slowly than it plays. Passed on as it is received, playback would run dry in the middle
of words, again and again. So a chunk of such a voice waits until the audio received covers what the rest will be late:
then the only pause is before the chunk, and chunks begin at the best boundaries. A voice that keeps up never waits.
Pure: the time is an argument, in seconds of any clock that does not jump. Knows amounts of audio, not the audio.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low

MAX_HOLD_S = 5.0  # no chunk is held back for longer
_CHUNKS = 5  # so many of the last ones count
_NOTHING = 0.02  # a smaller lag is measurement error
_TELLING_MS = 500.0  # a chunk with less audio after its first says nothing about the lag
_AWAY = 0.1  # with a larger share of the time not spent reading, lateness may be the reader's
_DOUBT = 1.25  # a chunk may be so much longer than expected


class Delivery:
    """How fast audio is received from a voice, by the median of its last chunks: one odd chunk does not count."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque(maxlen=_CHUNKS)
        self._largest_ms: deque[float] = deque(maxlen=_CHUNKS)

    def __repr__(self) -> str:
        return f"<Delivery {self.lag:.2f} behind in {len(self._lags)} chunks>"

    @property
    def lag(self) -> float:
        """Seconds that the voice falls behind playback with each second of audio: 0.25 at 0.8 of real time."""
        lag = median_low(self._lags) if self._lags else 0.0
        return lag if lag > _NOTHING else 0.0

    @property
    def largest_ms(self) -> float:
        """The most audio that was lately received at once."""
        return max(self._largest_ms, default=0.0)

    def learn(self, sound_ms: float, took_ms: float, largest_ms: float = 0.0) -> None:
        """One chunk: `sound_ms` of audio after its first took `took_ms` to arrive, at most `largest_ms` at once."""
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
    """The chunks of one reply, one after the other. `passing`: whether the audio received may be passed on by now."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._chunk: _Chunk | None = None
        self.passing = True

    def sound(self, ms: float, expected_ms: Callable[[], float], now_s: float) -> None:
        """More audio of a chunk was received, `ms` of it.

        `expected_ms` tells how long the whole chunk should last; it is not called while the voice keeps up.
        """
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
        """For so long nobody read from the voice: whoever takes the audio was busy."""
        if self._chunk is not None:
            self._chunk.away_s += seconds

    def complete(self) -> None:
        """All audio of the chunk was received: it is passed on, and the delivery learns from it."""
        if self._chunk is not None:
            self._learn(self._chunk)
        self._chunk, self.passing = None, True

    def _lasts(self, chunk: _Chunk, expected_ms: Callable[[], float]) -> bool:
        """Whether the audio received covers what the rest will be late, and the wait for one more delivery."""
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
