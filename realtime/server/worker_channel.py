"""What the supervisor and a worker say to each other, over a pair of sockets that nobody else has.

One JSON object in a line. Knows no processes; `supervisor.py` and `worker.py` are the two ends.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Generic, TypeVar

import msgspec

MAX_LINE_BYTES = 16 * 1024 * 1024


class Ready(msgspec.Struct, tag=True, frozen=True):
    """Worker: it accepts connections. `text` is for standard output, where there is one server."""

    text: str


class Readiness(msgspec.Struct, tag=True, frozen=True):
    """Worker: why no new sessions should come to it; None: they may, as from the start on."""

    reason: str | None


class Refused(msgspec.Struct, tag=True, frozen=True):
    """Worker: it cannot start with these settings."""

    message: str


class Counted(msgspec.Struct, tag=True, frozen=True):
    """Worker: its metrics. `question` is that of `Count`; None: nobody asked, it ends."""

    question: int | None
    text: str


class AskSum(msgspec.Struct, tag=True, frozen=True):
    """Worker: somebody asks it for the metrics of all."""

    question: int


class Count(msgspec.Struct, tag=True, frozen=True):
    """Supervisor: tell your metrics."""

    question: int


class Sum(msgspec.Struct, tag=True, frozen=True):
    """Supervisor: the metrics of all."""

    question: int
    text: str


class Hurry(msgspec.Struct, tag=True, frozen=True):
    """Supervisor: wait for no reply any more."""


FromWorker = Ready | Readiness | Refused | Counted | AskSum
ToWorker = Count | Sum | Hurry
In = TypeVar("In")
_FROM_WORKER = msgspec.json.Decoder(FromWorker)
_TO_WORKER = msgspec.json.Decoder(ToWorker)


class Channel(Generic[In]):
    """One end. `In` is what comes in."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decoder: msgspec.json.Decoder[In]
    ) -> None:
        self._reader, self._writer, self._decoder = reader, writer, decoder

    def send(self, message: FromWorker | ToWorker) -> None:
        """Send it; to somebody who is gone: nothing happens."""
        if not self._writer.is_closing():
            self._writer.write(msgspec.json.encode(message) + b"\n")

    async def receive(self) -> In | None:
        """The next message; None: the other one is gone."""
        try:
            line = await self._reader.readline()
        except ConnectionError:
            return None
        return self._decoder.decode(line) if line.endswith(b"\n") else None

    async def aclose(self) -> None:
        """Close it when everything is sent, or the other one is gone."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            return


async def of_supervisor(end: socket.socket) -> Channel[FromWorker]:
    """The supervisor's end."""
    return Channel(*await asyncio.open_unix_connection(sock=end, limit=MAX_LINE_BYTES), _FROM_WORKER)


async def of_worker(end: socket.socket) -> Channel[ToWorker]:
    """The worker's end."""
    return Channel(*await asyncio.open_unix_connection(sock=end, limit=MAX_LINE_BYTES), _TO_WORKER)
