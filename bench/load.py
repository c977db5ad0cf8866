"""Live conversations on one core: microphone always on, 35 % speaking, 35 % hearing an answer.

    python -m bench.load [--conversations 50,100,150,200,250] [--seconds 27] [--json FILE]

Rows 6, 10 and 11 of shared/design.md 4. The server is pinned to one core; this process (clients and upstream) runs on
another, and tells how late it was. Nothing is transcribed locally. The clients are bare sockets that write frames
prepared in advance, so that the generator costs little.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import os
import random
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import numpy as np

from bench.load_upstream import STAMP_BYTES, Upstream, stamp_of
from bench.microphone import sentences
from bench.rig import RATE, figures, load_average, now_s, percentile, server, table

APPEND_MS = 100
CYCLE_S = 8.0  # one turn of everybody: 35 % speaking, 35 % hearing the answer, the rest waiting
SETTLE_S = CYCLE_S  # before the measuring begins
GRACE_S = 2.0  # a turn that ended while we measured has so long to be answered
DELTA = b'"type":"response.output_audio.delta"'
DONE = b'"type":"response.done"'
STOPPED = b'"type":"input_audio_buffer.speech_stopped"'
ERROR = b'"type":"error"'
AUDIO = b'"delta":"'
_STAMP_BASE64 = (STAMP_BYTES + 2) // 3 * 4
ENOUGH_P99_MS, ENOUGH_ANSWERED = 50.0, 0.99


def frame_of(message: bytes) -> bytes:
    """A client's text frame, masked with zeros: its payload is the message as it is."""
    length = len(message)
    if length < 126:
        head = struct.pack("!BB", 0x81, 0x80 | length)
    elif length < 65_536:
        head = struct.pack("!BBH", 0x81, 0x80 | 126, length)
    else:
        head = struct.pack("!BBQ", 0x81, 0x80 | 127, length)
    return head + b"\0\0\0\0" + message


def append_of(pcm: bytes) -> bytes:
    audio = base64.b64encode(pcm).decode()
    return frame_of(json.dumps({"type": "input_audio_buffer.append", "audio": audio}).encode())


@dataclass
class Tally:
    """What all conversations saw while `counting`."""

    counting: bool = False
    delays_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)  # speech_stopped to first sound
    turns: int = 0
    answers: int = 0
    audio_bytes: int = 0
    spoken_ms: float = 0.0
    errors: list[str] = field(default_factory=list)


class Conversation(asyncio.Protocol):
    """One client: a WebSocket reduced to what this measurement needs."""

    def __init__(self, tally: Tally, path: str, host: str) -> None:
        self._tally = tally
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        self._buffer = bytearray()
        self._open = False
        self._stopped_s = 0.0
        self._counts = False  # the turn that waits for its answer
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._request.encode())

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("The server closed the connection."))

    def data_received(self, data: bytes) -> None:
        at_s = now_s()
        self._buffer += data
        if not self._open:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.partition(b"\r\n")[0]:
                self.ready.set_exception(ConnectionError(head.decode(errors="replace")[:200]))
                return
            self._open, self._buffer = True, bytearray(rest)
            self.ready.set_result(None)
        self._take_frames(at_s)

    def _take_frames(self, at_s: float) -> None:
        buffer, start = self._buffer, 0
        while len(buffer) - start >= 2:
            length, head = buffer[start + 1] & 0x7F, 2
            if length == 126:
                if len(buffer) - start < 4:
                    break
                length, head = int.from_bytes(buffer[start + 2 : start + 4], "big"), 4
            elif length == 127:
                if len(buffer) - start < 10:
                    break
                length, head = int.from_bytes(buffer[start + 2 : start + 10], "big"), 10
            if len(buffer) - start < head + length:
                break
            payload = bytes(buffer[start + head : start + head + length])
            opcode, start = buffer[start] & 0x0F, start + head + length
            if opcode == 9:
                self.transport.write(struct.pack("!BB", 0x8A, 0x80 | length) + b"\0\0\0\0" + payload)
            elif opcode == 1:
                self._take(at_s, payload)
        del buffer[:start]

    def _take(self, at_s: float, message: bytes) -> None:
        tally, kind = self._tally, message[:200]
        if DELTA in kind:
            self._take_audio(at_s, message)
        elif STOPPED in kind:
            self._stopped_s, self._counts = at_s, tally.counting
            tally.turns += tally.counting
        elif DONE in kind:
            if b'"status":"completed"' not in message:
                tally.errors.append(message[:400].decode(errors="replace"))
        elif ERROR in kind:
            tally.errors.append(message.decode(errors="replace"))

    def _take_audio(self, at_s: float, message: bytes) -> None:
        tally = self._tally
        at = message.rindex(AUDIO) + len(AUDIO)
        sent_s = stamp_of(base64.b64decode(message[at : at + _STAMP_BASE64]))
        if self._counts:
            tally.waits_ms.append((at_s - self._stopped_s) * 1000)
            tally.answers += 1
            self._counts = False
        if not tally.counting:
            return
        tally.audio_bytes += (len(message) - at) * 3 // 4
        if sent_s is not None and 0 <= at_s - sent_s < 30:  # else a frame without stamp
            tally.delays_ms.append((at_s - sent_s) * 1000)


