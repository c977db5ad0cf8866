"""Conversations as scripts, in virtual time: what a client sends, hears and finds in history."""

import asyncio
import base64
import itertools

import pytest

from realtime.core.chunker import Boundary, Chunk
from realtime.core.messages import ChatFinish, ToolCall
from realtime.errors import ProviderTimeout, ProviderUnavailable
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call

STORY = [
    (0.1, "Once there was a small dog, and it lived by the sea. "),
    (0.2, "Every day it ran along the beach. "),
]


@scripted
async def test_the_first_events_are_session_and_conversation():
    async with Talk() as talk:
        assert talk.types == ["session.created", "conversation.created"]
        assert talk.events[0]["session"]["audio"]["input"]["turn_detection"]["interrupt_response"] is True


@scripted
async def test_a_voice_turn_in_the_order_of_the_wire():
    async with Talk(
        transcriber=FakeTranscriber(["What time is it?"]), chat=FakeChat([[(0.3, "It is noon.")]])
    ) as talk:
        await talk.silence(0.5)
        await talk.speak(1.0)
        await talk.silence(2.0)
        await talk.until("response.done")
        order = [type for type in talk.types if "input_audio_transcription.delta" not in type]
        assert order[2:] == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "conversation.item.input_audio_transcription.completed",
            "response.created",
            "response.output_item.added",
            "conversation.item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            *["response.output_audio.delta"] * 7,
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "conversation.item.done",
            "response.done",
        ]
        assert talk.of("response.done")[0]["response"]["status"] == "completed"
        assert talk.of("response.done")[0]["response"]["usage"]["total_tokens"] == 40
        started = talk.of("input_audio_buffer.speech_started")[0]
        assert 150 <= started["audio_start_ms"] <= 280  # 500 ms of silence less 300 ms of padding
        assert talk.of("conversation.item.added")[0]["item"]["content"] == [
            {"type": "input_audio", "transcript": None}
        ]
        assert talk.audio_ms() == pytest.approx(11 * 60, abs=1)


@scripted
async def test_the_model_sees_the_instructions_and_both_turns():
    chat = FakeChat([[(0.1, "Hello Ada.")], [(0.1, "Ada.")]])
    async with Talk(chat=chat) as talk:
        await talk.ask("My name is Ada.")
        await talk.until("response.done")
        await talk.ask("What is my name?")
        await talk.until("response.done", 2)
        seen = [(message.role, message.content) for message in chat.requests[1].messages]
        assert seen == [
            ("system", "Be brief."),
            ("user", "My name is Ada."),
            ("assistant", "Hello Ada."),
            ("user", "What is my name?"),
        ]


@scripted
async def test_first_sound_comes_as_early_as_physics_allows():
    """Chat 0.3 s, a clause at once, speech 0.2 s: sound at 0.5 s, not a millisecond of waiting in between."""
    async with Talk(chat=FakeChat([[(0.3, "Well, it is noon in Oslo now."), (0.5, " So eat!")]])) as talk:
        begin = talk.events[0]["at"]
        await talk.ask("What time is it?")
        first = await talk.until("response.output_audio.delta")
        assert first["at"] - begin == pytest.approx(0.5, abs=0.005)


