"""The chunker against simulated chat streams and voices: first sound, stutter, requests, waste, and where pieces end.

    python -m bench.chunking [--turns 1000] [--seed 1] [--json FILE]

No sockets and no sleeping: time is a number. The voice answers in order, one piece at a time, after a latency with a
tail, in frames of 100 ms; the listener plays what came. Latencies are those of shared/minimax latency.md 3.
A pause counts as stutter as far as sending the piece's first word the moment it was there would have prevented it; the
rest is the upstream's and stands in its own column.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import replies
from bench.traces import (
    BURSTS,
    CRAWL,
    FAST,
    SLOW,
    SMALL_BURSTS,
    STEADY,
    TOKEN_20MS,
    Stream,
    Trace,
    clause_floor_s,
)
from realtime.core.chunker import Boundary, Chunk, Chunker, ChunkRules
from realtime.core.clauses import Size, measure
from realtime.core.speakable import SpeakableFilter

_FRAME_MS = 100.0
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


class Turn:
    """One reply, from the first delta to the last sample heard. `advance` handles everything due at `next_s()`."""

    def __init__(
        self,
        trace: Trace,
        speech: SpeechProfile,
        rng: random.Random,
        start_s: float = 0.0,
        budget: Budget | None = None,
    ) -> None:
        self._trace, self._rng, self._speech, self._budget = trace, rng, speech, budget
        self._filter = SpeakableFilter()
        self._start_s = start_s
        self._deltas = deque((start_s + at_s, text) for at_s, text in trace.deltas)
        self._finish_s: float | None = start_s + trace.finish_s
        self.chunker = Chunker(ChunkRules())
        self.chunker.latency(speech.first_s)
        self._ms_per_narrow, self._ms_per_wide = (rate * rng.uniform(0.85, 1.2) for rate in (66.7, 222.0))
        self._frames: deque[tuple[float, int, float, bool]] = deque()  # arrival, chunk, received ms, complete
        self._voice_free_s = start_s
        self.chunks: list[Chunk] = []
        self.sent_s: list[float] = []
        self.heard_until_s: float | None = None
        self.first_audio_s: float | None = None
        self.stutter_ms = 0.0  # an earlier piece would have prevented it
        self.upstream_ms = 0.0  # nothing would have
        self._soonest_s: dict[int, float] = {}  # first audio of a chunk, had it left with its first word
        self.stutter_after: list[Boundary] = []
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
            self._hear(*self._frames.popleft())
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
        queued_s = self._voice_free_s + _QUEUED_SHARE * first_s
        at_s = max(now_s + first_s, queued_s)
        self._soonest_s[chunk.index] = max(self._first_word_s(chunk) + first_s, queued_s)
        total_ms = self._duration_ms(measure(chunk.spoken))
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

    def _duration_ms(self, size: Size) -> float:
        spoken_ms = size.narrow * self._ms_per_narrow + size.wide * self._ms_per_wide
        return spoken_ms * self._rng.uniform(0.9, 1.1) + size.pause_ms

    def _hear(self, at_s: float, index: int, received_ms: float, complete: bool) -> None:
        self.chunker.audio(index, received_ms, complete, at_s)
        grown_s = (received_ms - self._received.get(index, 0.0)) / 1000
        if grown_s <= 0:
            return
        if self.heard_until_s is None:
            self.first_audio_s = self.heard_until_s = at_s
        if at_s > self.heard_until_s + 1e-9:
            inside = index in self._received
            blame_s = at_s if inside else max(self.heard_until_s, min(at_s, self._soonest_s[index]))
            self.stutter_ms += 1000 * (at_s - blame_s)
            self.upstream_ms += 1000 * (blame_s - self.heard_until_s)
            self.stutter_after.append(Boundary.WORD if inside else self.chunks[index - 1].boundary)
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
    waited_s: float
    text: str


def simulate(
    trace: Trace,
    speech: SpeechProfile,
    rng: random.Random,
    start_s: float = 0.0,
    budget: Budget | None = None,
) -> Result:
    """One turn alone."""
    turn = Turn(trace, speech, rng, start_s, budget)
    while not turn.over:
        turn.advance(turn.next_s())
    return _result(turn, start_s, rng)


def simulate_load(
    traces: Sequence[Trace], speech: SpeechProfile, rng: random.Random, budget: Budget, gap_s: float
) -> list[Result]:
    """Turns that begin every `gap_s` seconds and share one account."""
    turns = [
        (index * gap_s, Turn(trace, speech, rng, index * gap_s, budget)) for index, trace in enumerate(traces)
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


@dataclass(frozen=True, slots=True)
class Scenario:
    """Texts arriving one way, spoken by one voice. `keeps_up`: no stutter is excused."""

    name: str
    texts: tuple[str, ...]
    stream: Stream
    speech: SpeechProfile
    keeps_up: bool = True


_SHORT = replies.ENGLISH + replies.CHINESE + replies.MIXED
SCENARIOS = (
    Scenario("English", replies.ENGLISH, TOKEN_20MS, MAINLAND),
    Scenario("Chinese", replies.CHINESE, TOKEN_20MS, MAINLAND),
    Scenario("mixed", replies.MIXED, TOKEN_20MS, MAINLAND),
    Scenario("short", _SHORT, TOKEN_20MS, LOCAL),
    Scenario("short", _SHORT, TOKEN_20MS, FAR),
    Scenario("short", _SHORT, FAST, LOCAL),
    Scenario("short", _SHORT, STEADY, MAINLAND),
    Scenario("short", _SHORT, BURSTS, LOCAL),
    Scenario("short", _SHORT, BURSTS, MAINLAND),
    Scenario("short", _SHORT, BURSTS, FAR),
    Scenario("short", _SHORT, SMALL_BURSTS, MAINLAND),
    Scenario("long", replies.LONG, STEADY, MAINLAND),
    Scenario("long", replies.LONG, BURSTS, FAR),
    Scenario("long", replies.LONG, STEADY, LAME),
    Scenario("long", replies.LONG, SLOW, MAINLAND, keeps_up=False),
    Scenario("short", _SHORT, CRAWL, MAINLAND, keeps_up=False),
    Scenario("long", replies.LONG, CRAWL, MAINLAND, keeps_up=False),
    Scenario("long", replies.LONG, STEADY, BEHIND, keeps_up=False),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A scenario's figures, milliseconds unless named otherwise."""

    scenario: str
    stream: str
    speech: str
    turns: int
    first_text_p50: float
    first_text_p90: float
    over_floor_p50: float
    over_floor_p95: float
    first_audio_p50: float
    requests_mean: float
    stutter_turns: int
    stutter_mean: float
    upstream_mean: float
    waste_chars: float
    ends: dict[str, float]  # share of each boundary among pieces that are not the last
    waited_mean_s: float = 0.0


