"""A session whose client is away, in virtual time: what stands still and what goes on."""

import asyncio

import pytest

from realtime.core.playback import Playback
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber

COUNT = "One two three four five six seven eight nine ten."


def test_a_listener_who_was_away_has_heard_nothing_meanwhile():
    playback = Playback()
    playback.sent(5_000, 10.0)
    assert playback.heard_ms(11.0) == 1_000
    playback.shift(30.0)
    assert playback.heard_ms(41.0) == 1_000
    assert playback.remaining_s(41.0) == 4.0


@scripted
async def test_the_estimate_of_what_was_heard_stands_still():
    """Interrupted one second of listening later, history keeps one second more, however long the client was away."""
    for away_s in (0.0, 25.0):
        chat = FakeChat([[(0.1, COUNT)], [(0.1, "Yes?")]])
        speech, transcriber = FakeSpeech(factor=50), FakeTranscriber(["Wait a moment."])
        async with Talk(chat=chat, speech=speech, transcriber=transcriber) as talk:
            await talk.ask("Count.")
            await talk.until("response.done")
            talk.session.suspend()
            await asyncio.sleep(away_s)
            talk.session.resume()
            await talk.speak(1.0)
            await talk.silence(1.5)
            await talk.until("response.done", 2)
            told = next(m.content for m in chat.requests[1].messages if m.role == "assistant")
            assert told.startswith("One two")
            assert not told.endswith("ten."), f"heard to the end while away for {away_s} s"


@scripted
async def test_the_idle_timeout_stands_still_and_goes_on():
    chat = FakeChat([[(0.1, "Hello.")], [(0.1, "Are you still there?")]])
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with Talk(chat=chat, audio={"input": {"turn_detection": detection}}) as talk:
        await talk.ask("Hi")
        done = await talk.until("response.done")
        await talk.silence(2.0)
        talk.session.suspend()
        await asyncio.sleep(60)
        assert "input_audio_buffer.timeout_triggered" not in talk.types
        talk.session.resume()
        back_s = asyncio.get_running_loop().time() - 1000.0
        triggered = await talk.until("input_audio_buffer.timeout_triggered")
        assert 1.0 < triggered["at"] - back_s < 5.0
        assert triggered["at"] > done["at"] + 60


@scripted
async def test_a_reply_ends_while_nobody_is_there():
    async with Talk(chat=FakeChat([[(3.0, COUNT)]])) as talk:
        await talk.ask("Count.")
        talk.session.suspend()
        done = await talk.until("response.done")
        assert done["response"]["status"] == "completed"


@pytest.mark.parametrize("before_s", [0.0, 0.2])
@scripted
async def test_a_player_has_its_time_to_say_where_it_stopped_once_its_client_is_back(before_s: float):
    async with Talk(
        chat=FakeChat([[(0.1, COUNT)]]), speech=FakeSpeech(factor=50), extensions="playback"
    ) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        item_id = talk.of("response.output_audio.delta")[0]["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=500)
        await talk.send("output_audio_buffer.clear")
        await asyncio.sleep(before_s)
        talk.session.suspend()
        await asyncio.sleep(10.0)
        assert "conversation.item.truncated" not in talk.types
        talk.session.resume()
        await asyncio.sleep(0.09)
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=700, state="flushed")
        await asyncio.sleep(1.0)
        (cut,) = talk.of("conversation.item.truncated")
        assert cut["audio_end_ms"] == 700


@scripted
async def test_a_player_that_says_nothing_has_no_more_time_for_a_client_that_was_away():
    async with Talk(
        chat=FakeChat([[(0.1, COUNT)]]), speech=FakeSpeech(factor=50), extensions="playback"
    ) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        await talk.send("output_audio_buffer.clear")
        await asyncio.sleep(0.2)
        talk.session.suspend()
        await asyncio.sleep(10.0)
        talk.session.resume()
        back_s = asyncio.get_running_loop().time() - 1000.0
        cut = await talk.until("conversation.item.truncated")
        assert cut["at"] - back_s == pytest.approx(0.1, abs=0.01)


@scripted
async def test_a_client_that_takes_nothing_for_long_does_not_fail_the_reply():
    """What waits for the client is no silence of the upstream services."""
    long_story = [(0.01, "And then the small dog ran along the beach again. ") for _ in range(30)]
    async with Talk(chat=FakeChat([long_story]), speech=FakeSpeech(factor=100), reads=False) as talk:
        await talk.ask("Tell me a very long story.")
        await asyncio.sleep(200)
        talk.reads.set()
        done = await talk.until("response.done", timeout_s=600)
        assert done["response"]["status"] == "completed", done["response"]["status_details"]
        assert talk.audio_ms() == pytest.approx(30 * 50 * 60, rel=0.05)
