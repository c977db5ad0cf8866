"""A response that begins while the user speaks, as a stock client lives it, in virtual time."""

import asyncio

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call, functions
from tests.session.listeners import items_said, kept_of

COUNT = "One two three four five six seven eight nine ten eleven twelve."  # 60 ms a character
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "4"}


async def begin(talk: Talk, how: str) -> None:
    """Ask for a response in the middle of the speech."""
    if how == "typed":
        await talk.ask("Count.")
    else:
        await talk.send("conversation.item.create", item=OUTPUT)
        await talk.send("response.create")


def scene_of(how: str, said: str, *, interim: bool) -> Talk:
    before = [[(0.1, call("weather", "{}"))]] if how == "tool" else []
    chat = FakeChat([*before, [(0.1, COUNT)], [(0.1, "Both.")]])
    return Talk(
        chat=chat,
        speech=FakeSpeech(factor=50),
        transcriber=FakeTranscriber([said] * 30, interim=interim),
        tools=functions("weather"),
    )


async def play(talk: Talk, how: str) -> list[dict]:
    """All of it, to the last answer. Returns what was told of speech that began."""
    if how == "tool":
        await talk.ask("Weather?")
        await talk.until("response.done")
    await talk.speak(0.4)
    await asyncio.gather(talk.speak(2.0), begin(talk, how))
    await talk.silence(6.0)
    started = talk.of("input_audio_buffer.speech_started")
    assert len({event["item_id"] for event in started}) == 1
    assert len(talk.of("input_audio_buffer.speech_stopped")) == 1
    return started


@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize("how", ["typed", "tool"])
def test_words_interrupt_it_and_the_client_is_told_to_silence_its_player(how: str, interim: bool):
    @scripted
    async def scene():
        async with scene_of(how, "And in Rome?", interim=interim) as talk:
            _, again = await play(talk, how)
            sent = next(event["at"] for event in talk.of("response.output_audio.delta"))
            kept = await kept_of(talk, items_said(talk)[0])
            assert COUNT.startswith(kept)
            assert len(kept) == pytest.approx((again["at"] - sent) * 1000 / 60, abs=6)
            said = [message.content for message in talk.chat.requests[-1].messages]
            assert said[-1] == "And in Rome?", "one answer to both"

    scene()


@pytest.mark.parametrize("said", ["Mhm.", ""])
@pytest.mark.parametrize("interim", [True, False])
@pytest.mark.parametrize("how", ["typed", "tool"])
def test_a_noise_or_a_hum_does_not_disturb_it(how: str, interim: bool, said: str):
    @scripted
    async def scene():
        async with scene_of(how, said, interim=interim) as talk:
            assert len(await play(talk, how)) == 1
            assert [await kept_of(talk, item_id) for item_id in items_said(talk)] == [COUNT]

    scene()