@scripted
async def test_barge_in_silences_at_once_and_history_keeps_what_was_heard():
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    speech = FakeSpeech(factor=1.2)
    async with Talk(chat=chat, speech=speech, transcriber=FakeTranscriber(["Stop, please."])) as talk:
        await talk.ask("Tell me a story.")
        first = await talk.until("response.output_audio.delta")
        await talk.silence(1.0)
        await talk.speak(1.0)
        started = await talk.until("input_audio_buffer.speech_started")
        done = await talk.until("response.done")
        assert done["response"]["status"] == "cancelled"
        assert done["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
        after = talk.types[talk.events.index(started) :]
        assert "response.output_audio.delta" not in after[: after.index("response.done")]
        assert done["at"] == pytest.approx(started["at"], abs=0.001)

        await talk.silence(1.5)
        await talk.until("response.done", 2)
        heard_ms = (started["at"] - first["at"]) * 1000
        told = [message.content for message in chat.requests[1].messages if message.role == "assistant"]
        assert len(told) == 1
        story = "".join(text for _, text in STORY)
        assert story.startswith(told[0])
        assert abs(len(told[0]) * 60 - heard_ms) < 7 * 60  # within a word


@scripted
async def test_what_arrives_in_the_step_of_the_interruption_is_dropped():
    """A cancelled task lives on for a moment; nothing of the reply may follow its `response.done`."""
    async with Talk(chat=FakeChat([STORY]), speech=FakeSpeech(factor=1.2)) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        reply = talk.session.responses.active.events
        await talk.send("response.cancel")
        late = Chunk(9, "Too late.", "Too late.", tuple(range(10)), Boundary.END)
        reply.begin_chunk(late)
        await reply.audio(9, b"\0" * 960)
        reply.words(9, [])
        reply.end_chunk(9)
        reply.text("Too late.")
        reply.call(ToolCall("call_9", "late", "{}"))
        await asyncio.sleep(1)
        assert talk.types[-1] == "response.done"


@scripted
async def test_a_truncate_replaces_the_estimate():
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Stop, please."])) as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.silence(1.0)
        await talk.speak(1.0)
        await talk.until("response.done")
        await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=620)
        assert (await talk.until("conversation.item.truncated"))["audio_end_ms"] == 620
        await talk.send("conversation.item.retrieve", item_id=item_id)
        item = (await talk.until("conversation.item.retrieved"))["item"]
        assert item["content"] == [{"type": "output_audio", "transcript": "Once there"}]
        assert item["status"] == "incomplete"


@scripted
async def test_a_truncate_of_another_part_is_refused():
    async with Talk(chat=FakeChat([STORY])) as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.send("conversation.item.truncate", item_id=item_id, content_index=1, audio_end_ms=1)
        assert (await talk.until("error"))["error"]["param"] == "content_index"


@scripted
async def test_a_cough_never_reaches_the_wire_and_the_reply_goes_on():
    async with Talk(chat=FakeChat([STORY])) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.3)
        await talk.speak(0.2)
        await talk.silence(1.5)
        assert "input_audio_buffer.speech_started" not in talk.types
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_a_murmur_does_not_interrupt_but_a_word_does():
    for said, interrupts in (("Mhm.", False), ("Stop.", True)):
        transcriber = FakeTranscriber([said] * 3)
        async with Talk(chat=FakeChat([STORY]), transcriber=transcriber) as talk:
            await talk.ask("Tell me a story.")
            await talk.until("response.output_audio.delta")
            await talk.silence(0.2)
            await talk.speak(0.4)
            await talk.silence(1.2)
            assert ("input_audio_buffer.speech_started" in talk.types) is interrupts, said


@scripted
async def test_nothing_of_a_false_start_reaches_the_wire_and_it_is_counted():
    """A cough, and murmurs with all their transcripts, while the reply is made and while it only sounds."""
    chat = FakeChat([[*STORY, (0.1, "And when the sun went down it slept in the sand. " * 3)]])
    transcriber = FakeTranscriber(["Mhm."] * 99)
    async with Talk(chat=chat, speech=FakeSpeech(factor=2.0), transcriber=transcriber) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        sounds = 0
        while "response.done" not in talk.types or sounds < 8:
            await talk.speak((0.16, 0.3, 0.55)[sounds % 3])
            await talk.silence(0.8)
            sounds += 1
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert not [type for type in talk.types if type.startswith("input_audio_buffer")]
        assert not [type for type in talk.types if "transcription" in type]
        assert len(talk.of("conversation.item.added")) == 2
        counted = talk.metrics.false_starts._value.get()
        assert sounds * 2 / 3 <= counted <= sounds


