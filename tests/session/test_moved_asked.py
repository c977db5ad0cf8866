"""What a client asks for while its session goes on at another server: as if it were the server before."""

from __future__ import annotations

import asyncio

import pytest

from realtime.tools import Toolbox
from tests.conversing import LOUD, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call
from tests.session.moving import Left, Losable, StoryChat
from tests.session.test_moved import EXTENSIONS, FUNCTION, STORY, quiet, weather_of
from tests.session.test_moved_speech import BY_HAND, say, send_again

SOUND = [LOUD] * 60


async def asked_by_hand_and_lost() -> Left:
    """Its question has no text yet."""
    slow = FakeTranscriber(["never"], interim=False, delay_s=60.0)
    async with Losable(transcriber=slow, extensions="resume", **BY_HAND) as old:
        await say(old, SOUND)
        await old.send("input_audio_buffer.commit")
        await old.send("response.create")
        await asyncio.sleep(0.1)
        return old.lose()


def went_on(left: Left, chat: FakeChat, **more) -> Talk:
    heard = FakeTranscriber(["What is the sea?"], interim=False, delay_s=1.0)
    return Talk(
        chat=chat,
        transcriber=heard,
        extensions="resume",
        continues=left.continues(),
        ids="b",
        **BY_HAND,
        **more,
    )


@scripted
async def test_a_question_while_speech_is_heard_again_finds_its_response_in_work() -> None:
    left = await asked_by_hand_and_lost()
    chat = FakeChat([[(0.1, "Blue.")]])
    async with went_on(left, chat) as new:
        await asyncio.sleep(0)
        assert [event["type"] for event in new.events] == ["response.done", "response.created"], (
            "before any sound"
        )
        await send_again(new, SOUND, new.session.input_audio_ms)
        await new.ask("And the sun?")
        done = (await new.until("response.done", 2))["response"]
        assert done["status"] == "completed"
        assert [event["error"]["code"] for event in new.of("error")] == [
            "conversation_already_has_active_response"
        ]
        ((_, question),) = [[said.content for said in request.messages] for request in chat.requests]
        assert question == "What is the sea?"


@scripted
async def test_the_response_to_speech_that_is_heard_again_can_be_cancelled_and_another_one_asked_for() -> (
    None
):
    left = await asked_by_hand_and_lost()
    chat = FakeChat([[(0.1, "Red.")]])
    async with went_on(left, chat) as new:
        await asyncio.sleep(0)
        await new.send("response.cancel")
        await send_again(new, SOUND, new.session.input_audio_ms)
        await new.send("response.create")
        await new.until("response.done", 3)
        assert [event["response"]["status"] for event in new.of("response.done")] == [
            "failed",
            "cancelled",
            "completed",
        ]
        assert not new.of("error")


@scripted
async def test_what_is_asked_before_all_items_are_told_waits_for_that() -> None:
    chat = FakeChat([[(0.1, "One. "), (30.0, "Two.")]])
    async with Losable(chat=chat, extensions="resume", reads=False) as old:
        for _ in range(12):
            part = {"type": "input_text", "text": "many words " * 18_000}
            item = {"type": "message", "role": "user", "content": [part]}
            await old.send("conversation.item.create", item=item)
        old.reads.set()
        await old.send("response.create")
        await old.until("response.created")
        left = old.lose()
    left.events = left.events[:1]
    again = FakeChat([[(0.1, "One.")]])
    continues = left.continues()
    async with Talk(chat=again, extensions="resume", continues=continues, ids="b", reads=False) as new:
        asks = asyncio.create_task(new.send("response.create"))
        await asyncio.sleep(1.0)
        assert new.session.restoring
        assert not asks.done()
        new.reads.set()
        await asks
        await new.until("response.done")
        codes = [event["error"]["code"] for event in new.of("error")]
        assert codes == ["conversation_already_has_active_response"]


@pytest.mark.parametrize("ours_first", [True, False])
@scripted
async def test_the_client_asks_on_where_a_tool_of_the_server_was_called_as_well(ours_first: bool) -> None:
    names = [("weather_of", '{"city":"Oslo"}', "call_9"), ("look", "{}", "call_1")]
    calls = [call(*each, index) for index, each in enumerate(names if ours_first else reversed(names))]
    tools = {"server_tools": Toolbox([weather_of]), "tools": [FUNCTION], "extensions": EXTENSIONS}
    chat = StoryChat(story=STORY, first=["Let me look at this. ", *calls])
    async with Losable(chat=chat, speech=FakeSpeech(factor=0.5), **tools) as old:
        await old.ask("What is there?")
        await old.until("response.function_call_arguments.done")
        await asyncio.sleep(0.1)
        left = old.lose()
    chat = StoryChat(story=STORY)
    async with Talk(chat=chat, continues=left.continues(), ids="b", **tools) as new:
        await new.until("response.done")
        await asyncio.sleep(5.0)
        assert not chat.requests, "the output of the client's tool is still to come"
        output = {"type": "function_call_output", "call_id": "call_1", "output": "a wall"}
        await new.send("conversation.item.create", item=output)
        await new.send("response.create")
        await quiet(new)
        assert len(chat.requests) == 1
        assert not new.of("error")
