"""Every call that the server has begun gets an output: what its tool gave, or that it was stopped."""

import asyncio

import pytest

from realtime.core.messages import ChatFinish
from realtime.errors import ProviderUnavailable
from realtime.replying.output_items import STOPPED
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call
from tests.session.test_server_tools import CALL, get_weather, items, outputs


@scripted
async def test_a_question_right_after_a_cancel_knows_that_the_tool_was_stopped():
    chat = FakeChat([CALL])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Weather?")
        await asyncio.sleep(0.5)
        await talk.send("response.cancel")
        await talk.send("response.create")
        await talk.until("response.done", 2)
        assert outputs(chat.requests[1]) == [STOPPED]
        given = [item["output"] for item in items(talk) if item["type"] == "function_call_output"]
        assert given == [STOPPED], "once"


BROKEN_OFF = (0.0, call("get_weather", '{"city":', "call_2", 1))
BROKEN_VOICE = FakeSpeech(errors=[ProviderUnavailable("The voice is lost.")])


@pytest.mark.parametrize(
    ("more", "speech"),
    [
        ([BROKEN_OFF], None),
        ([BROKEN_OFF, (0.1, ProviderUnavailable("The chat is lost."))], None),
        ([(0.0, ChatFinish("tool_calls"))], BROKEN_VOICE),
    ],
    ids=["a call that breaks off", "the chat model", "the voice"],
)
def test_a_tool_ends_its_work_although_the_reply_fails(more, speech):
    """What it did is done: who asks next has to know it."""

    @scripted
    async def run():
        chat = FakeChat([[(0.1, "Let me look. "), CALL[0], *more], [(0.1, "Four.")]])
        async with Talk(chat=chat, speech=speech, server_tools=Toolbox([get_weather])) as talk:
            await talk.ask("Weather?")
            assert (await talk.until("response.done"))["response"]["status"] == "failed"
            await talk.ask("And?")
            await talk.until("response.done", 2)
            assert outputs(chat.requests[1]) == ["four degrees"]
            assert len(chat.requests) == 2, "nobody asks on after a failure"

    run()


@scripted
async def test_a_voice_that_is_silent_for_too_long_does_not_stop_the_tool():
    async def slow() -> str:
        await asyncio.sleep(40)
        return "at last"

    chat = FakeChat([[(0.1, "Let me look. "), (0.1, call("slow", "{}"))], [(0.1, "Done.")]])
    tools = Toolbox([slow], timeout_s=60)
    async with Talk(chat=chat, speech=FakeSpeech(first_s=600), server_tools=tools) as talk:
        await talk.ask("Take your time.")
        failed = (await talk.until("response.done"))["response"]
        assert failed["status_details"]["error"]["code"] == "upstream_timeout"
        await talk.ask("And?", output_modalities=["text"])
        await talk.until("response.done", 2)
        assert outputs(chat.requests[1]) == ["at last"]


@scripted
async def test_a_tool_that_cancels_itself_has_an_output():
    async def lost() -> str:
        task = asyncio.create_task(asyncio.sleep(1))
        task.cancel()
        await task
        return "never"

    async def cancels_us() -> str:
        asyncio.current_task().cancel()
        await asyncio.sleep(1)
        return "never"

    chat = FakeChat(
        [[(0.1, call("lost", "{}")), (0.0, call("cancels_us", "{}", "call_2", 1))], [(0.1, "Sorry.")]]
    )
    async with Talk(chat=chat, server_tools=Toolbox([lost, cancels_us])) as talk:
        await talk.ask("Weather?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert outputs(chat.requests[1]) == ['{"error":"lost failed: it was cancelled"}', STOPPED]


@scripted
async def test_half_a_surrogate_pair_from_a_model_or_a_tool_does_not_stay_in_the_conversation():
    async def smile(text: str) -> str:
        return f"{text} \ud83d"

    chat = FakeChat(
        [[(0.1, "Look: \ude00 "), (0.1, call("smile", '{"text":"\ud83d"}'))], [(0.1, "\ud83d Done.")]]
    )
    async with Talk(chat=chat, server_tools=Toolbox([smile])) as talk:
        await talk.ask("Smile.")
        await talk.until("response.done", 2)
        assert outputs(chat.requests[1]) == ["\ufffd \ufffd"]
        statuses = [done["response"]["status"] for done in talk.of("response.done")]
        assert statuses == ["completed", "completed"]


@scripted
async def test_half_a_surrogate_pair_from_a_transcriber_does_not_stay_in_the_conversation():
    chat, transcriber = FakeChat(), FakeTranscriber(["What is the weather \ud83d like?"])
    async with Talk(chat=chat, transcriber=transcriber) as talk:
        await talk.speak(1.0)
        await talk.silence(3.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert chat.requests[0].messages[-1].content == "What is the weather \ufffd like?"


# -- providers that go wrong


class QuittingChat(FakeChat):
    async def stream(self, request):
        raise SystemExit("usage: chat")
        yield


class QuittingTranscriber(FakeTranscriber):
    async def transcribe(self, samples, *, language, final):
        raise SystemExit("usage: transcriber")


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_chat_model_that_wants_to_end_the_process_ends_its_reply(modality: str):
    @scripted
    async def run():
        async with Talk(chat=QuittingChat(), output_modalities=[modality]) as talk:
            for number in (1, 2):
                await talk.ask("Hello?")
                failed = (await talk.until("response.done", number))["response"]
                assert failed["status_details"]["error"]["code"] == "internal_error"

    run()


@scripted
async def test_a_transcriber_that_wants_to_end_the_process_ends_its_transcription():
    async with Talk(transcriber=QuittingTranscriber()) as talk:
        await talk.speak(1.0)
        await talk.silence(3.0)
        assert talk.of("conversation.item.input_audio_transcription.failed")
        await talk.ask("Hello?")
        await talk.until("response.done")
