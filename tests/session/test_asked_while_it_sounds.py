"""`response.create` while only the sound of an answer is missing: the response comes right after that one."""

import asyncio

import pytest

from realtime.providers.testing import FakeSpeech
from realtime.tools import Toolbox
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, call, functions
from tests.session.moving import Losable
from tests.session.test_moved import weather_of
from tests.session.test_moved_speech import say, send_again

SENTENCE = "Of course, let me look up the weather in Oslo for you, one moment please."
LONG = "Oslo lies at the end of a long fjord. " * 20
CALL = call("get_weather", "{}")
COLD = [(0.1, "It is cold.")]
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "4 degrees"}
BUSY = "conversation_already_has_active_response"
TOOLS = functions("get_weather")


async def give_output(talk: Talk, **response) -> None:
    """As many clients do: at once when the call is there."""
    await talk.until("response.function_call_arguments.done")
    await talk.send("conversation.item.create", item=OUTPUT)
    await talk.send("response.create", event_id="mine", response=response)


def said(talk: Talk) -> list[str]:
    return [each["transcript"] for each in talk.of("response.output_audio_transcript.done")]


def ends(talk: Talk) -> list[tuple[str, dict | None]]:
    return [(each["response"]["status"], each["response"]["metadata"]) for each in talk.of("response.done")]


@pytest.mark.parametrize("sentence", [SENTENCE, LONG], ids=["short", "long"])
def test_the_answer_to_a_tool_comes_although_the_model_had_spoken_before_its_call(sentence):
    @scripted
    async def run():
        chat = FakeChat([[(0.1, sentence), (0.0, CALL)], COLD])
        async with Talk(chat=chat, tools=TOOLS) as talk:
            await talk.ask("Weather?")
            await give_output(talk, metadata={"for": "tool"}, instructions="Be brief.")
            assert talk.types.count("response.done") == 0
            await talk.until("response.done", 2, timeout_s=120.0)
            assert said(talk) == [sentence, "It is cold."]
            assert ends(talk) == [("completed", None), ("completed", {"for": "tool"})]
            responses = [type for type in talk.types if type in ("response.created", "response.done")]
            assert responses == ["response.created", "response.done"] * 2
            assert [each.role for each in chat.requests[1].messages] == [
                "system",
                "user",
                "assistant",
                "tool",
            ]
            assert chat.requests[1].messages[0].content == "Be brief."
            assert not talk.of("error")

    run()


@scripted
async def test_one_may_wait_and_none_while_the_model_still_writes():
    chat = FakeChat([[(0.1, "One moment. "), (5.0, LONG)], COLD])
    async with Talk(chat=chat) as talk:
        await talk.ask("Weather?")
        await talk.until("response.output_audio.delta")
        await talk.send("response.create", event_id="too_soon")
        await asyncio.sleep(6.0)
        await talk.ask("And tomorrow?")
        await talk.send("response.create", event_id="second")
        await talk.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
        errors = [(each["error"]["code"], each["error"]["event_id"]) for each in talk.of("error")]
        assert errors == [(BUSY, "too_soon"), (BUSY, "second")]
        assert len(talk.of("response.created")) == 2, "beside the conversation nothing waits"
        await talk.until("response.done", 3, timeout_s=120.0)
        assert chat.requests[2].messages[-1].content == "And tomorrow?"


@pytest.mark.parametrize("type", ["response.cancel", "output_audio_buffer.clear"])
def test_a_cancel_ends_both(type):
    @scripted
    async def run():
        chat = FakeChat([[(0.1, LONG), (0.0, CALL)], COLD])
        async with Talk(chat=chat, tools=TOOLS, extensions="playback") as talk:
            await talk.ask("Weather?")
            await give_output(talk, metadata={"for": "tool"})
            await talk.send(type)
            await asyncio.sleep(5.0)
            assert ends(talk) == [("cancelled", None), ("cancelled", {"for": "tool"})]
            assert talk.of("response.done")[1]["response"]["output"] == []
            assert talk.metrics.responses.labels("cancelled", "")._value.get() == 2
            assert len(chat.requests) == 1
            await talk.send("response.create")
            assert (await talk.until("response.done", 3))["response"]["status"] == "completed"
            assert not talk.of("error")

    run()


