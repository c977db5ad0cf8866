"""What the measurements share: the processes under test, a bare client of the wire, percentiles.

The sandbox and the server run as processes of their own, so that the clock of the one who measures is disturbed by
neither.
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
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

READY_TIMEOUT_S = 60.0
RATE = 24_000  # Hertz
LOUD = 200  # an absolute sample value above which audio counts as sound


@asynccontextmanager
async def process(*arguments: str, env: dict[str, str] | None = None) -> AsyncIterator[str]:
    """A command of this project; yields the address of its ready line."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX_", "REALTIME_"))
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "realtime",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**clean, **(env or {})},
    )
    try:
        assert running.stdout is not None
        async with asyncio.timeout(READY_TIMEOUT_S):
            line = (await running.stdout.readline()).decode()
        yield line.rsplit(" ", 1)[-1].strip()
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.terminate()
        await running.wait()


def sandbox(*sets: str) -> Any:
    """The platform, with these times (`chat.first_ms=300`)."""
    return process("sandbox", "--port", "0", *(word for value in sets for word in ("--set", value)))


def server(platform_url: str, **env: str) -> Any:
    """The server under test, in front of that platform."""
    return process(
        "serve", "--port", "0", env={"MINIMAX_BASE_URL": platform_url, "MINIMAX_SPEECH_RPM": "100000", **env}
    )


@dataclass
class WireClient:
    """Just enough of a client to measure: sends events, notes when each event arrived."""

    socket: ClientConnection
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    _seen: int = 0

    async def send(self, type: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def ask(self, text: str) -> float:
        """A text turn; returns the moment the question left."""
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)
        left = asyncio.get_running_loop().time()
        await self.send("response.create")
        return left

    async def next(self) -> tuple[float, dict[str, Any]]:
        message = await self.socket.recv()
        entry = (asyncio.get_running_loop().time(), json.loads(message))
        self.events.append(entry)
        return entry

    async def until(self, type: str, timeout_s: float = 60.0) -> tuple[float, dict[str, Any]]:
        """The next event of this type."""
        async with asyncio.timeout(timeout_s):
            while True:
                at, event = await self.next()
                if event["type"] == type:
                    return at, event

    async def until_sound(self, timeout_s: float = 60.0) -> float:
        """When the first audio that is not silence arrived."""
        async with asyncio.timeout(timeout_s):
            while True:
                at, event = await self.next()
                if event["type"] == "response.output_audio.delta" and is_loud(
                    base64.b64decode(event["delta"])
                ):
                    return at
                if event["type"] == "response.done":
                    raise RuntimeError(
                        f"The reply ended without a sound: {event['response']['status_details']}"
                    )


def is_loud(pcm: bytes) -> bool:
    """Whether there is sound in 16-bit PCM."""
    import numpy as np

    return bool(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0) > LOUD)


@asynccontextmanager
async def wire(url: str, query: str = "") -> AsyncIterator[WireClient]:
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
        return f"{self.p50:7.1f} / {self.p95:7.1f}"


def figures(values_ms: Sequence[float]) -> Figures:
    ordered = sorted(values_ms)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return Figures(len(ordered), statistics.median(ordered), p95, ordered[0], ordered[-1])


def machine() -> str:
    """This machine in one line."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")
