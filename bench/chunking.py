"""The chunker with simulated chat streams and voices: first audio, stutter, requests, waste, and where chunks end.

    python -m bench.chunking [--turns 1000] [--seed 1] [--json FILE]

No sockets and no real time: time is a number (`bench.simulated`). Streams are generated (`bench.traces`) or recorded
(`bench.recorded`).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import recorded, replies
from bench.recorded import Recording
from bench.simulated import (
    BEHIND,
    FAR,
    LAME,
    LOCAL,
    MAINLAND,
    Budget,
    Result,
    SpeechProfile,
    Voice,
    simulate,
    simulate_load,
)
from bench.traces import BURSTS, CRAWL, FAST, SLOW, SMALL_BURSTS, STEADY, TOKEN_20MS, Stream
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery

_CONVERSATION = 8  # turns with the same voice


@dataclass(frozen=True, slots=True)
class Scenario:
    """Texts, a kind of stream and a speech profile. `keeps_up`: both are fast enough, so no stutter is allowed."""

    name: str
    texts: tuple[str, ...]
    stream: Stream | Recording
    speech: SpeechProfile
    keeps_up: bool = True


_RECORDED = recorded.load()
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
    *(
        Scenario("recorded", _RECORDED[name].texts, _RECORDED[name], speech)
        for name, speech in (("80 tok/s", MAINLAND), ("local", LOCAL), ("mainland", MAINLAND), ("far", FAR))
    ),
)


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one scenario, in milliseconds unless named otherwise."""

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
    waste_chars: float  # sent but not heard, if the listener interrupts at a random time
    ends: dict[str, float]  # share of each boundary, without the last chunks
    pauses: dict[str, float]  # share of each boundary among the pauses in playback
    waited_mean_s: float = 0.0


def run(scenario: Scenario, turns: int, seed: int) -> Row:
    """Run at least `turns` turns: complete rounds of the scenario's texts."""
    rng = random.Random(f"{seed} {scenario.name} {scenario.stream.name} {scenario.speech.name}")
    texts = scenario.texts * math.ceil(turns / len(scenario.texts))
    latency, delivery, voice = Latency(), Delivery(), Voice.drawn(rng)
    results: list[Result] = []
    for index, text in enumerate(texts):
        if index % _CONVERSATION == 0:
            voice = Voice.drawn(rng, latency, delivery)
        results.append(simulate(scenario.stream.trace(text, rng), scenario.speech, rng, voice))
    return summarise(scenario.name, scenario.stream.name, scenario.speech.name, results)


def run_load(turns: int, seed: int, stream: Stream, turns_per_minute: float, per_minute: int) -> Row:
    """Run many conversations with the speech budget of one account."""
    rng = random.Random(f"{seed} load {stream.name}")
    traces = [stream.trace(rng.choice(_SHORT), rng) for _ in range(turns)]
    results = simulate_load(traces, MAINLAND, rng, Budget(per_minute), 60 / turns_per_minute)
    return summarise(f"{turns_per_minute:.0f} turns/min", stream.name, f"{per_minute} rpm", results)


def summarise(scenario: str, stream: str, speech: str, results: Sequence[Result]) -> Row:
    def mean(of: Callable[[Result], float]) -> float:
        return round(statistics.fmean(map(of, results)), 2)

    def shares(boundaries: Iterable[str]) -> dict[str, float]:
        counts = Counter(boundaries)
        return {name: round(count / counts.total(), 2) for name, count in counts.most_common()}

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
        sum(result.stutter_ms >= 0.5 for result in results),  # less counts as 0 ms
        mean(lambda result: result.stutter_ms),
        mean(lambda result: result.upstream_ms),
        mean(lambda result: result.waste_chars),
        shares(end for result in results for end in result.ends[:-1]),
        shares(pause for result in results for pause in result.pauses),
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
        + "  chunks end with (and pauses follow)"
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
        ends, pauses = (
            ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
            for shares in (row.ends, row.pauses)
        )
        where = f"{ends} ({pauses})" if pauses else ends
        lines.append(f"{row.scenario:14} {row.stream:12} {row.speech:9} {' '.join(cells)}  {where}")
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
