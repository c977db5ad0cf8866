"""A client that never reads: its session ends, and its TCP connection is really gone, not only forgotten."""

import asyncio
import base64
import contextlib
import json
import os
import select
import socket
from collections.abc import AsyncIterator

import pytest

from realtime.server import connection
from realtime.server.closing import Closing
from realtime.server.live_session import LiveSession
from realtime.server.state import REGISTRY
from tests.server.harness import Harness, eventually, open_harness


def frame(event: dict) -> bytes:
    """A masked text frame of a client (the mask is zero)."""
    data = json.dumps(event).encode()
    return b"\x81\xff" + len(data).to_bytes(8, "big") + bytes(4) + data


@contextlib.asynccontextmanager
async def never_reading(harness: Harness, query: str = "") -> AsyncIterator[socket.socket]:
    """A WebSocket client with a small buffer that asks for much and reads nothing but the handshake."""
    host, port = harness.server.url.removeprefix("http://").split(":")
    loop, client = asyncio.get_running_loop(), socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    try:
        await loop.sock_connect(client, (host, int(port)))
        key = base64.b64encode(os.urandom(16)).decode()
        request = (
            f"GET /v1/realtime{query} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(client, request.encode())
        assert b" 101 " in await loop.sock_recv(client, 64)
        part = {"type": "input_text", "text": "x" * 180_000}
        item = {"id": "big", "type": "message", "role": "user", "content": [part]}
        await loop.sock_sendall(client, frame({"type": "conversation.item.create", "item": item}))
        for _ in range(60):
            await loop.sock_sendall(client, frame({"type": "conversation.item.retrieve", "item_id": "big"}))
        yield client
    finally:
        client.close()


def is_gone(client: socket.socket) -> bool:
    """Whether the server has reset the connection; reads nothing."""
    poll = select.poll()
    poll.register(client, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


async def nothing_moves(live: LiveSession) -> None:
    """Wait until the writer is stuck: it has much to send, and sends nothing."""
    unsent = -1
    while live.outbox.has_room or live.outbox.unsent_bytes != unsent:
        unsent = live.outbox.unsent_bytes
        await asyncio.sleep(0.3)


@pytest.fixture
def quick_flush(monkeypatch):
    monkeypatch.setattr(connection, "FLUSH_S", 0.5)


async def test_the_connection_of_a_slow_reader_is_gone(quick_flush):
    async with open_harness(send_timeout_s=0.5) as harness, never_reading(harness) as client:
        await eventually(lambda: harness.sessions == 1)
        await eventually(lambda: harness.sessions == 0)
        await eventually(lambda: is_gone(client))


async def test_a_detached_slow_reader_is_gone_too_and_its_session_stays(quick_flush):
    async with (
        open_harness(send_timeout_s=0.5) as harness,
        never_reading(harness, "?extensions=resume") as client,
    ):
        await eventually(lambda: is_gone(client))
        assert harness.sessions == 1
        assert not next(iter(harness.server.app[REGISTRY])).attached


@pytest.mark.parametrize("code", [1001, 1008, 1011])
async def test_whoever_ends_the_session_the_connection_is_gone(quick_flush, code):
    """The writer waits in a send when something else ends the session."""
    async with open_harness(send_timeout_s=60) as harness, never_reading(harness) as client:
        await eventually(lambda: harness.sessions == 1)
        for live in harness.server.app[REGISTRY]:
            await nothing_moves(live)
        for live in harness.server.app[REGISTRY]:
            live.end(Closing(code, "test"))
        await eventually(lambda: harness.sessions == 0)
        await eventually(lambda: is_gone(client))
