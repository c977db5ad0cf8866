"""What a response is asked about: the conversation that is there when it is created."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from realtime.errors import ProviderUnavailable
from realtime.providers.base import Transcript
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber

BY_HAND: dict[str, Any] = {"audio": {"input": {"turn_detection": None}}}
NOON = [(0.1, "It is noon.")]
DOWN = ProviderUnavailable("down")


def slow(*texts: str | ProviderUnavailable, delay_s: float = 1.0) -> FakeTranscriber:
    return FakeTranscriber(list(texts), interim=False, delay_s=delay_s)


def typed(text: str, **more: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **more}


def asked(chat: FakeChat) -> list[list[str]]:
    """What the user has said, in each request."""
    return [[each.content for each in one.messages if each.role == "user"] for one in chat.requests]


async def commit(talk: Talk) -> str:
    """Say something, and end the turn by hand. Returns the item's id."""
    count = talk.types.count("input_audio_buffer.committed") + 1
    await talk.speak(1.0)
    await talk.send("input_audio_buffer.commit")
    return (await talk.until("input_audio_buffer.committed", count))["item_id"]


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