class Crowd:
    """All conversations, written to by one clock."""

    def __init__(self, url: str, seed: int = 1) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._rng = random.Random(seed)
        self.tally = Tally()
        self.conversations: list[tuple[Conversation, list[bytes], int]] = []
        self._scripts = [self._script(speech.samples) for speech in sentences()]
        self._speaking_ms = [speech.end_ms - speech.onset_ms for speech in sentences()]

    def _script(self, samples: np.ndarray) -> list[bytes]:
        """One cycle of one microphone, in finished frames."""
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
        loop = asyncio.get_running_loop()
        while len(self.conversations) < count:
            _, one = await loop.create_connection(
                lambda: Conversation(self.tally, "/v1/realtime", f"{self._host}:{self._port}"),
                self._host,
                self._port,
            )
            await one.ready
            script = self._scripts[len(self.conversations) % len(self._scripts)]
            self.conversations.append((one, script, self._rng.randrange(len(script))))
            await asyncio.sleep(0.01)

    async def run(self) -> None:
        """Write every microphone's next 100 ms, spread evenly over each 100 ms."""
        start_s, step = now_s(), 0
        while True:
            here = list(self.conversations)
            for number, (one, script, offset) in enumerate(here):
                due_s = start_s + (step + number / len(here)) * APPEND_MS / 1000
                if (wait_s := due_s - now_s()) > 0.001:
                    await asyncio.sleep(wait_s)
                if self.tally.counting:
                    self.tally.late_ms.append(max(0.0, (now_s() - due_s) * 1000))
                if not one.lost:
                    one.transport.write(script[(step + offset) % len(script)])
            step += 1
            await asyncio.sleep(max(0.0, start_s + step * APPEND_MS / 1000 - now_s()))

    def close(self) -> None:
        for one, _, _ in self.conversations:
            one.transport.abort()


