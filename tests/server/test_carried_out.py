"""A message that the server works on when its connection ends is carried out whole: the next socket is told so."""

import asyncio
import base64
from contextlib import asynccontextmanager

import numpy as np
import pytest

from realtime.outbox import OutboxFull
from realtime.providers.testing import FakeVad, FakeVoiceStream
from realtime.server import connection
from realtime.server.closing import Closing
from realtime.server.run import running
from realtime.session.items import ItemEvents
from tests.eventually import eventually
from tests.server.harness import Harness, WireClient, open_harness
from tests.server.resuming import live, resume_query

LOUD = (np.sin(np.arange(24_000) / 3) * 12_000).astype("<i2").tobytes()  # 1 s
SILENT = bytes(len(LOUD))
APPEND = {"audio": base64.b64encode(SILENT).decode()}
CONTENT = [{"type": "input_audio", "audio": base64.b64encode(SILENT).decode()}]


class Gate:
    """Who passes waits while it is shut."""

    def __init__(self) -> None:
        self.waiting = 0
        self._open = asyncio.Event()
        self._open.set()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    async def passed(self) -> None:
        self.waiting += 1
        try:
            await self._open.wait()
        finally:
            self.waiting -= 1


class GatedVad(FakeVad):
    """Answers while its gate is open."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def open(self) -> FakeVoiceStream:
        gate = self._gate

        class Stream(FakeVoiceStream):
            async def probabilities(self, frames):
                await gate.passed()
                return await super().probabilities(frames)

        return Stream()


@asynccontextmanager
async def gated_harness(gate: Gate):
    """A server whose detector has a gate."""
    async with open_harness() as harness:
        settings = harness.server.runtime.settings
        async with running(settings, providers={"vad": GatedVad(gate)}) as server:
            yield Harness(server, harness.sandbox)


@asynccontextmanager
async def taken_over(harness: Harness, wire: WireClient, gate: Gate):
    """Another socket, that asked for the session while the server was working on a message of the first one."""
    await eventually(lambda: gate.waiting)
    session = live(harness, wire)
    older = session._connection
    async with harness.open_socket(resume_query(wire)) as newer:
        await eventually(lambda: older._replaced.done())
        yield newer


async def test_sound_that_is_being_listened_to_is_listened_to_whole():
    gate = Gate()
    async with gated_harness(gate) as harness, harness.connect("?extensions=resume") as first:
        gate.shut()
        await first.append(SILENT * 2)
        async with taken_over(harness, first, gate) as second:
            gate.open()
            assert (await second.until("session.resumed"))["input_audio_ms"] == 2000
            await second.append(LOUD)
            started = await second.until("input_audio_buffer.speech_started")
            assert started["audio_start_ms"] == pytest.approx(2000 - 300, abs=64)


async def test_an_item_that_is_being_made_is_there(monkeypatch: pytest.MonkeyPatch):
    gate, prepared = Gate(), ItemEvents.prepared

    async def slowly(self, event):
        await gate.passed()
        return await prepared(self, event)

    monkeypatch.setattr(ItemEvents, "prepared", slowly)
    async with open_harness() as harness, harness.connect("?extensions=resume") as first:
        gate.shut()
        item = {"type": "message", "id": "item_mine", "role": "user", "content": CONTENT}
        await first.send("conversation.item.create", event_id="c1", item=item)
        async with taken_over(harness, first, gate) as second:
            gate.open()
            assert (await second.until("session.resumed"))["last_event_id"] == "c1"
            assert (await second.until("conversation.item.done"))["item"]["id"] == "item_mine"
            assert "item_mine" in live(harness, second).session.conversation


async def test_what_is_never_carried_out_holds_up_nobody_and_is_not_called_done(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(connection, "CARRY_OUT_S", 0.05)
    gate = Gate()
    async with gated_harness(gate) as harness, harness.connect("?extensions=resume") as first:
        gate.shut()
        await first.send("input_audio_buffer.append", event_id="a1", **APPEND)
        async with taken_over(harness, first, gate) as second:
            assert (await second.until("session.resumed"))["last_event_id"] is None
            gate.open()
            await second.append(SILENT)
            await second.append(LOUD)
            started = await second.until("input_audio_buffer.speech_started")
            assert started["audio_start_ms"] == pytest.approx(2000 - 300, abs=64), "positions are right again"


async def test_a_session_that_ends_meanwhile_ends():
    gate = Gate()
    async with gated_harness(gate) as harness, harness.connect("?extensions=resume") as wire:
        gate.shut()
        await wire.append(SILENT)
        await eventually(lambda: gate.waiting)
        live(harness, wire).close_soon(1001, "session_expired")
        gate.open()
        assert await wire.closed() == (1001, "session_expired")
        await harness.no_sessions()


async def test_what_waits_for_a_session_to_begin_or_go_on_is_not_being_carried_out(
    caplog: pytest.LogCaptureFixture,
):
    async with open_harness() as harness, harness.connect("?extensions=resume") as first:
        session = live(harness, first).session
        session._begun.clear()
        await first.send("input_audio_buffer.append", event_id="a1", **APPEND)
        await eventually(lambda: live(harness, first)._connection._carries_out)
        async with harness.open_socket(resume_query(first)) as second:
            assert (await second.until("session.resumed"))["last_event_id"] is None
            assert "carried out in time" not in caplog.text
            session._begun.set()
            await second.append(SILENT)
            await eventually(lambda: session.input_audio_ms == 1000)


async def test_a_session_ends_whose_outbox_is_full_after_what_was_carried_out_last(
    monkeypatch: pytest.MonkeyPatch,
):
    gate = Gate()

    async def full(self, event):
        await gate.passed()
        raise OutboxFull

    monkeypatch.setattr(ItemEvents, "prepared", full)
    async with open_harness() as harness, harness.connect("?extensions=resume") as first:
        gate.shut()
        await first.send("input_audio_buffer.clear")
        await eventually(lambda: gate.waiting)
        live(harness, first)._connection.close_soon(Closing(1008, "session_taken_over", resumable=True))
        await asyncio.sleep(0)
        gate.open()
        assert await first.closed() == (1008, "slow_reader")
        await harness.no_sessions()
