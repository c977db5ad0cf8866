"""A client stops the reply on `speech_started`, and the answer to that speech has begun by then; in virtual time."""

import asyncio

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber

COUNT = "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen."


def talk_of(**session) -> Talk:
    """A short word is read when it has ended: its speech_started and its answer come at the same time."""
    chat = FakeChat([[(0.1, COUNT)], [(0.1, COUNT)]])
    return Talk(chat=chat, transcriber=FakeTranscriber(["What?"] * 9, interim=False, delay_s=0.9), **session)


async def stops(talk: Talk, type: str, after_s: float, event: str, *, named: bool = False) -> None:
    """The client of a network with this delay stops the reply when it hears of this."""
    await talk.until(event)
    await asyncio.sleep(after_s)
    name = {"response_id": talk.of("response.created")[-1]["response"]["id"]} if named else {}
    await talk.send(type, **name)


async def second_status(talk: Talk, stop, *more) -> str:
    """What becomes of the answer to a short word over the first answer."""
    clients = [asyncio.create_task(each) for each in (stop, *more)]
    await talk.ask("Count.")
    await talk.silence(1.5)
    await talk.speak(0.4)
    await talk.silence(9.0)
    await asyncio.gather(*clients)
    assert talk.of("error") == []
    assert talk.types.count("input_audio_buffer.speech_started") == 1
    _, second = (done["response"] for done in talk.of("response.done"))
    return second["status"]


@pytest.mark.parametrize("type", ["response.cancel", "output_audio_buffer.clear"])
@pytest.mark.parametrize(("after_s", "status"), [(0.08, "completed"), (0.3, "completed"), (0.6, "cancelled")])
def test_it_means_the_reply_that_it_knows(type: str, after_s: float, status: str):
    @scripted
    async def run():
        async with talk_of(extensions="playback") as talk:
            stop = stops(talk, type, after_s, "input_audio_buffer.speech_started")
            assert await second_status(talk, stop) == status

    run()


@scripted
async def test_an_id_is_exact():
    async with talk_of() as talk:
        answered = "conversation.item.input_audio_transcription.completed"
        stop = stops(talk, "response.cancel", 0.05, answered, named=True)
        assert await second_status(talk, stop) == "cancelled"


@scripted
async def test_a_reply_that_it_has_asked_for_itself_it_knows():
    detection = {"type": "server_vad", "create_response": False}
    async with talk_of(audio={"input": {"turn_detection": detection}}) as talk:
        answered = "conversation.item.input_audio_transcription.completed"
        ask = stops(talk, "response.create", 0.0, answered)
        stop = stops(talk, "response.cancel", 0.05, answered)
        assert await second_status(talk, stop, ask) == "cancelled"


@scripted
async def test_without_an_interruption_every_reply_can_be_cancelled_at_once():
    async with talk_of() as talk:
        await talk.speak(1.0)
        await asyncio.gather(talk.silence(3.0), stops(talk, "response.cancel", 0.05, "response.created"))
        assert (await talk.until("response.done"))["response"]["status"] == "cancelled"


@pytest.mark.parametrize("type", ["response.cancel", "output_audio_buffer.clear"])
def test_the_rest_of_the_reply_that_it_knows_is_stopped_at_once(type: str):
    """A noise has interrupted the reply, and the rest of it has just begun."""

    @scripted
    async def run():
        chat, transcriber = FakeChat([[(0.1, COUNT)]]), FakeTranscriber([""] * 9, interim=False)
        async with Talk(chat=chat, transcriber=transcriber, extensions="playback") as talk:
            client = asyncio.create_task(stops(talk, type, 0.1, "input_audio_buffer.committed"))
            await talk.ask("Count.")
            await talk.silence(2.0)
            await talk.speak(0.9)
            await talk.silence(9.0)
            await client
            assert [done["response"]["status"] for done in talk.of("response.done")] == [
                "completed",
                "cancelled",
            ]

    run()
