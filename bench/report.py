"""Runs all benchmarks; writes the table of docs/architecture.md 4 to `bench/README.md`, and `docs/waterfall.svg`.

    python -m bench.report [--short]

`--short` takes less than five minutes. It has fewer rounds, so its percentiles are rough.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench import backlog, barge_in, chunking, latency, load, replies, spoken, waterfall
from bench.common import figures, load_average, machine, percentile, table, today
from bench.traces import BURSTS, TOKEN_20MS
from realtime.providers import weights

HERE = Path(__file__).parent
README = HERE / "README.md"
WATERFALL = HERE.parent / "docs" / "waterfall.svg"
BEGIN, END = "<!-- report -->", "<!-- end of report -->"


@dataclass(frozen=True)
class Plan:
    """How much to measure."""

    text_rounds: int
    quick_pause: bool
    scenarios: str | None
    modes: tuple[str, ...]
    spoken_rounds: int
    barge_ins: int
    conversations: tuple[int, ...]
    seconds: float
    backlogs: int
    simulated: int


FULL = Plan(
    text_rounds=12,
    quick_pause=False,
    scenarios=None,
    modes=tuple(mode.name for mode in spoken.MODES),
    spoken_rounds=8,
    barge_ins=12,
    conversations=(50, 100, 150, 200, 250),
    seconds=18.0,
    backlogs=10,
    simulated=1400,  # a thousand of them have an upstream that keeps up
)
SHORT = Plan(
    text_rounds=4,
    quick_pause=True,
    scenarios="default,fast,Chinese,mainland,after a barge-in",
    modes=("server_vad 500, no speculation", "semantic_vad, chat"),
    spoken_rounds=4,
    barge_ins=4,
    conversations=(100,),
    seconds=12.0,
    backlogs=3,
    simulated=400,
)


@dataclass
class Findings:
    """All measurements."""

    text: list[latency.Result]
    spoken: list[spoken.Result]
    barge_in: barge_in.Result
    load: load.Result
    backlog: list[backlog.Row]
    chunking: list[chunking.Row]


async def measure(plan: Plan) -> Findings:
    text = []
    for scenario in latency.select(plan.scenarios, plan.quick_pause):
        _print_progress(f"text turns: {scenario.name}")
        text.append(await latency.measure(scenario, plan.text_rounds))
    spoken_turns = []
    for mode in spoken.MODES:
        if mode.name in plan.modes:
            _print_progress(f"spoken turns: {mode.name}")
            spoken_turns.append(await spoken.measure(mode, plan.spoken_rounds))
    _print_progress("barge-in")
    interruptions = await barge_in.measure(plan.barge_ins)
    _print_progress("simulated streams")
    each = max(1, plan.simulated // len(chunking.SCENARIOS))
    rows = [chunking.run(scenario, each, 1) for scenario in chunking.SCENARIOS]
    rows += [chunking.run_load(200, 1, stream, 40, 60) for stream in (TOKEN_20MS, BURSTS)]
    return Findings(text, spoken_turns, interruptions, load.Result([], 0.0), [], rows)


def _print_progress(what: str) -> None:
    print(
        f"{time.strftime('%H:%M:%S')} {what} (machine load {load_average():.1f})", file=sys.stderr, flush=True
    )


@dataclass(frozen=True)
class Verdict:
    """One row of the table of goals."""

    number: str
    what: str
    goal: str
    measured: str
    met: bool | None  # None: not comparable here


def verdicts(found: Findings) -> list[Verdict]:
    return [
        *_first_audio(found),
        *_simulated(found),
        _connections(found),
        *_spoken(found),
        *_barge_in(found),
        *_load(found),
        *_backlog(found),
    ]


def _first_audio(found: Findings) -> list[Verdict]:
    out = []
    for result in found.text:
        excess = figures(result.excess_ms)
        out.append(
            Verdict(
                "1",
                f"first audio over the clause floor, {result.name}",
                "≤ 5 / ≤ 15 ms",
                f"{excess.p50:+.1f} / {excess.p95:+.1f} ms",
                excess.p50 <= 5 and excess.p95 <= 15,
            )
        )
        if result.name == "short opener":
            gap = result.of_product(lambda turn: turn.first_gap)
            what = "gap before the second chunk after a short opener at 25 tokens/s, p50 / p95"
            out.append(Verdict("1", what, "≤ 30 ms", f"{gap.p50:.0f} / {gap.p95:.0f} ms", gap.p95 <= 30))
    return out


def _simulated(found: Findings) -> list[Verdict]:
    by_name = {(row.scenario, row.stream, row.speech): row for row in found.chunking}
    english, chinese = (
        by_name["English", "token/20ms", "mainland"],
        by_name["Chinese", "token/20ms", "mainland"],
    )
    p90 = max(english.first_text_p90, chinese.first_text_p90)
    kept_up = [
        row for row, scenario in zip(found.chunking, chunking.SCENARIOS, strict=False) if scenario.keeps_up
    ]
    bursts = [row.requests_mean for row in kept_up if row.stream == "bursts" and row.scenario == "short"]
    corpora = {"English": replies.ENGLISH, "Chinese": replies.CHINESE, "mixed": replies.MIXED}
    requests = [
        by_name[name, "token/20ms", "mainland"].requests_mean * len(of) for name, of in corpora.items()
    ]
    each = sum(requests) / sum(map(len, corpora.values()))  # all replies count equally
    stutter_turns = sum(row.stutter_turns for row in kept_up)
    minute = by_name["40 turns/min", "token/20ms", "60 rpm"]
    return [
        Verdict(
            "2",
            "first chat delta → first text to speech, one token every 20 ms (simulated)",
            "≤ 60 ms English, ≤ 110 ms Chinese, ≤ 180 ms p90",
            f"{english.first_text_p50:.0f}, {chinese.first_text_p50:.0f}, {p90:.0f} ms",
            english.first_text_p50 <= 60 and chinese.first_text_p50 <= 110 and p90 <= 180,
        ),
        Verdict(
            "3",
            "speech requests of a short turn: steady / bursty streams; 40 turns a minute at 60 requests (simulated)",
            "≤ 2.0 / ≤ 1.5; sustained",
            f"{each:.2f} (English {english.requests_mean:.2f}, Chinese {chinese.requests_mean:.2f}) / "
            f"{statistics.fmean(bursts):.2f}; waited {minute.waited_mean_s:.2f} s per turn",
            each <= 2.0 and statistics.fmean(bursts) <= 1.5,
        ),
        Verdict(
            "4",
            f"turns with stutter, {sum(row.turns for row in kept_up)} simulated turns, upstream keeps up",
            "0",
            f"{stutter_turns} (mean {statistics.fmean(row.stutter_mean for row in kept_up):.1f} ms per turn)",
            stutter_turns == 0,
        ),
    ]


def _connections(found: Findings) -> Verdict:
    text = sum(turn.new_connections for result in found.text for turn in result.product)
    voice = sum(turn.new_connections for result in found.spoken for turn in result.turns)
    after = sum(one.new_connections for one in found.barge_in.rounds)
    turns = (
        sum(len(result.product) for result in found.text)
        + sum(len(result.turns) for result in found.spoken)
        + len(found.barge_in.rounds)
    )
    return Verdict(
        "5",
        "new upstream connections before the first audio of a turn, also after a barge-in",
        "0",
        f"{text + voice + after} in {turns} turns",
        text + voice + after == 0,
    )


def _spoken(found: Findings) -> list[Verdict]:
    early = [turn.first_audio for result in found.spoken for turn in result.early]
    verdicts = [
        Verdict(
            "8",
            f"true end of speech → first audio, {result.mode.name}, p50",
            f"≤ {result.mode.goal_ms:.0f} ms",
            f"{result.first_audio.p50:.0f} ms (p95 {result.first_audio.p95:.0f})",
            result.first_audio.p50 <= result.mode.goal_ms,
        )
        for result in found.spoken
    ]
    if early:
        what = f"the same, {len(early)} turns whose interim text was complete before the end, p50"
        middle = figures(early).p50
        verdicts.append(Verdict("8", what, "≤ 550 ms", f"{middle:.0f} ms", middle <= 550))
    return verdicts


def _barge_in(found: Findings) -> list[Verdict]:
    rounds = found.barge_in.rounds
    onset = figures([one.confirmed for one in rounds])
    late = max(0.0, *(one.last_audio for one in rounds))
    kept, lost = sum(one.kept_too_much for one in rounds), sum(one.lost for one in rounds)
    return [
        Verdict(
            "7",
            "barge-in: onset → confirmed, p50 / p95",
            "≤ 500 / ≤ 800 ms",
            f"{onset.p50:.0f} / {onset.p95:.0f} ms",
            onset.p50 <= 500 and onset.p95 <= 800,
        ),
        Verdict("7", "confirmed → last audio byte", "≤ 5 ms", f"{late:.1f} ms", late <= 5),
        Verdict(
            "9",
            f"unheard words kept / heard words lost beyond one word, {len(rounds)} live interruptions",
            "0 / 0",
            f"{kept} / {lost}",
            kept + lost == 0,
        ),
    ]


def _load(found: Findings) -> list[Verdict]:
    result = found.load
    if not result.steps:
        return []
    at = result.at(200) or result.steps[-1]
    each = result.mb_per_conversation(at)
    return [
        Verdict(
            "6",
            f"speech bytes in → client bytes out, p99, at {at.conversations} conversations on a core",
            "≤ 5 ms",
            f"{at.delay_p99:.1f} ms (p50 {at.delay_p50:.1f})",
            at.delay_p99 <= 5 and at.conversations >= 200,
        ),
        Verdict(
            "10",
            f"live conversations per core (p99 ≤ {load.MAX_P99_MS:.0f} ms and every turn answered)",
            "≥ 200",
            f"{result.most} of {at.conversations} tried"
            if result.most < at.conversations
            else f"≥ {result.most}",
            result.most >= 200,
        ),
        Verdict(
            "11",
            f"memory per live conversation, at {at.conversations}",
            "≤ 1 MB",
            f"{each:.2f} MB",
            each <= 1.0,
        ),
    ]


def _backlog(found: Findings) -> list[Verdict]:
    return [
        Verdict(
            "12",
            f"{backlog.SECONDS} s of audio at once, {row.others} other conversations: times real time; p99 of theirs",
            "≥ 150; + ≤ 3 ms",
            f"{row.times_real_time:.0f}"
            + (f"; {row.quiet_ms[1]:.1f} → {row.meanwhile_ms[1]:.1f} ms" if row.others else ""),
            row.times_real_time >= 150 and not row.meanwhile_ms[1] > row.quiet_ms[1] + 3,
        )
        for row in found.backlog
    ]


def markdown(found: Findings, plan: Plan, commit: str) -> str:
    answer = {True: "yes", False: "**no**", None: "-"}
    rows = [(v.number, v.what, v.goal, v.measured, answer[v.met]) for v in verdicts(found)]
    worst = max([result.load for result in found.text + found.spoken] + [found.barge_in.load])
    model = "installed" if weights.has_smart_turn() else "not installed"
    kind = "short run, few rounds" if plan is SHORT else "full run"
    parts = [
        BEGIN,
        f"{today()}, commit `{commit}`, {machine()}; {kind}; machine load up to {worst:.1f}.",
        "",
        table(("row", "what", "goal", "measured", "met"), rows),
        "",
        "### Text turns",
        "",
        latency.markdown(found.text),
        "",
        "### Spoken turns",
        "",
        f"Acoustic end-of-turn model (`realtime setup turn`): {model}.",
        "",
        spoken.markdown(found.spoken),
        "",
        "### Barge-in",
        "",
        barge_in.markdown(found.barge_in),
        "",
        "### Load",
        "",
        load.markdown(found.load) if found.load.steps else "Not measured: it needs two cores and Linux.",
        "",
        "### Backlog",
        "",
        backlog.markdown(found.backlog) if found.backlog else "Not measured: it needs two cores and Linux.",
        END,
    ]
    return "\n".join(parts)


def write(found: Findings, plan: Plan) -> None:
    """Write the report into the README, and draw the waterfall."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=HERE, check=False
    ).stdout.strip()
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + markdown(found, plan, commit or "unknown") + after, "utf-8")
    if picture := draw(found.spoken):
        WATERFALL.parent.mkdir(exist_ok=True)
        WATERFALL.write_text(picture, "utf-8")