@pytest.mark.parametrize("text", ["And Paris?", ""])
def test_words_that_interrupt_are_answered_instead_and_after_a_noise_it_comes(text):
    @scripted
    async def run():
        chat = FakeChat([[(0.1, SENTENCE), (0.0, CALL)], COLD])
        transcriber = FakeTranscriber([text] * 3, interim=False)
        async with Talk(
            chat=chat, transcriber=transcriber, tools=TOOLS, speech=FakeSpeech(factor=1.5)
        ) as talk:
            await talk.ask("Weather?")
            await talk.until("response.output_audio.delta")
            await give_output(talk, metadata={"for": "tool"})
            await talk.speak(1.4)
            await talk.silence(2.0)
            await talk.until("response.done", 3)
            assert said(talk)[-1] == "It is cold."
            statuses = [status for status, _ in ends(talk)]
            if text:
                assert ends(talk)[1] == ("cancelled", {"for": "tool"})
                assert statuses == ["cancelled", "cancelled", "completed"]
            else:
                assert statuses == ["cancelled", "completed", "completed"]
                assert ends(talk)[2][1] == {"for": "tool"}
                assert SENTENCE.endswith(said(talk)[1]), "the rest comes first"
            roles = [each.role for each in chat.requests[1].messages if each.role == "tool"]
            assert (roles, len(chat.requests)) == (["tool"], 2)
            assert not talk.of("error")

    run()


@scripted
async def test_what_was_said_is_answered_after_one_with_its_own_input():
    chat = FakeChat([[(0.1, SENTENCE), (0.0, CALL)], [(0.1, "Please wait.")], COLD])
    patient = {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}
    words = FakeTranscriber(["And Paris?"] * 3, interim=False)
    async with Talk(
        chat=chat, transcriber=words, tools=TOOLS, speech=FakeSpeech(factor=1.5), audio=patient
    ) as talk:
        await talk.ask("Weather?")
        await talk.until("response.output_audio.delta")
        say = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say: wait."}]}
        await give_output(talk, input=[say])
        await talk.speak(1.4)
        await talk.silence(2.0)
        await talk.until("response.done", 3)
        assert said(talk) == [SENTENCE, "Please wait.", "It is cold."]
        last = [(each.role, each.content) for each in chat.requests[2].messages]
        assert ("user", "And Paris?") in last
        assert ("tool", "4 degrees") in last


@pytest.mark.parametrize("own_input", [True, False])
@scripted
async def test_another_one_during_the_speech_that_interrupted_replaces_it_if_it_asks_the_same(own_input):
    chat = FakeChat([[(0.1, SENTENCE), (0.0, CALL)], COLD, COLD])
    noise = FakeTranscriber([""] * 3, interim=False)
    async with Talk(chat=chat, transcriber=noise, tools=TOOLS, speech=FakeSpeech(factor=1.5)) as talk:
        await talk.ask("Weather?")
        await talk.until("response.output_audio.delta")
        await give_output(talk, metadata={"for": "tool"})
        await talk.speak(1.4)
        await talk.send("response.create", response={"input": []} if own_input else {})
        await talk.silence(2.0)
        await asyncio.sleep(9.0)
        statuses = [status for status, metadata in ends(talk) if metadata]
        assert statuses == ["completed" if own_input else "cancelled"]
        assert not talk.of("error")


@scripted
async def test_what_a_tool_of_the_server_gave_is_told_after_one_with_its_own_input():
    chat = FakeChat(
        [[(0.1, SENTENCE), (0.0, call("weather_of", '{"city":"Oslo"}'))], [(0.1, "Please wait.")], COLD]
    )
    async with Talk(chat=chat, speech=FakeSpeech(factor=1.5), server_tools=Toolbox([weather_of])) as talk:
        await talk.ask("Weather?")
        await talk.until("response.output_audio.delta")
        await asyncio.sleep(1.5)  # the tool has ended
        say = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say: wait."}]}
        await talk.send("response.create", response={"input": [say]})
        await talk.until("response.done", 3)
        assert said(talk) == [SENTENCE, "Please wait.", "It is cold."]
        assert "tool" in [each.role for each in chat.requests[2].messages]


