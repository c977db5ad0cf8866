"""One reply from its begin to its `response.done`: texts, calls, cancels, trouble of the services, slow readers."""

import asyncio

import pytest

from realtime.core.messages import ChatFinish
from realtime.errors import ProviderUnavailable
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, call, functions
from tests.session.stories import STORY


@scripted
async def test_a_text_reply():
    async with Talk(chat=FakeChat([[(0.1, "Hel"), (0.1, "lo!")]])) as talk:
        await talk.ask("Hi", output_modalities=["text"])
        done = await talk.until("response.done")
        assert [event["delta"] for event in talk.of("response.output_text.delta")] == ["Hel", "lo!"]
        assert done["response"]["output"][0]["content"] == [{"type": "output_text", "text": "Hello!"}]
        assert "audio" not in done["response"]
        assert not talk.speech.said


@scripted
async def test_function_calls_are_announced_spelled_out_and_done():
    chat = FakeChat(
        [
            [
                (0.1, call("weather", '{"city":')),
                (0.1, call("", '"Oslo"}', "")),
                (0.1, call("weather", '{"city":"Rome"}', "call_2", index=1)),
                (0.0, ChatFinish("tool_calls")),
            ],
            [(0.1, "Four degrees.")],
        ]
    )
    tools = [{"type": "function", "name": "weather", "parameters": {"type": "object"}}]
    async with Talk(chat=chat, tools=tools) as talk:
        await talk.ask("Weather in Oslo and Rome?")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"
        added = [event["item"] for event in talk.of("response.output_item.added")]
        assert [(item["status"], item["arguments"]) for item in added] == [("in_progress", "")] * 2
        assert [event["arguments"] for event in talk.of("response.function_call_arguments.done")] == [
            '{"city":"Oslo"}',
            '{"city":"Rome"}',
        ]
        assert [event["output_index"] for event in talk.of("response.output_item.done")] == [0, 1]
        await talk.send(
            "conversation.item.create",
            item={"type": "function_call_output", "call_id": "call_1", "output": '{"c":4}'},
        )
        await talk.send("response.create")
        await talk.until("response.done", 2)
        roles = [message.role for message in chat.requests[1].messages]
        assert roles == ["system", "user", "assistant", "tool", "tool"]
        assert "no result yet" in chat.requests[1].messages[-1].content
        assert chat.requests[0].tools[0].name == "weather"


