"""Speech that has ended and has no text yet when its server is lost: it is heard again as it was ended, and its item
stays, whoever ends the turns by then. Speech that is still open is heard from its beginning."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest

from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber
from tests.session.moving import Left, Losable
from tests.session.test_moved_speech import BY_HAND, say, send_again, users

SOUND = [SILENT] * 20 + [LOUD] * 60 + [SILENT] * 40
QUESTION = "What is the sea?"
COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"
COMMITTED = "input_audio_buffer.committed"
DETECTION = {"type": "server_vad"}


def old_server(**settings) -> Losable:
    """Its transcriber is too slow."""
    slow = FakeTranscriber(["never"], interim=False, delay_s=60.0)
    return Losable(transcriber=slow, extensions="resume", **settings)


def new_server(left: Left, ids: str = "b", **settings) -> Talk:
    chat = FakeChat([[(0.1, "Blue.")], [(0.1, "Blue, I said.")]])
    heard = FakeTranscriber([QUESTION] * 3, interim=False)
    continues = left.continues()
    return Talk(chat=chat, transcriber=heard, extensions="resume", continues=continues, ids=ids, **settings)


def detection(value: dict | None) -> dict:
    return {"audio": {"input": {"turn_detection": value}}}


async def switch(talk: Talk, value: dict | None) -> None:
    await talk.send("session.update", session={"type": "realtime", **detection(value)})


async def ended_by_detection(old: Talk) -> str:
    await say(old, SOUND)
    return (await old.until(COMMITTED))["item_id"]


async def ended_by_hand(old: Talk) -> str:
    await say(old, SOUND[:80])
    await old.send("input_audio_buffer.commit")
    return (await old.until(COMMITTED))["item_id"]


async def heard_once(new: Talk, item_id: str) -> None:
    await send_again(new, SOUND, new.session.input_audio_ms)
    await new.silence(15.0)
    told = await new.until(COMPLETED)
    assert (told["item_id"], told["transcript"]) == (item_id, QUESTION)
    assert users(new) == [QUESTION]
    assert not new.of("conversation.item.deleted")
    assert not new.of("error")


def asked(talk: Talk) -> list[list[str]]:
    return [[said.content for said in request.messages[1:]] for request in talk.chat.requests]


@scripted
async def test_a_turn_that_detection_ended_keeps_its_item_and_is_answered() -> None:
    async with old_server() as old:
        item_id = await ended_by_detection(old)
        left = old.lose()
    async with new_server(left) as new:
        await heard_once(new, item_id)
        assert asked(new) == [[QUESTION]]


@pytest.mark.parametrize("frames", [0, 25, 60])
@scripted
async def test_a_turn_that_detection_ended_is_answered_though_its_second_server_is_lost_too(
    frames: int,
) -> None:
    """`frames`: so many of its sound had come again by then."""
    async with old_server() as old:
        item_id = await ended_by_detection(old)
        left = old.lose()
    async with old_server(before=left, continues=left.continues(), ids="b") as second:
        await asyncio.sleep(0.05)
        from_ms = second.session.input_audio_ms
        await send_again(second, SOUND[: from_ms // 20 + frames], from_ms)
        left_again = second.lose()
    assert left_again.position.received_ms == left.position.received_ms
    async with new_server(left_again, ids="c") as new:
        await heard_once(new, item_id)
        assert asked(new) == [[QUESTION]]


@scripted
async def test_a_turn_that_was_ended_by_hand_is_heard_again_from_a_record_of_an_older_server() -> None:
    async with old_server(**BY_HAND) as old:
        item_id = await ended_by_hand(old)
        left = old.lose()
    left.snapshot = replace(left.snapshot, segments=None, turn=None)
    left.position = replace(left.position, open_ms=None, received_ms=None)
    async with new_server(left, **BY_HAND) as new:
        await heard_once(new, item_id)


@pytest.mark.parametrize("creates", [True, False])
@scripted
async def test_a_turn_that_detection_ended_is_answered_as_it_said_though_the_client_mutes_then(
    creates: bool,
) -> None:
    async with old_server(**detection({**DETECTION, "create_response": creates})) as old:
        item_id = await ended_by_detection(old)
        await switch(old, None)
        await asyncio.sleep(0.1)
        left = old.lose()
    async with new_server(left, **BY_HAND) as new:
        await heard_once(new, item_id)
        assert asked(new) == ([[QUESTION]] if creates else [])


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("after", [True, False])
@scripted
async def test_a_turn_that_was_ended_by_hand_is_heard_once_though_hands_free_is_switched_on(
    after: bool, asks: bool
) -> None:
    """`after`: at the next server, before the sound comes again; else before the loss."""
    async with old_server(**BY_HAND) as old:
        item_id = await ended_by_hand(old)
        if asks:
            await old.send("response.create")
        if not after:
            await switch(old, DETECTION)
        await asyncio.sleep(0.1)
        left = old.lose()
    async with new_server(left, **(BY_HAND if after else detection(DETECTION))) as new:
        if after:
            await switch(new, DETECTION)
        await heard_once(new, item_id)
        assert asked(new) == ([[QUESTION]] if asks else [])


@scripted
async def test_a_turn_that_was_ended_by_hand_with_detection_on_is_heard_again() -> None:
    async with old_server() as old:
        item_id = await ended_by_hand(old)
        left = old.lose()
    async with new_server(left) as new:
        await heard_once(new, item_id)
        assert asked(new) == []


@scripted
async def test_a_response_that_was_asked_for_before_the_text_is_known_answers_that_question() -> None:
    async with old_server(**detection({**DETECTION, "create_response": False})) as old:
        item_id = await ended_by_detection(old)
        await old.send("response.create")
        await old.until("response.created")
        left = old.lose()
    async with new_server(left, **detection({**DETECTION, "create_response": False})) as new:
        await heard_once(new, item_id)
        assert asked(new) == [[QUESTION]]


@scripted
async def test_what_is_said_after_it_is_another_turn() -> None:
    async with old_server() as old:
        item_id = await ended_by_detection(old)
        left = old.lose()
    async with new_server(left) as new:
        await send_again(new, SOUND, new.session.input_audio_ms)
        await new.until("response.done")
        await say(new, SOUND)
        second = await new.until(COMMITTED)
        assert second["item_id"] != item_id
        await new.until("response.done", 2)
        assert users(new) == [QUESTION, QUESTION]


@scripted
async def test_the_sound_of_an_item_of_the_client_does_not_come_again_and_it_is_told_so_at_once() -> None:
    part = {"type": "input_audio", "audio": base64.b64encode(LOUD * 60).decode()}
    async with old_server(**BY_HAND) as old:
        item = {"type": "message", "id": "mine", "role": "user", "content": [part]}
        await old.send("conversation.item.create", item=item)
        await old.send("response.create")
        await asyncio.sleep(0.1)
        assert old.session.leaving.must_stay
        left = old.lose()
    async with new_server(left, **BY_HAND) as new:
        assert (await new.until(FAILED))["item_id"] == "mine"
        done = (await new.until("response.done", 2))["response"]
        assert done["status_details"]["error"]["code"] == "transcription_failed"
        assert asked(new) == []


@scripted
async def test_a_turn_whose_sound_is_cleared_before_it_comes_again_is_heard_all_the_same() -> None:
    async with old_server() as old:
        item_id = await ended_by_detection(old)
        left = old.lose()
    async with new_server(left) as new:
        await new.send("input_audio_buffer.clear")
        await heard_once(new, item_id)


@pytest.mark.parametrize("frames", [*range(1, 8), 12, 18])
@scripted
async def test_the_beginning_of_a_word_comes_again_that_nobody_had_noticed_yet(frames: int) -> None:
    sound = [SILENT] * 100 + [LOUD] * 50 + [SILENT] * 60
    async with Losable(transcriber=FakeTranscriber(["x"]), extensions="resume") as old:
        await say(old, sound[: 100 + frames])
        left = old.lose()
    async with new_server(left) as new:
        from_ms = new.session.input_audio_ms
        assert 2000 - 600 < from_ms <= 2000 - 400, (
            "as much before the speech as a transcriber gets, and little more"
        )
        await send_again(new, sound, from_ms)
        await new.until("response.done")
        assert users(new) == [QUESTION]


@scripted
async def test_what_was_ended_a_moment_ago_is_no_beginning_of_the_next_word() -> None:
    reader = FakeTranscriber([QUESTION], interim=False)
    async with Losable(transcriber=reader, extensions="resume") as old:
        await say(old, SOUND)
        await old.until(COMPLETED)
        left = old.lose()
    async with new_server(left) as new:
        assert new.session.input_audio_ms >= 1600, "after the end of the speech"
        await send_again(new, SOUND, new.session.input_audio_ms)
        await new.silence(5.0)
        assert users(new) == [QUESTION]
        assert not new.of(COMMITTED)


@scripted
async def test_a_client_is_told_that_open_speech_is_over_and_when_it_comes_again() -> None:
    async with old_server() as old:
        await say(old, SOUND[:50])
        begun = await old.until("input_audio_buffer.speech_started")
        left = old.lose()
    async with new_server(left) as new:
        await new.until("input_audio_buffer.cleared")
        assert not new.of("input_audio_buffer.speech_started")
        await send_again(new, SOUND, new.session.input_audio_ms)
        again = await new.until("input_audio_buffer.speech_started")
        assert again["item_id"] != begun["item_id"]
        await new.until("response.done")
        assert users(new) == [QUESTION]


@scripted
async def test_of_speech_that_is_over_no_client_is_told_that() -> None:
    async with old_server() as old:
        await ended_by_detection(old)
        left = old.lose()
    async with new_server(left) as new:
        await send_again(new, SOUND, new.session.input_audio_ms)
        await new.until("response.done")
        assert not new.of("input_audio_buffer.cleared")
