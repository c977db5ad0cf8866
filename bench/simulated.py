"""A turn that exists only as numbers: a chat stream, the chunker, a voice with a latency, and a listener.

The voice answers in order, one piece at a time, after a latency with a tail, in frames of 100 ms; the listener plays
what came. Latencies are those of shared/minimax latency.md 3; the chunker learns them, and the voice's speed, from what
it hears, turn after turn, as the product does.
A pause counts as stutter as far as sending the piece's first word the moment it was there would have prevented it; the
rest is the upstream's and is counted apart.
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
_MARK_MS = (
    70.0,
    145.0,
)  # what a mark of `Size` takes: from half of what it does in the sandbox's voice to all
_MARKS_PER_NARROW = 0.12  # of the English replies: running text keeps its speed, whatever its marks take
_QUEUED_SHARE = 0.6  # of the latency, for a piece whose text was already there when the voice became free


@dataclass(frozen=True, slots=True)
class SpeechProfile:
    """A voice: first audio (mean and 95th percentile), speed after it in multiples of real time."""

    name: str
    first_s: float
    first_p95_s: float
    rate: float
    final_s: float = 0.01

    def first_audio_s(self, rng: random.Random) -> float:
        """Log-normal around the profile's figures, cut at 1.2 times the 95th percentile."""
        sigma = math.log(self.first_p95_s / self.first_s) / 1.5
        return min(1.2 * self.first_p95_s, self.first_s * math.exp(rng.gauss(-sigma * sigma / 2, sigma)))


LOCAL = SpeechProfile("local", 0.05, 0.08, 20.0, 0.001)
MAINLAND = SpeechProfile("mainland", 0.28, 0.42, 8.0)
FAR = SpeechProfile("far", 0.5, 0.9, 5.0)
LAME = SpeechProfile("lame", 0.4, 0.6, 1.5)
BEHIND = SpeechProfile("0.8 x", 0.4, 0.6, 0.8)


@dataclass(slots=True)
class Budget:
    """Requests an account may make: so many in any 60 seconds."""

    per_minute: int
    sent_s: deque[float] = field(default_factory=deque)

    def left(self, now_s: float) -> float:
        while self.sent_s and self.sent_s[0] <= now_s - 60:
            self.sent_s.popleft()
        return self.per_minute - len(self.sent_s)

    def take(self, now_s: float) -> float:
        """Book one request; returns how long it has to wait."""
        wait_s = 0.0 if self.left(now_s) > 0 else self.sent_s[len(self.sent_s) - self.per_minute] + 60 - now_s
        self.sent_s.append(now_s + wait_s)
        return wait_s