@scripted
async def test_speech_after_generation_but_during_playback_cuts_history():
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    speech = FakeSpeech(factor=50)
    async with Talk(chat=chat, speech=speech, transcriber=FakeTranscriber(["Wait a moment."])) as talk:
        await talk.ask("Count.")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        await talk.speak(1.0)
        await talk.silence(1.5)
        await talk.until("response.done", 2)
        told = next(message.content for message in chat.requests[1].messages if message.role == "assistant")
        assert told.startswith("One two")
        assert not told.endswith("ten.")


@scripted
async def test_an_undisturbed_reply_is_kept_whole():
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    async with Talk(chat=chat) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        await talk.silence(9.0)
        await talk.ask("And?")
        await talk.until("response.done", 2)
        told = next(message.content for message in chat.requests[1].messages if message.role == "assistant")
        assert told == "".join(text for _, text in STORY)


@scripted
async def test_manual_commit_then_create_waits_for_the_transcript():
    chat = FakeChat([[(0.1, "Fine.")]])
    manual = {"audio": {"input": {"turn_detection": None}}}
    async with Talk(chat=chat, transcriber=FakeTranscriber(["How are you?"], delay_s=0.5), **manual) as talk:
        await talk.microphone(LOUD, 1.0)
        await talk.send("input_audio_buffer.commit")
        await talk.send("response.create")
        created, completed = (
            talk.of("response.created"),
            talk.of("conversation.item.input_audio_transcription.completed"),
        )
        assert created
        assert not completed
        await talk.until("response.done")
        assert [message.content for message in chat.requests[0].messages][-1] == "How are you?"
        assert "input_audio_buffer.speech_started" not in talk.types


@scripted
async def test_a_commit_by_hand_of_silence_is_not_decoded():
    transcriber = FakeTranscriber(["I'm not going to be able to do that."])
    async with Talk(transcriber=transcriber, audio={"input": {"turn_detection": None}}) as talk:
        await talk.microphone(SILENT, 1.0)
        await talk.send("input_audio_buffer.commit")
        assert (await talk.until("conversation.item.input_audio_transcription.completed"))["transcript"] == ""
        assert transcriber.asked == []


@scripted
async def test_an_empty_commit_is_refused():
    async with Talk() as talk:
        await talk.send("input_audio_buffer.commit", event_id="c1")
        error = (await talk.until("error"))["error"]
        assert error["code"] == "input_audio_buffer_commit_empty"
        assert error["event_id"] == "c1"
        assert "0.00ms" in error["message"]


@scripted
async def test_noise_without_words_is_no_turn():
    async with Talk(transcriber=FakeTranscriber([""])) as talk:
        await talk.speak(0.6)
        await talk.silence(1.5)
        assert (await talk.until("conversation.item.input_audio_transcription.completed"))["transcript"] == ""
        assert "response.created" not in talk.types


