"""What the user says is answered once, whatever noise, failure or late text comes between; on virtual time."""

import asyncio

import pytest

from realtime.providers.base import Transcript
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber

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
