"""A reply of which nothing had come when a noise stopped it: it is asked for again, as the client had asked for it."""

import pytest

from realtime.errors import ProviderUnavailable
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

NOON = [(0.1, "A midi.")]
GREETING = {
    "instructions": "Greet the user in French.",
    "output_modalities": ["text"],
    "metadata": {"of": "the greeting"},
}
MISREAD = {"interim_texts": ["Thanks for watching it"] * 50}  # of a noise; its final text is empty
UNREAD = {"interim": False, "delay_s": 0.3}


@scripted
@pytest.mark.parametrize(
    ("first", "reads", "noise_s"),
    [
        ([(2.5, "Bienvenue ! ")], MISREAD, 1.6),
        ([(1.5, ProviderUnavailable("down"))], UNREAD, 1.3),
    ],
)
async def test_with_its_own_options(first, reads, noise_s):
    chat = FakeChat([first, NOON])
    async with Talk(
        chat=chat, speech=FakeSpeech(factor=3.0), transcriber=FakeTranscriber([""] * 9, **reads)
    ) as talk:
        await talk.silence(0.2)
        await talk.send("response.create", response=GREETING)
        await talk.speak(noise_s)
        await talk.silence(8.0)
        assert len(chat.requests) == 2
        assert chat.requests[1].messages == chat.requests[0].messages
        assert "Greet the user in French." in chat.requests[1].messages[0].content
        again = talk.of("response.created")[1]["response"]
        assert (again["output_modalities"], again["metadata"]) == (["text"], None)
        assert talk.of("response.done")[1]["response"]["status"] == "completed"


@pytest.mark.parametrize("refers", [False, True], ids=["the conversation", "an item"])
@scripted
async def test_also_while_it_waits_for_what_the_client_has_committed(refers):
    reader = FakeTranscriber(["What is it?", "", ""], interim=False, delay_s=3.0)
    chat = FakeChat([NOON, NOON])
    async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=reader) as talk:
        await talk.speak(1.0)
        await talk.send("input_audio_buffer.commit")
        item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
        given = {"input": [{"type": "item_reference", "id": item_id}]} if refers else {}
        await talk.send("response.create", response={**GREETING, **given})
        await talk.silence(0.3)
        await talk.speak(1.6)
        await talk.silence(20.0)
        (asked,) = chat.requests
        assert "Greet the user in French." in asked.messages[0].content
        assert [message.content for message in asked.messages if message.role == "user"] == ["What is it?"]
        assert talk.of("response.done")[-1]["response"]["output_modalities"] == ["text"]
