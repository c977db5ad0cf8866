"""Counts the samples that wait, that the device has taken, and that have been heard.

Pure: the device (or a test) takes samples and gives the time at which the first one will be heard, in seconds of the
device's clock. Knows parts of items; knows no socket and no device. Safe to use from an audio thread.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field
from typing import NamedTuple

SAMPLE_BYTES = 2
_RAMP_MS = 50  # from one gain to the other, without a click
_REMEMBERED_FLUSHES = 32


class PartKey(NamedTuple):
    """The part of an item that audio belongs to."""

    item_id: str
    content_index: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """How much of a part has been heard. `drained`: all of it, and the part is complete."""

    part: PartKey
    played_ms: int
    drained: bool = False


@dataclass(slots=True)
class _Part:
    key: PartKey
    waiting: deque[memoryview] = field(default_factory=deque)
    waiting_bytes: int = 0
    handed: int = 0  # samples that the device has taken
    heard: int = 0  # samples that have been heard
    ended: bool = False

    def take(self, size: int) -> bytes:
        taken = bytearray()
        while self.waiting and len(taken) < size:
            chunk = self.waiting.popleft()
            room = size - len(taken)
            taken += chunk[:room]
            if len(chunk) > room:
                self.waiting.appendleft(chunk[room:])
        self.waiting_bytes -= len(taken)
        self.handed += len(taken) // SAMPLE_BYTES
        return bytes(taken)

    def keep(self, size: int) -> None:
        """Of what waits, only so many bytes."""
        while self.waiting and self.waiting_bytes > size:
            chunk = self.waiting.pop()
            self.waiting_bytes -= len(chunk)
            if self.waiting_bytes < size:
                self.waiting.append(chunk[: size - self.waiting_bytes])
                self.waiting_bytes = size


@dataclass(frozen=True, slots=True)
class _Span:
    """Samples of a part that the device has taken, with the time of the first one."""

    part: _Part
    samples: int
    at_s: float


class Player:
    """A queue of parts, played in order and counted by sample.

    A part starts when `prebuffer_ms` of it have been received, against jitter of the network. When `max_s` seconds
    wait, new audio is dropped and counted in `dropped_ms`.
    """

    def __init__(self, rate: int = 24_000, *, prebuffer_ms: int = 40, max_s: int = 600) -> None:
        self.rate = rate  # Hertz, of 16-bit mono PCM
        self.starved_ms = 0.0  # of silence inside parts, because audio was late
        self.dropped_ms = 0.0
        self._prebuffer_bytes = prebuffer_ms * rate // 1000 * SAMPLE_BYTES
        self._max_bytes = max_s * rate * SAMPLE_BYTES
        self._parts: deque[_Part] = deque()  # the head is playing
        self._spans: deque[_Span] = deque()
        self._finished: list[_Part] = []  # handed over whole, perhaps still sounding
        self._flushed: deque[PartKey] = deque(maxlen=_REMEMBERED_FLUSHES)
        self._gain = self._wanted_gain = 1.0  # factors of the amplitude
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        waiting_ms = sum(part.waiting_bytes for part in self._parts) * 1000 // (SAMPLE_BYTES * self.rate)
        return f"<Player {len(self._parts)} parts, {waiting_ms} ms waiting>"

    @property
    def active(self) -> bool:
        """Whether a part is waiting, playing or incomplete."""
        return bool(self._parts or self._spans or self._finished)

    @property
    def sounding(self) -> bool:
        """Whether the device has samples that have not been heard yet (as of the last `positions`)."""
        return bool(self._spans)

    @property
    def audible(self) -> bool:
        """Whether something sounds, as of the last `positions`, or does as soon as the device takes samples.

        Not in an answer of which all that has come was heard: more may follow, or may never.
        """
        with self._lock:
            return bool(self._spans) or self._may_go_on()

    def _may_go_on(self) -> bool:
        for part in self._parts:
            if part.waiting_bytes:
                return not self._awaits_more(part)
            if not part.ended:
                return False
        return False

    def write(self, part: PartKey, pcm: bytes) -> None:
        """Queue audio. Audio of a flushed part is dropped: the server had not known of the flush."""
        with self._lock:
            if part in self._flushed:
                return
            target = self._find(part)
            if target.ended or sum(p.waiting_bytes for p in self._parts) + len(pcm) > self._max_bytes:
                self.dropped_ms += len(pcm) * 1000 / (SAMPLE_BYTES * self.rate)
                return
            target.waiting.append(memoryview(pcm))
            target.waiting_bytes += len(pcm)

    def end(self, part: PartKey) -> None:
        """The part is complete."""
        with self._lock:
            if part not in self._flushed:
                self._find(part).ended = True

    def end_all(self) -> set[PartKey]:
        """Nothing more comes: what there is of each part is all of it. Returns the parts that are not over."""
        with self._lock:
            parts = (*self._finished, *self._parts)
            for part in parts:
                part.ended = True
        return {part.key for part in parts}

    def set_gain(self, gain_db: float) -> None:
        """Play everything so much louder (above 0 dB) or more quietly from now on; `drain` gives what was written."""
        with self._lock:
            self._wanted_gain = 10 ** (gain_db / 20)

    def read(self, samples: int, at_s: float) -> bytes:
        """The next samples; the first one will be heard at `at_s`. Filled up with silence."""
        out = bytearray()
        size = samples * SAMPLE_BYTES
        with self._lock:
            while self._parts and len(out) < size:
                part = self._parts[0]
                if self._awaits_more(part):
                    break
                start_s = at_s + self._length_s(out)
                pcm = part.take(size - len(out))
                if pcm:
                    self._spans.append(_Span(part, len(pcm) // SAMPLE_BYTES, start_s))
                    out += pcm
                if part.waiting_bytes:
                    break
                if not part.ended:
                    if part.handed:
                        self.starved_ms += (size - len(out)) * 1000 / (SAMPLE_BYTES * self.rate)
                    break
                self._finished.append(self._parts.popleft())
            return self._with_gain(bytes(out) + bytes(size - len(out)))

    def drain(self, at_s: float) -> bytes:
        """All samples that can be played by now, without silence; the first one is heard at `at_s`."""
        out = bytearray()
        with self._lock:
            while self._parts:
                part = self._parts[0]
                if self._awaits_more(part):
                    break
                if pcm := part.take(part.waiting_bytes):
                    self._spans.append(_Span(part, len(pcm) // SAMPLE_BYTES, at_s + self._length_s(out)))
                    out += pcm
                if not part.ended:
                    break
                self._finished.append(self._parts.popleft())
        return bytes(out)

    def positions(self, now_s: float) -> list[Position]:
        """How much of each part has been heard by now. A drained part is returned once."""
        with self._lock:
            partial = self._hear(now_s)
            sounding = {id(span.part) for span in self._spans}
            told = [self._position(part, partial) for part in (*self._finished, *self._parts)]
            drained = {part.key for part in self._finished if id(part) not in sounding}
            self._finished = [part for part in self._finished if part.key not in drained]
        return [Position(p.part, p.played_ms, drained=p.part in drained) for p in told]

    def received_ms(self, part: PartKey) -> int:
        """How much of a part that is not over has arrived, and will be played; 0 of one that is over or was flushed."""
        with self._lock:
            for each in (*self._finished, *self._parts):
                if each.key == part:
                    return (each.handed + each.waiting_bytes // SAMPLE_BYTES) * 1000 // self.rate
        return 0

    def trim(self, part: PartKey, end_ms: int) -> None:
        """Drop what waits of a part after its first `end_ms`. What the device has taken is played."""
        with self._lock:
            for each in self._parts:
                if each.key == part:
                    each.keep(max(0, end_ms * self.rate // 1000 - each.handed) * SAMPLE_BYTES)

    def flush(self, only: Container[PartKey] | None = None) -> list[Position]:
        """Drop what waits, of all parts or of these. The positions are final: the device plays what it has taken."""
        with self._lock:
            parts = [part for part in (*self._finished, *self._parts) if only is None or part.key in only]
            dropped = {part.key for part in parts}
            self._flushed.extend(part.key for part in parts)
            self._parts = deque(part for part in self._parts if part.key not in dropped)
            self._spans = deque(span for span in self._spans if span.part.key not in dropped)
            self._finished = [part for part in self._finished if part.key not in dropped]
        return [Position(part.key, part.handed * 1000 // self.rate) for part in parts]

    def _with_gain(self, pcm: bytes) -> bytes:
        """The samples at the wanted gain, reached by a ramp."""
        if self._gain == self._wanted_gain == 1.0:
            return pcm
        samples, step = array("h", pcm), 1000 / (_RAMP_MS * self.rate)
        for index, sample in enumerate(samples):
            towards = self._wanted_gain - self._gain
            self._gain += max(-step, min(step, towards))
            samples[index] = max(-32768, min(32767, round(sample * self._gain)))
        return samples.tobytes()

    def _awaits_more(self, part: _Part) -> bool:
        """Whether a part is too short yet to begin with."""
        return not part.handed and not part.ended and part.waiting_bytes < self._prebuffer_bytes

    def _length_s(self, pcm: bytearray) -> float:
        return len(pcm) / SAMPLE_BYTES / self.rate

    def _find(self, key: PartKey) -> _Part:
        for part in self._parts:
            if part.key == key:
                return part
        part = _Part(key)
        self._parts.append(part)
        return part

    def _hear(self, now_s: float) -> tuple[_Part | None, int]:
        """Count the samples heard by now. Returns the part that is playing and its samples in the current span."""
        while self._spans:
            span = self._spans[0]
            heard = round((now_s - span.at_s) * self.rate)
            if heard < span.samples:
                return span.part, max(0, heard)
            span.part.heard += span.samples
            self._spans.popleft()
        return None, 0

    def _position(self, part: _Part, partial: tuple[_Part | None, int]) -> Position:
        heard = part.heard + (partial[1] if partial[0] is part else 0)
        return Position(part.key, heard * 1000 // self.rate)
