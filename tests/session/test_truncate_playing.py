"""`conversation.item.truncate` after `response.done`, while the reply still sounds: the client stopped its player."""

import asyncio

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.listeners import items_said, kept_of, now

COUNT = (
    "One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty."
)  # 60 ms a character
ABC = "Alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar."


def talk_of(heard: str, *answers: str, **options) -> Talk:
    """A conversation in which the transcriber hears nothing but this in every sound."""
    chat = FakeChat([[(0.1, answer)] for answer in (*(answers or (COUNT,)), "It is noon.")])
    transcriber = FakeTranscriber([heard] * 9, interim=False)
    return Talk(chat=chat, speech=FakeSpeech(factor=50), transcriber=transcriber, **options)


async def finished(talk: Talk, count: int = 1) -> str:
    """Ask, and wait for the end of the answer; returns its item."""
    await talk.ask("Count.")
    await talk.until("response.done", count)
    return items_said(talk)[-1]


async def truncate(talk: Talk, item_id: str, heard_ms: int) -> None:
    await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms)


def spoken(talk: Talk) -> list[str]:
    return [event["transcript"].strip() for event in talk.of("response.output_audio_transcript.done")]


@pytest.mark.parametrize("extensions", ["", "playback"])
def test_a_short_answer_after_it_is_answered(extensions: str):
    """Nothing sounds any more that it could be a backchannel of."""

    @scripted
    async def scene():
        async with talk_of("Yes.", extensions=extensions) as talk:
            item_id = await finished(talk)
            await talk.silence(2)
            await truncate(talk, item_id, 2000)
            await talk.silence(2)
            await talk.speak(0.5)
            await talk.silence(4)
            assert spoken(talk) == [COUNT, "It is noon."]
            told = [m.content for m in talk.chat.requests[1].messages]
            assert told[-2:] == ["One two three four five six seven", "Yes."]

    scene()


@scripted
async def test_a_noise_after_it_does_not_bring_the_rest_back():
    async with talk_of("") as talk:
        item_id = await finished(talk)
        await talk.silence(2)
        await truncate(talk, item_id, 2000)
        await talk.silence(3)
        await talk.speak(1.6)
        await talk.silence(6)
        assert spoken(talk) == [COUNT]
        assert await kept_of(talk, item_id) == "One two three four five six seven"


@pytest.mark.parametrize("noise_s", [0.3, 0.6])
def test_a_noise_that_had_begun_before_it_does_not_bring_the_rest_back(noise_s: float):
    """It is not announced yet: the client has not stopped because of it."""

    @scripted
    async def scene():
        async with talk_of("") as talk:
            item_id = await finished(talk)
            await talk.silence(1)
            await talk.speak(noise_s)
            assert "input_audio_buffer.speech_started" not in talk.types
            await truncate(talk, item_id, 1000)
            await talk.speak(1.0)
            await talk.silence(6)
            assert talk.types.count("input_audio_buffer.speech_started") == 1
            assert spoken(talk) == [COUNT]

    scene()


@pytest.mark.parametrize("late_s", [0.0, 0.5])
def test_one_that_follows_an_interruption_says_where_the_reply_goes_on(late_s: float):
    """Stock clients send it on `speech_started`; what was said is still being read then."""

    @scripted
    async def scene():
        async with talk_of("") as talk:
            item_id = await finished(talk)
            await talk.silence(2)
            await talk.speak(1.0)
            await talk.until("input_audio_buffer.speech_started")
            await talk.speak(late_s)
            await truncate(talk, item_id, 2000)
            await talk.silence(6)
            kept = await kept_of(talk, item_id)
            assert kept == "One two three four five six seven"
            assert spoken(talk) == [COUNT, COUNT.removeprefix(kept).strip()]

    scene()


