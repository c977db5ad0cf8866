"""One client of the load benchmarks: a minimal WebSocket that counts what comes and how late it is.

It sends prepared frames and reads only what it counts, so that the generator needs little CPU. Knows no script.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from dataclasses import dataclass, field
from typing import cast

from bench.common import now_s
from bench.load_upstream import STAMP_BYTES, stamp_of

DELTA = b'"type":"response.output_audio.delta"'
DONE = b'"type":"response.done"'
STOPPED = b'"type":"input_audio_buffer.speech_stopped"'
ERROR = b'"type":"error"'
AUDIO = b'"delta":"'
_STAMP_BASE64 = (STAMP_BYTES + 2) // 3 * 4


def frame_of(message: bytes) -> bytes:
    """A text frame of a client. The mask is zero, so the payload is the unchanged message."""
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
class Counters:
    """The measurements of all conversations while `counting`."""

    counting: bool = False
    delays_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)  # from speech_stopped to first audio
    turns: int = 0
    answers: int = 0
    audio_bytes: int = 0
    spoken_ms: float = 0.0
    errors: list[str] = field(default_factory=list)


class Conversation(asyncio.Protocol):
    """One client: a minimal WebSocket."""

    def __init__(self, counters: Counters, path: str, host: str, headers: str = "") -> None:
        """`headers`: more lines of the handshake, each with its end."""
        self._counters = counters
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n{headers}\r\n"
        )
        self._buffer = bytearray()
        self._open = False
        self._stopped_s = 0.0
        self._counts = False  # whether the current turn is counted
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
                if not self.ready.done():
                    self.ready.set_exception(ConnectionError(head.decode(errors="replace")[:1000]))
                return
            self._open, self._buffer = True, bytearray(rest)
            self.ready.set_result(None)
        self._read_frames(at_s)

    def _read_frames(self, at_s: float) -> None:
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
                self._receive(at_s, payload)
        del buffer[:start]

    def _receive(self, at_s: float, message: bytes) -> None:
        counters, kind = self._counters, message[:200]
        if DELTA in kind:
            self._receive_audio(at_s, message)
        elif STOPPED in kind:
            self._stopped_s, self._counts = at_s, counters.counting
            counters.turns += counters.counting
        elif DONE in kind:
            if b'"status":"completed"' not in message:
                counters.errors.append(message[:400].decode(errors="replace"))
        elif ERROR in kind:
            counters.errors.append(message.decode(errors="replace"))

    def _receive_audio(self, at_s: float, message: bytes) -> None:
        counters = self._counters
        at = message.rindex(AUDIO) + len(AUDIO)
        sent_s = stamp_of(base64.b64decode(message[at : at + _STAMP_BASE64]))
        if self._counts:
            counters.waits_ms.append((at_s - self._stopped_s) * 1000)
            counters.answers += 1
            self._counts = False
        if not counters.counting:
            return
        counters.audio_bytes += (len(message) - at) * 3 // 4
        if sent_s is not None and 0 <= at_s - sent_s < 30:  # else the frame has no timestamp
            counters.delays_ms.append((at_s - sent_s) * 1000)
