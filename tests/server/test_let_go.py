"""Whatever breaks while a connection ends, its session is let go: none stays attached and holds its place."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from aiohttp import WSMessage, WSMsgType, web

from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.outbox import Outgoing
from realtime.protocol.server_events import ErrorEvent, ResponseOutputAudioDelta
from realtime.replying.response_events import ResponseEvents
from realtime.server import connection, joining
from realtime.server.live_session import LiveSession
from realtime.server.numbering import Numbering
from realtime.server.saving import Saving
from realtime.session.session import Session
from tests.eventually import eventually
from tests.server.harness import WireClient, open_harness
from tests.server.resuming import live, resume_query
from tests.server.test_bad_input import still_works

STEPS: list[tuple[Any, str]] = [
    (connection.Connection, "_stop_reading"),
    (connection.Connection, "_send_queued"),
    (connection.Connection, "_send"),
    (LiveSession, "take_now"),
    (LiveSession, "detach"),
    (Numbering, "stop_forgetting"),
    (Session, "suspend"),
    (web.WebSocketResponse, "close"),
    (connection, "reset_in"),
    (connection, "without_trace"),
]


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("This step is broken.")


async def lose(wire: WireClient, session: LiveSession) -> None:
    wire.socket.transport.abort()


async def close(wire: WireClient, session: LiveSession) -> None:
    await wire.socket.close(1000)


async def expire(wire: WireClient, session: LiveSession) -> None:
    session.close_soon(1001, "session_expired")


async def break_writer(wire: WireClient, session: LiveSession) -> None:
    session.take = broken  # type: ignore[assignment, method-assign]
    await wire.send("input_audio_buffer.clear")


@pytest.mark.parametrize("query", ["", "?extensions=resume"], ids=["plain", "resume"])
async def test_whatever_step_of_the_end_breaks_no_session_is_left(
    query: str, monkeypatch: pytest.MonkeyPatch
):
    """Each step breaks while a client is lost, goes, is told to go, or breaks the server."""
    async with open_harness(resume_window_s=0.1) as harness:
        for owner, name in STEPS:
            for end in (lose, close, expire, break_writer):
                async with harness.open_socket(query) as wire:
                    await wire.until("conversation.created")
                    with monkeypatch.context() as patch:
                        patch.setattr(owner, name, broken)
                        await end(wire, live(harness, wire))
                        await eventually(lambda: harness.sessions == 0, f"{end.__name__}, {name} broken", 20)
        async with harness.connect() as wire:
            await still_works(wire)


async def test_resume_that_goes_and_comes_back_after_a_resumption_with_the_newest_number():
    """The buffer is empty then, and still knows the last number."""
    async with open_harness() as harness:
        async with harness.connect("?extensions=resume") as first:
            first.socket.transport.abort()
            query = resume_query(first)
            await eventually(lambda: not live(harness, first).attached)
        async with harness.open_socket(query) as wire:
            await wire.until("session.resumed")
            for count, extensions in enumerate(([], ["resume"], [], ["resume"]), 1):
                await wire.send("session.update", session={"extensions": extensions})
                await wire.until("session.updated", count)
            await still_works(wire)
            wire.socket.transport.abort()
            await eventually(lambda: not live(harness, wire).attached)
            query = resume_query(wire)
        async with harness.open_socket(query) as third:
            await third.until("session.resumed")


@pytest.mark.parametrize("query", ["", "?extensions=resume"], ids=["plain", "resume"])
@pytest.mark.parametrize("binary", [False, True], ids=["json", "binary"])
async def test_an_event_that_cannot_be_written_is_left_out_and_the_session_goes_on(
    query: str, binary: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    number, spoilt = Numbering.number, 0

    def spoil(self: Numbering, outgoing: Outgoing) -> Any:
        nonlocal spoilt
        if isinstance(outgoing.event, ResponseOutputAudioDelta) and spoilt < 2:
            spoilt += 1
            spoilt_event = msgspec.structs.replace(outgoing.event, delta=[object()])
            outgoing = replace(outgoing, event=spoilt_event)
        return number(self, outgoing)

    monkeypatch.setattr(Numbering, "number", spoil)
    protocols = ("realtime.bin.v1",) if binary else ()
    async with open_harness() as harness, harness.connect(query, protocols=protocols) as wire:
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"
        assert spoilt == 2
        seqs = sorted([e["seq"] for e in wire.events if "seq" in e] + [f.seq for f in wire.frames])
        if query:
            assert seqs == list(range(1, len(seqs) + 1)), "no number is missing"
        await still_works(wire)
    told = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(told) == 1
    assert "ResponseOutputAudioDelta" in told[0].getMessage()


async def test_sound_that_nobody_can_read_is_left_out_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """Who keeps the words of what sounds is told of it as it goes out."""
    monkeypatch.setattr(ResponseEvents, "_sent", broken)
    async with open_harness() as harness, harness.connect() as wire:
        assert (await wire.ask("What is two plus three?"))["status"] == "completed"
        await still_works(wire)
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1


async def test_a_session_that_cannot_be_stopped_or_saved_ends(monkeypatch: pytest.MonkeyPatch):
    finish, aclose = Saving.finish, Session.aclose

    async def not_stopped(self: Session) -> None:
        await aclose(self)
        broken()

    async def not_saved(self: Saving, **how: bool) -> None:
        await finish(self, **how)
        broken()

    monkeypatch.setattr(Session, "aclose", not_stopped)
    monkeypatch.setattr(Saving, "finish", not_saved)
    async with open_harness(session_minutes=0.005) as harness, harness.connect() as wire:
        async with asyncio.timeout(20):
            assert await wire.closed() == (1001, "session_expired")


async def test_a_session_of_another_server_that_cannot_be_greeted_waits_for_another_connection(
    monkeypatch: pytest.MonkeyPatch,
):
    steps: list[str] = []

    async def attach(connection: object) -> bool:
        steps.append("attached")
        return True

    async def claimed(*_: object) -> Any:
        return SimpleNamespace(stored=None, continued=SimpleNamespace(lost=()), facts={})

    live = SimpleNamespace(
        id="sess_1", attach=attach, detach=lambda: steps.append("detached"), restored_messages=broken
    )
    monkeypatch.setattr(joining, "claim", claimed)
    monkeypatch.setattr(joining, "runtime_of", lambda app: None)
    monkeypatch.setattr(joining, "_live", lambda *_, **__: live)
    monkeypatch.setattr(joining, "_begin", lambda *_: None)
    monkeypatch.setattr(joining, "_connection", lambda *_: None)
    client: Any = SimpleNamespace(credential=None, frames=None)
    app: Any = {joining.METRICS: Metrics()}
    nothing: Any = None
    with pytest.raises(RuntimeError):
        await joining._restored(app, nothing, client, nothing, nothing)
    assert steps == ["attached", "detached"]


async def test_a_client_that_closes_while_it_is_told_something_has_finished(monkeypatch: pytest.MonkeyPatch):
    """What fails to be sent then is no lost connection, for which the session would be kept."""
    receive = connection.Connection._receive

    async def tells(self: connection.Connection) -> WSMessage:
        message = await receive(self)
        if message.type is WSMsgType.CLOSE:
            self._live.outbox.put(ErrorEvent.of(ProtocolError("It comes too late.")))
            await asyncio.sleep(0.05)
        return message

    monkeypatch.setattr(connection.Connection, "_receive", tells)
    async with open_harness(resume_window_s=60.0) as harness:
        async with harness.open_socket("?extensions=resume") as wire:
            await wire.until("conversation.created")
            session = live(harness, wire)
            await wire.socket.close(1000)
        await eventually(lambda: session.ended.is_set())
        assert session.ending.result().code == 1000
