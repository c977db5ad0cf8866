"""`response.cancel` after `response.done`, while the reply still sounds at the listener, in virtual time."""

import asyncio

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.listeners import items_said, kept_of

COUNT = "One two three four five six seven eight nine ten eleven twelve."  # 60 ms a character


def talk_of(**options) -> Talk:
    chat = FakeChat([[(0.1, COUNT)], [(0.1, "Yes, of course I can.")], [(0.1, "Yes?")]])
    return Talk(
        chat=chat, speech=FakeSpeech(factor=50), transcriber=FakeTranscriber(["Stop it now."] * 9), **options
    )


async def finished(talk: Talk, heard_s: float = 1.5) -> str:
    """The id of a finished reply of which so much was heard."""
    await talk.ask("Count.")
    begun = await talk.until("response.output_audio.delta")
    await talk.until("response.done")
    await asyncio.sleep(max(0.0, begun["at"] + heard_s - (asyncio.get_running_loop().time() - 1000)))
    return items_said(talk)[0]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("heard_s", [0.7, 1.5, 3.0])
def test_history_keeps_what_was_heard(heard_s: float, named: bool):
    @scripted
    async def scene():
        async with talk_of() as talk:
            item_id = await finished(talk, heard_s)
            fields = {"response_id": talk.of("response.created")[0]["response"]["id"]} if named else {}
            before = len(talk.events)
            await talk.send("response.cancel", **fields)
            await asyncio.sleep(0.5)
            assert talk.events[before:] == [], "no error, and nothing that a stock client did not ask for"
            kept = await kept_of(talk, item_id)
            assert COUNT.startswith(kept)
            assert len(kept) == pytest.approx(heard_s * 1000 / 60, abs=6)
            await talk.ask("And?")
            await talk.until("response.done", 2)
            told = [m.content for m in talk.chat.requests[1].messages if m.role == "assistant"]
            assert told == [kept]

    scene()


@scripted
async def test_nothing_is_cut_twice_and_a_second_cancel_is_no_error():
    async with talk_of() as talk:
        item_id = await finished(talk)
        await talk.send("response.cancel")
        kept = await kept_of(talk, item_id)
        await asyncio.sleep(0.5)
        await talk.send("response.cancel")
        assert await kept_of(talk, item_id) == kept
        assert "error" not in talk.types
        await asyncio.sleep(2)
        await talk.send("response.cancel")
        assert talk.events[-1]["error"]["code"] == "response_cancel_not_active"


@pytest.mark.parametrize("first", ["truncate", "cancel"])
def test_a_truncate_of_the_client_wins_before_and_after(first: str):
    @scripted
    async def scene():
        async with talk_of() as talk:
            item_id = await finished(talk)
            truncate = {"item_id": item_id, "content_index": 0, "audio_end_ms": 2000}
            if first == "cancel":
                await talk.send("response.cancel")
            await talk.send("conversation.item.truncate", **truncate)
            if first == "truncate":
                await talk.send("response.cancel")
            await asyncio.sleep(1)
            assert [event["audio_end_ms"] for event in talk.of("conversation.item.truncated")] == [2000]
            assert await kept_of(talk, item_id) == "One two three four five six seven"
            assert "error" not in talk.types

    scene()


@pytest.mark.parametrize("event", ["response.cancel", "output_audio_buffer.clear"])
@pytest.mark.parametrize("answers", [True, False])
def test_a_client_that_reports_playback_is_asked_where_it_stopped(event: str, answers: bool):
    @scripted
    async def scene():
        async with talk_of(extensions="playback") as talk:
            item_id = await finished(talk)
            await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=1200)
            await talk.send(event)
            assert len(talk.of("output_audio_buffer.cleared")) == 1
            if answers:
                await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=900, state="flushed")
            await asyncio.sleep(1)
            (told,) = talk.of("conversation.item.truncated")
            assert told["audio_end_ms"] == pytest.approx(1200, abs=40)
            assert await kept_of(talk, item_id) == told["transcript"]
            assert "error" not in talk.types

    scene()


@scripted
async def test_a_client_that_was_interrupted_by_speech_may_cancel_as_well():
    """Stock clients do so on `speech_started`; the interruption has cut the sound already."""
    async with talk_of() as talk:
        item_id = await finished(talk)
        await talk.speak(0.8)
        await talk.until("input_audio_buffer.speech_started")
        kept = await kept_of(talk, item_id)
        await talk.send("response.cancel")
        assert "error" not in talk.types
        assert await kept_of(talk, item_id) == kept


@scripted
async def test_speech_that_may_not_interrupt_leaves_it_to_the_client():
    detection = {"type": "server_vad", "interrupt_response": False}
    async with talk_of(audio={"input": {"turn_detection": detection}}) as talk:
        item_id = await finished(talk, 1.0)
        await talk.speak(0.8)
        await talk.until("input_audio_buffer.speech_started")
        assert await kept_of(talk, item_id) == COUNT
        await talk.send("response.cancel")
        assert len(await kept_of(talk, item_id)) < len(COUNT) - 10


@scripted
async def test_of_two_finished_replies_the_named_one_goes():
    async with talk_of() as talk:
        first = await finished(talk)
        await talk.ask("Can you go on?")
        await talk.until("response.done", 2)
        second = items_said(talk)[1]
        created = [event["response"]["id"] for event in talk.of("response.created")]
        await talk.send("response.cancel", response_id=created[1])
        assert await kept_of(talk, second) == ""
        assert await kept_of(talk, first) == COUNT
        await talk.send("response.cancel", response_id=created[0])
        assert len(await kept_of(talk, first)) < len(COUNT)
        assert "error" not in talk.types


@scripted
async def test_after_everything_was_heard_there_is_nothing_to_cancel():
    async with talk_of() as talk:
        item_id = await finished(talk, 60.0)
        await talk.send("response.cancel")
        assert talk.events[-1]["error"]["code"] == "response_cancel_not_active"
        assert await kept_of(talk, item_id) == COUNT


@scripted
async def test_the_idle_clock_counts_from_the_cancel():
    """Nothing sounds any more, so the user's silence begins."""
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with talk_of(audio={"input": {"turn_detection": detection}}) as talk:
        await finished(talk, 1.0)
        await talk.send("response.cancel")
        cancelled_s = asyncio.get_running_loop().time() - 1000
        await talk.silence(7.0)
        triggered = await talk.until("input_audio_buffer.timeout_triggered")
        assert triggered["at"] - cancelled_s == pytest.approx(5.0, abs=0.5)


@scripted
async def test_what_was_cleared_does_not_stop():
    """The player's words on it may cross the interruption; its first one says that it has sounded."""
    async with talk_of(extensions="playback") as talk:
        item_id = await finished(talk)
        await talk.send("response.cancel")
        for state in ("playing", "drained", "flushed"):
            await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=900, state=state)
        assert [name for name in talk.types if name.startswith("output_audio_buffer")] == [
            "output_audio_buffer.cleared",
            "output_audio_buffer.started",
        ]


@scripted
async def test_playback_ends_once():
    async with talk_of(extensions="playback") as talk:
        item_id = await finished(talk, 5.0)
        for _ in range(3):
            await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=9000, state="drained")
        assert [name for name in talk.types if name.startswith("output_audio_buffer")] == [
            "output_audio_buffer.started",
            "output_audio_buffer.stopped",
        ]
