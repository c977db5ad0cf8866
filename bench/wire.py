"""The bytes and CPU time of one minute of conversation: JSON with base64 compared with binary frames.

Two servers with one sandbox, one client each, at the same time. The microphone is on for the whole minute (20 ms at a
time), and replies are requested until it ends. Then the codecs alone, with the same amount of audio.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from bench import common
from realtime.protocol import codec
from realtime.protocol.framing import HEADER, SUBPROTOCOL, decode_frame, encode_frame
from realtime.protocol.server_events import ResponseOutputAudioDelta

BLOCK_MS = 20
BLOCK = common.RATE * 2 * BLOCK_MS // 1000  # bytes
QUESTION = "Tell me a long story about the sea."
MASK = 4  # bytes that a client adds to every message


def on_the_wire(size: int, extra: int = 0) -> int:
    """Bytes of one WebSocket message with its header (RFC 6455 5.2)."""
    return size + extra + (2 if size < 126 else 4 if size < 65_536 else 10)


@dataclass
class Minute:
    """The traffic of one client, in bytes on the network; audio of replies also in seconds."""

    up_bytes: int = 0
    down_audio_messages: int = 0
    down_audio_bytes: int = 0
    down_other_bytes: int = 0
    received_s: float = 0.0
    cpu_s: float = 0.0

    def up(self, size: int) -> None:
        self.up_bytes += on_the_wire(size, MASK)


async def converse(url: str, pid: int, *, binary: bool, seconds: float) -> Minute:
    """Hold a conversation in real time, and measure the server's CPU time meanwhile."""
    minute = Minute()
    address = url.replace("http", "ws", 1) + "/v1/realtime"
    offered = [Subprotocol(SUBPROTOCOL)] if binary else None
    async with connect(address, subprotocols=offered, compression=None, max_size=None) as socket:

        async def send(type: str, **fields: object) -> None:
            message = json.dumps({"type": type, **fields})
            minute.up(len(message))
            await socket.send(message)

        async def microphone() -> None:
            loop = asyncio.get_running_loop()
            quiet = np.random.default_rng(1).integers(-3, 4, BLOCK // 2).astype("<i2").tobytes()
            due_s = loop.time()
            for number in range(int(seconds * 1000 / BLOCK_MS)):
                if binary:
                    frame = encode_frame(quiet, stream=0, seq=number, start_ms=number * BLOCK_MS)
                    minute.up(len(frame))
                    await socket.send(frame)
                else:
                    await send("input_audio_buffer.append", audio=base64.b64encode(quiet).decode())
                due_s += BLOCK_MS / 1000
                await asyncio.sleep(max(0.0, due_s - loop.time()))

        async def ask() -> None:
            content = [{"type": "input_text", "text": QUESTION}]
            await send(
                "conversation.item.create", item={"type": "message", "role": "user", "content": content}
            )
            await send("response.create")

        async def receive() -> None:
            async for message in socket:
                if isinstance(message, bytes):
                    size = len(message) - HEADER.size
                elif '"response.output_audio.delta"' in message[:200]:
                    size = len(base64.b64decode(json.loads(message)["delta"]))
                else:
                    minute.down_other_bytes += on_the_wire(len(message.encode()))
                    if '"response.done"' in message[:200]:
                        await asyncio.sleep(seconds / 6)  # the user listens and thinks
                        await ask()
                    continue
                minute.down_audio_messages += 1
                minute.down_audio_bytes += on_the_wire(len(message))
                minute.received_s += size / (common.RATE * 2)

        before_s = common.cpu_s(pid)
        await ask()
        listening = asyncio.create_task(receive())
        await microphone()
        minute.cpu_s = common.cpu_s(pid) - before_s
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    return minute


def codec_ms(seconds: float) -> dict[str, tuple[float, float]]:
    """Milliseconds to decode and encode this much audio in 20 ms blocks, as (JSON, binary); the best of five runs."""
    pcm = np.random.default_rng(2).integers(-9000, 9000, BLOCK // 2).astype("<i2").tobytes()
    blocks = range(int(seconds * 1000 / BLOCK_MS))
    event = ResponseOutputAudioDelta(
        response_id="resp_000000000000",
        item_id="item_000000000000",
        output_index=0,
        content_index=0,
        delta=pcm,
    )
    append = json.dumps({"type": "input_audio_buffer.append", "audio": base64.b64encode(pcm).decode()})
    frame = encode_frame(pcm, stream=0, seq=1, start_ms=20)

    def best(work: Callable[[int], object]) -> float:
        def once() -> float:
            start_s = time.perf_counter()
            for number in blocks:
                work(number)
            return (time.perf_counter() - start_s) * 1000

        return min(once() for _ in range(5))

    return {
        "server decodes": (best(lambda n: codec.decode(append)), best(lambda n: decode_frame(frame))),
        "server encodes": (
            best(lambda n: codec.encode(event, f"event_{n}")),
            best(lambda n: encode_frame(pcm, stream=1, seq=n, start_ms=n * BLOCK_MS)),
        ),
    }


async def measure(seconds: float) -> tuple[Minute, Minute]:
    """The same minute in JSON and in binary."""
    async with (
        common.started("realtime", "sandbox", "--port", "0") as (line, _),
        common.server(line.rsplit(" ", 1)[-1], TRANSCRIBER="none") as first,
        common.server(line.rsplit(" ", 1)[-1], TRANSCRIBER="none") as second,
    ):
        return await asyncio.gather(
            converse(first.url, first.pid, binary=False, seconds=seconds),
            converse(second.url, second.pid, binary=True, seconds=seconds),
        )


def report(minutes: tuple[Minute, Minute], codecs: dict[str, tuple[float, float]], seconds: float) -> str:
    json_, binary = minutes

    def row(name: str, of: Callable[[Minute], float], form: str = "{:,.0f}") -> list[str]:
        a, b = of(json_), of(binary)
        return [name, form.format(a), form.format(b), f"{b / a - 1:+.0%}" if a else ""]

    rows = [
        row("microphone, kB", lambda m: m.up_bytes / 1000),
        row("replies, bytes per second of audio", lambda m: m.down_audio_bytes / max(m.received_s, 0.001)),
        row("seconds of replies", lambda m: m.received_s, "{:.1f}"),
        row("messages with audio of replies", lambda m: m.down_audio_messages),
        row("all other events, kB", lambda m: m.down_other_bytes / 1000, "{:.1f}"),
        row("CPU of the server, ms", lambda m: m.cpu_s * 1000),
    ]
    for name, (a, b) in codecs.items():
        rows.append([f"{name} one minute of audio, CPU ms", f"{a:.1f}", f"{b:.1f}", f"{b / a - 1:+.0%}"])
    head = f"{seconds:.0f} s of conversation, microphone always on in blocks of {BLOCK_MS} ms"
    table = common.table([head, "JSON", "binary", "difference"], rows)
    return f"{table}\n\n{common.machine()}, {common.today()}, load {common.load_average():.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the conversation")
    seconds = parser.parse_args().seconds
    minutes = asyncio.run(measure(seconds))
    print(report(minutes, codec_ms(60.0), seconds))


if __name__ == "__main__":
    main()
