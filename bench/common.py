"""Code for several benchmarks: the processes under test, a simple client, percentiles.

The platform and the server run in separate processes, so that they do not delay the measuring process. All times are of
the monotonic clock, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

READY_TIMEOUT_S = 60.0
RATE = 24_000  # Hertz
LOUD = 200  # an absolute sample value above which audio counts as sound
_OURS = ("MINIMAX_", "REALTIME_", "CHAT_", "TRANSCRIBER", "SPECULATE")


@asynccontextmanager
async def started(
    module: str, *arguments: str, env: dict[str, str] | None = None, cores: set[int] | None = None
) -> AsyncIterator[tuple[str, int]]:
    """Run a module as a process; yields its ready line and its process id. `cores`: run it only on these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=None if os.environ.get("BENCH_VERBOSE") else asyncio.subprocess.DEVNULL,
        env={**clean, **(env or {})},
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    try:
        assert running.stdout is not None
        async with asyncio.timeout(READY_TIMEOUT_S):
            line = (await running.stdout.readline()).decode().strip()
        if not line:
            raise RuntimeError(f"{module} did not start; BENCH_VERBOSE=1 shows its errors.")
        yield line, running.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        await running.wait()


@dataclass(frozen=True)
class Server:
    """A running server under test."""

    url: str
    pid: int


@asynccontextmanager
async def server(
    platform_url: str, *arguments: str, cores: set[int] | None = None, **env: str
) -> AsyncIterator[Server]:
    """The server under test with this platform, and default settings except the request budget."""
    settings = {
        "MINIMAX_BASE_URL": platform_url,
        "MINIMAX_SPEECH_RPM": "100000",
        "REALTIME_ADMISSION": "count",
    }
    settings |= env
    words = ("serve", "--port", "0", *arguments)
    async with started("realtime", *words, env=settings, cores=cores) as (line, pid):
        yield Server(line.rsplit(" ", 1)[-1], pid)


@dataclass
class WireClient:
    """A minimal client: sends events, and records the arrival time of each event."""

    socket: ClientConnection
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    async def send(self, type: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def configure(self, **session: Any) -> None:
        await self.send("session.update", session={"type": "realtime", **session})
        await self.until("session.updated")

    async def ask(self, text: str, modality: str | None = None) -> float:
        """Send a text turn; returns the time of the question. `modality` of the answer: text or audio."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        asked_s = now_s()
        await self.send("conversation.item.create", item=item)
        response = {} if modality is None else {"response": {"output_modalities": [modality]}}
        await self.send("response.create", **response)
        return asked_s

    async def next(self) -> tuple[float, dict[str, Any]]:
        message = await self.socket.recv()
        entry = (now_s(), json.loads(message))
        self.events.append(entry)
        if entry[1]["type"] == "error":
            raise RuntimeError(f"The server sent an error: {entry[1]['error']}")
        return entry

    async def until(self, type: str, timeout_s: float = 60.0) -> tuple[float, dict[str, Any]]:
        """Wait for the next event of this type."""
        async with asyncio.timeout(timeout_s):
            while True:
                at_s, event = await self.next()
                if event["type"] == type:
                    return at_s, event

    def clear(self) -> None:
        self.events.clear()

    async def forget(self, within_s: float = 0.02) -> None:
        """Also what has come by now and was not read: the next event that is waited for is a new one."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    await self.next()
        self.clear()


def now_s() -> float:
    """The clock of all processes here. The clock of an event loop may be a millisecond or more behind."""
    return time.monotonic()


def pcm_of(event: dict[str, Any]) -> bytes:
    """The bytes of an audio delta."""
    return base64.b64decode(event["delta"])


def is_loud(pcm: bytes) -> bool:
    """Whether 16-bit PCM is not silent."""
    return bool(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0) > LOUD)


@dataclass(frozen=True)
class PlayedReply:
    """One reply, played by a client without a buffer."""

    first_sound_s: float | None
    first_gap_ms: float  # the first pause in playback, if the second chunk was late
    stutter_ms: float  # the sum of all such pauses
    audio_ms: float
    transcript: str


def play(events: Sequence[tuple[float, dict[str, Any]]]) -> PlayedReply:
    """Compute when the audio deltas of one reply would be played."""
    first_s: float | None = None
    end_s, first_gap_ms, stutter_ms, audio_ms = 0.0, 0.0, 0.0, 0.0
    words = []
    for at_s, event in events:
        if event["type"] == "response.output_audio_transcript.delta":
            words.append(event["delta"])
        if event["type"] != "response.output_audio.delta":
            continue
        pcm = pcm_of(event)
        ms = len(pcm) / 2 / RATE * 1000
        if first_s is None and is_loud(pcm):
            first_s = at_s
        if audio_ms and at_s > end_s:
            gap_ms = (at_s - end_s) * 1000
            first_gap_ms = first_gap_ms or gap_ms
            stutter_ms += gap_ms
        end_s = max(end_s, at_s) + ms / 1000
        audio_ms += ms
    return PlayedReply(first_s, first_gap_ms, stutter_ms, audio_ms, "".join(words))


@asynccontextmanager
async def connected(url: str, query: str = "extensions=latency") -> AsyncIterator[WireClient]:
    """A client connected to the server under test."""
    address = url.replace("http", "ws", 1) + "/v1/realtime" + (f"?{query}" if query else "")
    async with connect(address, compression=None, max_size=None) as socket:
        client = WireClient(socket)
        await client.until("conversation.created")
        yield client


@dataclass(frozen=True)
class Figures:
    """Median and 95th percentile of some measurements, in milliseconds."""

    count: int
    p50: float
    p95: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.p50:.0f} / {self.p95:.0f}"


def figures(values_ms: Sequence[float]) -> Figures:
    ordered = sorted(values_ms)
    return Figures(
        len(ordered), statistics.median(ordered), percentile(ordered, 0.95), ordered[0], ordered[-1]
    )


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def machine() -> str:
    """This machine in one line."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def cpu_s(pid: int) -> float:
    """User and system time of a process, all its threads (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load_average() -> float:
    """The mean number of processes that needed a core during the last minute."""
    return os.getloadavg()[0]


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")