def run(scenario: Scenario, turns: int, seed: int) -> Row:
    rng = random.Random(f"{seed} {scenario.name} {scenario.stream.name} {scenario.speech.name}")
    texts = [scenario.texts[index % len(scenario.texts)] for index in range(turns)]
    results = [simulate(scenario.stream.trace(text, rng), scenario.speech, rng) for text in texts]
    return summarise(scenario.name, scenario.stream.name, scenario.speech.name, results)


def run_load(turns: int, seed: int, stream: Stream, turns_per_minute: float, per_minute: int) -> Row:
    """Many conversations on one account's speech budget."""
    rng = random.Random(f"{seed} load {stream.name}")
    traces = [stream.trace(rng.choice(_SHORT), rng) for _ in range(turns)]
    results = simulate_load(traces, MAINLAND, rng, Budget(per_minute), 60 / turns_per_minute)
    return summarise(f"{turns_per_minute:.0f} turns/min", stream.name, f"{per_minute} rpm", results)


def summarise(scenario: str, stream: str, speech: str, results: Sequence[Result]) -> Row:
    def mean(of: Callable[[Result], float]) -> float:
        return round(statistics.fmean(map(of, results)), 2)

    ends = Counter(end for result in results for end in result.ends[:-1])
    total = max(1, sum(ends.values()))
    return Row(
        scenario,
        stream,
        speech,
        len(results),
        round(_percentile([result.first_text_ms for result in results], 0.5), 1),
        round(_percentile([result.first_text_ms for result in results], 0.9), 1),
        round(_percentile([result.over_floor_ms for result in results], 0.5), 1),
        round(_percentile([result.over_floor_ms for result in results], 0.95), 1),
        round(_percentile([result.first_audio_ms for result in results], 0.5), 1),
        mean(lambda result: result.requests),
        sum(result.stutter_ms > 0 for result in results),
        mean(lambda result: result.stutter_ms),
        mean(lambda result: result.upstream_ms),
        mean(lambda result: result.waste_chars),
        {end: round(count / total, 2) for end, count in ends.most_common()},
        mean(lambda result: result.waited_s),
    )


def _percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(rows: Sequence[Row]) -> str:
    heads = "text p50,p90,over p50,p95,audio,requests,stutters,mean ms,upstream,waste,wait s".split(",")
    lines = [
        f"{'scenario':14} {'stream':12} {'speech':9} "
        + " ".join(f"{head:>8}" for head in heads)
        + "  pieces end with"
    ]
    for row in rows:
        first = (
            row.first_text_p50,
            row.first_text_p90,
            row.over_floor_p50,
            row.over_floor_p95,
            row.first_audio_p50,
        )
        cells = [f"{value:8.0f}" for value in first]
        cells += [f"{row.requests_mean:8.2f}", f"{row.stutter_turns:8}", f"{row.stutter_mean:8.1f}"]
        cells += [f"{row.upstream_mean:8.1f}", f"{row.waste_chars:8.0f}", f"{row.waited_mean_s:8.2f}"]
        ends = ", ".join(f"{end} {share:.0%}" for end, share in row.ends.items())
        lines.append(f"{row.scenario:14} {row.stream:12} {row.speech:9} {' '.join(cells)}  {ends}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.chunking", description="Simulate the chunker.")
    parser.add_argument("--turns", type=int, default=1000, help="turns over all scenarios (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args(arguments)
    each = max(1, options.turns // len(SCENARIOS))
    rows = [run(scenario, each, options.seed) for scenario in SCENARIOS]
    rows += [run_load(200, options.seed, stream, 40, 60) for stream in (TOKEN_20MS, BURSTS)]
    print(table(rows))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