@dataclass
class Step:
    """What a number of conversations cost."""

    conversations: int
    seconds: float
    core_share: float  # of the server's core
    generator_share: float  # of the other one
    delay_p50: float
    delay_p99: float
    generator_late_p99: float
    answered: float
    wait_p50: float
    wait_p95: float
    speaking: float
    hearing: float
    lost: int
    rss_mb: float
    errors: list[str]
    load: float

    @property
    def holds(self) -> bool:
        return self.delay_p99 <= ENOUGH_P99_MS and self.answered >= ENOUGH_ANSWERED and not self.lost


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def step(crowd: Crowd, count: int, seconds: float, pid: int) -> Step:
    await crowd.grow(count)
    await asyncio.sleep(SETTLE_S)
    tally = crowd.tally
    kept_errors = len(tally.errors)
    tally.delays_ms, tally.late_ms, tally.waits_ms = [], [], []
    tally.turns = tally.answers = tally.audio_bytes = 0
    tally.counting = True
    start_s, server_s, own_s = now_s(), cpu_s(pid), cpu_s(os.getpid())
    await asyncio.sleep(seconds)
    tally.counting = False
    passed_s = now_s() - start_s
    server_s, own_s = cpu_s(pid) - server_s, cpu_s(os.getpid()) - own_s
    await asyncio.sleep(GRACE_S)
    waits = figures(tally.waits_ms or [0.0])
    return Step(
        count,
        passed_s,
        server_s / passed_s,
        own_s / passed_s,
        percentile(tally.delays_ms or [0.0], 0.5),
        percentile(tally.delays_ms or [0.0], 0.99),
        percentile(tally.late_ms or [0.0], 0.99),
        tally.answers / max(1, tally.turns),
        waits.p50,
        waits.p95,
        crowd.speaking_share,
        tally.audio_bytes / 2 / RATE / passed_s / count,
        sum(one.lost for one, _, _ in crowd.conversations),
        rss_mb(pid),
        tally.errors[kept_errors:][:5],
        load_average(),
    )


@dataclass
class Result:
    steps: list[Step]
    idle_rss_mb: float  # with one conversation, after its first turns

    @property
    def most(self) -> int:
        """The most conversations that held."""
        return max((one.conversations for one in self.steps if one.holds), default=0)

    def at(self, count: int) -> Step | None:
        return next((one for one in self.steps if one.conversations == count), None)

    def mb_per_conversation(self, one: Step) -> float:
        return (one.rss_mb - self.idle_rss_mb) / max(1, one.conversations - 1)


def possible() -> bool:
    """Whether this machine lets a process be pinned, and has a core to spare for the generator."""
    return hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) >= 2


async def measure(counts: Sequence[int], seconds: float) -> Result:
    cores = sorted(os.sched_getaffinity(0))
    ours = set(cores[1:]) or set(cores)
    os.sched_setaffinity(0, ours)
    async with Upstream().running() as upstream:
        settings = {
            "TRANSCRIBER": f"openai:{upstream.url}",
            "MINIMAX_SPEECH_CONNECTIONS": "2000",
            "MINIMAX_CHAT_RPM": "1000000",
            "REALTIME_MAX_SESSIONS": "2000",
        }
        async with server(upstream.url, cores={cores[0]}, **settings) as product:
            crowd = Crowd(product.url)
            writer = asyncio.create_task(crowd.run())
            try:
                await crowd.grow(1)
                await asyncio.sleep(2 * CYCLE_S)
                result = Result([], rss_mb(product.pid))
                gc.collect()
                gc.freeze()
                gc.disable()  # a pause of the generator would be counted as the server's
                for count in counts:
                    result.steps.append(await step(crowd, count, seconds, product.pid))
                    print(f"  {result.steps[-1]}", flush=True)
                    if not result.steps[-1].holds:
                        break
            finally:
                gc.enable()
                writer.cancel()
                await asyncio.gather(writer, return_exceptions=True)
                crowd.close()
                os.sched_setaffinity(0, set(cores))
    return result


HEADS = (
    "conversations on one core",
    "core used",
    "speech in → out, p50 / p99 ms",
    "answered",
    "turn over → sound, p50 / p95 ms",
    "speaking / hearing",
    "MB each",
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
            f"{one.speaking:.0%} / {one.hearing:.0%}",
            f"{result.mb_per_conversation(one):.2f}",
            f"{one.generator_share:.0%}, {one.generator_late_p99:.1f}",
            f"{one.load:.1f}",
        ]
        for one in result.steps
    ]
    return table(HEADS, rows)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.load", description="Conversations on one core.")
    parser.add_argument("--conversations", default="50,100,150,200,250,300", help="numbers with commas")
    parser.add_argument("--seconds", type=float, default=27.0, help="of measuring at each number")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = await measure([int(word) for word in options.conversations.split(",")], options.seconds)
    print(markdown(result))
    if options.json:
        options.json.write_text(json.dumps(asdict(result), indent=1) + "\n")


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