@scripted
async def test_speech_before_a_call_is_item_zero():
    chat = FakeChat([[(0.1, "Let me look that up for you. "), (0.1, call("weather", "{}"))]])
    async with Talk(chat=chat, tools=functions("weather")) as talk:
        await talk.ask("Weather?")
        done = await talk.until("response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["message", "function_call"]


@scripted
async def test_cancel_closes_the_reply():
    async with Talk(chat=FakeChat([STORY])) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.send("response.cancel")
        done = await talk.until("response.done")
        assert done["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
        await talk.send("response.cancel")
        assert "error" not in talk.types, "a cancel that crosses the end is silent"


@scripted
async def test_cancel_without_a_reply_is_refused():
    async with Talk() as talk:
        await talk.send("response.cancel")
        error = (await talk.until("error"))["error"]
        assert error["code"] == "response_cancel_not_active"
        assert error["message"].startswith("Cancellation failed")


@scripted
async def test_a_second_response_is_refused_while_one_is_active():
    async with Talk(chat=FakeChat([STORY])) as talk:
        await talk.ask("Tell me a story.")
        await talk.send("response.create", event_id="c9")
        error = (await talk.until("error"))["error"]
        assert error["code"] == "conversation_already_has_active_response"
        assert error["event_id"] == "c9"
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_out_of_band_runs_beside_and_leaves_no_trace():
    chat = FakeChat([STORY, [(0.1, "Happy.")]])
    async with Talk(chat=chat) as talk:
        await talk.ask("Tell me a story.")
        await talk.send(
            "response.create",
            response={
                "conversation": "none",
                "output_modalities": ["text"],
                "instructions": "One word: the mood.",
                "metadata": {"topic": "mood"},
                "input": [],
            },
        )
        done = await talk.until("response.done")
        assert done["response"]["metadata"] == {"topic": "mood"}
        assert done["response"]["conversation_id"] is None
        assert [message.role for message in chat.requests[1].messages] == ["system"]
        await talk.until("response.done", 2)
        items = {event["item"]["id"] for event in talk.of("conversation.item.added")}
        assert done["response"]["output"][0]["id"] not in items


@scripted
async def test_upstream_trouble_fails_the_reply_and_the_next_turn_works():
    chat = FakeChat([[(0.1, ProviderUnavailable("The chat model is overloaded."))], [(0.1, "Fine.")]])
    async with Talk(chat=chat) as talk:
        await talk.ask("Hi")
        failed = (await talk.until("response.done"))["response"]
        assert failed["status"] == "failed"
        assert failed["status_details"]["error"]["code"] == "upstream_unavailable"
        assert "error" not in talk.types
        await talk.ask("Hi")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"


@scripted
async def test_a_voice_that_fails_in_the_middle_keeps_the_words_that_were_said():
    speech = FakeSpeech(errors=[])
    chat = FakeChat([[(0.1, "The first part is fine. "), (2.0, "The second is not.")]])
    async with Talk(chat=chat, speech=speech) as talk:
        await talk.ask("Hi")
        await talk.until("response.output_audio.delta")
        speech.errors.append(ProviderUnavailable("The voice is gone."))
        failed = (await talk.until("response.done"))["response"]
        assert failed["status"] == "failed"
        assert failed["output"][0]["status"] == "incomplete"
        assert failed["output"][0]["content"][0]["transcript"].strip() == "The first part is fine."


@pytest.mark.parametrize("modality", ["audio", "text"])
@pytest.mark.parametrize("texts", [[], [" "], ["\n", "\n"], ["\u200b"], ["\u3164 "]])
def test_an_answer_without_anything_to_see_fails(texts, modality):
    @scripted
    async def run():
        async with Talk(chat=FakeChat([[(0.1, text) for text in texts]])) as talk:
            await talk.ask("Hi", output_modalities=[modality])
            failed = (await talk.until("response.done"))["response"]
            assert failed["status_details"]["error"]["code"] == "empty_answer"
            assert failed["output"] == []

    run()


@scripted
async def test_blanks_before_a_call_are_no_message():
    chat = FakeChat([[(0.1, "\n"), (0.1, "\n"), (0.1, call("weather", "{}"))]])
    async with Talk(chat=chat, tools=functions("weather")) as talk:
        await talk.ask("Hi")
        output = (await talk.until("response.done"))["response"]["output"]
        assert [item["type"] for item in output] == ["function_call"]


@pytest.mark.parametrize(("modality", "kept"), [("audio", "transcript"), ("text", "text")])
def test_blanks_before_words_are_a_part_of_the_text(modality, kept):
    @scripted
    async def run():
        async with Talk(chat=FakeChat([[(0.1, "\n"), (0.1, "\n"), (0.1, "Hello.")]])) as talk:
            await talk.ask("Hi", output_modalities=[modality])
            (item,) = (await talk.until("response.done"))["response"]["output"]
            deltas = talk.of("response.output_text.delta") + talk.of("response.output_audio_transcript.delta")
            assert item["content"][0][kept] == "\n\nHello."
            assert "".join(event["delta"] for event in deltas) == "\n\nHello."

    run()


@scripted
async def test_only_emoji_is_a_transcript_and_the_voice_says_that_there_is_something_to_see():
    async with Talk(chat=FakeChat([[(0.1, "🎉🎉")]])) as talk:
        await talk.ask("Hi")
        done = (await talk.until("response.done"))["response"]
        assert done["status"] == "completed"
        assert done["output"][0]["content"][0]["transcript"] == "🎉🎉"
        assert talk.speech.said == ["The answer is on the screen."]


@scripted
async def test_running_out_of_tokens_is_incomplete():
    async with Talk(chat=FakeChat([[(0.1, "It is"), (0.0, ChatFinish("length"))]])) as talk:
        await talk.ask("Hi")
        done = (await talk.until("response.done"))["response"]
        assert done["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}


@scripted
async def test_a_turn_with_neither_sound_nor_text_fails_in_time():
    async with Talk(chat=FakeChat([[(100.0, "too late")]])) as talk:
        await talk.ask("Hi")
        done = await talk.until("response.done")
        assert done["response"]["status_details"]["error"]["code"] == "upstream_timeout"
        assert done["at"] == pytest.approx(20.0, abs=0.1)


@scripted
async def test_a_slow_reader_holds_the_audio_back_and_bounds_the_memory():
    long_story = [(0.01, "And then the small dog ran along the beach again. ") for _ in range(200)]
    async with Talk(chat=FakeChat([long_story]), speech=FakeSpeech(factor=100), reads=False) as talk:
        await talk.ask("Tell me a very long story.")
        for _ in range(600):
            await asyncio.sleep(0.1)
        assert talk.outbox.unsent_audio_ms <= 30_200
