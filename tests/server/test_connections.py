"""Clients that read slowly, vanish or stay too long: memory stays bounded, nothing is left, others notice nothing."""

import asyncio
import contextlib
import gc
import socket

from realtime.outbox import Outbox
from tests.server.wire import House, Wire, eventually
from tests.server.wire import house as open_house

LONG = "Tell me a very long story."


def session_id(wire: Wire) -> str:
    return str(wire.of("session.created")[0]["session"]["id"])


def session_tasks(wire: Wire) -> list[asyncio.Task]:
    """What still runs in the server for this client."""
    return [task for task in asyncio.all_tasks() if session_id(wire) in task.get_name()]


def narrow(house: House) -> socket.socket:
    """A connected socket whose kernel buffers little, so that a reader who stops is felt soon."""
    near = socket.socket()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    near.setblocking(False)
    return near


@contextlib.asynccontextmanager
async def narrow_wire(house: House):
    """A client with a small receive window."""
    host, port = house.server.url.removeprefix("http://").split(":")
    near = narrow(house)
    await asyncio.get_running_loop().sock_connect(near, (host, int(port)))
    async with house.wire(sock=near) as wire:
        yield wire


async def stop_reading(house: House, wire: Wire) -> None:
    """Ask for far more than the buffers on the way can hold, and take nothing of it."""
    await wire.say("x" * 180_000)
    item_id = (await wire.until("conversation.item.done"))["item"]["id"]
    wire.reading.clear()
    for _ in range(4):
        await wire.send("response.create", response={"conversation": "none", "input": [user(LONG)]})
    for _ in range(200):
        await wire.send("conversation.item.retrieve", item_id=item_id)


def user(text: str) -> dict:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


async def test_a_reader_that_stops_is_closed_and_costs_no_more_than_its_share():
    async with open_house(send_timeout_s=1.5) as house, house.wire() as other, narrow_wire(house) as slow:
        await stop_reading(house, slow)
        outboxes = [it for it in gc.get_objects() if type(it) is Outbox]
        assert len(outboxes) >= 2
        unsent_ms = []
        while house.sessions == 2:
            unsent_ms.append(max(outbox.unsent_audio_ms for outbox in outboxes))
            await asyncio.sleep(0.02)
        assert 0 < max(unsent_ms) < 31_000
        assert not session_tasks(slow)
        assert (await other.ask("What is two plus three?"))["status"] == "completed"
        slow.reading.set()
        await slow.closed()


async def test_a_slow_reader_that_wakes_up_is_told_why():
    async with open_house(send_timeout_s=0.5) as house, narrow_wire(house) as slow:
        await stop_reading(house, slow)
        await eventually(lambda: not session_tasks(slow))
        slow.reading.set()
        assert await slow.closed() == (1008, "slow_reader")


async def test_a_client_that_vanishes_in_the_middle_of_a_reply_leaves_nothing(house: House):
    async with house.wire() as other, house.wire() as wire:
        await wire.say(LONG)
        await wire.send("response.create")
        await wire.until("response.output_audio.delta", 3)
        assert session_tasks(wire)
        wire.socket.transport.abort()
        await eventually(lambda: house.sessions == 1 and not session_tasks(wire))
        state = house.sandbox.state
        await eventually(lambda: state.connections_open <= 1)  # the spare of the next turn
        assert (await other.ask("What is two plus three?"))["status"] == "completed"


async def test_a_hundred_clients_that_come_and_go_leave_nothing(house: House):
    async def visit(number: int) -> None:
        async with house.dial() as wire:
            if number % 2:
                await wire.say("Hello.")
                await wire.send("response.create")
            if number % 3 == 0:
                wire.socket.transport.abort()

    for start in range(0, 100, 20):
        await asyncio.gather(*(visit(number) for number in range(start, start + 20)))
    await house.empty()
    async with house.wire() as wire:
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"


async def test_a_client_that_closes_properly_is_answered(house: House):
    async with house.wire() as wire:
        await wire.socket.close(1000)
        assert wire.close_code == 1000
    await house.empty()


async def test_forgotten_sockets_are_found_by_pings(house: House):
    """The server pings; a client that answers stays."""
    async with house.wire() as wire:
        pong = await wire.socket.ping()
        await asyncio.wait_for(pong, 10)
