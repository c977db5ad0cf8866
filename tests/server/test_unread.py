"""Who does not read is not read: what one client can cause is bounded in bytes, and a limit in time ends the session."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from realtime.outbox import ROOM_BYTES, Outbox
from realtime.server.state import REGISTRY
from tests.server.harness import Harness, WireClient, eventually, open_harness
from tests.server.test_bad_input import still_works
from tests.server.test_connections import connect_small_buffer

BIG = {"session": {"prompt": {"id": "p", "variables": {"v": "x" * 700_000}}}}


def outbox_of(harness: Harness) -> Outbox:
    (live,) = harness.server.app[REGISTRY]
    return live.outbox


async def send_all(wire: WireClient, events: list[dict[str, Any]]) -> None:
    for event in events:
        await wire.send(**event)


CAUSES = {
    "small updates with a large echo": [{"type": "session.update", "session": {}}] * 100,
    "changes with a large echo": [
        {"type": "session.update", "session": {"max_output_tokens": number}} for number in range(1, 101)
    ],
    "retrieved items": [{"type": "conversation.item.retrieve", "item_id": "long"}] * 300,
    "created items": [
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [
            {"type": "input_text", "text": "x" * 100_000}]}}
    ] * 60,
}  # fmt: skip


@pytest.mark.parametrize("events", CAUSES.values(), ids=CAUSES)
async def test_a_client_that_does_not_read_is_not_read_and_gets_everything_when_it_reads_again(
    events: list[dict[str, Any]],
):
    async with open_harness() as harness, connect_small_buffer(harness) as wire:
        await wire.send("session.update", **BIG)
        item = {"type": "message", "role": "user", "id": "long", "content": [
            {"type": "input_text", "text": "x" * 150_000}]}  # fmt: skip
        await wire.send("conversation.item.create", item=item)
        await wire.until("conversation.item.done")
        outbox, seen = outbox_of(harness), len(wire.events)
        wire.reading.clear()
        sending = asyncio.create_task(send_all(wire, events))
        most = await eventually(
            lambda: outbox.unsent_bytes >= ROOM_BYTES and outbox.unsent_bytes,
            "what waits: without it this test shows nothing",
        )
        for _ in range(100):
            await asyncio.sleep(0.01)
            most = max(most, outbox.unsent_bytes)
        assert most < ROOM_BYTES + 1_700_000, "more was caused than the one event that crossed the limit"
        wire.reading.set()
        await sending
        twice = 2 if events[0]["type"] == "conversation.item.create" else 1
        await eventually(lambda: len(wire.events) == seen + twice * len(events))
        await still_works(wire)
        assert outbox.unsent_bytes == 0


async def test_who_never_reads_again_is_a_slow_reader():
    async with open_harness(send_timeout_s=0.5) as harness, connect_small_buffer(harness) as wire:
        await wire.send("session.update", **BIG)
        await wire.until("session.updated")
        wire.reading.clear()
        sending = asyncio.create_task(send_all(wire, [{"type": "session.update", "session": {}}] * 100))
        await harness.no_sessions()
        wire.reading.set()
        assert (await wire.closed())[1] in ("slow_reader", "")  # "": the connection was cut first
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)


async def test_updates_that_change_nothing_share_one_session_object():
    async with open_harness() as harness, harness.connect() as wire:
        (live,) = harness.server.app[REGISTRY]
        await wire.send("session.update", **BIG)
        await wire.until("session.updated")
        shown = live.session.session_object()
        for patch in (
            {},
            {"audio": {}},
            {"type": "realtime"},
            {"instructions": live.session.config.instructions},
        ):
            await wire.send("session.update", session=patch)
        await wire.until("session.updated", 5)
        assert live.session.session_object() is shown
        assert len({json.dumps(event["session"]) for event in wire.of("session.updated")}) == 1
