"""Requests as bytes, because no HTTP client would send what an attacker sends, and everything that any log was told."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from realtime.logs import JsonFormatter

ANSWER_S = 20.0
UPGRADE = (
    b"Connection: Upgrade",
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)


def head(
    *headers: bytes, path: bytes = b"/v1/realtime", method: bytes = b"GET", host: bytes = b"127.0.0.1"
) -> bytes:
    """A request's head; an empty host leaves the header out."""
    named = (b"Host: " + host,) if host else ()
    return b"\r\n".join((method + b" " + path + b" HTTP/1.1", *named, *headers, b"", b""))


@dataclass
class Answer:
    """What came back. `status` is 0 if the server only closed."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes

    @property
    def error(self) -> dict[str, Any]:
        return dict(json.loads(self.body)["error"])


async def exchange(url: str, data: bytes) -> Answer:
    """Send these bytes, then read one answer, or the end of the connection."""
    host, port = url.partition("//")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(ANSWER_S):
            writer.write(data)
            try:
                top = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError):
                return Answer(0, {}, b"", b"")
            status, *lines = top.decode("latin-1").rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
            size = 0 if data.startswith(b"HEAD ") else int(headers.get("content-length", "0"))
            body = await reader.readexactly(size)
            return Answer(int(status.split()[1]), headers, body, top + body)
    finally:
        writer.close()


@dataclass
class Told:
    """All log records at every level: as any handler would print them, and as this server prints them."""

    records: list[logging.LogRecord] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    ours: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.plain + self.ours)


@contextmanager
def everything_logged() -> Iterator[Told]:
    """Collect what is logged meanwhile, with the messages of errors."""
    told, plain, ours = Told(), logging.Formatter("%(name)s %(message)s"), JsonFormatter()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            record.exc_text = None
            told.records.append(record)
            told.plain.append(plain.format(record))
            told.ours.append(ours.format(record))

    handler, root = Keep(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield told
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
