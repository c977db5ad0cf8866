"""Short words before anything of the answer has been heard, on virtual time: they are more of the user's turn."""

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call, functions
from tests.session.test_short_words import Doubting

LATE = [(1.6, "Once there was a small dog, "), (0.1, "and it lived by the sea.")]
MORE_OF_THE_TURN = [
    ("Yes.", 0.42), ("Okay.", 0.5), ("Right.", 0.45), ("Please.", 0.4), ("Stop.", 0.42), ("对。", 0.3), ("好的。", 0.5), ("はい", 0.35),
    ("Ja.", 0.3), ("Oui.", 0.28), ("Claro.", 0.5), ("In Paris.", 0.6), ("Five.", 0.2), ("七", 0.2),
]  # fmt: skip


def said_before(said: str, seconds: float, *, interim: bool, chat: FakeChat):
    return Talk(
        chat=chat,
        speech=FakeSpeech(factor=3.0),
        transcriber=FakeTranscriber([said] * 9, interim=interim, delay_s=0.1 if interim else 0.3),
        tools=functions("look"),
    )


@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize(("said", "seconds"), MORE_OF_THE_TURN)
def test_a_word_before_the_answer_sounds_is_answered_together_with_the_question(said, seconds, interim):
    @scripted
    async def add():
        chat = FakeChat([LATE, [(0.1, "Good.")]])
        async with said_before(said, seconds, interim=interim, chat=chat) as talk:
            await talk.ask("Do you know a story? A long one?")
            await talk.silence(0.3)
            await talk.speak(seconds)
            await talk.silence(3.0)
            await talk.until("response.done", 2)
            statuses = [event["response"]["status"] for event in talk.of("response.done")]
            assert statuses == ["cancelled", "completed"]
            told = [message.content for message in chat.requests[1].messages if message.role == "user"]
            assert told == ["Do you know a story? A long one?", said]

    add()


@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize(
    ("said", "seconds"), [("", 0.12), ("", 0.5), ("Mm-hmm.", 0.6), ("嗯。", 0.3), ("Hmm.", 0.4)]
)
def test_a_hum_or_a_noise_before_the_answer_sounds_does_not_cost_it(said, seconds, interim):
    @scripted
    async def hum():
        chat = FakeChat([LATE])
        async with said_before(said, seconds, interim=interim, chat=chat) as talk:
            await talk.ask("Do you know a story?")
            await talk.silence(0.3)
            await talk.speak(seconds)
            await talk.silence(3.0)
            assert "input_audio_buffer.speech_started" not in talk.types
            assert (await talk.until("response.done"))["response"]["status"] == "completed"

    hum()


@pytest.mark.parametrize("interim", [True, False])
def test_a_short_sound_that_is_hardly_read_as_a_word_does_not_cost_the_answer(interim):
    @scripted
    async def knock():
        chat = FakeChat([LATE])
        async with Talk(chat=chat, transcriber=Doubting("Tick.", interim=interim)) as talk:
            await talk.ask("Do you know a story?")
            await talk.silence(0.3)
            await talk.speak(0.2)
            await talk.silence(3.0)
            assert "input_audio_buffer.speech_started" not in talk.types
            assert (await talk.until("response.done"))["response"]["status"] == "completed"

    knock()


@scripted
async def test_who_was_told_to_wait_for_a_tool_may_say_okay():
    """What the answer says after the tool is more of what was heard, although nothing sounds in between."""
    first = [(0.1, "One moment. "), (0.1, call("look", "{}"))]
    chat = FakeChat([first, LATE])
    async with said_before("Okay.", 0.42, interim=True, chat=chat) as talk:
        await talk.ask("What is it?")
        done = await talk.until("response.done")
        await talk.silence(4.0)
        output = {"type": "function_call_output", "call_id": "call_1", "output": "A dog."}
        assert [item["type"] for item in done["response"]["output"]] == ["message", "function_call"]
        await talk.send("conversation.item.create", item=output)
        await talk.send("response.create")
        await talk.silence(0.3)
        await talk.speak(0.42)
        await talk.silence(3.0)
        assert "input_audio_buffer.speech_started" not in talk.types
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
