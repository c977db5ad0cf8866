"""Three servers behind HAProxy with one Redis, all real: what a dead, a frozen and a restarted one cost who talks.

    python -m bench.nodes [--rows 1,2,3,4,11,12] [--short] [--conversations 60]

Rows of "Several servers, their conversations" in bench/README.md. Rows 1, 2 and 4: the Python client (`listeners.py`),
with a voice whose words can be counted (`word_voice.py`); row 3: plain sockets (`takeover.py`); row 11: a thousand of
them (`herd.py`); row 12: `growth.py`. Upstream and clients are this process, the servers others. Needs Linux,
redis-server and haproxy.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.cluster import HEADERS, KEY, Cluster, cluster, sessions_at
from bench.common import load_average, machine, now_s, percentile, table, today
from bench.growth import Cost, growth
from bench.herd import Result as Herd
from bench.herd import herd
from bench.listeners import Told, Turn, listening, sentence_ms
from bench.load_upstream import Upstream
from bench.processes import values
from bench.takeover import resumes
from bench.talker import spoken
from bench.word_voice import WordUpstream

FACTOR = 1.5  # of the voice: it is hardly faster than it sounds, so that a listener has little in store
SETTLE_S, AFTER_S = 15.0, 20.0
FROZEN_S = 12.0
PROBE_S = 0.5
NORMAL_GAP_S = 0.12  # between two words: more than that is silence at the ear
HEARD_OF_SPEECH = 0.9  # of a sentence
MOST_LINES = 40  # of what went wrong on a day


@dataclass
class Day:
    """What a cluster lived through. `at_s`: when it happened; `told`: what the clients saw."""

    name: str
    told: list[Told]
    at_s: float
    on_it: int  # sessions at that server then
    probes: list[int] = field(default_factory=list)  # status of the handshakes
    notes: list[str] = field(default_factory=list)

    @property
    def moved(self) -> list[Told]:
        return [one for one in self.told if one.moves]

    def turns(self) -> list[Turn]:
        return [turn for one in self.told for turn in one.turns]


Act = Callable[[Cluster], Awaitable[list[str]]]


async def live(name: str, act: Act, count: int, *, settle_s: float, after_s: float) -> Day:
    """Let so many clients talk to three servers while this happens."""
    async with WordUpstream(FACTOR).running() as upstream, cluster(upstream.url) as made:
        async with listening(made.url, KEY, count) as told:
            await asyncio.sleep(settle_s)
            on_it = await sessions_at(made.nodes[0])
            day = Day(name, told, now_s(), on_it)
            probing = asyncio.create_task(_probe(made, day.probes))
            day.notes += await act(made)
            await asyncio.sleep(after_s)
            probing.cancel()
            await asyncio.gather(probing, return_exceptions=True)
        return day


async def _probe(made: Cluster, statuses: list[int]) -> None:
    """A new connection again and again, through the balancer."""
    import aiohttp

    async with aiohttp.ClientSession(headers=HEADERS) as http:
        while True:
            try:
                async with http.ws_connect(made.url + "/v1/realtime") as socket:
                    await socket.receive()
                    statuses.append(101)
            except aiohttp.WSServerHandshakeError as error:
                statuses.append(error.status)
            except (aiohttp.ClientError, OSError):
                statuses.append(0)
            await asyncio.sleep(PROBE_S)


async def kill(made: Cluster) -> list[str]:
    await made.nodes[0].kill()
    return []


async def freeze(made: Cluster) -> list[str]:
    """Freeze one, wake it, and see what it still writes."""
    node = made.nodes[0]
    lost = await _lost(made)
    node.signal(signal.SIGSTOP)
    await asyncio.sleep(FROZEN_S)
    before = _owners(made)
    node.signal(signal.SIGCONT)
    await asyncio.sleep(7.0)
    after = _owners(made)
    accepted = sum(after.get(name, owner)[0] < owner[0] for name, owner in before.items())
    accepted += sum(after.get(name, owner)[1] < owner[1] for name, owner in before.items())
    return [
        f"after it woke: {accepted} writes of it accepted, {await _lost(made) - lost:.0f} sessions given up, "
        f"{await sessions_at(node)} left"
    ]


async def _lost(made: Cluster) -> float:
    found = values(await made.nodes[0].metrics(), "realtime_takeovers_total")
    return sum(value for labels, value in found.items() if "lost" in labels)


def _owners(made: Cluster) -> dict[str, tuple[int, int]]:
    """Epoch and number of the last message in each record of the journal."""
    from redis import Redis

    from realtime.core.snapshot import decode_record

    found = {}
    with Redis(unix_socket_path=str(made.redis.path)) as client:
        for key in client.scan_iter(match="*:session"):
            kept = client.hgetall(key)
            if b"record" in kept:
                found[key.decode()] = int(kept[b"epoch"]), decode_record(kept[b"record"]).seq
    return found


async def roll(made: Cluster) -> list[str]:
    took = [await made.restart(node) for node in made.nodes]
    return [f"each away for {', '.join(f'{one:.0f}' for one in took)} s"]


async def row_3(count: int) -> str:
    async with WordUpstream(FACTOR).running() as upstream, cluster(upstream.url, 2, balanced=False) as made:
        found = await resumes(*made.nodes, count)
    rows = [
        [
            name,
            len(wrong),
            sum(not one for one in wrong),
            "; ".join(sorted({one for one in wrong if one})[:3]),
        ]
        for name, wrong in found.items()
    ]
    return table(("resumed at a server that never saw the session", "tried", "went on", "else"), rows)


DAYS = (
    "three servers, one is",
    "conversations, at it",
    "resumed / rebuilt",
    "history whole",
    "silence at the ear, p50 / p99 s",
    "line lost → session, p50 / p99 s",
    "words lost / repeated (most in one answer)",
    "half-said sentences: answered / heard whole",
    "answers cut",
    "errors",
    "new connections: tried / refused",
    "machine load",
)


def day_row(day: Day) -> list[object]:
    """What became of the conversations, and of those turns that were in progress."""
    hit = [turn for one in day.moved for turn in one.turns if _was_hit(turn, one, day)]
    listened = [turn for turn in hit if turn.words and turn.asked_s <= day.at_s]
    silences = _silences(listened, day) or [0.0]
    away = [s for one in day.moved for s in one.talking_again_s] or [0.0]
    verdicts = [turn.verdict for turn in day.turns()]
    half = [
        turn for turn in hit if turn.kind == "speaks" and turn.asked_s > min(_moves(turn, day), default=0.0)
    ]
    long_ms = HEARD_OF_SPEECH * sentence_ms(spoken())
    heard = sum(turn.spoken_ms >= long_ms for turn in half)
    return [
        day.name,
        f"{len(day.told)}, {day.on_it}",
        f"{sum(one.resumed for one in day.told)} / {sum(one.rebuilt for one in day.told)}",
        f"{sum(not one.history for one in day.told)} of {len(day.told)}",
        f"{percentile(silences, 0.5):.2f} / {percentile(silences, 0.99):.2f} ({len(silences)})",
        f"{percentile(away, 0.5):.2f} / {percentile(away, 0.99):.2f}",
        f"{sum(one.lost for one in verdicts)} / {sum(one.repeated for one in verdicts)} "
        f"({max((one.repeated for one in verdicts), default=0)})",
        f"{len(half)}: {sum(turn.verdict.whole for turn in half)} / {heard}",
        sum(not one.whole for one in verdicts),
        sum(len(one.errors) for one in day.told),
        f"{len(day.probes)} / {sum(status != 101 for status in day.probes)}",
        f"{load_average():.1f}",
    ]


def _moves(turn: Turn, day: Day) -> list[float]:
    return [at_s for one in day.told if turn in one.turns for at_s in one.moves]


def _was_hit(turn: Turn, told: Told, day: Day) -> bool:
    return any(turn.in_progress(at_s) for at_s in (*told.moves, *([day.at_s] if told.moves else [])))


def _silences(turns: Sequence[Turn], day: Day) -> list[float]:
    """Of answers in progress: beyond the pauses of speech, and beyond what others wait for their first word."""
    usual_s = median([turn.wait_s for turn in day.turns() if turn.ended_s < day.at_s and turn.words] or [0.0])
    found = []
    for turn in turns:
        late_s = turn.wait_s - usual_s if turn.words[0].start_s > day.at_s else 0.0
        found.append(max(0.0, late_s, turn.gap_after_s(day.at_s) - NORMAL_GAP_S))
    return found


def problems(day: Day) -> list[str]:
    """What is to be looked at, a line each."""
    lines = list(day.notes)
    for number, one in enumerate(day.told):
        lines += [f"client {number}: {text}" for text in one.errors]
        lines += [f"client {number}: history: {one.history}"] if one.history else []
        for turn in one.turns:
            verdict = turn.verdict
            if not verdict.whole or turn.problem:
                heard = [word.word for word in turn.words]
                lines.append(
                    f"client {number} ({turn.kind}), asked {turn.asked_s - day.at_s:+.1f} s, ended "
                    f"{turn.ended_s - day.at_s:+.1f} s: {verdict.lost} words lost {turn.problem} {heard}"
                )
    return lines


def herd_row(one: Herd) -> list[object]:
    back, before, after = (
        sorted(one.returns.resumed_s) or [0.0],
        one.before_ms or [0.0],
        one.after_ms or [0.0],
    )
    return [
        one.clients,
        f"{len(one.returns.resumed_s)} / {one.returns.rebuilt} / {one.returns.never}",
        f"{percentile(back, 0.5):.1f} / {percentile(back, 0.99):.1f} / {back[-1]:.1f}",
        one.returns.refused,
        f"{one.others}: {percentile(before, 0.99):.1f}",
        f"{percentile(after, 0.5):.1f} / {percentile(after, 0.99):.1f}",
        f"{percentile(one.late_ms or [0.0], 0.99):.1f}",
        f"{one.cost_ms:.1f}",
        f"{load_average():.1f}",
    ]


HERD = (
    "clients of the dead server",
    "resumed / rebuilt / never",
    "after the death, p50 / p99 / last s",
    "tries refused",
    "others: frames p99 before, ms",
    "then p50 / p99, ms",
    "generator late p99, ms",
    "CPU ms a return",
    "machine load",
)
GROWTH = (
    "servers",
    "conversations in all",
    "CPU s a conversation-minute",
    "of it without idle servers",
    "an idle server, share of a core",
    "Redis: entries/s a conversation",
    "µs an entry",
    "machine load",
)


def growth_row(one: Cost) -> list[object]:
    return [
        f"{one.nodes}{'' if one.shared else ', no Redis'}",
        one.conversations,
        f"{one.per_conversation:.3f}",
        f"{one.without_idle:.3f}",
        f"{one.idle_s / 60 / one.nodes:.1%}",
        f"{one.entries / one.conversations:.2f}",
        f"{one.entry_us:.0f}",
        f"{load_average():.1f}",
    ]


async def _days(rows: set[str], count: int, *, short: bool) -> None:
    settle_s, after_s = (10.0, 15.0) if short else (SETTLE_S, AFTER_S)
    acts = {
        "1": ("killed (kill -9)", kill),
        "2": ("frozen, woken", freeze),
        "4": ("restarted, all in turn", roll),
    }
    lines = []
    for row, (name, act) in acts.items():
        if row in rows:
            day = await live(name, act, count, settle_s=settle_s, after_s=after_s)
            lines.append(day_row(day))
            print(
                "\n".join((f"  {lines[-1]}", *(f"  - {text}" for text in problems(day)[:MOST_LINES]))),
                flush=True,
            )
    if lines:
        print("\n" + table(DAYS, lines))


async def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="bench.nodes", description="Three servers, and what happens to them."
    )
    parser.add_argument("--rows", default="1,2,3,4,11,12")
    parser.add_argument("--short", action="store_true", help="less of everything: about six minutes in all")
    parser.add_argument("--conversations", type=int, help="rows 1, 2 and 4: 60, with --short 24")
    parser.add_argument("--clients", type=int, help="row 11: 1,000, with --short 200")
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    rows, short = set(options.rows.split(",")), options.short
    print(f"{today()}, {machine()}, load before {load_average():.1f}", flush=True)
    await _days(rows, options.conversations or (24 if short else 60), short=short)
    if "3" in rows:
        print("\n" + await row_3(10 if short else 40))
    if "11" in rows:
        async with Upstream().running() as upstream, cluster(upstream.url, clients=4000) as made:
            clients = options.clients or (200 if short else 1000)
            found = await herd(made, clients, 20 if short else 40, 10.0 if short else 20.0)
        print("\n" + table(HERD, [herd_row(found)]))
    if "12" in rows:
        costs = await growth((1, 2, 4) if short else (1, 2, 4, 8), 40, 15.0 if short else 60.0)
        print("\n" + table(GROWTH, [growth_row(one) for one in costs]))
    print(f"\nload after {load_average():.1f}")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
