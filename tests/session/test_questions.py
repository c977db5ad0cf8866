"""What a response is asked about: what is there when it is created, speech with its words as soon as they are known."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import Any

import pytest

from realtime.errors import ProviderUnavailable
from realtime.providers.base import Transcript
from tests.conversing import LOUD, Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber
from tests.session.moving import Losable
from tests.session.test_moved_speech import say, send_again

BY_HAND: dict[str, Any] = {"audio": {"input": {"turn_detection": None}}}
MOOD = "One word: the mood."
NOON = [(0.1, "It is noon.")]
DOWN = ProviderUnavailable("down")


def slow(*texts: str | ProviderUnavailable, delay_s: float = 1.0) -> FakeTranscriber:
    return FakeTranscriber(list(texts), interim=False, delay_s=delay_s)


def typed(text: str, **more: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def reference(item_id: str) -> dict[str, str]:
    return {"type": "item_reference", "id": item_id}


def asked(chat: FakeChat) -> list[list[str]]:
    """What the user has said, in each request."""
    return [[each.content for each in one.messages if each.role == "user"] for one in chat.requests]


async def commit(talk: Talk) -> str:
    """Say something, and end the turn by hand. Returns the item's id."""
    count = talk.types.count("input_audio_buffer.committed") + 1
    await talk.speak(1.0)
    await talk.send("input_audio_buffer.commit")
    return (await talk.until("input_audio_buffer.committed", count))["item_id"]


async def beside(talk: Talk, *given: dict[str, Any]) -> None:
    response = {"conversation": "none", "output_modalities": ["text"], "instructions": MOOD}
    await talk.send("response.create", response={**response, "input": list(given)})


# -- speech that a response refers to --------------------------------------------------------------------------------


@scripted
async def test_a_response_beside_is_asked_with_the_words_of_speech_that_was_not_read_when_it_was_created() -> (
    None
):
    chat = FakeChat([NOON, [(0.1, "calm")]])
    async with Talk(chat=chat, transcriber=slow("What time is it?")) as talk:
        await talk.speak(1.0)
        turn = asyncio.create_task(talk.silence(3.0))
        await beside(talk, reference((await talk.until("input_audio_buffer.committed"))["item_id"]))
        await turn
        await talk.until("response.done", 2)
        mood = next(request for request in chat.requests if request.messages[0].content == MOOD)
        assert [message.content for message in mood.messages] == [MOOD, "What time is it?"]


@scripted
async def test_a_response_waits_for_the_speech_it_refers_to_and_for_no_other() -> None:
    chat = FakeChat([[(0.1, "calm")]])
    reader = slow("First.", "Second.", delay_s=3.0)
    async with Talk(chat=chat, transcriber=reader, **BY_HAND) as talk:
        first = await commit(talk)
        await commit(talk)
        await beside(talk, reference(first), typed("And now?"))
        await talk.until("response.done", timeout_s=2.5)
        assert asked(chat) == [["First.", "And now?"]]


@scripted
async def test_an_item_of_the_response_waits_for_no_speech_that_has_its_id() -> None:
    chat = FakeChat([[(0.1, "calm")]])
    async with Talk(chat=chat, transcriber=slow("Spoken.", delay_s=9.0), **BY_HAND) as talk:
        await beside(talk, typed("Typed.", id=await commit(talk)))
        await talk.until("response.done", timeout_s=1.0)
        assert asked(chat) == [["Typed."]]


@pytest.mark.parametrize("already", [False, True], ids=["is being read", "has failed"])
@scripted
async def test_a_response_fails_whose_last_message_is_speech_that_has_no_text(already: bool) -> None:
    chat = FakeChat([[(0.1, "calm")]])
    async with Talk(chat=chat, transcriber=slow(DOWN), **BY_HAND) as talk:
        item_id = await commit(talk)
        if already:
            await talk.until("conversation.item.input_audio_transcription.failed")
        await beside(talk, typed("Hello."), reference(item_id))
        done = (await talk.until("response.done"))["response"]
        assert done["status_details"]["error"]["code"] == "transcription_failed"
        await beside(talk, reference(item_id), typed("Hello."))
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert asked(chat) == [["Hello."]]


