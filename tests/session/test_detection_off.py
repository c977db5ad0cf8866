"""Turn detection is switched off in the middle: what had ended before is answered as if it were on; on virtual time."""

import asyncio

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

BY_HAND = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
SENTENCE = "Every day it ran along the beach. "


def slow(*texts: str) -> FakeTranscriber:
    return FakeTranscriber(list(texts), interim=False, delay_s=1.5)


@pytest.mark.parametrize("later_s", [0.0, 0.1, 0.4])
def test_a_question_is_answered_though_a_later_sound_was_open(later_s):
    @scripted
    async def ask():
        chat = FakeChat([[(0.1, "It is noon.")]])
        async with Talk(chat=chat, transcriber=slow("What time is it?")) as talk:
            await talk.speak(1.0)
            await talk.silence(0.9)
            await talk.speak(later_s)
            await talk.send("session.update", session=BY_HAND)
            await talk.silence(4.0)
            assert [event["response"]["status"] for event in talk.of("response.done")] == ["completed"]
            assert talk.chat.requests[0].messages[-1].content == "What time is it?"

    ask()


@pytest.mark.parametrize("later_s", [0.0, 0.4])
@pytest.mark.parametrize("text", ["", "Why?"])
def test_an_answer_that_a_noise_had_stopped_goes_on_and_words_are_answered(text, later_s):
    @scripted
    async def stop():
        chat = FakeChat([[(0.1, SENTENCE * 9)], [(0.1, "Because.")]])
        async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=slow(text, text, text)) as talk:
            await talk.ask("Tell me a story.")
            await talk.until("response.output_audio.delta")
            await talk.silence(0.6)
            await talk.speak(1.6)
            await talk.silence(0.7)
            await talk.speak(later_s)
            await talk.send("session.update", session=BY_HAND)
            await talk.silence(3.0)
            await asyncio.sleep(30)
            assert [event["response"]["status"] for event in talk.of("response.done")] == [
                "cancelled",
                "completed",
            ]
            assert len(talk.chat.requests) == (2 if text else 1)

    stop()


@scripted
async def test_open_sound_that_has_stopped_an_answer_keeps_it_stopped():
    chat = FakeChat([[(0.1, SENTENCE * 9)]])
    async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=slow("")) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.6)
        await talk.speak(1.6)
        assert "input_audio_buffer.speech_started" in talk.types
        await talk.send("session.update", session=BY_HAND)
        await talk.silence(3.0)
        await asyncio.sleep(30)
        assert [event["response"]["status"] for event in talk.of("response.done")] == ["cancelled"]
