"""While somebody may be interrupting, clients with the extension `playback` are told to play more quietly."""

from __future__ import annotations

import asyncio

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.moving import Losable
from tests.session.stories import STORY
from tests.wire_laws import WireLaws

GAIN = "output_audio_buffer.gain_changed"


def listening(said: str, extensions: str = "playback", **session) -> Talk:
    transcriber = FakeTranscriber([said] * 9, delay_s=0.08)
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    return Talk(
        chat=chat, speech=FakeSpeech(factor=3.0), transcriber=transcriber, extensions=extensions, **session
    )


async def say(talk: Talk, seconds: float) -> float:
    """The user says something during the answer. Returns when it began, in seconds."""
    await talk.ask("Tell me a story.")
    await talk.until("response.output_audio.delta")
    await talk.silence(0.6)
    began_s = asyncio.get_running_loop().time() - 1000.0  # as the times of events
    await talk.speak(seconds)
    await talk.silence(2.0)
    return began_s


@pytest.mark.parametrize(("said", "seconds"), [("Mm-hmm.", 0.6), ("", 0.3), ("", 1.1), ("对对对", 0.7)])
def test_the_answer_goes_down_and_comes_back(said, seconds):
    @scripted
    async def murmur():
        async with listening(said) as talk:
            began_s = await say(talk, seconds)
            down, up = talk.of(GAIN)
            assert (down["gain_db"], up["gain_db"]) == (-12.0, 0.0)
            assert (
                down["response_id"] == up["response_id"] == talk.of("response.created")[0]["response"]["id"]
            )
            assert 0.1 <= down["at"] - began_s <= 0.3
            assert up["at"] <= began_s + seconds + 0.3
            assert "input_audio_buffer.speech_started" not in talk.types

    murmur()


@scripted
async def test_an_interruption_leaves_the_gain_of_before():
    async with listening("What about cats?") as talk:
        await say(talk, 0.9)
        await talk.until("response.done", 2)
        assert [event["gain_db"] for event in talk.of(GAIN)] == [-12.0, 0.0]
        laws = WireLaws("playback")
        for event in talk.events:
            laws.see(event)


@pytest.mark.parametrize(
    ("extensions", "detection"), [("", {}), ("words", {}), ("playback", {"interrupt_response": False})]
)
@scripted
async def test_nobody_else_is_told(extensions, detection):
    audio = {"input": {"turn_detection": {"type": "server_vad", **detection}}}
    async with listening("Mm-hmm.", extensions, audio=audio) as talk:
        await say(talk, 0.6)
        assert talk.of(GAIN) == []


@scripted
async def test_a_written_answer_has_no_gain():
    async with listening("Mm-hmm.", output_modalities=["text"]) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_text.delta")
        await talk.speak(0.6)
        await talk.silence(1.0)
        assert talk.of(GAIN) == []


@scripted
async def test_a_microphone_that_is_muted_meanwhile_leaves_no_low_gain():
    """The client sends nothing any more, so no silence ends the speech."""
    long = [(0.1, "Once there was a small dog, and it lived by the sea. " * 8)]
    async with listening("") as talk:
        talk.chat.answers[:] = [long]
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.6)
        await talk.speak(0.24)
        muted_s = asyncio.get_running_loop().time() - 1000.0
        await asyncio.sleep(3.0)
        down, up = talk.of(GAIN)
        assert (down["gain_db"], up["gain_db"]) == (-12.0, 0.0)
        assert up["at"] - muted_s <= 1.1
        assert not talk.of("input_audio_buffer.speech_started")
        await talk.silence(3.0)
        assert len(talk.of(GAIN)) == 2


@scripted
async def test_a_noise_in_quick_turns_does_not_make_the_answer_go_up_and_down_with_it():
    long = [(0.1, "Once there was a small dog, and it lived by the sea. " * 12)]
    audio = {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}}}
    async with listening("", audio=audio) as talk:
        talk.chat.answers[:] = [long]
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.silence(0.6)
        for _ in range(8):  # 5 s
            await talk.speak(0.3)
            await talk.silence(0.32)
        await talk.silence(1.0)
        gains = [event["gain_db"] for event in talk.of(GAIN)]
        assert len(gains) <= 4
        assert gains == [-12.0, 0.0] * (len(gains) // 2)


@pytest.mark.parametrize("extensions", ["playback,resume", "resume"])
def test_the_client_of_a_lost_server_is_told_first_to_play_as_loud_as_before(extensions):
    @scripted
    async def run():
        chat = FakeChat([STORY])
        async with Losable(chat=chat, speech=FakeSpeech(factor=3.0), extensions=extensions) as old:
            await old.ask("Tell me a story.")
            await old.until("response.output_audio.delta")
            await old.silence(0.6)
            await old.speak(0.3)
            assert len(old.of(GAIN)) == extensions.count("playback")
            left = old.lose()
        async with Talk(extensions=extensions, continues=left.continues(), ids="b") as new:
            await asyncio.sleep(0.5)
            if "playback" in extensions:
                assert (new.types[0], new.events[0]["gain_db"]) == (GAIN, 0.0)
            else:
                assert GAIN not in new.types

    run()
