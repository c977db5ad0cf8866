"""Conversations as scripts, in virtual time: what a client sends, hears and finds in history."""

import asyncio
import base64

import pytest

from realtime.core.chunker import Boundary, Chunk
from realtime.core.messages import ToolCall
from tests.conversing import LOUD, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.early import Heard
from tests.session.stories import STORY


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


@scripted
async def test_a_clear_takes_away_the_open_speech_and_no_question_before_it():
    """Its text may still be on its way, or be there already."""
    for text_after_s in (1.5, 0.75):
        async with Talk(transcriber=Heard((0, "What time is it?"), delay_s=text_after_s)) as talk:
            await talk.speak(1.0)
            await talk.silence(0.6)
            assert len(talk.of("input_audio_buffer.committed")) == 1
            await talk.speak(0.4)
            assert len(talk.of("input_audio_buffer.speech_started")) == 2
            await talk.send("input_audio_buffer.clear")
            await talk.silence(3.0)
            await talk.until("response.done")
            assert len(talk.of("response.created")) == 1
            assert len(talk.of("input_audio_buffer.committed")) == 1
