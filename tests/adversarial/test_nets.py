"""Whatever breaks inside a reply, a transcript, a timer or an action costs that alone: the session lives."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest

from realtime.errors import ProviderError
from realtime.outbox import OutboxFull
from realtime.protocol.codec import decode
from realtime.providers.base import Transcript
from realtime.settings import Settings
from realtime.tools import Toolbox, tool
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call

BUGS = [ValueError("odd"), KeyError("words"), RecursionError(), OverflowError("int too large"), UnicodeError("half"),
        ExceptionGroup("two", [TypeError("one"), ProviderError("other")])]  # fmt: skip
EARLY = Settings(instructions="Be brief.", voice_id="v1", speculate="chat")
NO_TURNS = {"audio": {"input": {"turn_detection": None}}}


async def still_works(talk: Talk) -> None:
    """The next reply of the session is whole."""
    done = talk.types.count("response.done")
    await talk.ask("Still there?")
    response = (await talk.until("response.done", done + 1))["response"]
    assert response["status"] == "completed"


def traces(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.exc_info]


# -- a reply


@pytest.mark.parametrize("bug", BUGS, ids=repr)
@pytest.mark.parametrize("text", [False, True])
@scripted
async def test_a_chat_model_that_breaks_fails_the_reply(bug: Exception, text: bool, caplog):
    options = {"output_modalities": ["text"]} if text else {}
    async with Talk(chat=FakeChat([[(0.1, "One moment, "), (0.1, "please. "), (0.1, bug)]])) as talk:
        await talk.ask("Hello?", **options)
        response = (await talk.until("response.done"))["response"]
        assert response["status"] == "failed"
        assert response["status_details"]["error"]["code"] == "internal_error"
        assert response["output"][0]["status"] == "incomplete"
        assert traces(caplog)
        await still_works(talk)


@pytest.mark.parametrize("bug", BUGS, ids=repr)
@scripted
async def test_a_voice_that_breaks_fails_the_reply(bug: Exception, caplog):
    async with Talk(speech=FakeSpeech(errors=[bug])) as talk:
        await talk.ask("Hello?")
        response = (await talk.until("response.done"))["response"]
        assert response["status"] == "failed"
        assert traces(caplog)
        await still_works(talk)


@scripted
async def test_the_last_words_of_a_reply_that_break_are_said_as_a_failure(caplog):
    async with Talk(chat=FakeChat()) as talk:
        await talk.ask("Hello?")
        await talk.until("response.output_item.added")
        conversation = talk.session.conversation
        update, conversation.update_speech = conversation.update_speech, None  # so that the end breaks
        response = (await talk.until("response.done"))["response"]
        conversation.update_speech = update
        assert (response["status"], response["status_details"]["error"]["code"]) == (
            "failed",
            "internal_error",
        )
        assert traces(caplog)
        await still_works(talk)


@scripted
async def test_a_client_that_does_not_read_ends_the_session_and_not_as_a_bug(caplog):
    """Also from inside the groups of tasks of a reply."""
    async with Talk(chat=FakeChat([[(0.1, "Hello there. "), (0.1, OutboxFull())]])) as talk:
        await talk.ask("Hello?")
        with pytest.raises(OutboxFull):
            await talk._run
        assert not traces(caplog)


# -- references


@scripted
async def test_a_reference_is_the_item_as_it_was_when_the_response_was_asked_for():
    async with Talk(**NO_TURNS) as talk:
        await talk.send("conversation.item.create", item=user("a", "The word is tulip."))
        for event in (
            b'{"type":"response.create","response":{"input":[{"type":"item_reference","id":"a"}]}}',
            b'{"type":"conversation.item.delete","item_id":"a"}',
        ):
            await talk.session.receive(decode(event))  # no other task runs between the two
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert talk.chat.requests[0].messages[-1].content == "The word is tulip."


@scripted
async def test_a_reference_outlives_its_item_while_a_server_tool_runs():
    @tool
    async def look_up(city: str) -> str:
        """The weather of a city."""
        await asyncio.sleep(5)
        return "rain"

    chat = FakeChat([[(0.1, call("look_up", '{"city": "Ulm"}'))], [(0.1, "It rains.")]])
    async with Talk(chat=chat, server_tools=Toolbox([look_up]), **NO_TURNS) as talk:
        await talk.send("conversation.item.create", item=user("a", "How is the weather in Ulm?"))
        await talk.send("response.create", response={"input": [{"type": "item_reference", "id": "a"}]})
        await asyncio.sleep(1)
        await talk.send("conversation.item.delete", item_id="a")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert "How is the weather in Ulm?" in [message.content for message in chat.requests[1].messages]


def user(item_id: str, text: str) -> dict:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "id": item_id, "role": "user", "content": content}


# -- the early answer


@scripted
async def test_a_conversation_too_long_for_an_early_answer_fails_only_the_reply():
    transcriber = FakeTranscriber(["How are you today?"])
    async with Talk(transcriber=transcriber, settings=EARLY) as talk:
        for number in range(8):
            await talk.send("conversation.item.create", item=user(f"i{number}", "word " * 39_000))
        await talk.send("session.update", session={"truncation": "disabled"})
        await talk.speak()
        await talk.silence(2.0)
        response = (await talk.until("response.done"))["response"]
        assert response["status_details"]["error"]["code"] == "context_length_exceeded"
        await talk.send("session.update", session={"truncation": "auto"})
        await still_works(talk)


# -- listening


@dataclass
class BrokenTranscriber(FakeTranscriber):
    bug: Exception = field(default_factory=ValueError)

    async def transcribe(self, samples, *, language, final) -> Transcript:
        await asyncio.sleep(0.01)
        raise self.bug


@pytest.mark.parametrize("interim", [False, True])
@pytest.mark.parametrize("bug", BUGS, ids=repr)
@scripted
async def test_a_transcriber_that_breaks_costs_the_transcript(bug: Exception, interim: bool, caplog):
    async with Talk(transcriber=BrokenTranscriber(bug=bug, interim=interim)) as talk:
        await talk.speak()
        await talk.silence(1.5)
        await talk.until("conversation.item.input_audio_transcription.failed")
        assert traces(caplog)
        await still_works(talk)


@scripted
async def test_a_text_that_is_no_text_costs_the_transcript(caplog):
    async with Talk(transcriber=FakeTranscriber([7, 7, 7, 7])) as talk:
        await talk.speak()
        await talk.silence(1.5)
        await talk.until("conversation.item.input_audio_transcription.failed")
        await still_works(talk)


# -- timers and callbacks: what they raise ends the session, and never reaches the loop


def strict_loop() -> list[dict]:
    """What the loop's handler is given from now on."""
    told: list[dict] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    return told