@scripted
async def test_speech_that_is_deleted_before_it_is_read_is_left_out_also_when_its_id_is_used_again() -> None:
    chat = FakeChat([[(0.1, "calm")]])
    async with Talk(chat=chat, transcriber=slow("Spoken.", delay_s=9.0), **BY_HAND) as talk:
        item_id = await commit(talk)
        await beside(talk, typed("Hello."), reference(item_id))
        await asyncio.sleep(0.5)
        await talk.send("conversation.item.delete", item_id=item_id)
        await talk.send("conversation.item.create", item=typed("Another.", id=item_id))
        await talk.until("response.done", timeout_s=1.0)
        assert asked(chat) == [["Hello."]]


@scripted
async def test_speech_that_is_deleted_when_it_has_been_read_stays_in_a_response_that_waits_for_more() -> None:
    chat = FakeChat([[(0.1, "calm")]])
    async with Talk(chat=chat, transcriber=slow("First.", "Second.", delay_s=2.0), **BY_HAND) as talk:
        items = [await commit(talk), await commit(talk)]
        await beside(talk, *map(reference, items))
        await talk.until("conversation.item.input_audio_transcription.completed")
        await talk.send("conversation.item.delete", item_id=items[0])
        await talk.until("response.done")
        assert asked(chat) == [["First.", "Second."]]


@scripted
async def test_a_response_that_is_cancelled_takes_the_words_from_no_other() -> None:
    chat = FakeChat([[(0.1, "calm")]])
    async with Talk(chat=chat, transcriber=slow("Spoken."), **BY_HAND) as talk:
        item_id = await commit(talk)
        await talk.send("response.create")
        await beside(talk, reference(item_id))
        await beside(talk, reference(item_id))
        await asyncio.sleep(0.1)
        for created in talk.of("response.created")[:2]:
            await talk.send("response.cancel", response_id=created["response"]["id"])
        done = [(await talk.until("response.done", count))["response"]["status"] for count in (1, 2, 3)]
        assert done == ["cancelled", "cancelled", "completed"]
        assert asked(chat) == [["Spoken."]]


@scripted
async def test_another_server_asks_with_the_words_too() -> None:
    sound = [LOUD] * 60
    async with Losable(transcriber=slow("never", delay_s=60.0), extensions="resume", **BY_HAND) as old:
        await old.send("conversation.item.create", item=typed("Not about this."))
        await say(old, sound)
        await old.send("input_audio_buffer.commit")
        item_id = (await old.until("input_audio_buffer.committed"))["item_id"]
        await old.send("response.create", response={"instructions": MOOD, "input": [reference(item_id)]})
        await asyncio.sleep(0.1)
        left = old.lose()
    chat = FakeChat([[(0.1, "Calm.")]])
    continues = left.continues()
    async with Talk(
        chat=chat,
        transcriber=slow("What is it?"),
        extensions="resume",
        continues=continues,
        ids="b",
        **BY_HAND,
    ) as new:
        await send_again(new, sound, new.session.input_audio_ms)
        assert (await new.until("response.done", 2))["response"]["status"] == "completed"
        (request,) = chat.requests
        assert [message.content for message in request.messages] == [MOOD, "What is it?"]


# -- sound that a response brings --------------------------------------------------------------------------------------


def recording(**more: str) -> dict[str, Any]:
    part = {"type": "input_audio", "audio": base64.b64encode(LOUD * 60).decode(), **more}
    return {"type": "message", "role": "user", "content": [part]}


@scripted
async def test_a_recording_of_the_response_is_read_for_it_and_is_no_item() -> None:
    chat, reader = FakeChat([[(0.1, "calm")]]), slow("Spoken.")
    async with Talk(chat=chat, transcriber=reader, **BY_HAND) as talk:
        await beside(talk, recording(transcript=""), recording(transcript="Known."), typed("And now?"))
        await talk.until("response.done")
        assert asked(chat) == [["Spoken.", "Known.", "And now?"]]
        assert [seconds for seconds, _ in reader.asked] == [pytest.approx(1.2, abs=0.01)]
        assert talk.session.conversation.items == ()
        assert not [type_ for type_ in talk.types if "transcription" in type_]


@scripted
async def test_a_response_fails_whose_recording_has_no_text() -> None:
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=slow(DOWN), **BY_HAND) as talk:
        await beside(talk, recording(), typed("And now?"))
        done = (await talk.until("response.done"))["response"]
        assert done["status_details"]["error"]["code"] == "transcription_failed"
        assert chat.requests == []


# -- recordings in an item of the conversation ----------------------------------------------------------------------


