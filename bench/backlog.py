"""Sound that comes faster than it is spoken: how fast it is taken in, and what the other conversations notice.

    python -m bench.backlog [--others 0,1,20] [--rounds 10] [--append-s 1]

A client that was offline appends SECONDS of speech as fast as its socket takes them. Everybody else appends 20 ms
every 20 ms. The time of an append is the time to the answer of a WebSocket ping sent right after it: the server reads
in order, and answers the ping when it has taken in what came before. The server is pinned to one core, this process to
another. Nothing is transcribed, and nobody replies.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import gc
import itertools
import json
import os
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import numpy as np

from bench.common import RATE, Server, WireClient, connected, load_average, now_s, percentile, server, table
from bench.load import possible
from bench.load_upstream import Upstream
from bench.microphone import Samples, sentences

SECONDS = 60
APPEND_MS = 20
MOST_PINGS = 4  # of the others' clients measure each of their appends, the rest none: pings cost as well
PAUSE_S = 0.3  # between two backlogs
QUIET_S = 6.0  # how long the others are watched without a backlog
DETECTION = {"type": "server_vad", "create_response": False, "interrupt_response": False}


def speech(seconds: float) -> Samples:
    """Recorded sentences with a second of silence after each."""
    parts: list[Samples] = []
    missing = int(seconds * RATE)
    while missing > 0:
        for sentence in sentences():
            parts += [sentence.samples, np.zeros(RATE, np.int16)]
            missing -= len(parts[-2]) + RATE
    return np.concatenate(parts)[: int(seconds * RATE)]


def appends(samples: Samples, each_s: float) -> list[str]:
    """The messages that carry this sound, so many seconds each."""
    size, messages = int(RATE * each_s), []
    for start in range(0, len(samples), size):
        audio = base64.b64encode(samples[start : start + size].astype("<i2").tobytes()).decode()
        messages.append(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
    return messages


async def taken_in_s(client: WireClient, *messages: str) -> float:
    """Send appends; the seconds until the server has worked through them."""
    began_s = now_s()
    for message in messages:
        await client.socket.send(message)
    await (await client.socket.ping())
    return now_s() - began_s


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[WireClient]:
    """A client whose sound is listened to and never answered."""
    async with connected(url, query="") as client:
        await client.configure(audio={"input": {"turn_detection": DETECTION}})
        reading = asyncio.create_task(_discard(client))
        try:
            yield client
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _discard(client: WireClient) -> None:
    while True:
        await client.socket.recv()


@dataclass
class Others:
    """Microphones in real time. `delays_ms`: of their appends, since it was last emptied."""

    delays_ms: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def running(self, url: str, count: int) -> AsyncIterator[Others]:
        script = appends(speech(20), APPEND_MS / 1000)
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(listening(url)) for _ in range(count)]
            tasks = [
                asyncio.create_task(self._talk(client, script, number, count))
                for number, client in enumerate(clients)
            ]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _talk(self, client: WireClient, script: Sequence[str], number: int, count: int) -> None:
        start_s, frame = now_s() + number / count * APPEND_MS / 1000, number * 37
        for step in itertools.count():
            await asyncio.sleep(max(0.0, start_s + step * APPEND_MS / 1000 - now_s()))
            message = script[(frame + step) % len(script)]
            if number % max(1, count // MOST_PINGS) == 0:
                self.delays_ms.append(await taken_in_s(client, message) * 1000)
            else:
                await client.socket.send(message)


@dataclass(frozen=True)
class Row:
    """What so many other conversations and a backlog did to each other."""

    others: int
    seconds: float  # until SECONDS of sound were taken in, median
    quiet_ms: tuple[float, float]  # p50 and p99 of the others without a backlog
    meanwhile_ms: tuple[float, float]  # and while there was one
    load: float

    @property
    def times_real_time(self) -> float:
        return SECONDS / self.seconds


async def measure_one(product: Server, others: int, rounds: int, append_s: float) -> Row:
    backlog, took_s = appends(speech(SECONDS), append_s), []
    async with Others().running(product.url, others) as watched:
        await asyncio.sleep(1.0)
        watched.delays_ms.clear()
        await asyncio.sleep(QUIET_S if others else 0.0)
        quiet_ms, meanwhile_ms = list(watched.delays_ms), []
        for _ in range(rounds):
            async with listening(product.url) as client:  # a new one: the server slows whoever sends too much
                await asyncio.sleep(PAUSE_S)
                watched.delays_ms.clear()
                took_s.append(await taken_in_s(client, *backlog))
                meanwhile_ms += watched.delays_ms
    return Row(others, statistics.median(took_s), _spread(quiet_ms), _spread(meanwhile_ms), load_average())


def _spread(delays_ms: Sequence[float]) -> tuple[float, float]:
    if not delays_ms:
        return float("nan"), float("nan")
    return percentile(delays_ms, 0.5), percentile(delays_ms, 0.99)


@contextmanager
def _pinned() -> Iterator[set[int] | None]:
    """Keep this process off the core it yields, and its own garbage collections out of the numbers."""
    if not possible():
        yield None
        return
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[1:])
    gc.collect()
    gc.disable()
    try:
        yield {cores[0]}
    finally:
        gc.enable()
        os.sched_setaffinity(0, cores)


async def measure(others: Sequence[int], rounds: int, append_s: float = 1.0) -> list[Row]:
    with _pinned() as cores:
        async with (
            Upstream().running() as upstream,
            server(upstream.url, cores=cores, TRANSCRIBER="none") as product,
        ):
            return [await measure_one(product, count, rounds, append_s) for count in others]


HEADS = (
    f"other conversations, {APPEND_MS} ms appends",
    f"{SECONDS} s at once: taken in after",
    "times real time",
    "the others' appends without it, p50 / p99 ms",
    "meanwhile, p50 / p99 ms",
    "machine load",
)


def markdown(rows: Sequence[Row]) -> str:
    return table(
        HEADS,
        [
            (
                row.others or "none",
                f"{row.seconds:.2f} s",
                f"{row.times_real_time:.0f}",
                "{:.1f} / {:.1f}".format(*row.quiet_ms) if row.others else "-",
                "{:.1f} / {:.1f}".format(*row.meanwhile_ms) if row.others else "-",
                f"{row.load:.1f}",
            )
            for row in rows
        ],
    )


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.backlog", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--others", default="0,1,20", help="numbers with commas")
    parser.add_argument("--rounds", type=int, default=10, help="backlogs at each number")
    parser.add_argument("--append-s", type=float, default=1.0, help="seconds of sound in each append")
    options = parser.parse_args()
    others = [int(word) for word in options.others.split(",")]
    rows = await measure(others, options.rounds, options.append_s)
    print(markdown(rows))


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
