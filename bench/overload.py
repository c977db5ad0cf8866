"""Twice as many conversations as fit: what those in progress notice, and how soon the others are refused.

    python -m bench.overload [--fits 200 | --counts 100,150,200,250] [--seconds 180] [--json FILE]

Row 8 of "A node that survives" in bench/README.md. First the best limit that a hand can set is found: the most
conversations whose frames are in time (`load.py`; `--fits` gives it). Then twice as many come within a minute to a
server that measures its own load, and who is refused comes again after `Retry-After`. Server on one core, clients and
upstream on another.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bench import load
from bench.common import cpu_s, load_average, machine, now_s, percentile, server, table, today
from bench.load import Step
from bench.load_upstream import Upstream

ARRIVE_S = 60.0  # all have come for the first time
SAMPLE_S = 1.0
MAX_P99_MS, MAX_REFUSAL_MS, MIN_SHARE = 10.0, 50.0, 0.9
DEFAULT_RETRY_S = 2.0


@dataclass
class Refusals:
    """Those who were not let in: how long each waited for its answer, and answers that were none of ours."""

    after_ms: list[float] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    def add(self, waited_ms: float, head: str) -> float:
        """Another one; returns after how many seconds it comes again."""
        self.after_ms.append(waited_ms)
        if " 503 " not in head.partition("\r\n")[0]:
            self.strange.append(head[:100])
        found = re.search(r"retry-after: *(\d+)", head, re.IGNORECASE)
        return float(found[1]) if found else DEFAULT_RETRY_S


class Crowd(load.Clients):
    """Clients that come at their time, and again if they are refused."""

    def __init__(self, url: str, seed: int = 1) -> None:
        super().__init__(url, seed=seed)
        self.refusals = Refusals()
        self._chance = random.Random(seed)

    async def come(self, count: int, within_s: float) -> None:
        """All of them, until each is in. Runs until cancelled or everybody is in."""
        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(self._come(number * within_s / count))

    async def _come(self, wait_s: float) -> None:
        while True:
            await asyncio.sleep(wait_s)
            began_s = now_s()
            try:
                await self.join()
                return
            except ConnectionError as refused:
                waited_ms = (now_s() - began_s) * 1000
                wait_s = self.refusals.add(waited_ms, str(refused)) + self._chance.random()


@dataclass
class Result:
    """`fits`: the best limit set by hand. `admitted` once a second. Delays are of frames, from voice to client."""

    fits: int
    offered: int
    admitted: list[int]
    delays_ms: list[float]
    generator_late_p99: float
    refused_ms: list[float]
    strange: list[str]
    lost: int
    answered: float
    core_share: float
    load: float
    by_hand: Step | None = None

    @property
    def settled(self) -> float:
        """The mean number of conversations in the last third of the time."""
        last = self.admitted[-max(1, len(self.admitted) // 3) :]
        return sum(last) / len(last)

    @property
    def passes(self) -> bool:
        in_time = percentile(self.delays_ms or [0.0], 0.99) <= MAX_P99_MS
        soon = percentile(self.refused_ms or [0.0], 0.99) <= MAX_REFUSAL_MS
        return in_time and soon and self.settled >= MIN_SHARE * self.fits and not self.lost


async def by_hand(counts: list[int], seconds: float) -> Step | None:
    """The most conversations that a server keeps in time, if somebody tries all these limits, and, where the highest
    is no limit, a tenth more until one is."""
    best: Step | None = None
    while counts:
        found = await load.measure(counts, seconds)
        in_time = [one for one in found.steps if one.passes and one.delay_p99 <= MAX_P99_MS]
        best = max(in_time, key=lambda one: one.conversations, default=best)
        counts = [best.conversations * 11 // 10] if best and best.conversations == max(counts) else []
    return best


async def measure(fits: int, seconds: float, within_s: float = ARRIVE_S) -> Result:
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, set(cores[1:]) or set(cores))
    try:
        async with Upstream().running() as upstream:
            settings = {
                "TRANSCRIBER": f"openai:{upstream.url}",
                "MINIMAX_SPEECH_CONNECTIONS": "2000",
                "MINIMAX_CHAT_RPM": "1000000",
                "REALTIME_MAX_SESSIONS": "2000",
                "REALTIME_ADMISSION": "load",
            }
            async with server(upstream.url, cores={cores[0]}, **settings) as product:
                return await offer(Crowd(product.url), product.pid, fits, seconds, within_s)
    finally:
        os.sched_setaffinity(0, set(cores))


async def offer(crowd: Crowd, pid: int, fits: int, seconds: float, within_s: float) -> Result:
    """Send twice as many as fit to this server for so long."""
    jobs = [asyncio.create_task(crowd.run()), asyncio.create_task(crowd.come(2 * fits, within_s))]
    counters, admitted = crowd.counters, list[int]()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        counters.counting = True
        began_s, used_s = now_s(), cpu_s(pid)
        while now_s() - began_s < seconds:
            await asyncio.sleep(SAMPLE_S)
            admitted.append(sum(not one.lost for one, _, _ in crowd.conversations))
        counters.counting = False
        core_share = (cpu_s(pid) - used_s) / (now_s() - began_s)
        await asyncio.sleep(load.GRACE_S)
    finally:
        gc.enable()
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        crowd.close()
    return Result(
        fits,
        2 * fits,
        admitted,
        counters.delays_ms,
        percentile(counters.late_ms or [0.0], 0.99),
        crowd.refusals.after_ms,
        crowd.refusals.strange[:5],
        sum(one.lost for one, _, _ in crowd.conversations),
        counters.answers / max(1, counters.turns),
        core_share,
        load_average(),
    )


HEADS = (
    "offered",
    "best limit by hand (its p99 ms)",
    "in at the end",
    "core used",
    "speech in → out, p50 / p99 ms",
    "answered",
    "refusals: number, p50 / p99 ms",
    "conversations lost",
    "generator late p99 ms",
    "machine load",
    "met",
)


def markdown(results: list[Result]) -> str:
    return table(HEADS, [_row(one) for one in results])


def _row(one: Result) -> list[object]:
    delays, refused = one.delays_ms or [0.0], one.refused_ms or [0.0]
    hand = f"{one.by_hand.delay_p99:.1f}" if one.by_hand else "not measured"
    return [
        one.offered,
        f"{one.fits} ({hand})",
        f"{one.settled:.0f} ({one.settled / one.fits:.0%})",
        f"{one.core_share:.0%}",
        f"{percentile(delays, 0.5):.1f} / {percentile(delays, 0.99):.1f}",
        f"{one.answered:.1%}",
        f"{len(one.refused_ms)}, {percentile(refused, 0.5):.1f} / {percentile(refused, 0.99):.1f}",
        one.lost,
        f"{one.generator_late_p99:.1f}",
        f"{one.load:.1f}",
        "yes" if one.passes else "**no**",
    ]


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.overload", description="Twice as many as fit.")
    parser.add_argument("--counts", default="100,150,175,200,225,250", help="limits to try by hand")
    parser.add_argument("--fits", type=int, help="the best limit, if it is known")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    hand = None
    if not options.fits:
        hand = await by_hand([int(word) for word in options.counts.split(",")], 27.0)
    fits = options.fits or (hand.conversations if hand else 0)
    if not fits:
        parser.error(
            "not even the first limit keeps the frames in time: this machine is busy, or --counts too high"
        )
    results = []
    for _ in range(options.runs):
        result = await measure(fits, options.seconds)
        result.by_hand = hand
        results.append(result)
        print(f"  {_row(result)} {result.strange}", flush=True)
    print(f"{today()}, {machine()}\n\n{markdown(results)}")
    if options.json:
        found = [{**asdict(one), "delays_ms": None} for one in results]
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
