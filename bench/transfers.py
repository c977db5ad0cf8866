"""Large files and tasks of the platform's client: memory, speed, what the event loop notices, when an end is known.

    python -m bench.transfers [--mb 500] [--hex-mb 30] [--tasks 20] [--rounds 3]

Files go to and from a bare server in its own process (`bench.transfers_server`), which keeps nothing. Memory is the
most that this process holds during a transfer above what it held before. Each transfer is measured beside the shortest
loop that does the same with aiohttp, in turns. The lag of the event loop is how late a timer of 1 ms is. The tasks are
videos, each of a sandbox of its own that takes another time; the notice counts from their end on the platform.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import socket
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.common import figures, load_average, machine, now_s, started, table, today
from realtime.errors import TaskFailed
from realtime.minimax import Callbacks, MiniMax
from realtime.minimax.callbacks import watch
from realtime.minimax.download import save
from realtime.minimax.job import Job, JobKind
from realtime.minimax.job_schedule import QueryPace
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.upload import upload
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

MB = 1_000_000
SAMPLE_S = 0.01
TICK_S = 0.001
BARE_BYTES = 1024 * 1024  # a read of the bare loop
VIDEO_S = (12.0, 30.0)  # how long a video of the sandbox takes
Move = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Moved:
    """One kind of transfer: the megabytes a second of each round, and the most memory above the start, in MB."""

    name: str
    mb_per_s: Sequence[float]
    memory_mb: float

    def row(self) -> list[object]:
        return [self.name, f"{statistics.median(self.mb_per_s):.0f}", f"{self.memory_mb:.1f}"]


def resident_mb() -> float:
    """The memory of this process (proc(5))."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


@asynccontextmanager
async def most_memory() -> AsyncIterator[list[float]]:
    """The most memory inside the block, above that at its start, as the only item after the block."""
    gc.collect()
    before, found = resident_mb(), [0.0]

    async def watch_memory() -> None:
        while True:
            found[0] = max(found[0], resident_mb() - before)
            await asyncio.sleep(SAMPLE_S)

    task = asyncio.create_task(watch_memory())
    try:
        yield found
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        found[0] = max(found[0], resident_mb() - before)


async def transfers(url: str, size_mb: int, rounds: int) -> list[Moved]:
    """Both directions, through the client and bare, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source.bin"), Path(folder, "target.bin")
        _write(source, size_mb)
        async with MiniMax("key", url) as mm, aiohttp.ClientSession() as http:

            async def link() -> str:
                return f"{url}/blob?mb={size_mb}"

            moves: Mapping[str, Move] = {
                "upload": lambda: upload(mm.door.http, "/v1/files/upload", source),
                "upload, bare loop": lambda: bare_upload(http, url, source),
                "download": lambda: save(link, target, http=mm.door.http, force=True),
                "download, bare loop": lambda: bare_download(http, f"{url}/blob?mb={size_mb}", target),
            }
            return await _in_turns(moves, size_mb, rounds)


def _write(path: Path, size_mb: int) -> None:
    with path.open("wb") as file:
        for _ in range(size_mb):
            file.write(random.randbytes(MB))


async def _in_turns(moves: Mapping[str, Move], size_mb: int, rounds: int) -> list[Moved]:
    speeds: dict[str, list[float]] = {name: [] for name in moves}
    memory = dict.fromkeys(moves, 0.0)
    for _ in range(rounds):
        for name, move in moves.items():
            async with most_memory() as found:
                began_s = now_s()
                await move()
                speeds[name].append(size_mb / (now_s() - began_s))
            memory[name] = max(memory[name], found[0])
    return [Moved(name, speeds[name], memory[name]) for name in moves]


async def bare_upload(http: aiohttp.ClientSession, url: str, source: Path) -> None:
    with source.open("rb") as file:
        form = aiohttp.FormData()
        form.add_field("file", file, filename=source.name)
        async with http.post(f"{url}/v1/files/upload", data=form) as response:
            await response.read()


async def bare_download(http: aiohttp.ClientSession, url: str, target: Path) -> None:
    async with http.get(url) as response:
        with target.open("wb") as file:
            async for part in response.content.iter_chunked(BARE_BYTES):
                file.write(part)


async def lags_ms(work: Awaitable[object]) -> list[float]:
    """How late the loop's timers were while `work` ran."""
    running = asyncio.ensure_future(work)
    lags = []
    while not running.done():
        began_s = now_s()
        await asyncio.sleep(TICK_S)
        lags.append((now_s() - began_s - TICK_S) * 1000)
    await running
    return lags


