"""One client's many small messages, pings among them: they are read later, and who reads no pong is a slow reader."""

import asyncio
import json
import logging

import pytest
from aiohttp import WSMsgType, web

from realtime.server import client_pace
from realtime.server.state import REGISTRY
from tests.eventually import eventually
from tests.server.harness import Harness, open_harness
from tests.server.test_bad_input import still_works
from tests.server.test_frames import frame

HEADER = b"\x01\x01\0\0" + bytes(8)
FLOODS = {
    "empty appends": frame(b'{"type":"input_audio_buffer.append","audio":""}'),
    "appends of one sample": frame(b'{"type":"input_audio_buffer.append","audio":"AAA="}'),
    "binary messages of an unknown kind": frame(b"\x01\x09\0\0" + bytes(8), 2),
    "binary messages without sound": frame(HEADER, 2),
    "binary messages of one sample": frame(HEADER + b"\0\0", 2),
    "pings": frame(b"", 9),
    "pongs": frame(b"", 10),
    "events": frame(b'{"type":"input_audio_buffer.clear"}'),
}
BIN = ("realtime.bin.v1",)


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
async def test_too_many_messages_of_any_kind_are_read_later_and_none_is_lost(
    flood: bytes, harness: Harness, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client_pace, "MESSAGES_PER_S", 200.0)
    monkeypatch.setattr(client_pace, "MESSAGES_BURST", 20.0)
    async with harness.connect(protocols=BIN) as wire:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        wire.socket.transport.write(flood * 80)
        await wire.send("session.update", session={})
        await wire.until("session.updated")
        assert loop.time() - begin_s > 0.25
        assert not wire.of("error")


async def test_binary_messages_that_nobody_asked_for_are_read_later(harness: Harness, monkeypatch):
    monkeypatch.setattr(client_pace, "MESSAGES_PER_S", 200.0)
    monkeypatch.setattr(client_pace, "MESSAGES_BURST", 20.0)
    async with harness.connect() as wire:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        wire.socket.transport.write(frame(HEADER, 2) * 80)
        await wire.error(80)
        assert loop.time() - begin_s > 0.25
        await still_works(wire)


async def test_a_client_that_is_lost_before_its_ping_is_answered_can_come_back(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    send_frame = web.WebSocketResponse.send_frame

    async def lost(self: web.WebSocketResponse, message: bytes, opcode: WSMsgType) -> None:
        if opcode is WSMsgType.PONG:
            raise ConnectionResetError("Cannot write to closing transport")
        await send_frame(self, message, opcode)

    monkeypatch.setattr(web.WebSocketResponse, "send_frame", lost)
    async with open_harness() as harness, harness.connect("?extensions=resume") as wire:
        wire.socket.transport.write(FLOODS["pings"])
        (live,) = harness.server.app[REGISTRY]
        await eventually(lambda: not live.attached)
        assert not live.ending.done()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("query", ["", "?extensions=resume"], ids=["plain", "resume"])
async def test_a_client_that_sends_pings_and_reads_nothing_is_a_slow_reader(
    query: str, monkeypatch: pytest.MonkeyPatch
):
    send_frame, waiting = web.WebSocketResponse.send_frame, []

    async def full(self: web.WebSocketResponse, message: bytes, opcode: WSMsgType) -> None:
        if opcode is WSMsgType.PONG:  # nothing goes out any more
            waiting.append(message)
            await asyncio.Event().wait()
        await send_frame(self, message, opcode)

    monkeypatch.setattr(web.WebSocketResponse, "send_frame", full)
    async with open_harness(send_timeout_s=0.3) as harness, harness.connect(query) as wire:
        wire.socket.transport.write(FLOODS["pings"] * 100)
        assert await wire.closed() == (1008, "slow_reader")
        assert len(waiting) == 1
        if not query:
            await harness.no_sessions()


async def test_every_ping_is_answered_in_its_place(harness: Harness):
    async with harness.connect() as wire:
        for number in range(3):
            assert await wire.socket.ping(json.dumps(number)) is not None
        await (await wire.socket.ping("the last"))
        await still_works(wire)