@scripted
async def test_one_while_the_reply_is_generated_stops_nothing():
    async with talk_of("") as talk:
        talk.chat.answers[0] = [(0.1, COUNT[:60]), (1.0, COUNT[60:])]
        await talk.ask("Count.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await asyncio.sleep(0.3)
        await truncate(talk, item_id, 200)
        await talk.until("response.done")
        assert spoken(talk) == [COUNT]
        await talk.send("response.cancel")
        assert "error" not in talk.types, "it still sounds"


@scripted
async def test_one_that_is_refused_stops_nothing():
    async with talk_of("Yes.") as talk:
        item_id = await finished(talk)
        await talk.silence(1)
        await truncate(talk, item_id, 60_000)
        assert (await talk.until("error"))["error"]["code"] == "invalid_value"
        await talk.speak(0.5)
        await talk.silence(2)
        assert spoken(talk) == [COUNT], "a backchannel"


@scripted
async def test_of_two_replies_the_other_one_sounds_on():
    async with talk_of("Yes.", COUNT, ABC) as talk:
        first = await finished(talk)
        await talk.silence(1)
        await finished(talk, 2)
        await truncate(talk, first, 1000)
        await talk.silence(1)
        await talk.speak(0.5)
        await talk.silence(2)
        assert spoken(talk) == [COUNT, ABC], "a backchannel of the second one"


@scripted
async def test_a_noise_brings_back_the_other_one_only():
    for stopped in (0, 1):
        async with talk_of("", COUNT, ABC) as talk:
            items = [await finished(talk)]
            await talk.silence(1)
            items.append(await finished(talk, 2))
            await truncate(talk, items[stopped], 500)
            await talk.silence(0.2)
            await talk.speak(1.5)
            await talk.silence(3)
            (rest,) = spoken(talk)[2:]
            other = [COUNT, ABC][1 - stopped]
            assert other.endswith(rest)
            heard_ms = 60 * len(other[: -len(rest)])  # this voice takes 60 ms a character
            # Until the noise was an interruption, or the truncate before it
            sounded_ms = 1700 if stopped == 0 else 2700
            assert 500 <= heard_ms <= sounded_ms


@scripted
async def test_the_idle_clock_counts_from_it():
    detection = {"type": "server_vad", "idle_timeout_ms": 5000}
    async with talk_of("", audio={"input": {"turn_detection": detection}}) as talk:
        item_id = await finished(talk)
        await talk.silence(1)
        await truncate(talk, item_id, 1000)
        truncated_s = now()
        await talk.silence(7)
        triggered = await talk.until("input_audio_buffer.timeout_triggered")
        assert triggered["at"] - truncated_s == pytest.approx(5.0, abs=0.5)


@scripted
async def test_a_player_that_reports_is_not_told_to_stop_what_it_has_stopped():
    async with talk_of("", extensions="playback") as talk:
        item_id = await finished(talk)
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=900)
        await truncate(talk, item_id, 1000)
        for state in ("playing", "flushed", "drained"):
            await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=1500, state=state)
        await talk.send("response.cancel")  # a moment later
        await asyncio.sleep(1)
        told = [name for name in talk.types if name.startswith("output_audio_buffer")]
        assert told == ["output_audio_buffer.started"]
        assert [event["audio_end_ms"] for event in talk.of("conversation.item.truncated")] == [1000]
        assert "error" not in talk.types


@scripted
async def test_sound_that_has_not_left_never_does():
    async with talk_of("") as talk:
        await talk.ask("Count.")
        await talk.until("response.output_audio.delta")
        talk.reads.clear()
        await asyncio.sleep(3)
        item_id = items_said(talk)[0]
        await truncate(talk, item_id, 0)
        talk.reads.set()
        await talk.until("conversation.item.truncated")
        assert talk.audio_ms() < 1000
        await talk.until("response.done")


@pytest.mark.parametrize("deleted_first", [False, True])
def test_an_answer_that_was_deleted_before_it_began_to_sound_holds_up_none(deleted_first: bool):
    """The client interrupts by itself, and deletes what its player has not begun, as LiveKit does."""

    @scripted
    async def scene():
        await a_deleted_one_behind_a_stopped_one(deleted_first)

    scene()


async def a_deleted_one_behind_a_stopped_one(deleted_first: bool) -> None:
    own = {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}
    async with talk_of("", COUNT, ABC, "It is noon.", audio=own) as talk:
        first = await finished(talk)
        second = await finished(talk, 2)
        await talk.silence(1)
        if deleted_first:
            await talk.send("conversation.item.delete", item_id=second)
        await truncate(talk, first, 1000)
        if not deleted_first:
            await talk.send("conversation.item.delete", item_id=second)
        third = await finished(talk, 3)
        await talk.silence(1.5)
        await talk.send("response.cancel")
        assert talk.of("error")[-1]["error"]["code"] == "response_cancel_not_active", (
            "it was heard to its end"
        )
        assert await kept_of(talk, third) == "It is noon."


@scripted
async def test_an_answer_that_was_deleted_long_before_another_is_stopped_is_heard():
    """A client that keeps no history, and whose user skips an answer."""
    own = {"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}
    async with talk_of("", COUNT, "It is noon.", audio=own) as talk:
        first = await finished(talk)
        second = await finished(talk, 2)
        await talk.send("conversation.item.delete", item_id=second)
        await talk.silence(2)
        await truncate(talk, first, 2000)
        third = await finished(talk, 3)
        await talk.silence(0.3)  # the second one sounds
        await talk.send("response.cancel")
        assert await kept_of(talk, third) == ""


@pytest.mark.parametrize("after_s", [0, 0.6, 2])
def test_an_answer_that_was_only_deleted_sounds_on(after_s: float):
    """A client that keeps no history: its player has not stopped."""

    @scripted
    async def scene():
        async with talk_of("Yes.", COUNT, "It is noon.") as talk:
            first = await finished(talk)
            await talk.silence(after_s)
            await talk.send("conversation.item.delete", item_id=first)
            await talk.silence(1)
            await talk.speak(0.5)  # a backchannel
            await talk.silence(1)
            assert len(talk.of("response.created")) == 1
            second = await finished(talk, 2)
            await talk.silence(1.5)
            await talk.send("response.cancel")
            assert await kept_of(talk, second) == ""

    scene()