@scripted
async def test_a_failed_transcript_is_told_and_the_next_turn_works():
    transcriber = FakeTranscriber([ProviderUnavailable("down")] * 2 + ["Hello."] * 2)
    async with Talk(transcriber=transcriber) as talk:
        await talk.speak(0.6)
        await talk.silence(1.5)
        failed = await talk.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "transcription_failed"
        await talk.speak(0.6)
        await talk.silence(2.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_a_failed_transcript_fails_a_response_that_waits_for_it():
    transcriber = FakeTranscriber([ProviderTimeout("slow")])
    async with Talk(transcriber=transcriber, audio={"input": {"turn_detection": None}}) as talk:
        await talk.speak(0.6)
        await talk.send("input_audio_buffer.commit")
        await talk.send("response.create")
        details = (await talk.until("response.done"))["response"]["status_details"]
        assert details["error"]["code"] == "transcription_failed"


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
    async with Talk(chat=chat) as talk:
        await talk.ask("Weather?")
        done = await talk.until("response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["message", "function_call"]


@scripted
async def test_the_idle_timeout_does_not_begin_between_two_replies():
    """The first one has been heard while the second one is still thought about."""
    chat = FakeChat([[(0.1, "Hello.")], [(3.0, STORY[0][1] + STORY[1][1])]])
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with Talk(chat=chat, audio={"input": {"turn_detection": detection}}) as talk:
        await talk.ask("Hi")
        await talk.until("response.done")
        await talk.ask("Tell me a story.")
        await talk.until("response.done", 2)
        begun_s = talk.of("response.output_audio.delta")[-1]["at"]
        triggered = await talk.until("input_audio_buffer.timeout_triggered")
        assert triggered["at"] > begun_s + 5.0


@scripted
async def test_the_idle_timeout_counts_from_when_the_player_says_it_has_ended():
    """The server's own estimate of the end comes later, and begins nothing anew."""
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    chat = FakeChat([[(0.1, STORY[0][1] + STORY[1][1])]])
    async with Talk(chat=chat, extensions="playback", audio={"input": {"turn_detection": detection}}) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        item_id = talk.of("conversation.item.added")[-1]["item"]["id"]
        played = {"item_id": item_id, "played_ms": int(talk.audio_ms()), "state": "drained"}
        await talk.send("output_audio_buffer.played", **played)
        drained_s = talk.of("output_audio_buffer.stopped")[0]["at"]
        triggered = await talk.until("input_audio_buffer.timeout_triggered")
        assert triggered["at"] == pytest.approx(drained_s + 5.0, abs=0.01)


@scripted
async def test_the_words_that_interrupt_are_told_like_all_others():
    """A delta needs two decodes that agree: the first of them is the one that announces the speech."""
    transcriber = FakeTranscriber(["Stop it."], interim_texts=["Stop it", "Stop it please"])
    async with Talk(chat=FakeChat([STORY]), transcriber=transcriber) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.8)
        assert len(transcriber.asked) == 2
        assert [event["delta"] for event in talk.of("conversation.item.input_audio_transcription.delta")] == [
            "Stop it"
        ]


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


@scripted
async def test_an_answer_without_text_fails():
    async with Talk(chat=FakeChat([[]])) as talk:
        await talk.ask("Hi")
        failed = (await talk.until("response.done"))["response"]
        assert failed["status_details"]["error"]["code"] == "empty_answer"


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


@scripted
async def test_clear_forgets_open_speech():
    async with Talk(transcriber=FakeTranscriber(["Hello."])) as talk:
        await talk.speak(0.5)
        await talk.send("input_audio_buffer.clear")
        assert "input_audio_buffer.cleared" in talk.types
        await talk.silence(1.5)
        assert "input_audio_buffer.speech_stopped" not in talk.types
        assert "response.created" not in talk.types


@scripted
async def test_new_speech_before_the_answer_merges_into_one_question():
    chat = FakeChat([[(0.1, "Both.")]])
    transcriber = FakeTranscriber(["First part.", "Second part."], delay_s=0.4, interim=False)
    async with Talk(chat=chat, transcriber=transcriber) as talk:
        await talk.speak(0.6)
        await talk.silence(0.6)
        await talk.speak(0.6)
        await talk.silence(2.0)
        await talk.until("response.done")
        users = [message.content for message in chat.requests[0].messages if message.role == "user"]
        assert " ".join(users) == "First part. Second part."
        assert len(chat.requests) == 1


@scripted
async def test_a_question_that_the_client_deletes_before_its_words_are_known_is_not_answered():
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Hello there."], delay_s=0.8)) as talk:
        await talk.speak(1.0)
        await talk.silence(0.6)
        item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
        await talk.send("conversation.item.delete", item_id=item_id)
        await talk.silence(1.5)
        assert not talk._run.done(), "the session lives on"
        assert chat.requests == []
        await talk.ask("Hello?")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_a_turn_that_has_ended_is_answered_by_the_rules_it_ended_under():
    manual = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    for create_response in (False, True):
        async with Talk(
            transcriber=FakeTranscriber(["Hello."], delay_s=1.0, interim=False),
            audio={"input": {"turn_detection": {"type": "server_vad", "create_response": create_response}}},
        ) as talk:
            await talk.speak(1.0)
            await talk.silence(0.6)
            await talk.until("input_audio_buffer.committed")
            await talk.send("session.update", session=manual)
            await talk.until("conversation.item.input_audio_transcription.completed")
            await asyncio.sleep(1.0)
            assert ("response.created" in talk.types) is create_response


@scripted
async def test_items_are_created_retrieved_deleted():
    async with Talk() as talk:
        item = {
            "id": "msg_1",
            "type": "message",
            "role": "user",
            "content": [{"type": "input_text", "text": "Hi"}],
        }
        await talk.send("conversation.item.create", item=item)
        await talk.send("conversation.item.create", item=item, event_id="again")
        assert (await talk.until("error"))["error"]["code"] == "item_create_duplicate_item_id"
        await talk.send("conversation.item.create", item={**item, "id": "msg_0"}, previous_item_id="root")
        assert talk.of("conversation.item.added")[-1]["previous_item_id"] is None
        await talk.send("conversation.item.delete", item_id="msg_1")
        assert (await talk.until("conversation.item.deleted"))["item_id"] == "msg_1"
        await talk.send("conversation.item.retrieve", item_id="msg_1", event_id="rci_msg_1")
        assert (await talk.until("error", 2))["error"]["event_id"] == "rci_msg_1"
        await talk.send("conversation.item.create", item=item, previous_item_id="msg_0")
        assert talk.of("conversation.item.added")[-1]["previous_item_id"] == "msg_0"


@scripted
async def test_audio_in_a_created_item_is_transcribed():
    chat = FakeChat([[(0.1, "Hello.")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Good morning."])) as talk:
        audio = base64.b64encode(LOUD * 40).decode()
        content = [{"type": "input_audio", "audio": audio}]
        await talk.send(
            "conversation.item.create", item={"type": "message", "role": "user", "content": content}
        )
        await talk.send("response.create")
        completed = await talk.until("conversation.item.input_audio_transcription.completed")
        assert completed["transcript"] == "Good morning."
        await talk.until("response.done")
        assert chat.requests[0].messages[-1].content == "Good morning."


@scripted
async def test_playback_acknowledgements_decide_what_was_heard():
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    transcriber, speech = FakeTranscriber(["Stop, please."]), FakeSpeech(factor=1.2)
    async with Talk(chat=chat, transcriber=transcriber, speech=speech, extensions="playback") as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        assert "output_audio_buffer.started" in talk.types
        await talk.silence(1.0)
        await talk.speak(0.4)
        await talk.until("response.done")
        started, cleared = (
            talk.types.index("input_audio_buffer.speech_started"),
            talk.types.index("output_audio_buffer.cleared"),
        )
        assert started < cleared < talk.types.index("response.done")
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=640, state="flushed")
        truncated = await talk.until("conversation.item.truncated")
        assert truncated["audio_end_ms"] == 640
        assert truncated["transcript"] == "Once there"


@scripted
async def test_words_join_to_the_transcript():
    async with Talk(chat=FakeChat([STORY]), extensions="words") as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        words = [word for event in talk.of("response.output_audio_words.delta") for word in event["words"]]
        transcript = talk.of("response.output_audio_transcript.done")[0]["transcript"]
        assert "".join(word["text"] for word in words) == transcript
        assert all(a["start_ms"] <= b["start_ms"] for a, b in itertools.pairwise(words))


@scripted
async def test_the_waterfall_of_a_turn():
    async with Talk(transcriber=FakeTranscriber(["Hello there."]), extensions="latency") as talk:
        await talk.speak(0.8)
        await talk.silence(2.0)
        latency = await talk.until("response.latency.done")
        marks = latency["marks"]
        assert latency["origin"] == "speech_ended"
        assert marks["speech_ended"] == 0
        assert 400 <= marks["turn_confirmed"] <= 600
        assert (
            marks["turn_confirmed"]
            <= marks["chat_request"]
            < marks["chat_first_delta"]
            <= marks["first_chunk"]
        )
        assert marks["first_chunk"] < marks["speech_first_audio"] <= marks["first_audio_sent"]


@scripted
async def test_the_waterfall_has_the_first_acknowledgement_and_waits_for_none_that_came():
    async with Talk(chat=FakeChat([STORY]), extensions="playback,latency") as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        done, latency = await talk.until("response.done"), await talk.until("response.latency.done")
        assert latency["marks"]["playback_started"] >= latency["marks"]["first_audio_sent"]
        assert latency["at"] == done["at"]


@scripted
async def test_the_waterfall_of_a_finished_reply_waits_for_the_first_acknowledgement():
    async with Talk(extensions="playback,latency") as talk:
        await talk.ask("Hello?")
        done = await talk.until("response.done")
        await asyncio.sleep(1.0)
        assert "response.latency.done" not in talk.types
        item_id = talk.of("response.output_audio.delta")[0]["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        latency = await talk.until("response.latency.done")
        assert latency["at"] - done["at"] == pytest.approx(1.0)
        assert "playback_started" in latency["marks"]


@scripted
async def test_a_session_that_ends_during_a_tentative_interruption_leaves_no_task():
    """The end of the reply makes the speech certain, and speech prewarms the chat model."""

    class SlowToPrewarm(FakeChat):
        async def prewarm(self) -> None:
            await asyncio.sleep(5.0)

    others = asyncio.all_tasks()
    async with Talk(chat=SlowToPrewarm([STORY])) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.2)
    assert asyncio.all_tasks() == others


@scripted
async def test_a_client_that_asked_for_nothing_sees_only_ga():
    async with Talk(chat=FakeChat([STORY]), transcriber=FakeTranscriber(["Stop now, please."])) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.8)
        await talk.silence(2.0)
        await talk.until("response.done", 2)
        assert not [type for type in talk.types if type.startswith("output_audio_buffer") or "words" in type]
        assert "conversation.item.truncated" not in talk.types
        assert "extensions" not in talk.events[0]["session"]


@scripted
async def test_idle_timeout_speaks_up():
    chat = FakeChat([[(0.1, "Hello.")], [(0.1, "Are you still there?")]])
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with Talk(chat=chat, audio={"input": {"turn_detection": detection}}) as talk:
        await talk.ask("Hi")
        await talk.until("response.done")
        await talk.silence(7.0)
        triggered = await talk.until("input_audio_buffer.timeout_triggered")
        await talk.until("response.done", 2)
        after = talk.types[talk.events.index(triggered) :]
        assert after[1:4] == [
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
        ]


@scripted
async def test_speech_is_announced_ahead_of_audio_that_nobody_waits_for():
    """The player emptied itself, so nothing sounds that could be cut; what is still unsent must not sound either."""
    async with Talk(chat=FakeChat([STORY]), extensions="playback") as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        talk.reads.clear()
        await asyncio.sleep(0.2)
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0, state="flushed")
        await asyncio.sleep(5.0)
        assert talk.outbox.unsent_audio_ms > 1_000
        await talk.speak(0.3)
        assert talk.outbox.unsent_audio_ms == 0
        talk.reads.set()
        await talk.until("input_audio_buffer.speech_started")


@scripted
async def test_speech_after_the_output_was_cleared_interrupts_nothing():
    """Nobody hears the reply any more: a short "yes" is a turn, and no murmur of a listener."""
    async with Talk(
        chat=FakeChat([STORY]), transcriber=FakeTranscriber(["Yes."]), extensions="playback"
    ) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        await talk.send("output_audio_buffer.clear")
        assert talk.types[-1] == "output_audio_buffer.cleared"
        await talk.speak(0.2)
        assert talk.types[-1] == "input_audio_buffer.speech_started"
        await talk.silence(1.0)
        await talk.until("response.done", 2)
