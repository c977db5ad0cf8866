"""A simulated turn: a chat stream, the chunker, a voice with a latency, and a listener. No sockets, no real time.

The voice speaks one chunk after the other. Each starts after a latency with a long tail and comes in frames of 100 ms,
which the listener plays at once. Latencies are those of docs/minimax/latency.md 3. The chunker learns them and the
speaking rate from what it receives, turn after turn, like the product.
A pause counts as stutter only as far as sending the first word of the chunk at once would have prevented it. The rest
is caused by the upstream and is counted separately.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.traces import Trace, clause_floor_s
from realtime.core.chunker import Boundary, Chunk, Chunker, ChunkRules
from realtime.core.clauses import Size, measure
from realtime.core.normalize import SpeechNormalizer
from realtime.core.playback_clock import Latency, SpeakingRate
from realtime.core.prebuffer import Delivery, Prebuffer

_FRAME_MS = 100.0
# The pause of a punctuation mark (`Size.marks`): from half of that in the sandbox's voice to all of it.
_MARK_MS = (70.0, 145.0)
_MARKS_PER_NARROW = 0.12  # in the English replies, so that the total speed does not depend on the pauses
_QUEUED_SHARE = 0.6  # of the latency, for a chunk that was sent before the voice had finished the last one


@dataclass(frozen=True, slots=True)
class SpeechProfile:
    """A speech platform: time to first audio (mean, 95th percentile), then the speed in multiples of real time."""

    name: str
    first_s: float
    first_p95_s: float
    rate: float
    final_s: float = 0.01

    def first_audio_s(self, rng: random.Random) -> float:
        """A log-normal value for the profile, at most 1.2 times the 95th percentile."""
        sigma = math.log(self.first_p95_s / self.first_s) / 1.5
        return min(1.2 * self.first_p95_s, self.first_s * math.exp(rng.gauss(-sigma * sigma / 2, sigma)))


LOCAL = SpeechProfile("local", 0.05, 0.08, 20.0, 0.001)
MAINLAND = SpeechProfile("mainland", 0.28, 0.42, 8.0)
FAR = SpeechProfile("far", 0.5, 0.9, 5.0)
LAME = SpeechProfile("lame", 0.4, 0.6, 1.5)
BEHIND = SpeechProfile("0.8 x", 0.4, 0.6, 0.8)


@dataclass(slots=True)
class Budget:
    """The request limit of an account, for any 60 seconds."""

    per_minute: int
    sent_s: deque[float] = field(default_factory=deque)

    def left(self, now_s: float) -> float:
        while self.sent_s and self.sent_s[0] <= now_s - 60:
            self.sent_s.popleft()
        return self.per_minute - len(self.sent_s)

    def take(self, now_s: float) -> float:
        """Count one request; returns how long it must wait."""
        wait_s = 0.0 if self.left(now_s) > 0 else self.sent_s[len(self.sent_s) - self.per_minute] + 60 - now_s
        self.sent_s.append(now_s + wait_s)
        return wait_s


@dataclass(slots=True)
class Voice:
    """The voice of one conversation: its real speed, and what the product has learnt about it."""

    ms_per_narrow: float
    ms_per_wide: float
    ms_per_mark: float
    latency: Latency
    delivery: Delivery
    rate: SpeakingRate = field(default_factory=SpeakingRate)

    @classmethod
    def drawn(
        cls, rng: random.Random, latency: Latency | None = None, delivery: Delivery | None = None
    ) -> Voice:
        """A random voice: 0.85 to 1.2 times 15 Latin-like or 4.5 Han characters per second."""
        mark_ms = rng.uniform(*_MARK_MS)
        factor = rng.uniform(0.85, 1.2)
        return cls(
            factor * (66.7 - mark_ms * _MARKS_PER_NARROW),
            factor * 222.0,
            factor * mark_ms,
            latency or Latency(),
            delivery or Delivery(),
        )

    def duration_ms(self, size: Size, rng: random.Random) -> float:
        spoken_ms = (
            size.narrow * self.ms_per_narrow + size.wide * self.ms_per_wide + size.marks * self.ms_per_mark
        )
        return spoken_ms * rng.uniform(0.9, 1.1) + size.pause_ms


class Turn:
    """One reply, from the first delta to the last played sample. `advance` handles all events up to a time."""

    def __init__(
        self,
        trace: Trace,
        speech: SpeechProfile,
        voice: Voice,
        rng: random.Random,
        start_s: float = 0.0,
        budget: Budget | None = None,
    ) -> None:
        self._trace, self._rng, self._speech, self._budget = trace, rng, speech, budget
        self._voice = voice
        self._filter = SpeechNormalizer()
        self._start_s = start_s
        self._deltas = deque((start_s + at_s, text) for at_s, text in trace.deltas)
        self._finish_s: float | None = start_s + trace.finish_s
        self.chunker = Chunker(ChunkRules(), voice.rate)
        self.chunker.latency(voice.latency)
        self.chunker.delivery(voice.delivery)
        # Of chunks sent to an idle voice; learnt with their first audio
        self._latencies_s: dict[int, float] = {}
        self._frames: deque[tuple[float, int, float, bool]] = deque()  # arrival, chunk, received ms, complete
        self._prebuffer = Prebuffer(voice.delivery)
        self._held: list[tuple[float, int, float, bool]] = []  # frames of the current chunk
        self._chunk_ms = 0.0  # received of the current chunk
        self._voice_free_s = start_s
        self.chunks: list[Chunk] = []
        self.sent_s: list[float] = []
        self.played_until_s: float | None = None
        self.first_audio_s: float | None = None
        self.stutter_ms = 0.0  # pauses that an earlier chunk would have prevented
        self.upstream_ms = 0.0  # other pauses
        # First audio of a chunk if it had been sent with its first word
        self._soonest_s: dict[int, float] = {}
        self.pauses_after: list[Boundary | None] = []  # None: inside a chunk
        self.waited_s = 0.0
        self._received: dict[int, float] = {}
        self.starts_s: dict[int, float] = {}  # when each chunk starts to play

    @property
    def floor_s(self) -> float:
        """Time of the first complete clause, after the first delta."""
        return clause_floor_s(self._trace)

    @property
    def over(self) -> bool:
        return self._finish_s is None and not self._frames and self.chunker.done

    def next_s(self) -> float:
        times = [queue[0][0] for queue in (self._deltas, self._frames) if queue]
        times += [at_s for at_s in (self._finish_s, self.chunker.deadline()) if at_s is not None]
        return min(times)

    def advance(self, now_s: float) -> None:
        while self._frames and self._frames[0][0] <= now_s:
            self._receive(*self._frames.popleft())
        while self._deltas and self._deltas[0][0] <= now_s:
            self.chunker.feed(self._filter.feed(self._deltas.popleft()[1]), now_s)
        if self._finish_s is not None and self._finish_s <= now_s:
            self._finish_s = None
            self.chunker.feed(self._filter.finish(), now_s)
            self.chunker.finish()
        if self._budget is not None:
            self.chunker.budget(self._budget.left(now_s))
        for chunk in self.chunker.poll(now_s):
            self.chunks.append(chunk)
            self.sent_s.append(now_s)
            if chunk.spoken:
                self._synthesize(chunk, now_s)

    def _synthesize(self, chunk: Chunk, now_s: float) -> None:
        if self._budget is not None:
            wait_s = self._budget.take(now_s)
            self.waited_s += wait_s
            now_s += wait_s
        first_s = self._speech.first_audio_s(self._rng)
        if self._voice_free_s <= now_s:
            self._latencies_s[chunk.index] = first_s
        queued_s = self._voice_free_s + _QUEUED_SHARE * first_s
        at_s = max(now_s + first_s, queued_s)
        self._soonest_s[chunk.index] = max(self._first_word_s(chunk) + first_s, queued_s)
        total_ms = self._voice.duration_ms(measure(chunk.spoken), self._rng)
        received_ms = 0.0
        while received_ms < total_ms:
            frame_ms = min(_FRAME_MS, total_ms - received_ms)
            at_s += frame_ms / 1000 / self._speech.rate if received_ms else 0.0
            received_ms += frame_ms
            self._frames.append((at_s, chunk.index, received_ms, False))
        self._voice_free_s = at_s + self._speech.final_s
        self._frames.append((self._voice_free_s, chunk.index, total_ms, True))

    def _first_word_s(self, chunk: Chunk) -> float:
        """Time when the first word of this chunk had arrived."""
        before = sum(len(sent.text) for sent in self.chunks[: chunk.index])
        word = len(chunk.text) - len(chunk.text.lstrip()) + len(chunk.text.split()[0])
        return self._start_s + self._trace.arrival_s(before + word - 1)

    def _receive(self, at_s: float, index: int, received_ms: float, complete: bool) -> None:
        """Handle a received frame like the product."""
        if complete:
            self._prebuffer.complete()
            self._chunk_ms = 0.0
        else:
            expected_ms = self._voice.rate.expected_ms(measure(self.chunks[index].spoken))
            self._prebuffer.sound(received_ms - self._chunk_ms, lambda: expected_ms, at_s)
            self._chunk_ms = received_ms
        if index in self._latencies_s:
            self._voice.latency.learn(self._latencies_s.pop(index))
        self._held.append((at_s, index, received_ms, complete))
        if self._prebuffer.passing:
            for frame in self._held:
                self._play(at_s, *frame)
            self._held.clear()

    def _play(self, at_s: float, received_s: float, index: int, received_ms: float, complete: bool) -> None:
        self.chunker.audio(index, received_ms, complete, at_s)
        new_s = (received_ms - self._received.get(index, 0.0)) / 1000
        if new_s <= 0:
            return
        if self.played_until_s is None:
            self.first_audio_s = self.played_until_s = at_s
        if at_s > self.played_until_s + 1e-9:
            inside = index in self._received
            soonest_s = self._soonest_s[index] + at_s - received_s  # including the time in the prebuffer
            upstream_until_s = at_s if inside else max(self.played_until_s, min(at_s, soonest_s))
            self.stutter_ms += 1000 * (at_s - upstream_until_s)
            self.upstream_ms += 1000 * (upstream_until_s - self.played_until_s)
            self.pauses_after.append(None if inside else self.chunks[index - 1].boundary)
            self.played_until_s = at_s
        self.starts_s.setdefault(index, self.played_until_s)
        self._received[index] = received_ms
        self.played_until_s += new_s


@dataclass(frozen=True, slots=True)
class Result:
    """The measurements of one turn."""

    first_text_ms: float
    over_floor_ms: float  # from the first complete clause to the first text sent
    first_audio_ms: float
    stutter_ms: float
    upstream_ms: float
    requests: int
    waste_chars: int  # sent but not heard, at a random interruption
    ends: tuple[str, ...]  # the boundary of each chunk
    pauses: tuple[str, ...]  # the boundary before each pause; "inside" if inside a chunk
    waited_s: float
    text: str


def simulate(
    trace: Trace,
    speech: SpeechProfile,
    rng: random.Random,
    voice: Voice | None = None,
    budget: Budget | None = None,
) -> Result:
    """Simulate one turn."""
    turn = Turn(trace, speech, voice or Voice.drawn(rng), rng, budget=budget)
    while not turn.over:
        turn.advance(turn.next_s())
    return _result(turn, 0.0, rng)


def simulate_load(
    traces: Sequence[Trace], speech: SpeechProfile, rng: random.Random, budget: Budget, gap_s: float
) -> list[Result]:
    """Simulate turns that start every `gap_s` seconds and share one account."""
    latency, delivery = Latency(), Delivery()
    turns = [
        (index * gap_s, Turn(trace, speech, Voice.drawn(rng, latency, delivery), rng, index * gap_s, budget))
        for index, trace in enumerate(traces)
    ]
    live = [turn for _, turn in turns]
    while live:
        turn = min(live, key=Turn.next_s)
        turn.advance(turn.next_s())
        if turn.over:
            live.remove(turn)
    return [_result(turn, start_s, rng) for start_s, turn in turns]


def _result(turn: Turn, start_s: float, rng: random.Random) -> Result:
    spoken = [chunk for chunk in turn.chunks if chunk.spoken]
    assert turn.first_audio_s is not None
    assert turn.played_until_s is not None
    first = spoken[0].index
    return Result(
        1000 * (turn.sent_s[first] - start_s),
        1000 * (turn.sent_s[first] - start_s - turn.floor_s),
        1000 * (turn.first_audio_s - start_s),
        turn.stutter_ms,
        turn.upstream_ms,
        len(spoken),
        _waste(turn, rng.uniform(turn.first_audio_s, turn.played_until_s)),
        tuple(chunk.boundary.name.lower() for chunk in turn.chunks),
        tuple(boundary.name.lower() if boundary else "inside" for boundary in turn.pauses_after),
        turn.waited_s,
        "".join(chunk.text for chunk in turn.chunks),
    )


def _waste(turn: Turn, at_s: float) -> int:
    """Characters sent by `at_s` but not heard; inside the playing chunk, in proportion to time."""
    sent = sum(
        len(chunk.spoken) for chunk, sent_s in zip(turn.chunks, turn.sent_s, strict=True) if sent_s <= at_s
    )
    heard = 0.0
    for chunk in turn.chunks:
        start_s = turn.starts_s.get(chunk.index)
        if start_s is not None and start_s < at_s:
            length_s = turn._received[chunk.index] / 1000
            heard += len(chunk.spoken) * min(1.0, (at_s - start_s) / length_s)
    return max(0, round(sent - heard))
