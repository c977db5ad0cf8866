"""Live conversations on one core. The microphone is always on: 35 % of the time with speech, 35 % during an answer.

    python -m bench.load [--conversations 50,100,150,200,250] [--seconds 27] [--extensions resume] [--json FILE]

Rows 6, 10 and 11 of docs/architecture.md 4; with `--extensions resume` the memory of a session that can come back. The
server has one core. This process (clients and upstream) runs on another core and reports how late it was. There is no
local transcription. The clients (`load_client.py`) are plain sockets that send prepared frames.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from bench.common import RATE, cpu_s, figures, load_average, now_s, percentile, server, table
from bench.load_client import Conversation, Counters, append_of
from bench.load_upstream import Upstream
from bench.microphone import sentences

APPEND_MS = 100
CYCLE_S = 8.0  # one turn of each client: 35 % speech, 35 % answer, the rest waiting
SETTLE_S = CYCLE_S  # before the measurement starts
GRACE_S = 2.0  # after the measurement, for the answers of its last turns
MAX_P99_MS, MIN_ANSWERED = 50.0, 0.99


class Clients:
    """All conversations; one task sends their audio."""

    def __init__(self, url: str, extensions: str = "", seed: int = 1, headers: str = "") -> None:
        parts = urlsplit(url)
        self._headers = headers
        self._path = "/v1/realtime" + (f"?extensions={extensions}" if extensions else "")
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._rng = random.Random(seed)
        self.counters = Counters()
        self.conversations: list[tuple[Conversation, list[bytes], int]] = []
        self._scripts = [self._script(speech.samples) for speech in sentences()]
        self._speaking_ms = [speech.end_ms - speech.onset_ms for speech in sentences()]

    def _script(self, samples: np.ndarray) -> list[bytes]:
        """One cycle of a microphone as WebSocket frames."""
        cycle = np.zeros(int(CYCLE_S * RATE), np.int16)
        cycle[: len(samples)] = samples[: len(cycle)]
        size = RATE * APPEND_MS // 1000
        return [
            append_of(cycle[start : start + size].astype("<i2").tobytes())
            for start in range(0, len(cycle), size)
        ]

    @property
    def speaking_share(self) -> float:
        return float(np.mean(self._speaking_ms)) / 1000 / CYCLE_S

    async def grow(self, count: int) -> None:
        while len(self.conversations) < count:
            await self.join()
            await asyncio.sleep(0.01)

    async def join(self) -> None:
        """One more. Raises ConnectionError with the answer if it is refused."""
        _, one = await asyncio.get_running_loop().create_connection(
            lambda: Conversation(self.counters, self._path, f"{self._host}:{self._port}", self._headers),
            self._host,
            self._port,
        )
        try:
            await one.ready
        except ConnectionError:
            one.transport.abort()
            raise
        script = self._scripts[len(self.conversations) % len(self._scripts)]
        self.conversations.append((one, script, self._rng.randrange(len(script))))

    async def run(self) -> None:
        """Send the next 100 ms of every microphone, evenly distributed over each 100 ms."""
        start_s, step = now_s(), 0
        while True:
            conversations = list(self.conversations)
            for number, (one, script, offset) in enumerate(conversations):
                due_s = start_s + (step + number / len(conversations)) * APPEND_MS / 1000
                if (wait_s := due_s - now_s()) > 0.001:
                    await asyncio.sleep(wait_s)
                if self.counters.counting:
                    self.counters.late_ms.append(max(0.0, (now_s() - due_s) * 1000))
                if not one.lost:
                    one.transport.write(script[(step + offset) % len(script)])
            step += 1
            await asyncio.sleep(max(0.0, start_s + step * APPEND_MS / 1000 - now_s()))

    def close(self) -> None:
        for one, _, _ in self.conversations:
            one.transport.abort()


@dataclass
class Step:
    """The measurements with one number of conversations."""

    conversations: int
    seconds: float
    core_share: float  # of the server's core
    generator_share: float  # of the generator's core
    delay_p50: float
    delay_p99: float
    generator_late_p99: float
    answered: float
    wait_p50: float
    wait_p95: float
    speaking: float
    answering: float  # share of the time during an answer
    lost: int
    rss_mb: float
    errors: list[str]
    load: float

    @property
    def passes(self) -> bool:
        return self.delay_p99 <= MAX_P99_MS and self.answered >= MIN_ANSWERED and not self.lost


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def step(clients: Clients, count: int, seconds: float, pid: int) -> Step:
    await clients.grow(count)
    await asyncio.sleep(SETTLE_S)
    counters = clients.counters
    kept_errors = len(counters.errors)
    counters.delays_ms, counters.late_ms, counters.waits_ms = [], [], []
    counters.turns = counters.answers = counters.audio_bytes = 0
    counters.counting = True
    start_s, server_s, own_s = now_s(), cpu_s(pid), cpu_s(os.getpid())
    await asyncio.sleep(seconds)
    counters.counting = False
    passed_s = now_s() - start_s
    server_s, own_s = cpu_s(pid) - server_s, cpu_s(os.getpid()) - own_s
    await asyncio.sleep(GRACE_S)
    waits = figures(counters.waits_ms or [0.0])
    return Step(
        count,
        passed_s,
        server_s / passed_s,
        own_s / passed_s,
        percentile(counters.delays_ms or [0.0], 0.5),
        percentile(counters.delays_ms or [0.0], 0.99),
        percentile(counters.late_ms or [0.0], 0.99),
        counters.answers / max(1, counters.turns),
        waits.p50,
        waits.p95,
        clients.speaking_share,
        counters.audio_bytes / 2 / RATE / passed_s / count,
        sum(one.lost for one, _, _ in clients.conversations),
        rss_mb(pid),
        counters.errors[kept_errors:][:5],
        load_average(),
    )


@dataclass
class Result:
    steps: list[Step]
    idle_rss_mb: float  # with one conversation, after its first turns

    @property
    def most(self) -> int:
        """The largest number of conversations that passed."""
        return max((one.conversations for one in self.steps if one.passes), default=0)

    def at(self, count: int) -> Step | None:
        return next((one for one in self.steps if one.conversations == count), None)

    def mb_per_conversation(self, one: Step) -> float:
        return (one.rss_mb - self.idle_rss_mb) / max(1, one.conversations - 1)


def possible() -> bool:
    """Whether processes can be pinned to cores here, and there is a second core for the generator."""
    return hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) >= 2


async def measure(counts: Sequence[int], seconds: float, extensions: str = "") -> Result:
    cores = sorted(os.sched_getaffinity(0))
    generator_cores = set(cores[1:]) or set(cores)
    os.sched_setaffinity(0, generator_cores)
    async with Upstream().running() as upstream:
        settings = {
            "TRANSCRIBER": f"openai:{upstream.url}",
            "MINIMAX_SPEECH_CONNECTIONS": "2000",
            "MINIMAX_CHAT_RPM": "1000000",
            "REALTIME_MAX_SESSIONS": "2000",
        }
        async with server(upstream.url, cores={cores[0]}, **settings) as product:
            clients = Clients(product.url, extensions)
            writer = asyncio.create_task(clients.run())
            try:
                await clients.grow(1)
                await asyncio.sleep(2 * CYCLE_S)
                result = Result([], rss_mb(product.pid))
                gc.collect()
                gc.freeze()
                gc.disable()  # a pause of the generator would be measured as the server's
                for count in counts:
                    result.steps.append(await step(clients, count, seconds, product.pid))
                    print(f"  {result.steps[-1]}", flush=True)
                    if not result.steps[-1].passes:
                        break
            finally:
                gc.enable()
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
                clients.close()
                os.sched_setaffinity(0, set(cores))
    return result


HEADS = (
    "conversations on one core",
    "core used",
    "speech in → out, p50 / p99 ms",
    "answered",
    "end of turn → audio, p50 / p95 ms",
    "speech / answer",
    "MB per conversation",
    "generator: core used, late p99 ms",
    "machine load",
)


def markdown(result: Result) -> str:
    rows = [
        [
            one.conversations,
            f"{one.core_share:.0%}",
            f"{one.delay_p50:.1f} / {one.delay_p99:.1f}",
            f"{one.answered:.1%}",
            f"{one.wait_p50:.0f} / {one.wait_p95:.0f}",
            f"{one.speaking:.0%} / {one.answering:.0%}",
            f"{result.mb_per_conversation(one):.2f}",
            f"{one.generator_share:.0%}, {one.generator_late_p99:.1f}",
            f"{one.load:.1f}",
        ]
        for one in result.steps
    ]
    return table(HEADS, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.load", description="Conversations on one core.")
    parser.add_argument(
        "--conversations", default="50,100,150,200,250,300", help="numbers separated by commas"
    )
    parser.add_argument("--seconds", type=float, default=27.0, help="of measurement with each number")
    parser.add_argument("--extensions", default="", help="of every client, for example resume")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    counts = [int(word) for word in options.conversations.split(",")]
    result = await measure(counts, options.seconds, options.extensions)
    print(markdown(result))
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1) + "\n")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