def draw(results: Sequence[spoken.Result]) -> str:
    """The median turn of the server's default speculation."""
    result = next((one for one in results if one.mode.name == "semantic_vad, chat"), None)
    if result is None or not result.turns:
        return ""
    middle = percentile([turn.first_audio for turn in result.turns], 0.5)
    turn = min(result.turns, key=lambda one: abs(one.first_audio - middle))
    marks = {name: ms + turn.ended for name, ms in turn.marks.items()}
    title = "One spoken turn, milliseconds after the end of speech (chat 300 ms, voice 300 ms)"
    return waterfall.svg(title, marks)


async def measure_load(plan: Plan) -> tuple[load.Result, list[backlog.Row]]:
    _print_progress("load")
    result = await load.measure(plan.conversations, plan.seconds)
    _print_progress("backlog")
    return result, await backlog.measure((0, 20), plan.backlogs)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.report", description="All benchmarks in one report.")
    parser.add_argument("--short", action="store_true", help="less than five minutes, fewer rounds")
    options = parser.parse_args()
    plan = SHORT if options.short else FULL
    found = asyncio.run(measure(plan))
    if load.possible():
        found.load, found.backlog = uvloop.run(measure_load(plan))
    write(found, plan)
    print(markdown(found, plan, "now"))


if __name__ == "__main__":
    main()
