"""What the user says is answered once, whatever noise, failure or late text comes between; on virtual time."""

import asyncio

import pytest

from realtime.errors import ProviderUnavailable
from realtime.providers.base import Transcript
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

STORY = [(0.1, "Once there was a small dog, "), (0.1, "and it lived by the sea. ")] * 5
NOON = [(0.1, "It is noon.")]
TRANSCRIBED = "conversation.item.input_audio_transcription.completed"


def remote(*texts, delay_s=1.0) -> FakeTranscriber:
    return FakeTranscriber(list(texts), interim=False, delay_s=delay_s)


def transcripts(talk: Talk) -> list[str]:
    return [event["transcript"] for event in talk.of(TRANSCRIBED)]


class InOrder(FakeTranscriber):
    """Its texts take as long as each one says."""

    def __init__(self, *said: tuple[float, str]) -> None:
        super().__init__(interim=False)
        self.said = list(said)

    async def transcribe(self, samples, *, language, final):
        delay_s, text = self.said.pop(0)
        await asyncio.sleep(delay_s)
        return Transcript(text)


@pytest.mark.parametrize(
    "transcriber",
    [
        lambda: remote("What time is it?", ""),
        lambda: InOrder((3.0, "What time is it?"), (0.2, "")),
    ],
    ids=["noise", "noise read first"],
)
def test_a_question_is_answered_though_a_sound_followed_before_its_text_was_known(transcriber):
    @scripted
    async def ask():
        async with Talk(chat=FakeChat([NOON]), transcriber=transcriber()) as talk:
            await talk.speak(1.0)
            await talk.silence(0.7)
            await talk.speak(0.3)
            await talk.silence(6.0)
            assert talk.types.count("response.created") == 1
            assert "What time is it?" in [message.content for message in talk.chat.requests[0].messages]

    ask()


@scripted
async def test_two_parts_of_a_question_get_one_answer():
    async with Talk(chat=FakeChat([NOON]), transcriber=remote("What time is it", "in Paris?")) as talk:
        await talk.speak(1.0)
        await talk.silence(0.7)
        await talk.speak(0.5)
        await talk.silence(6.0)
        assert talk.types.count("response.created") == 1
        told = [message.content for message in talk.chat.requests[0].messages if message.role == "user"]
        assert "".join(told).replace("\n", "").count("What time is it") == 1


@scripted
async def test_a_short_answer_to_a_question_that_just_ended_is_no_backchannel():
    """The word was said while the end of the question sounded, and is read after that."""
    for text, answers in (("Yes.", 2), ("好的。", 2), ("Mhm.", 1)):
        chat = FakeChat([[(0.05, "Shall I book it?")], [(0.1, "Booked.")]])
        async with Talk(chat=chat, transcriber=remote(text)) as talk:
            await talk.ask("Book a table.")
            await talk.until("response.done")
            await talk.silence(max(0.0, talk.audio_ms() / 1000 - 0.95))
            await talk.speak(0.3)
            await talk.silence(4.0)
            assert talk.types.count("response.created") == answers, text


def during_a_story(*texts, delay_s=0.2) -> Talk:
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    return Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=remote(*texts, delay_s=delay_s))


async def say_a_word(talk: Talk) -> None:
    await talk.ask("Tell me a story.")
    await talk.until("response.output_audio.delta")
    await talk.silence(0.6)
    await talk.speak(0.42)
    await talk.silence(0.7)


@scripted
async def test_a_word_is_read_again_where_the_transcriber_failed_once():
    async with during_a_story(ProviderUnavailable("away"), "Stop.") as talk:
        await say_a_word(talk)
        await talk.silence(2.0)
        assert transcripts(talk) == ["Stop."]


@scripted
async def test_a_word_that_nobody_can_read_leaves_the_answer_alone():
    async with during_a_story(*[ProviderUnavailable("away")] * 9) as talk:
        await say_a_word(talk)
        await talk.silence(3.0)
        assert not [type for type in talk.types if type.startswith("input_audio_buffer")]
        assert len(talk.transcriber.asked) <= 4


@scripted
async def test_speech_after_turn_detection_was_off_does_not_begin_at_a_word_that_was_being_read():
    async with during_a_story("Stop.", "What now?", delay_s=3.0) as talk:
        await say_a_word(talk)
        for detection in (None, {"type": "server_vad"}):
            update = {"type": "realtime", "audio": {"input": {"turn_detection": detection}}}
            await talk.send("session.update", session=update)
            await talk.silence(30.0)
        await talk.speak(1.0)
        await talk.silence(5.0)
        started = talk.of("input_audio_buffer.speech_started")
        assert len(started) == 1
        assert started[0]["audio_start_ms"] > 60_000