async def hex_lag(url: str, rounds: int) -> list[list[object]]:
    """The loop's lag while speech comes as one JSON body of hex, and the same decoded on the loop."""
    rows: list[list[object]] = []
    async with MiniMax("key", url) as mm, aiohttp.ClientSession() as http:

        async def bare() -> None:
            async with http.post(f"{url}/v1/t2a_v2", json={}) as response:
                bytes.fromhex((await response.json())["data"]["audio"])

        works: Mapping[str, Move] = {
            "speech of the client": lambda: mm.speech.synthesize("Hello."),
            "json and fromhex on the loop": bare,
        }
        for name, work in works.items():
            lags = [lag for _ in range(rounds) for lag in await lags_ms(work())]
            found = figures(lags)
            rows.append([name, f"{found.p50:.1f} / {found.p95:.1f}", f"{found.most:.0f}"])
    return rows


class Videos:
    """Videos of a sandbox in this process, asked about as the documents say: every 10 s."""

    def __init__(self, mm: MiniMax) -> None:
        self._mm = mm
        self._kind: JobKind[Mapping[str, Any]] = JobKind(
            name="video",
            handle="mm.video.task",
            query=self._query,
            result=self._result,
            typical_s=120.0,
            longest_s=600.0,
            interval_s=10.0,
            pace=QueryPace(5.0),
        )

    async def create(self, callbacks: Callbacks | None) -> Job[Mapping[str, Any]]:
        body = {"model": "MiniMax-Hailuo-2.3", "prompt": "a cat", "duration": 6, "resolution": "768P"}
        if callbacks is not None:
            body["callback_url"] = callbacks.url_for("video")
        answer = await self._mm.door.call(OPERATIONS["video.create"], body=body)
        job = Job(self._kind, answer["task_id"], age_s=0.0)
        watch(callbacks, job)
        return job

    async def _query(self, task_id: str) -> Mapping[str, Any]:
        return await self._mm.door.call(OPERATIONS["video.task"], query={"task_id": task_id})

    async def _result(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        return answer


async def notices_ms(tasks: int, *, with_callbacks: bool, video_s: tuple[float, float]) -> list[float]:
    """From the end of a task on the platform to its notice here."""
    async with _receiver() if with_callbacks else _nothing() as callbacks:
        return list(await asyncio.gather(*(_notice_ms(callbacks, video_s) for _ in range(tasks))))


async def _notice_ms(callbacks: Callbacks | None, video_s: tuple[float, float]) -> float:
    """One task. It expires, so no film has to be drawn."""
    sets = ("video.prepare_s=0.5", "video.queue_s=0.5", f"task.expire_s={random.uniform(*video_s):.2f}")
    async with Sandbox(SandboxOptions.parse("local", sets)) as sandbox, MiniMax("key", sandbox.url) as mm:
        sandbox.inject("job.expire")
        job = await Videos(mm).create(callbacks)
        ended = asyncio.create_task(_end_s(sandbox, job.id))
        with suppress(TaskFailed):
            await job
        noticed_s = now_s()
        return max(0.0, noticed_s - await ended) * 1000


async def _end_s(sandbox: Sandbox, task_id: str) -> float:
    task = await sandbox.state.jobs.current(int(task_id))
    while not task.finished:
        await task.changed.wait()
    return now_s()


@asynccontextmanager
async def _receiver() -> AsyncIterator[Callbacks]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    callbacks = Callbacks(f"http://127.0.0.1:{port}")
    async with callbacks.serve(port=port):
        yield callbacks


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield None


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.transfers")
    parser.add_argument("--mb", type=int, default=500, help="size of a file")
    parser.add_argument("--hex-mb", type=int, default=30, help="size of the hex of one answer")
    parser.add_argument("--tasks", type=int, default=20, help="videos, with and without callbacks")
    parser.add_argument(
        "--video-s", type=float, nargs=2, default=VIDEO_S, help="least and most time of a video"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    async with started("bench.transfers_server", "--hex-mb", str(options.hex_mb)) as (line, _):
        url = line.split()[-1]
        moved = await transfers(url, options.mb, options.rounds)
        lags = await hex_lag(url, options.rounds)
    print(f"{today()}, {machine()}, load {load_average():.1f}\n")
    heads = (f"{options.mb} MB", "MB a second", "most memory, MB")
    print(table(heads, [each.row() for each in moved]) + "\n")
    print(table((f"{options.hex_mb} MB of hex", "lag p50 / p95 ms", "most ms"), lags) + "\n")
    rows = []
    for name, with_callbacks in (("without callbacks", False), ("with callbacks", True)):
        found = await notices_ms(
            options.tasks, with_callbacks=with_callbacks, video_s=(options.video_s[0], options.video_s[1])
        )
        rows.append([name, len(found), str(figures(found)), f"{max(found):.0f}"])
    print(table(("end of a task to its notice", "tasks", "p50 / p95 ms", "most ms"), rows))


if __name__ == "__main__":
    asyncio.run(main())
