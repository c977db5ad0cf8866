"""Answers begun before the turn is over: used when the guess was right, never seen or heard when it was wrong."""

import asyncio

import pytest

from realtime.core.conversation import Message, Text
from realtime.core.messages import ChatFinish
from realtime.errors import ProviderUnavailable
from realtime.providers.base import Transcript
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call, functions
from tests.session.early import FADED, NOON, VOICE, Heard, outcomes, settings


@scripted
async def test_a_right_guess_is_redeemed_and_the_model_is_asked_once_and_early():
    chat = FakeChat([NOON])
    async with Talk(chat=chat, transcriber=Heard((0, "What time is it?")), settings=settings()) as talk:
        await talk.speak(1.0)
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert chat.requests[0].messages[-1].content == "What time is it?"
        stopped = talk.of("input_audio_buffer.speech_stopped")[0]["at"]
        first = talk.of("response.output_audio.delta")[0]["at"]
        assert first - stopped == pytest.approx(0.2, abs=0.06), "only the voice was still to come"
        assert outcomes(talk) == {"used": 1}


@scripted
async def test_without_speculation_the_model_is_asked_after_the_turn():
    async with Talk(
        chat=FakeChat([NOON]), transcriber=Heard((0, "What time is it?")), settings=settings("off")
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(2.0)
        await talk.until("response.done")
        stopped = talk.of("input_audio_buffer.speech_stopped")[0]["at"]
        assert talk.of("response.output_audio.delta")[0]["at"] - stopped >= 0.49
        assert outcomes(talk) == {}


@scripted
async def test_nothing_of_an_early_answer_shows_before_the_turn_is_over():
    async with Talk(
        chat=FakeChat([[(0.0, "It is noon.")]]),
        speech=FakeSpeech(first_s=0.0),
        transcriber=Heard((0, "What time is it?")),
        settings=settings("speech"),
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(2.0)
        await talk.until("response.done")
        assert talk.types.index("response.created") > talk.types.index("input_audio_buffer.committed")
        assert talk.types.index("response.output_audio.delta") > talk.types.index("response.created")


@scripted
async def test_with_speech_the_first_chunk_is_spoken_behind_the_gate():
    for level, spoken_early in (("chat", False), ("speech", True)):
        speech = FakeSpeech(first_s=0.2)
        async with Talk(
            chat=FakeChat([[(0.05, "It is noon. "), (0.05, "Have a good lunch, my dear friend!")]]),
            speech=speech,
            transcriber=Heard((0, "What time is it?")),
            settings=settings(level),
        ) as talk:
            await talk.speak(1.0)
            await talk.silence(0.4)
            assert "input_audio_buffer.speech_stopped" not in talk.types
            assert (speech.said == ["It is noon."]) is spoken_early, "one chunk, and no second one"
            await talk.silence(1.6)
            await talk.until("response.done")
            stopped = talk.of("input_audio_buffer.speech_stopped")[0]["at"]
            delay_s = talk.of("response.output_audio.delta")[0]["at"] - stopped
            assert delay_s <= 0.06 if spoken_early else delay_s >= 0.19
            assert talk.of("response.output_audio_transcript.done")[0]["transcript"].startswith("It is noon.")


@scripted
async def test_an_early_answer_that_is_complete_begins_like_any_other():
    async with Talk(
        chat=FakeChat([[(0.05, "It is noon.")]]),
        transcriber=Heard((0, "What time is it?")),
        settings=settings(),
        output_modalities=["text"],
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(2.0)
        done = await talk.until("response.done")
        created = talk.of("response.created")[0]["response"]
        assert (created["status"], created["output"], created["usage"]) == ("in_progress", [], None)
        assert done["response"]["usage"]["total_tokens"] == 40


@scripted
async def test_the_waterfall_tells_when_the_voice_began_behind_the_gate():
    async with Talk(
        chat=FakeChat([[(0.05, "It is noon. "), (0.05, "Have a good lunch, my dear friend!")]]),
        speech=FakeSpeech(first_s=0.05),
        transcriber=Heard((0, "What time is it?")),
        settings=settings("speech"),
        extensions="latency",
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(2.0)
        marks = (await talk.until("response.latency.done"))["marks"]
        assert marks["speech_first_audio"] == pytest.approx(marks["first_chunk"] + 50, abs=2)
        assert marks["speech_first_audio"] < marks["turn_confirmed"] <= marks["first_audio_sent"]


@scripted
async def test_speech_is_not_prepared_when_half_of_the_budget_is_spent():
    speech = FakeSpeech(budget=20.0)
    async with Talk(
        chat=FakeChat([NOON]),
        speech=speech,
        transcriber=Heard((0, "Hello there.")),
        settings=settings("speech"),
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(0.45)
        assert speech.said == []
        await talk.silence(1.0)
        await talk.until("response.done")


@scripted
async def test_speech_that_goes_on_discards_the_guess_and_the_second_guess_is_used():
    chat = FakeChat([[(0.05, "Wrong answer.")], [(0.05, "Right answer.")]])
    transcriber = Heard(
        (0, "What time"),
        (0.82, "What time is it?"),
        (1.15, "What time is it in"),
        (1.6, "What time is it in Rome?"),
    )
    async with Talk(chat=chat, transcriber=transcriber, settings=settings("speech")) as talk:
        await talk.speak(0.8)
        await talk.silence(0.3)
        assert len(chat.requests) == 1
        await talk.speak(0.1)
        assert chat.running == 0, "the wrong guess is thrown away at once"
        await talk.speak(0.7)
        await talk.silence(2.0)
        done = await talk.until("response.done")
        asked = [request.messages[-1].content for request in chat.requests]
        assert asked == ["What time is it?", "What time is it in Rome?"]
        assert done["response"]["output"][0]["content"][0]["transcript"].strip() == "Right answer."
        assert not [event for event in talk.events if "Wrong" in str(event)]
        assert outcomes(talk) == {"wasted": 1, "used": 1}


@scripted
async def test_a_guess_that_the_final_transcript_contradicts_is_never_heard():
    """While the user spoke it looked like one sentence; the better decode at the end says another."""
    chat = FakeChat([[(0.05, "Wrong answer.")], [(0.05, "Right answer.")]])
    transcriber = FakeTranscriber(["What time is it?"], interim_texts=["What climb is it?"] * 9)
    async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
        await talk.speak(1.5)
        await talk.silence(2.0)
        await talk.until("response.done")
        asked = [request.messages[-1].content for request in chat.requests]
        assert asked == ["What climb is it?", "What time is it?"]
        assert not [event for event in talk.events if "Wrong" in str(event)]
        assert outcomes(talk) == {"wasted": 1, "used": 1}


@scripted
async def test_a_false_start_keeps_the_reply_and_never_speculates():
    """A murmur during a reply is transcribed at its pause, and nothing comes of it."""
    story = [
        (0.1, "Once there was a small dog, and it lived by the sea. "),
        (0.2, "It ran along the beach. "),
    ]
    chat = FakeChat([story])
    async with Talk(chat=chat, transcriber=Heard((0, "Mhm.")), settings=settings("speech")) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.4)
        await talk.silence(1.5)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert len(chat.requests) == 1
        assert outcomes(talk) == {}


@scripted
async def test_a_change_of_the_conversation_invalidates_the_guess():
    chat = FakeChat([[(0.05, "Wrong answer.")], [(0.05, "Right answer.")]])
    async with Talk(chat=chat, transcriber=Heard((0, "And now?")), settings=settings()) as talk:
        await talk.speak(0.8)
        await talk.silence(0.3)
        content = [{"type": "input_text", "text": "The user is in Rome."}]
        await talk.send(
            "conversation.item.create", item={"type": "message", "role": "system", "content": content}
        )
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == 2
        assert "The user is in Rome." in [message.content for message in chat.requests[1].messages]
        assert not [event for event in talk.events if "Wrong" in str(event)]


@scripted
async def test_a_change_of_the_instructions_invalidates_the_guess():
    chat = FakeChat([[(0.05, "Wrong answer.")], [(0.05, "Right answer.")]])
    async with Talk(chat=chat, transcriber=Heard((0, "And now?")), settings=settings()) as talk:
        await talk.speak(0.8)
        await talk.silence(0.3)
        await talk.send("session.update", session={"type": "realtime", "instructions": "Answer in French."})
        await talk.silence(2.0)
        await talk.until("response.done")
        assert chat.requests[1].messages[0].content == "Answer in French."
        assert not [event for event in talk.events if "Wrong" in str(event)]


@scripted
async def test_an_early_answer_that_failed_is_asked_again():
    chat = FakeChat([[(0.05, ProviderUnavailable("overloaded"))], [(0.05, "Fine.")]])
    async with Talk(chat=chat, transcriber=Heard((0, "How are you?")), settings=settings()) as talk:
        await talk.speak(0.8)
        await talk.silence(2.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert len(chat.requests) == 2


@scripted
async def test_cleared_audio_takes_the_guess_with_it():
    chat = FakeChat([[(5.0, "Too late.")]])
    async with Talk(chat=chat, transcriber=Heard((0, "How are you?")), settings=settings()) as talk:
        await talk.speak(0.8)
        await talk.silence(0.3)
        assert chat.running == 1
        await talk.send("input_audio_buffer.clear")
        await asyncio.sleep(0.01)
        assert chat.running == 0
        assert outcomes(talk) == {"wasted": 1}


@scripted
async def test_the_same_words_with_other_marks_are_the_same_question():
    chat = FakeChat([NOON])
    transcriber = Heard((0, "well what time is it?"), (1.2, "Well, what time is it?"))
    async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
        await talk.speak(1.3)
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert outcomes(talk) == {"used": 1}


@scripted
async def test_a_conversation_too_long_to_be_asked_about_fails_the_answer_and_not_the_session():
    """The voice fades after a sentence that an interim decode knows: the early answer begins inside an append."""
    chat, transcriber = FakeChat(), Heard((0, "What time is it?"))
    async with Talk(chat=chat, transcriber=transcriber, settings=settings(), truncation="disabled") as talk:
        talk.session.conversation.add(Message("item_long", "user", (Text("x" * 400_000),)))
        await talk.microphone(VOICE, 1.0)
        await talk.microphone(FADED, 0.2)
        await talk.silence(1.5)
        done = await talk.until("response.done")
        assert done["response"]["status_details"]["error"]["code"] == "context_length_exceeded"
        assert chat.requests == []


@scripted
async def test_nothing_is_asked_on_a_guess_when_half_of_the_chat_budget_is_spent():
    chat = FakeChat([NOON], budget=100.0)
    async with Talk(chat=chat, transcriber=Heard((0, "What time is it?")), settings=settings()) as talk:
        await talk.speak(1.5)
        await talk.silence(0.25)
        assert chat.requests == []
        await talk.silence(1.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert outcomes(talk) == {}


ANSWERS = {
    "written": ([(0.0, "It is noon.")], {"output_modalities": ["text"]}),
    "a call": ([(0.0, call("get_time", "{}"))], {"tools": functions("get_time")}),
    "words and a call": (
        [(0.0, "Let me look that up for you. "), (0.0, call("get_time", "{}"))],
        {"tools": functions("get_time")},
    ),
    "no sound": ([(0.0, "🎉🎉")], {}),
    "nothing": ([], {}),
    "nothing written": ([], {"output_modalities": ["text"]}),
    "cut short": ([(0.0, "It is"), (0.0, ChatFinish("length"))], {}),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_the_early_answer_is_it_stays_behind_the_gate(name):
    answer, session = ANSWERS[name]

    @scripted
    async def conversation():
        async with Talk(
            chat=FakeChat([answer]),
            transcriber=Heard((0, "What time is it?")),
            settings=settings("speech"),
            **session,
        ) as talk:
            await talk.speak(1.0)
            await talk.silence(0.4)
            assert not [type for type in talk.types if type.startswith("response.")]
            assert len(talk.of("conversation.item.added")) == 0
            await talk.silence(1.6)
            await talk.until("response.done")
            events = [type for type in talk.types if type.startswith("response.")]
            assert events[0] == "response.created"
            assert events[-1] == "response.done"
            assert outcomes(talk) == {"used": 1}

    conversation()


@scripted
async def test_nothing_is_guessed_where_no_answer_would_come_of_it():
    """The client asks for answers itself; or a reply goes on under the user's speech; or the speech is suspected,
    while a reply is made or still sounds."""
    story = [(0.1, "Once there was a small dog, and it lived by the sea, far away from here. ")] * 3
    silent = {"type": "server_vad", "create_response": False}
    kept = {"type": "server_vad", "interrupt_response": False}
    usual = {"type": "server_vad"}
    for detection, until in (
        (silent, None),
        (kept, "response.output_audio.delta"),
        (usual, "response.output_audio.delta"),
        (usual, "response.done"),
    ):
        chat = FakeChat([story] if until else [])
        async with Talk(
            chat=chat,
            speech=FakeSpeech(factor=50),
            transcriber=Heard((0, "Yeah." if detection == usual else "What time is it?")),
            settings=settings("speech"),
            audio={"input": {"turn_detection": detection}},
        ) as talk:
            if until:
                await talk.ask("Tell me a story.")
                await talk.until(until)
            await talk.speak(0.55)
            await talk.silence(0.4)
            assert (len(chat.requests), outcomes(talk)) == (1 if until else 0, {}), (detection, until)


class SlowAtTheEnd(FakeTranscriber):
    """Understands quickly while the user speaks, and then takes a second to say how it ended."""

    async def transcribe(self, samples, *, language, final):
        await asyncio.sleep(1.0 if final else 0.02)
        if final and self.texts == ["fails"]:
            raise ProviderUnavailable("The transcriber is gone.")
        return Transcript("What time is it?")


@scripted
async def test_a_guess_does_not_outlive_its_turn():
    """The final decode fails, or the client deletes the question: nobody asks any more."""
    for texts in (["fails"], ["is deleted"]):
        chat = FakeChat([[(9.0, "Wrong answer.")]])
        async with Talk(chat=chat, transcriber=SlowAtTheEnd(texts), settings=settings()) as talk:
            await talk.speak(1.5)
            await talk.silence(0.8)
            assert chat.running == 1
            if texts == ["is deleted"]:
                item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
                await talk.send("conversation.item.delete", item_id=item_id)
            await talk.silence(1.5)
            assert (chat.running, outcomes(talk)) == (0, {"wasted": 1})


@scripted
async def test_a_guess_that_the_session_takes_along_was_wasted():
    async with Talk(
        chat=FakeChat([NOON]), transcriber=Heard((0, "How are you?")), settings=settings()
    ) as talk:
        await talk.speak(0.8)
        await talk.silence(0.3)
    assert outcomes(talk) == {"wasted": 1}