def transcribed(talk: Talk, how: str) -> list[dict[str, Any]]:
    return talk.of(f"conversation.item.input_audio_transcription.{how}")


@scripted
async def test_each_recording_of_an_item_has_its_own_words_and_is_told_with_its_place() -> None:
    chat, reader = FakeChat([NOON]), slow("One.", "Two.")
    parts = [each["content"][0] for each in (typed("Listen."), recording(), recording(transcript="Known."))]
    item = {**typed("", id="m"), "content": [*parts, *recording()["content"]]}
    async with Talk(chat=chat, transcriber=reader, **BY_HAND) as talk:
        await talk.send("conversation.item.create", item=item)
        await talk.send("response.create")
        await talk.until("response.done")
        assert asked(chat) == [["Listen.\nOne.\nKnown.\nTwo."]]
        told = [(each["content_index"], each["transcript"]) for each in transcribed(talk, "completed")]
        assert told == [(1, "One."), (3, "Two.")]
        assert [each["usage"]["seconds"] for each in transcribed(talk, "completed")] == [
            pytest.approx(1.2, abs=0.01)
        ] * 2


@scripted
async def test_of_two_recordings_one_may_fail_and_the_item_is_no_question_then() -> None:
    chat, reader = FakeChat(), slow(DOWN, "Two.")
    async with Talk(chat=chat, transcriber=reader, **BY_HAND) as talk:
        item = {**recording(), "content": [*recording()["content"], *recording()["content"]]}
        await talk.send("conversation.item.create", item=item)
        await talk.send("response.create")
        done = (await talk.until("response.done"))["response"]
        assert done["status_details"]["error"]["code"] == "transcription_failed"
        assert [each["content_index"] for each in transcribed(talk, "failed")] == [0]
        assert [each["content_index"] for each in transcribed(talk, "completed")] == [1]


# -- the conversation ------------------------------------------------------------------------------------------------


@scripted
async def test_a_response_waits_for_no_speech_that_was_committed_after_it_was_created() -> None:
    chat = FakeChat([NOON])
    async with Talk(chat=chat, transcriber=slow("What time is it?", "later", delay_s=3.0), **BY_HAND) as talk:
        await commit(talk)
        await talk.send("response.create")
        await talk.speak(1.0)
        await commit(talk)
        await talk.until("response.done", timeout_s=1.9)
        assert asked(chat) == [["What time is it?"]]


@scripted
async def test_what_is_added_after_a_response_was_created_is_for_the_next_one() -> None:
    chat = FakeChat([NOON, NOON])
    async with Talk(chat=chat, transcriber=slow("What time is it?"), **BY_HAND) as talk:
        await commit(talk)
        await talk.send("response.create")
        await talk.send("conversation.item.create", item=typed("In Oslo."), previous_item_id="root")
        await talk.until("response.done")
        await talk.send("response.create")
        await talk.until("response.done", 2)
        assert asked(chat) == [["What time is it?"], ["In Oslo.", "What time is it?"]]


@scripted
async def test_a_response_fails_whose_speech_has_no_text_whatever_is_added_after_it_was_created() -> None:
    async with Talk(transcriber=slow(DOWN), **BY_HAND) as talk:
        await commit(talk)
        await talk.send("response.create")
        await talk.send("conversation.item.create", item=typed("In Oslo."))
        done = (await talk.until("response.done"))["response"]
        assert done["status_details"]["error"]["code"] == "transcription_failed"


class Deaf(FakeTranscriber):
    """Reads to the end, although it is cancelled."""

    async def transcribe(self, samples, *, language, final):
        reading = asyncio.ensure_future(asyncio.sleep(9.0))
        while not reading.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(reading)
        return Transcript("Spoken.")


@scripted
async def test_nobody_waits_for_a_transcriber_that_cannot_be_stopped_when_its_item_is_deleted() -> None:
    chat = FakeChat([NOON])
    async with Talk(chat=chat, transcriber=Deaf(interim=False), **BY_HAND) as talk:
        await talk.send("conversation.item.create", item=typed("What time is it?"))
        item_id = await commit(talk)
        await talk.send("response.create")
        await asyncio.sleep(0.2)
        await talk.send("conversation.item.delete", item_id=item_id)
        await talk.until("response.done", timeout_s=1.0)
        assert asked(chat) == [["What time is it?"]]
    await asyncio.sleep(9.0)  # the session has left it; no task may be left at the end of a test