@dataclass(slots=True)
class Voice:
    """A voice that talks in one conversation: how fast it really is, and what the product has learnt of it."""

    ms_per_narrow: float
    ms_per_wide: float
    ms_per_mark: float
    latency: Latency
    delivery: Delivery
    speaking_rate: SpeakingRate = field(default_factory=SpeakingRate)

    @classmethod
    def drawn(
        cls, rng: random.Random, latency: Latency | None = None, delivery: Delivery | None = None
    ) -> Voice:
        """Between 0.85 and 1.2 times the usual speed, 15 Latin-like or 4.5 Han characters a second in running text."""
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
    """One reply, from the first delta to the last sample heard. `advance` handles everything due at `next_s()`."""

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
        self.chunker = Chunker(ChunkRules(), voice.speaking_rate)
        self.chunker.latency(voice.latency)
        self.chunker.delivery(voice.delivery)
        self._latencies_s: dict[
            int, float
        ] = {}  # of pieces that find the voice idle; learnt with their first audio
        self._frames: deque[tuple[float, int, float, bool]] = deque()  # arrival, chunk, received ms, complete
        self._play_through = Prebuffer(voice.delivery)
        self._held: list[tuple[float, int, float, bool]] = []  # frames of the piece that comes
        self._came_ms = 0.0  # of the piece that comes
        self._voice_free_s = start_s
        self.chunks: list[Chunk] = []
        self.sent_s: list[float] = []
        self.heard_until_s: float | None = None
        self.first_audio_s: float | None = None
        self.stutter_ms = 0.0  # an earlier piece would have prevented it
        self.upstream_ms = 0.0  # nothing would have
        self._soonest_s: dict[int, float] = {}  # first audio of a chunk, had it left with its first word
        self.pauses_after: list[Boundary | None] = []  # None: inside a piece
        self.waited_s = 0.0
        self._received: dict[int, float] = {}
        self.starts_s: dict[int, float] = {}  # when each chunk begins to sound

    @property
    def floor_s(self) -> float:
        """When the first clause was there, from the first delta."""
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
            self._come(*self._frames.popleft())
        while self._deltas and self._deltas[0][0] <= now_s:
            self.chunker.feed(self._filter.feed(self._deltas.popleft()[1]), now_s)
        if self._finish_s is not None and self._finish_s <= now_s:
            self._finish_s = None
            self.chunker.feed(self._filter.finish(), now_s)
            self.chunker.finish(now_s)
        if self._budget is not None:
            self.chunker.budget(self._budget.left(now_s))
        for chunk in self.chunker.poll(now_s):
            self.chunks.append(chunk)
            self.sent_s.append(now_s)
            if chunk.spoken:
                self._synthesise(chunk, now_s)

    def _synthesise(self, chunk: Chunk, now_s: float) -> None:
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
        """When the first word of this chunk was there."""
        before = sum(len(sent.text) for sent in self.chunks[: chunk.index])
        word = len(chunk.text) - len(chunk.text.lstrip()) + len(chunk.text.split()[0])
        return self._start_s + self._trace.arrival_s(before + word - 1)

    def _come(self, at_s: float, index: int, received_ms: float, complete: bool) -> None:
        """A frame came; it is passed on as the product would."""
        if complete:
            self._play_through.complete()
            self._came_ms = 0.0
        else:
            expected_ms = self._voice.speaking_rate.expected_ms(measure(self.chunks[index].spoken))
            self._play_through.sound(received_ms - self._came_ms, lambda: expected_ms, at_s)
            self._came_ms = received_ms
        if index in self._latencies_s:
            self._voice.latency.learn(self._latencies_s.pop(index))
        self._held.append((at_s, index, received_ms, complete))
        if self._play_through.passing:
            for frame in self._held:
                self._hear(at_s, *frame)
            self._held.clear()

    def _hear(self, at_s: float, came_s: float, index: int, received_ms: float, complete: bool) -> None:
        self.chunker.audio(index, received_ms, complete, at_s)
        grown_s = (received_ms - self._received.get(index, 0.0)) / 1000
        if grown_s <= 0:
            return
        if self.heard_until_s is None:
            self.first_audio_s = self.heard_until_s = at_s
        if at_s > self.heard_until_s + 1e-9:
            inside = index in self._received
            soonest_s = self._soonest_s[index] + at_s - came_s  # kept back, it would have been then too
            blame_s = at_s if inside else max(self.heard_until_s, min(at_s, soonest_s))
            self.stutter_ms += 1000 * (at_s - blame_s)
            self.upstream_ms += 1000 * (blame_s - self.heard_until_s)
            self.pauses_after.append(None if inside else self.chunks[index - 1].boundary)
            self.heard_until_s = at_s
        self.starts_s.setdefault(index, self.heard_until_s)
        self._received[index] = received_ms
        self.heard_until_s += grown_s


@dataclass(frozen=True, slots=True)
class Result:
    """What one turn was like."""

    first_text_ms: float
    over_floor_ms: float  # first text after the first clause was there
    first_audio_ms: float
    stutter_ms: float
    upstream_ms: float
    requests: int
    waste_chars: int  # sent but unheard at a random interruption
    ends: tuple[str, ...]  # the boundary of each piece
    pauses: tuple[str, ...]  # the boundary before each pause, whoever caused it; or "inside" of a piece
    waited_s: float
    text: str


def simulate(
    trace: Trace,
    speech: SpeechProfile,
    rng: random.Random,
    voice: Voice | None = None,
    budget: Budget | None = None,
) -> Result:
    """One turn alone."""
    turn = Turn(trace, speech, voice or Voice.drawn(rng), rng, budget=budget)
    while not turn.over:
        turn.advance(turn.next_s())
    return _result(turn, 0.0, rng)


def simulate_load(
    traces: Sequence[Trace], speech: SpeechProfile, rng: random.Random, budget: Budget, gap_s: float
) -> list[Result]:
    """Turns that begin every `gap_s` seconds and share one account."""
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
    assert turn.heard_until_s is not None
    first = spoken[0].index
    return Result(
        1000 * (turn.sent_s[first] - start_s),
        1000 * (turn.sent_s[first] - start_s - turn.floor_s),
        1000 * (turn.first_audio_s - start_s),
        turn.stutter_ms,
        turn.upstream_ms,
        len(spoken),
        _waste(turn, rng.uniform(turn.first_audio_s, turn.heard_until_s)),
        tuple(chunk.boundary.name.lower() for chunk in turn.chunks),
        tuple(boundary.name.lower() if boundary else "inside" for boundary in turn.pauses_after),
        turn.waited_s,
        "".join(chunk.text for chunk in turn.chunks),
    )


def _waste(turn: Turn, at_s: float) -> int:
    """Characters sent by `at_s` and not yet heard, by proportion inside the sounding piece."""
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
