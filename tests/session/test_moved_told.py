"""What was on its way to the client when its server was lost: it is told all of it, and as it was."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core.messages import ChatFinish
from realtime.errors import ProviderRejected
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech
from tests.session.moving import Losable

MANY = 30  # items: more than a few turns


async def with_messages(old: Losable, count: int = MANY) -> None:
    for number in range(count):
        part = {"type": "input_text", "text": f"Number {number}"}
        item = {"type": "message", "id": f"m{number}", "role": "user", "content": [part]}
        await old.send("conversation.item.create", item=item)


@scripted
async def test_all_items_that_waited_for_the_client_are_told() -> None:
    async with Losable(extensions="resume", reads=False) as old:
        await with_messages(old)
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=2), ids="b") as new:
        await asyncio.sleep(0.5)
        told = [event["item"]["id"] for event in new.of("conversation.item.added")]
        assert told == [item.id for item in new.session.conversation.items]


@scripted
async def test_all_items_that_were_on_their_way_in_a_dead_connection_are_told_and_no_older_ones() -> None:
    async with Losable(extensions="resume") as old:
        await old.ask("Hello")
        await old.until("response.done")
        known = len(old.events)
        await with_messages(old)
        await asyncio.sleep(60.0)  # it was noticed, and the client was away
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=known), ids="b") as new:
        await asyncio.sleep(0.5)
        told = [event["item"]["id"] for event in new.of("conversation.item.added")]
        assert told == [f"m{number}" for number in range(MANY)]


@scripted
async def test_all_deletions_are_told_that_the_client_has_missed() -> None:
    async with Losable(extensions="resume") as old:
        await with_messages(old)
        await asyncio.sleep(0.1)
        known = len(old.events)
        for number in range(MANY):
            await old.send("conversation.item.delete", item_id=f"m{number}")
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=known), ids="b") as new:
        await asyncio.sleep(0.5)
        assert len(new.of("conversation.item.deleted")) == MANY


ENDS = {
    "cancelled": [(0.1, "One. "), (5.0, "Two.")],
    "incomplete": [(0.1, "One. "), (0.1, ChatFinish("length"))],
    "failed": [(0.3, ProviderRejected("Top it up.", code="insufficient_quota"))],
    "completed": [(0.1, "One.")],
}


@pytest.mark.parametrize("where", ["auto", "none"])
@pytest.mark.parametrize("status", ENDS)
@scripted
async def test_the_end_of_a_response_is_told_as_it_was(status: str, where: str) -> None:
    """But of one beside the conversation that said something nobody has that any more: it is asked again."""
    async with Losable(chat=FakeChat([ENDS[status]]), extensions="resume") as old:
        more = {"output_modalities": ["text"], "max_output_tokens": 99, "metadata": {"of": "us"}}
        await old.ask("Go.", conversation=where, **more)
        begun = (await old.until("response.created"))["response"]
        known = len(old.events)
        await asyncio.sleep(0.3)
        if status == "cancelled":
            await old.send("response.cancel", response_id=begun["id"])
        done = (await old.until("response.done"))["response"]
        assert done["status"] == status
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=known), ids="b") as new:
        again = (await new.until("response.done"))["response"]
        if where == "none" and status in ("completed", "incomplete"):
            assert again["status_details"]["error"]["code"] == "server_restarting"
        else:
            done["output"] = again["output"]  # each item as it is now
            assert again == done


@scripted
async def test_an_answer_that_reached_its_limit_and_still_sounds_ends_as_it_did() -> None:
    chat = FakeChat([[(0.1, "One dog ran by the sea. "), (0.1, ChatFinish("length"))]])
    async with Losable(chat=chat, speech=FakeSpeech(factor=20.0), extensions="playback,resume") as old:
        await old.ask("Go.")
        done = (await old.until("response.done"))["response"]
        item_id = done["output"][0]["id"]
        left = old.lose()
    heard = {"item_id": item_id, "played_ms": 100, "received_ms": int(old.audio_ms())}
    known = len(left.events) - 1
    async with Talk(
        extensions="playback,resume", continues=left.continues(last_seq=known, **heard), ids="b"
    ) as new:
        again = (await new.until("response.done"))["response"]
        assert (again["id"], again["status_details"]) == (done["id"], done["status_details"])
        await asyncio.sleep(5.0)
        assert not new.of("response.created")


@scripted
async def test_a_model_that_failed_is_not_asked_again_by_the_next_server() -> None:
    dry = ProviderRejected("Top it up.", code="insufficient_quota")
    story = "One dog ran by the sea. Two cats sat on a warm wall, and three birds sang until the night. "
    failing = FakeChat([[(0.1, story), (2.0, dry)]])
    async with Losable(chat=failing, speech=FakeSpeech(factor=20.0), extensions="playback,resume") as old:
        await old.ask("Go.")
        done = (await old.until("response.done"))["response"]
        assert done["status"] == "failed"
        left = old.lose()
    heard = {"item_id": done["output"][0]["id"], "played_ms": 100, "received_ms": int(old.audio_ms())}
    chat = FakeChat()
    continues = left.continues(last_seq=len(left.events) - 1, **heard)
    async with Talk(chat=chat, extensions="playback,resume", continues=continues, ids="b") as new:
        again = (await new.until("response.done"))["response"]
        assert (again["id"], again["status_details"]) == (done["id"], done["status_details"])
        await asyncio.sleep(5.0)
        assert not chat.requests
