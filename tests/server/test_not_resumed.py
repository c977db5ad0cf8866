"""All cases in which a session is not resumed: the client is told why, and has a new session."""

import asyncio

import pytest

from tests.server.harness import Harness, WireClient, open_harness
from tests.server.resuming import (
    BIN,
    disconnect,
    live,
    resume_query,
    session_of,
)


async def rejection(wire: WireClient, old_id: str | None = None) -> str:
    """Check that the client got a new session and an error; returns the error's message."""
    await wire.until("conversation.created")
    assert wire.events[0]["type"] == "session.created"
    assert wire.events[0]["session"]["id"] != old_id
    error = await wire.error()
    assert (error["type"], error["code"]) == ("invalid_request_error", "session_not_resumable")
    assert (await wire.ask("What is two plus three?"))["status"] == "completed", (
        "the new session does not work"
    )
    return str(error["message"])


async def test_an_unknown_session_is_not_resumed(harness: Harness):
    async with harness.open_socket("?extensions=resume&resume=sess_none&last_seq=3") as wire:
        assert "does not exist" in await rejection(wire)


@pytest.mark.parametrize("query", ["&last_seq=99999", "&last_seq=x", "&last_seq=-1", ""])
async def test_an_invalid_last_seq_is_not_resumed(harness: Harness, query: str):
    async with harness.connect("?extensions=resume") as before:
        await disconnect(harness, before)
        old_id = session_of(before)["id"]
        async with harness.open_socket(f"?extensions=resume&resume={old_id}{query}") as wire:
            await rejection(wire, old_id)


async def test_a_gap_is_not_resumed(harness: Harness):
    async with harness.connect("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        await disconnect(harness, before)
        replay = live(harness, before).numbering.replay
        replay._max_bytes = 2_000
        while replay.size_bytes > 2_000:
            replay._drop_oldest()
        async with harness.open_socket(resume_query(before, seq=2)) as wire:
            assert "number 2" in await rejection(wire, session_of(before)["id"])


async def test_another_credential_is_not_resumed():
    async with open_harness(api_keys=("key-one", "key-two")) as harness:
        one, two = ({"Authorization": f"Bearer {key}"} for key in ("key-one", "key-two"))
        async with harness.connect("?extensions=resume", headers=one) as before:
            await disconnect(harness, before)
            async with harness.open_socket(resume_query(before), headers=two) as wire:
                assert "does not exist" in await rejection(wire, session_of(before)["id"])
            async with harness.open_socket(resume_query(before), headers=one) as wire:
                await wire.until("session.resumed")


async def test_another_subprotocol_is_not_resumed(harness: Harness):
    async with harness.connect("?extensions=resume") as before:
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before), protocols=BIN) as wire:
            assert "subprotocol" in await rejection(wire, session_of(before)["id"])


async def test_a_session_without_the_extension_ends_with_its_socket(harness: Harness):
    async with harness.connect() as before:
        old_id = session_of(before)["id"]
        before.socket.transport.abort()
        await harness.no_sessions()
        async with harness.open_socket(f"?extensions=resume&resume={old_id}&last_seq=2") as wire:
            await rejection(wire, old_id)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_session_ends_when_the_client_closes_normally(harness: Harness, code: int):
    async with harness.connect("?extensions=resume") as before:
        query, old_id = resume_query(before), session_of(before)["id"]
        await before.socket.close(code)
        await harness.no_sessions()
        async with harness.open_socket(query) as wire:
            await rejection(wire, old_id)


async def test_a_detached_session_ends_after_the_resume_window():
    async with open_harness(resume_window_s=0.9) as harness, harness.connect("?extensions=resume") as before:
        assert session_of(before)["resume_window_s"] == 1
        await before.ask("What is two plus three?")
        query, old_id = resume_query(before), session_of(before)["id"]
        await disconnect(harness, before)
        assert harness.sessions == 1
        await harness.no_sessions()
        assert not [task for task in asyncio.all_tasks() if old_id in task.get_name()]
        async with harness.open_socket(query) as wire:
            assert "does not exist" in await rejection(wire, old_id)


async def test_an_update_without_resume_clears_the_replay_buffer(harness: Harness):
    async with harness.connect("?extensions=resume") as wire:
        await wire.send("session.update", session={"extensions": ["words"]})
        updated = await wire.until("session.updated")
        assert "seq" not in updated
        assert "resume_window_s" not in updated["session"]
        assert len(live(harness, wire).numbering.replay) == 0
        wire.socket.transport.abort()
        await harness.no_sessions()


async def test_resume_may_be_requested_later(harness: Harness):
    """Numbers then continue the count of all messages, and only later messages can be sent again."""
    async with harness.connect() as before:
        await before.send("session.update", session={"extensions": ["resume"]})
        await before.until("session.updated")
        assert [event.get("seq") for event in before.events] == [None, None, 3]
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before, seq=1)) as wire:
            await rejection(wire, session_of(before)["id"])
        async with harness.open_socket(resume_query(before, seq=3)) as wire:
            await wire.until("session.resumed")
