"""A peer that is silent for ever is found by the server itself: its own pings, and what becomes of the session."""

import asyncio
import base64
import os

from realtime.server import realtime_endpoint
from realtime.server.state import REGISTRY
from tests.eventually import eventually
from tests.server.harness import TIMEOUT_S, open_harness

PING = 0x9


async def silent_client(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket whose client reads, and never says a word: no ping of its own, no pong."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(
        f"GET /v1/realtime HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    assert b" 101 " in (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0]
    return reader, writer


async def opcodes(reader: asyncio.StreamReader) -> list[int]:
    """The kinds of frames that come until the server gives up."""
    seen = []
    try:
        while True:
            head = await reader.readexactly(2)
            length = head[1] & 0x7F
            if length >= 126:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            await reader.readexactly(length)
            seen.append(head[0] & 0x0F)
    except (asyncio.IncompleteReadError, ConnectionError):
        return seen


async def test_a_client_that_answers_no_ping_is_given_up(monkeypatch):
    monkeypatch.setattr(realtime_endpoint, "PING_S", 0.2)
    async with open_harness() as harness:
        reader, writer = await silent_client(harness.server.url)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                assert PING in await opcodes(reader)
                await eventually(lambda: len(harness.server.app[REGISTRY]) == 0)
        finally:
            writer.close()
