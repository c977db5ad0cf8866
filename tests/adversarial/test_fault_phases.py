"""Every fault of the platform at every phase of a reply: a clear end, and the next reply of the session works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.server.harness import Harness, WireClient, open_harness

SHORT = {
    "chat_first_timeout_s": 3.0,
    "chat_gap_timeout_s": 3.0,
    "speech_timeout_s": 3.0,
    "budget_wait_s": 0.2,
}
SLOW = ("chat.tps=250", "chat.plain_tps=250", "speech.factor=60")  # so that every phase takes a while
CHAT = ["chat.error=1000", "chat.error=1002", "chat.error=2013", "chat.error_mid=1000", "chat.error_mid=1027", "chat.stall",
        "chat.stall_mid", "chat.drop_mid", "chat.no_done", "chat.empty", "chat.only_thinking", "chat.damaged", "chat.mirror"]  # fmt: skip
SPEECH = ["speech.error=1000", "speech.error=1002", "speech.error=2042", "speech.start_error=1000", "speech.drop_at=connect",
          "speech.drop_at=text", "speech.drop_at=mid", "speech.drop_at=final", "speech.drop_after=1", "speech.stall", "speech.bad_hex",
          "speech.empty_data", "speech.no_event", "speech.soft=2203", "speech.split_words"]  # fmt: skip
PHASES = ["before", "response.created", "response.output_audio.delta"]
SOCKETS = ["ordinary", "bidi", "http"]
CODES = {
    "rate_limit_exceeded", "upstream_unavailable", "upstream_timeout", "upstream_rejected", "invalid_voice", "empty_answer",
}  # fmt: skip


@asynccontextmanager
async def one_session(socket: str) -> AsyncIterator[tuple[Harness, WireClient]]:
    async with open_harness(*SLOW, speech_socket=socket, **SHORT) as harness, harness.connect() as wire:
        yield harness, wire


@pytest.mark.parametrize("turn", range(len(SOCKETS)), ids=SOCKETS)
async def test_each_fault_at_each_phase(turn: int, caplog):
    """All faults one after the other in one session: what one leaves behind would meet the next reply.

    Each fault meets each phase once, on another socket each time.
    """
    async with one_session(SOCKETS[turn]) as (harness, wire):
        for number, fault in enumerate(CHAT + SPEECH):
            await fail_at(PHASES[(number + turn) % len(PHASES)], fault, harness, wire)
            harness.fault()
            done = await wire.ask("What is two plus three?")
            assert done["status"] == "completed", (fault, done["status_details"])
            assert wire.audio(done["id"]), fault
        assert not wire.of("error")
    assert not [record for record in caplog.records if record.exc_info]


async def fail_at(phase: str, fault: str, harness: Harness, wire: WireClient) -> None:
    """A reply with this fault from this phase on; it ends, and it says how."""
    begun, ended = wire.count("response.created"), wire.count("response.done")
    if phase == "before":
        harness.fault(fault)
    await wire.say("Count from one to nine.")
    await wire.send("response.create")
    if phase != "before":
        await reached(phase, wire, begun, ended)
        harness.fault(fault)
    response = (await wire.until("response.done", ended + 1))["response"]
    check_end(fault, response)


async def reached(phase: str, wire: WireClient, begun: int, ended: int) -> None:
    """The reply is in this phase, or is over already."""
    response_id = (await wire.until("response.created", begun + 1))["response"]["id"]
    while wire.count("response.done") == ended and phase != "response.created":
        if any(event["response_id"] == response_id for event in wire.of(phase)):
            return
        await asyncio.sleep(0.005)


def check_end(fault: str, response: dict) -> None:
    details = response["status_details"] or {}
    assert response["status"] in ("completed", "failed", "incomplete"), (fault, response)
    if response["status"] == "failed":
        assert details["error"]["code"] in CODES, (fault, details)
        assert len(details["error"]["message"].split()) > 3
