"""A conversation with all the items it may have, in virtual time: the oldest go, or the next question is refused."""

import asyncio

import pytest

from realtime.core.conversation import MAX_ITEMS, FunctionCall, FunctionCallOutput, Message
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeTranscriber

KEEP_ALL = {"truncation": "disabled"}


def fill(talk: Talk, count: int) -> None:
    for number in range(count):
        talk.session.conversation.add(Message(f"old_{number}", "user"))


@scripted
async def test_the_last_item_is_answered_and_then_the_client_has_to_delete_some():
    async with Talk(**KEEP_ALL) as talk:
        fill(talk, MAX_ITEMS - 1)
        await talk.ask("Is there room?")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        await talk.send("response.create")
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        for number in range(2):
            await talk.send("conversation.item.delete", item_id=f"old_{number}")
        await talk.ask("And now?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"


@scripted
async def test_speech_that_does_not_fit_is_an_error_and_the_session_lives():
    async with Talk(transcriber=FakeTranscriber(["Hello."] * 4), **KEEP_ALL) as talk:
        fill(talk, MAX_ITEMS)
        await talk.speak(0.8)
        await talk.silence(1.0)
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        for number in range(3):
            await talk.send("conversation.item.delete", item_id=f"old_{number}")
        await talk.silence(1.0)
        await talk.speak(0.8)
        await talk.silence(2.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_the_turn_after_one_that_did_not_fit_is_announced_and_heard_from_its_beginning():
    """Where the room runs out, one turn is lost and nothing of the next one."""
    transcriber = FakeTranscriber(["Hello."] * 4)
    async with Talk(transcriber=transcriber, **KEEP_ALL) as talk:
        fill(talk, MAX_ITEMS)
        await talk.speak(0.8)
        await talk.silence(1.0)
        assert len(talk.of("input_audio_buffer.speech_stopped")) == 1
        for number in range(3):
            await talk.send("conversation.item.delete", item_id=f"old_{number}")
        await talk.speak(1.2)
        await talk.silence(2.0)
        started = talk.of("input_audio_buffer.speech_started")
        assert len(started) == 2
        assert started[1]["audio_start_ms"] == pytest.approx(1800 - 300, abs=64)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        seconds, final = transcriber.asked[-1]
        assert final
        assert seconds == pytest.approx(0.4 + 1.2, abs=0.15), "some of the audio of the next turn was lost"


@scripted
async def test_an_append_that_meets_a_full_conversation_is_taken_in_whole():
    """The turn ends in the middle of one append; what follows in it belongs to the next turn."""
    async with Talk(transcriber=FakeTranscriber(["Hello."] * 4), **KEEP_ALL) as talk:
        fill(talk, MAX_ITEMS)
        await talk.append(LOUD * 40 + SILENT * 50 + LOUD * 30)
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        assert len(talk.of("input_audio_buffer.speech_started")) == 2
        assert talk.session.input_audio_ms == 2400


@scripted
async def test_the_assistant_that_speaks_up_in_a_full_conversation_says_why_it_cannot():
    idle = {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}}}
    async with Talk(**idle, **KEEP_ALL) as talk:
        fill(talk, MAX_ITEMS - 2)
        await talk.ask("Hello?")
        await talk.until("response.done")
        await asyncio.sleep(60)
        assert (await talk.until("error"))["error"]["code"] == "conversation_full"
        await talk.send("conversation.item.delete", item_id="old_0")
        await talk.send("conversation.item.delete", item_id="old_1")
        await talk.ask("Still there?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"


# -- with truncation 'auto' the oldest items go -----------------------------------------------------------------------


def ids(talk: Talk) -> list[str]:
    return [item.id for item in talk.session.conversation.items]


def deleted(talk: Talk) -> list[str]:
    return [event["item_id"] for event in talk.of("conversation.item.deleted")]


@scripted
async def test_a_typed_turn_pushes_out_the_oldest():
    async with Talk() as talk:
        fill(talk, MAX_ITEMS)
        for turn in range(3):
            await talk.ask("Is there room?")
            assert (await talk.until("response.done", turn + 1))["response"]["status"] == "completed"
        assert "error" not in talk.types
        assert deleted(talk) == [f"old_{number}" for number in range(6)]
        assert len(ids(talk)) == MAX_ITEMS


@scripted
async def test_the_deletion_is_told_before_the_item_that_needs_the_room():
    async with Talk() as talk:
        fill(talk, MAX_ITEMS)
        await talk.ask("Is there room?")
        await talk.until("response.done")
        types = [event["type"] for event in talk.events if event["type"].startswith("conversation.item")]
        assert types[:3] == ["conversation.item.deleted", "conversation.item.added", "conversation.item.done"]


@scripted
async def test_a_spoken_turn_pushes_out_the_oldest():
    async with Talk(transcriber=FakeTranscriber(["Hello."])) as talk:
        fill(talk, MAX_ITEMS)
        await talk.speak(0.8)
        await talk.silence(1.5)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert "error" not in talk.types
        assert deleted(talk) == ["old_0", "old_1"]


@scripted
async def test_the_assistant_speaks_up_in_a_full_conversation():
    idle = {"audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}}}
    async with Talk(**idle) as talk:
        fill(talk, MAX_ITEMS)
        await talk.ask("Hello?")
        await talk.until("input_audio_buffer.timeout_triggered")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert "error" not in talk.types


@scripted
async def test_a_call_goes_with_its_output_and_the_system_stays():
    async with Talk() as talk:
        conversation = talk.session.conversation
        conversation.add(Message("system", "system"))
        conversation.add(FunctionCall("call", "c1", "look"))
        fill(talk, MAX_ITEMS - 3)
        conversation.add(FunctionCallOutput("output", "c1", "4"))
        await talk.send("conversation.item.create", item={"type": "message", "role": "user", "content": []})
        assert deleted(talk) == ["call", "output"]
        assert ids(talk)[0] == "system"


@scripted
async def test_an_item_that_is_refused_pushes_out_nothing():
    async with Talk() as talk:
        fill(talk, MAX_ITEMS)
        message = {"type": "message", "role": "user", "content": []}
        output = {"type": "function_call_output", "call_id": "unknown", "output": "4"}
        await talk.send("conversation.item.create", item={**message, "id": "old_7"})
        await talk.send("conversation.item.create", item=message, previous_item_id="unknown")
        await talk.send("conversation.item.create", item=output)
        assert len(talk.of("error")) == 3
        assert deleted(talk) == []
        assert len(ids(talk)) == MAX_ITEMS


@scripted
async def test_the_place_of_a_new_item_stays_although_it_is_the_oldest():
    async with Talk() as talk:
        fill(talk, MAX_ITEMS)
        item = {"id": "new", "type": "message", "role": "user", "content": []}
        await talk.send("conversation.item.create", item=item, previous_item_id="old_0")
        assert deleted(talk) == ["old_1"]
        assert ids(talk)[:3] == ["old_0", "new", "old_2"]
