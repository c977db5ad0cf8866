"""Clients that read slowly or disconnect: memory stays limited, no task is left, other clients are not affected."""

import asyncio
import contextlib
import gc
import socket

from realtime.outbox import Outbox
from tests.eventually import eventually
from tests.server.harness import TIMEOUT_S, Harness, WireClient, open_harness

LONG = "Tell me a very long story."


def session_id(wire: WireClient) -> str:
    return str(wire.of("session.created")[0]["session"]["id"])


def session_tasks(wire: WireClient) -> list[asyncio.Task]:
    """The server's running tasks for this client."""
    return [task for task in asyncio.all_tasks() if session_id(wire) in task.get_name()]


def small_buffer_socket() -> socket.socket:
    """A socket with a small kernel buffer, so that the server notices soon when the client stops reading."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.setblocking(False)
    return client


@contextlib.asynccontextmanager
async def connect_small_buffer(harness: Harness):
    """A client with a small receive window."""
    host, port = harness.server.url.removeprefix("http://").split(":")
    client = small_buffer_socket()
    await asyncio.get_running_loop().sock_connect(client, (host, int(port)))
    async with harness.connect(sock=client) as wire:
        yield wire


async def stop_reading(harness: Harness, wire: WireClient) -> None:
    """Request far more than the buffers can hold, and read nothing."""
    await wire.say("x" * 180_000)
    item_id = (await wire.until("conversation.item.done"))["item"]["id"]
    wire.reading.clear()
    for _ in range(4):
        await wire.send("response.create", response={"conversation": "none", "input": [user(LONG)]})
    for _ in range(200):
        await wire.send("conversation.item.retrieve", item_id=item_id)


def user(text: str) -> dict:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def test_a_client_that_stops_reading_is_closed_and_its_memory_is_limited():
    async with (
        open_harness(send_timeout_s=1.5) as harness,
        harness.connect() as other,
        connect_small_buffer(harness) as slow,
    ):
        await stop_reading(harness, slow)
        outboxes = [it for it in gc.get_objects() if type(it) is Outbox]
        assert len(outboxes) >= 2
        unsent_ms = []
        while harness.sessions == 2:
            unsent_ms.append(max(outbox.unsent_audio_ms for outbox in outboxes))
            await asyncio.sleep(0.02)
        assert 0 < max(unsent_ms) < 31_000
        assert not session_tasks(slow)
        assert (await other.ask("What is two plus three?"))["status"] == "completed"
        slow.reading.set()
        await slow.closed()


async def test_a_slow_reader_gets_the_close_reason_when_it_reads_again():
    async with open_harness(send_timeout_s=0.5) as harness, connect_small_buffer(harness) as slow:
        await stop_reading(harness, slow)
        await eventually(lambda: not session_tasks(slow))
        slow.reading.set()
        assert await slow.closed() == (1008, "slow_reader")


async def test_a_client_that_disconnects_during_a_reply_leaves_no_tasks(harness: Harness):
    async with harness.connect() as other, harness.connect() as wire:
        await wire.say(LONG)
        await wire.send("response.create")
        await wire.until("response.output_audio.delta", 3)
        assert session_tasks(wire)
        wire.socket.transport.abort()
        await eventually(lambda: harness.sessions == 1 and not session_tasks(wire))
        state = harness.sandbox.state
        await eventually(lambda: state.connections_open <= 1)  # the prewarmed connection of the next turn
        assert (await other.ask("What is two plus three?"))["status"] == "completed"


async def test_a_hundred_short_connections_leave_no_sessions(harness: Harness):
    async def visit(number: int) -> None:
        async with harness.open_socket() as wire:
            if number % 2:
                await wire.say("Hello.")
                await wire.send("response.create")
            if number % 3 == 0:
                wire.socket.transport.abort()

    for start in range(0, 100, 20):
        await asyncio.gather(*(visit(number) for number in range(start, start + 20)))
    await harness.no_sessions()
    async with harness.connect() as wire:
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"


async def test_the_server_answers_a_close_frame(harness: Harness):
    async with harness.connect() as wire:
        await wire.socket.close(1000)
        assert wire.close_code == 1000
    await harness.no_sessions()


async def test_pings_are_answered(harness: Harness):
    """The server answers the client's ping."""
    async with harness.connect() as wire:
        pong = await wire.socket.ping()
        await asyncio.wait_for(pong, TIMEOUT_S)