def fill(talk: Talk) -> None:
    def full(event, response_id=None):
        raise OutboxFull("full")

    talk.outbox.put = full


@scripted
async def test_an_idle_timer_that_finds_the_queue_full_ends_the_session():
    told = strict_loop()
    idle = {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 5000}}
    async with Talk(audio={"input": idle}) as talk:
        await talk.ask("Hello?")
        await talk.until("response.done")
        await asyncio.sleep(1)
        fill(talk)
        with pytest.raises(OutboxFull):
            await asyncio.wait_for(talk._run, 60)
    assert not told


@pytest.mark.parametrize("interim", [False, True])
@scripted
async def test_a_decode_that_finds_the_queue_full_ends_the_session(interim: bool):
    told = strict_loop()
    transcriber = FakeTranscriber(["Stop it now please."], interim_texts=["Stop it"] * 9, interim=interim)
    async with Talk(transcriber=transcriber, chat=FakeChat([[(0.1, "word " * 200)]])) as talk:
        await talk.ask("Tell me something.")
        await talk.until("response.output_audio.delta", 5)
        fill(talk)
        try:
            await talk.speak()
            await talk.silence(2.0)
        except OutboxFull:
            pass  # the microphone met it first: its connection ends in the same way
        with pytest.raises(OutboxFull):
            await asyncio.wait_for(talk._run, 60)
    assert not told


@scripted
async def test_an_action_that_breaks_is_an_error_and_the_next_turn_works(caplog):
    async with Talk(transcriber=FakeTranscriber(["One.", "Two."])) as talk:
        talk.session._answering.answer = None  # so that StartReply breaks
        await talk.speak()
        await talk.silence(1.5)
        error = (await talk.until("error"))["error"]
        assert (error["type"], error["code"]) == ("server_error", "internal_error")
        assert traces(caplog)
        del talk.session._answering.answer
        await talk.speak()
        await talk.silence(1.5)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