@pytest.mark.parametrize("type", ["response.cancel", "output_audio_buffer.clear"])
@pytest.mark.parametrize("text", ["And Paris?", ""])
@pytest.mark.parametrize(("after_s", "late"), [(0.0, True), (1.3, False)])
def test_a_stop_at_once_after_an_interruption_means_what_that_has_stopped(type, text, after_s, late):
    @scripted
    async def run():
        chat = FakeChat([[(0.1, SENTENCE), (0.0, CALL)], COLD])
        words = FakeTranscriber([text] * 3, interim=False, delay_s=2.0)
        tools = {"tools": TOOLS, "extensions": "playback"}
        async with Talk(chat=chat, transcriber=words, speech=FakeSpeech(factor=1.5), **tools) as talk:
            await talk.ask("Weather?")
            await talk.until("response.output_audio.delta")
            await give_output(talk, metadata={"for": "tool"})
            await talk.speak(1.4)
            await asyncio.sleep(after_s)
            await talk.send(type)
            await talk.silence(2.0)
            await asyncio.sleep(9.0)
            asked = [each for each in talk.of("response.done") if each["response"]["metadata"]]
            reasons = [(each["response"]["status_details"] or {}).get("reason") for each in asked]
            by_words = "turn_detected" if text else None
            assert reasons == [by_words if late else "client_cancelled"]
            assert said(talk)[-1] == ("It is cold." if late or text else said(talk)[0])
            assert not talk.of("error")

    run()


@scripted
async def test_another_server_begins_it():
    chat = FakeChat([[(0.1, LONG), (0.0, CALL)]])
    async with Losable(chat=chat, tools=TOOLS, extensions="resume") as old:
        await old.ask("Weather?")
        await give_output(old, metadata={"for": "tool"})
        left = old.lose()
    chat = FakeChat([COLD])
    async with Talk(chat=chat, tools=TOOLS, extensions="resume", continues=left.continues(), ids="b") as new:
        await asyncio.sleep(120.0)
        assert ends(new)[-1] == ("completed", {"for": "tool"})
        assert said(new)[-1] == "It is cold."
        assert [len(chat.requests), len(new.of("error"))] == [1, 0]


@pytest.mark.parametrize("again", [True, False], ids=["sent again", "silent"])
@pytest.mark.parametrize("silent", [0, 28], ids=["open", "not read yet"])
@pytest.mark.parametrize("text", ["And Paris?", ""])
def test_at_another_server_the_speech_that_interrupted_decides_as_at_one(text, silent, again):
    @scripted
    async def run():
        sound = [LOUD] * 70 + [SILENT] * silent
        manual = {"input": {"turn_detection": {"type": "server_vad", "create_response": False}}}
        more = {"tools": TOOLS, "extensions": "resume", "audio": manual, "speech": FakeSpeech(factor=1.5)}
        heard = FakeTranscriber([text] * 3, interim=False)
        chat = FakeChat([[(0.1, SENTENCE), (0.0, CALL)]])
        async with Losable(chat=chat, transcriber=heard, **more) as old:
            await old.ask("Weather?")
            await old.until("response.output_audio.delta")
            await give_output(old, metadata={"for": "tool"})
            await say(old, sound)
            left = old.lose()
        heard = FakeTranscriber([text] * 3, interim=False)
        there = left.continues()
        async with Talk(chat=FakeChat([COLD]), transcriber=heard, continues=there, ids="b", **more) as new:
            await asyncio.sleep(0.1)
            assert not new.of("response.created"), "nobody knows yet what was said"
            if again:
                await send_again(new, sound + [SILENT] * 100, new.session.input_audio_ms)
            await asyncio.sleep(20.0)
            unreadable = silent and not again  # the last message of its question has no text
            status = "failed" if unreadable else "cancelled" if text and again else "completed"
            assert ends(new) == [(status, {"for": "tool"})]

    run()
