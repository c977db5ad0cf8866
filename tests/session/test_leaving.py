"""Whether a conversation can be left at this moment, and what is kept of an answer that is cut, in virtual time."""

import asyncio

import pytest

from tests.conversing import LOUD, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.listeners import items_said, kept_of

COUNT = "One two three four five six seven eight nine ten eleven twelve."  # 60 ms a character
MANUAL = {"input": {"turn_detection": None}}


def engaged(talk: Talk) -> bool:
    return talk.session.leaving.engaged


@scripted
async def test_a_user_is_heard_and_answered_to_the_end():
    """From the first sound of the user to the last one of the answer there is no moment to leave."""
    chat, seen = FakeChat([[(0.3, "Yes, of course I can.")]]), []
    async with Talk(
        chat=chat, speech=FakeSpeech(factor=50), transcriber=FakeTranscriber(["Can you?"])
    ) as talk:
        assert not engaged(talk)
        await talk.silence(0.5)
        assert not engaged(talk), "an open microphone is no speech"
        await talk.speak(1.0)
        speaking = asyncio.create_task(talk.silence(2.0))
        while not talk.of("response.done"):
            seen.append(engaged(talk))
            await asyncio.sleep(0.05)
        begun_s = talk.of("response.output_audio.delta")[0]["at"]
        await speaking
        sounds_s = talk.audio_ms() / 1000
        assert all(seen)
        now_s = asyncio.get_running_loop().time() - 1000
        await asyncio.sleep(begun_s + sounds_s - 0.02 - now_s)
        assert engaged(talk), "the last word sounds"
        await asyncio.sleep(0.04)
        assert not engaged(talk)


@scripted
async def test_the_player_knows_best_when_the_answer_has_sounded():
    async with Talk(
        chat=FakeChat([[(0.1, COUNT)]]), speech=FakeSpeech(factor=50), extensions="playback"
    ) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        assert engaged(talk)
        item_id = items_said(talk)[0]
        played_ms = int(talk.audio_ms())
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=played_ms, state="drained")
        assert not engaged(talk)


@scripted
async def test_a_user_without_turn_detection_speaks_until_the_commit_or_until_nothing_comes():
    async with Talk(audio=MANUAL, transcriber=FakeTranscriber(["Hello."])) as talk:
        await talk.microphone(LOUD, 1.0)
        assert engaged(talk)
        await asyncio.sleep(5.0)
        assert not engaged(talk), "a buffer that nobody fills is no speech"
        await talk.microphone(LOUD, 1.0)
        await talk.send("input_audio_buffer.commit")
        assert engaged(talk), "it is transcribed"
        await talk.until("conversation.item.input_audio_transcription.completed")
        assert not engaged(talk)
        assert talk.session.leaving.answer_due, "the client will ask for the answer"
        await talk.send("response.create")
        assert engaged(talk)
        await talk.until("response.done")
        assert not talk.session.leaving.answer_due


@pytest.mark.parametrize("extensions", ["", "playback"])
def test_history_holds_what_was_heard_of_an_answer_that_is_cut(extensions: str):
    @scripted
    async def scene():
        chat = FakeChat([[(0.1, COUNT), (9.0, " And so on.")]])
        async with Talk(chat=chat, speech=FakeSpeech(factor=50), extensions=extensions) as talk:
            await talk.ask("Count.")
            begun = await talk.until("response.output_audio.delta")
            await asyncio.sleep(max(0.0, begun["at"] + 1.5 - (asyncio.get_running_loop().time() - 1000)))
            talk.session.leaving.cut()
            done = (await talk.until("response.done"))["response"]
            assert done["status"] == "failed"
            assert done["status_details"]["error"]["code"] == "server_draining"
            kept = await kept_of(talk, items_said(talk)[0])
            assert COUNT.startswith(kept)
            assert len(kept) == pytest.approx(1500 / 60, abs=6)
            if extensions:  # the client is told before the connection is closed
                (told,) = talk.of("conversation.item.truncated")
                assert told["transcript"] == kept
                assert talk.types.index("response.done") < talk.types.index("conversation.item.truncated")

    scene()


@scripted
async def test_every_answer_that_is_made_ends_as_failed_and_so_does_one_that_begins_too_late():
    chat = FakeChat([[(9.0, COUNT)]] * 3)
    async with Talk(chat=chat) as talk:
        await talk.ask("Count.", output_modalities=["text"])
        await talk.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
        talk.session.leaving.cut()
        assert not engaged(talk)
        await talk.ask("Count.", output_modalities=["text"])
    endings = [event["response"] for event in talk.of("response.done")]
    assert [each["status"] for each in endings] == ["failed"] * 3
    assert {each["status_details"]["error"]["code"] for each in endings} == {"server_draining"}


@scripted
async def test_an_answer_that_is_complete_is_not_cut():
    """The client has all of its sound, and plays it on."""
    async with Talk(
        chat=FakeChat([[(0.1, COUNT)]]), speech=FakeSpeech(factor=50), extensions="playback"
    ) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        talk.session.leaving.cut()
        assert await kept_of(talk, items_said(talk)[0]) == COUNT
        assert not talk.of("output_audio_buffer.cleared")
