"""Healthy operation leaves no traceback in the log: interruptions over HTTP, clients that vanish, a stop with open sessions."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp import ClientConnectionResetError, web

from realtime.sandbox.server import Sandbox
from realtime.server.state import REGISTRY
from tests.server.harness import Harness, WireClient, eventually, open_harness

SLOW = ("chat.tps=100", "chat.plain_tps=100", "speech.factor=4")


@pytest.fixture
def told(caplog):
    """What came with a traceback, and what reached the loop's handler."""
    loop_errors: list[object] = []

    def listen() -> list[object]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: loop_errors.append(context))
        return loop_errors

    def both() -> list[object]:
        return [*loop_errors, *(record for record in caplog.records if record.exc_info)]

    both.listen = listen  # type: ignore[attr-defined]
    return both


async def begin(wire: WireClient) -> None:
    await wire.say("Tell me a long story.")
    await wire.send("response.create")


@pytest.mark.parametrize("socket", ["ordinary", "bidi", "http"])
async def test_interruptions(socket: str, told):
    told.listen()
    async with open_harness(*SLOW, speech_socket=socket) as harness, harness.connect() as wire:
        for number in range(4):
            await begin(wire)
            heard = len(wire.of("response.output_audio.delta"))
            await wire.until("response.output_audio.delta", heard + 1)
            await wire.send("response.cancel")
            await wire.until("response.done", number + 1)
    assert not told()


@pytest.mark.parametrize("socket", ["ordinary", "http"])
async def test_clients_that_vanish(socket: str, told):
    told.listen()
    async with open_harness(*SLOW, speech_socket=socket) as harness:
        for number in range(6):
            async with harness.connect() as wire:
                await begin(wire)
                if number % 3:
                    await wire.until("response.output_audio.delta" if number % 2 else "response.created")
                wire.socket.transport.abort()
        await harness.no_sessions()
    assert not told()


async def test_a_stop_with_open_sessions(told):
    """Idle ones and replying ones, whose clients never answer the close; some do not even read."""
    told.listen()
    async with open_harness(*SLOW, drain_s=0.2) as harness:
        writers = [await upgraded(harness) for _ in range(6)]
        for writer in writers[:4]:
            send(writer, {"type": "conversation.item.create", "item": STORY})
            send(writer, {"type": "response.create"})
        live = list(harness.server.app[REGISTRY])
        await eventually(lambda: sum(one.engaged for one in live) == 4)
        writers[0].transport.abort()
    for writer in writers:
        writer.close()
    assert not told()


STORY = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Tell me a story."}]}


async def upgraded(harness: Harness) -> asyncio.StreamWriter:
    """A client without any task that would read."""
    address = harness.server.url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*address.split(":"), limit=2_048)
    writer.write(
        f"GET /v1/realtime HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    assert b"101" in await reader.readline()
    return writer


def send(writer: asyncio.StreamWriter, event: dict) -> None:
    """One text message, masked with zeros."""
    data = json.dumps(event).encode()
    writer.write(b"\x81\xfe" + len(data).to_bytes(2, "big") + bytes(4) + data)


class Gone:
    """A part of the sandbox whose client has always gone."""

    @staticmethod
    def add_routes(app: web.Application) -> None:
        async def handle(request: web.Request) -> web.StreamResponse:
            raise ClientConnectionResetError("Cannot write to closing transport")

        app.router.add_get("/gone", handle)


async def test_the_sandbox_says_nothing_of_clients_that_have_gone(told):
    async with (
        Sandbox(parts=[Gone]) as sandbox,
        aiohttp.ClientSession() as http,
        http.get(sandbox.url + "/gone") as answer,
    ):
        await answer.read()
    assert not told()
