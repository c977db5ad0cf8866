"""Many short conversations, one after the other, for an hour: what grows, and what goes wrong while nobody is killed.

    python -m bench.soak [--short] [--minutes N] [--at-once N] [--json FILE]

Row 14 of "A node that survives" in bench/README.md. The platform is the sandbox at its fastest. The server has two
workers, and the second is killed every two minutes, so the first one lives all the time. Three times everybody is sent
home: after a tenth of the time, in the middle and at the end; what the processes hold then is compared. `--short` takes
15 minutes. Platform, server and clients are three processes. Needs Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import aiohttp
from websockets.exceptions import WebSocketException

from bench.common import (
    RATE,
    WireClient,
    connected,
    load_average,
    machine,
    now_s,
    pcm_of,
    server,
    table,
    today,
)
from bench.load import rss_mb
from bench.platform import platform
from bench.processes import metric, open_files, workers_of

FASTEST = (
    "http.connect_ms=0", "chat.first_ms=0", "chat.tps=5000", "chat.plain_tps=5000", "chat.chunk_ms=5",
    "speech.connect_ms=0", "speech.connected_ms=0", "speech.start_ms=0", "speech.first_ms=0",
    "speech.hd_first_ms=0", "speech.final_ms=0", "speech.factor=1000",
)  # fmt: skip
QUESTIONS = (
    "Hello.",
    "What is two plus three?",
    "What time is it?",
    "Good morning.",
    "Thank you.",
    "Goodbye.",
)
TURNS = 6
SPOKEN = ("extensions=playback", "extensions=playback,words", "extensions=playback,words,latency")
WRITTEN = ("", "extensions=latency")  # a voice would be waited for: nobody tells that it was played
ROUNDS = (0.1, 0.5, 1.0)  # shares of the time after which everybody goes home
REST_S = 4.0  # after the last conversation
AFTER_KILL_S = 3.0  # what fails so soon after a kill is due to it
SAMPLE_S = 5.0
MOST_SAMPLES = 2_000  # then every second one is dropped
MOST_ERRORS = 20  # kept with their text
RSS_SHARE, FEW = 0.05, 20  # what may be more at the end: of the memory, of tasks and of descriptors
TURN_TIMEOUT_S = 30.0
LEAVES = 0.02  # of the turns
FAILURES = (OSError, TimeoutError, RuntimeError, WebSocketException)


@dataclass(frozen=True, slots=True)
class Held:
    """What the processes hold when nobody talks. `worker` is the one that is never killed; tasks are of both."""

    minute: float
    conversations: int  # so far
    worker_mb: float
    supervisor_mb: float
    worker_files: int
    supervisor_files: int
    tasks: int
    sessions: int


@dataclass
class Told:
    """What the clients saw. Bounded, however long it takes."""

    conversations: int = 0
    turns: int = 0
    killed: int = 0  # workers
    cut_by_kills: int = 0  # conversations
    errors: Counter[str] = field(default_factory=Counter)
    first_errors: list[str] = field(default_factory=list)
    kill_s: float = float("-inf")  # when the last one was killed

    def failed(self, error: BaseException, now: float) -> None:
        if now - self.kill_s <= AFTER_KILL_S:
            self.cut_by_kills += 1
            return
        self.errors[type(error).__name__] += 1
        if len(self.first_errors) < MOST_ERRORS:
            self.first_errors.append(f"{type(error).__name__}: {error}"[:300])


@dataclass
class Result:
    """Everything measured. `most_mb` is the most memory of the first worker while people talked."""

    minutes: float
    told: Told
    held: list[Held]
    under_load_mb: list[float]
    load: float

    @property
    def most_mb(self) -> float:
        return max(self.under_load_mb, default=0.0)

    def grown(self) -> list[str]:
        """What grew after the first tenth, in words."""
        first, last = self.held[0], self.held[-1]
        return [
            name
            for name, before, after, limit in (
                ("memory of the worker", first.worker_mb, last.worker_mb, first.worker_mb * RSS_SHARE),
                ("memory of the supervisor", first.supervisor_mb, last.supervisor_mb, 2.0),
                ("descriptors of the worker", first.worker_files, last.worker_files, FEW),
                ("descriptors of the supervisor", first.supervisor_files, last.supervisor_files, FEW),
                ("tasks", first.tasks, last.tasks, FEW),
                ("sessions", 0, last.sessions, 0),
            )
            if after > before + limit
        ]


async def conversation(url: str, chance: random.Random, told: Told) -> None:
    """One conversation of six turns; some clients leave in the middle of an answer. Raises RuntimeError, OSError."""
    query = chance.choice((*SPOKEN, *WRITTEN))
    async with connected(url, query) as client:
        for _ in range(TURNS):
            await client.ask(chance.choice(QUESTIONS), "audio" if query in SPOKEN else "text")
            if chance.random() < LEAVES:
                await client.until("response.created", TURN_TIMEOUT_S)
                break
            _, done = await client.until("response.done", TURN_TIMEOUT_S)
            if (status := done["response"]["status"]) != "completed":
                raise RuntimeError(f"an answer was {status}: {done['response'].get('status_details')}")
            told.turns += 1
            await tell_played(client)
            client.clear()
    told.conversations += 1


async def tell_played(client: WireClient) -> None:
    """A player that needs no time: the next answer does not wait for the ears."""
    sound = [event for _, event in client.events if event["type"] == "response.output_audio.delta"]
    if sound:
        ms = sum(len(pcm_of(event)) for event in sound) * 1000 // (2 * RATE)
        name = sound[-1]["item_id"]
        await client.send("output_audio_buffer.played", item_id=name, played_ms=ms, state="drained")


async def talk(url: str, number: int, told: Told, stop: asyncio.Event) -> None:
    """One conversation after the other, until `stop`."""
    chance = random.Random(number)
    while not stop.is_set():
        try:
            await conversation(url, chance, told)
        except FAILURES as error:
            told.failed(error, now_s())
            await asyncio.sleep(0.2)


async def kill_workers(supervisor: int, first: int, every_s: float, told: Told) -> None:
    """Kill every worker but the first, again and again."""
    while True:
        await asyncio.sleep(every_s)
        for pid in workers_of(supervisor) - {first}:
            told.kill_s = now_s()
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            told.killed += 1


async def watch(pid: int, samples: list[float]) -> None:
    """The memory of a process; of a long time fewer samples."""
    every_s = SAMPLE_S
    while True:
        await asyncio.sleep(every_s)
        samples.append(rss_mb(pid))
        if len(samples) >= MOST_SAMPLES:
            del samples[::2]
            every_s *= 2


class Soak:
    """A server under test, and what is known of it."""

    def __init__(self, url: str, supervisor: int, worker: int, http: aiohttp.ClientSession) -> None:
        self._url, self._supervisor, self._worker, self._http = url, supervisor, worker, http
        self.told = Told()
        self.held: list[Held] = []
        self.under_load_mb: list[float] = []
        self._began_s = now_s()

    async def run(self, seconds: float, at_once: int, kill_every_s: float) -> None:
        self._began_s = now_s()
        helpers = [
            asyncio.create_task(kill_workers(self._supervisor, self._worker, kill_every_s, self.told)),
            asyncio.create_task(watch(self._worker, self.under_load_mb)),
        ]
        try:
            for share in ROUNDS:
                await self._talk_until(self._began_s + share * seconds, at_once)
                await asyncio.sleep(REST_S)
                self.held.append(await self._look())
                print(f"  {self.held[-1]}, {self.told.turns} turns, {dict(self.told.errors)}", flush=True)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _talk_until(self, end_s: float, at_once: int) -> None:
        stop = asyncio.Event()
        talking = [asyncio.create_task(talk(self._url, n, self.told, stop)) for n in range(at_once)]
        await asyncio.sleep(max(0.0, end_s - now_s()))
        stop.set()
        await asyncio.gather(*talking)

    async def _look(self) -> Held:
        return Held(
            round((now_s() - self._began_s) / 60, 1),
            self.told.conversations,
            rss_mb(self._worker),
            rss_mb(self._supervisor),
            open_files(self._worker),
            open_files(self._supervisor),
            int(await metric(self._http, self._url, "realtime_tasks")),
            int(await metric(self._http, self._url, "realtime_sessions")),
        )


async def measure(minutes: float, at_once: int, kill_every_s: float = 120.0) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        return await _measured(minutes, at_once, kill_every_s, f"sqlite:{folder}/soak.db")


async def _measured(minutes: float, at_once: int, kill_every_s: float, store: str) -> Result:
    async with platform(*FASTEST, records=False) as sandbox:
        # A store in memory grows up to its limit, as it should
        settings = {"TRANSCRIBER": "none", "MINIMAX_CHAT_RPM": "1000000", "REALTIME_STORE": store}
        async with (
            server(sandbox.url, "--workers", "2", cores=None, **settings) as product,
            aiohttp.ClientSession() as http,
        ):
            worker = min(workers_of(product.pid))
            soak = Soak(product.url, product.pid, worker, http)
            await soak.run(minutes * 60, at_once, kill_every_s)
            return Result(minutes, soak.told, soak.held, soak.under_load_mb, load_average())


ROWS: Sequence[tuple[str, str]] = (
    ("conversations so far", "conversations"),
    ("memory of the first worker, MB", "worker_mb"),
    ("memory of the supervisor, MB", "supervisor_mb"),
    ("descriptors of the first worker", "worker_files"),
    ("descriptors of the supervisor", "supervisor_files"),
    ("tasks of both workers", "tasks"),
    ("sessions", "sessions"),
)


def markdown(result: Result) -> str:
    heads = ["when nobody talks", *(f"after {held.minute:g} min" for held in result.held)]
    rows = [[name, *(f"{getattr(held, of):g}"[:6] for held in result.held)] for name, of in ROWS]
    told = result.told
    lines = [
        table(heads, rows),
        "",
        f"{told.conversations} conversations, {told.turns} answers, {told.killed} workers killed, "
        f"{told.cut_by_kills} conversations cut by that, {sum(told.errors.values())} errors outside of the kills. "
        f"Most memory of the first worker: {result.most_mb:.0f} MB.",
        f"Grew after the first tenth: {', '.join(result.grown()) or 'nothing'}.",
        *(f"- {error}" for error in told.first_errors),
    ]
    return "\n".join(lines)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.soak", description="Many short conversations for an hour.")
    parser.add_argument("--short", action="store_true", help="15 minutes")
    parser.add_argument("--minutes", type=float, help="60 without it")
    parser.add_argument("--at-once", type=int, default=8, help="conversations at the same time")
    parser.add_argument("--kill-every-s", type=float, default=120.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    minutes = options.minutes or (15.0 if options.short else 60.0)
    result = await measure(minutes, options.at_once, options.kill_every_s)
    print(f"{today()}, {machine()}, load {result.load:.1f}\n\n{markdown(result)}")
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1) + "\n")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
