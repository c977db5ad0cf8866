"""The client deletes an item of the user whose text is not known yet, and perhaps uses its id again: nobody waits for
the old item, and the new one gets none of its words."""

import asyncio
import base64

import numpy as np
import pytest

from realtime.core.conversation import MAX_ITEMS, Message
from realtime.errors import ProviderUnavailable
from realtime.providers.base import Transcript
from realtime.session import items
from tests.conversing import LOUD, Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber

COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"
BY_HAND = {"audio": {"input": {"turn_detection": None}}}
SOFT = (np.frombuffer(LOUD, "<i2") // 2).astype("<i2").tobytes()


class ByLoudness(FakeTranscriber):
    """Loud sound is another question than soft sound; each is read in its own time."""

    def __init__(self, loud_s: float, soft_s: float, loud: str | ProviderUnavailable = "Loud?") -> None:
        super().__init__(interim=False)
        self._said = {True: (loud_s, loud), False: (soft_s, "Soft?")}

    async def transcribe(self, samples, *, language, final):
        seconds, said = self._said[bool(np.abs(samples.astype(int)).max() > 9_000)]
        await asyncio.sleep(seconds)
        if isinstance(said, ProviderUnavailable):
            raise said
        return Transcript(said)


class Stubborn(ByLoudness):
    """Reads on when nobody waits for the text any more, and fails then."""

    async def transcribe(self, samples, *, language, final):
        try:
            return await super().transcribe(samples, language=language, final=final)
        except asyncio.CancelledError:
            raise ProviderUnavailable("It was cancelled.") from None


def voice(item_id: str, pcm: bytes) -> dict:
    part = {"type": "input_audio", "audio": base64.b64encode(pcm * 60).decode()}
    return {"type": "message", "role": "user", "id": item_id, "content": [part]}


def typed(item_id: str, text: str) -> dict:
    part = {"type": "input_text", "text": text}
    return {"type": "message", "role": "user", "id": item_id, "content": [part]}


def told(talk: Talk) -> list[tuple[str, str]]:
    """Items whose reading ended, and how."""
    texts = [event for event in talk.events if event["type"] in (COMPLETED, FAILED)]
    return [(event["item_id"], event.get("transcript", "failed")) for event in texts]


def asked(chat: FakeChat) -> list[list[str]]:
    return [[each.content for each in one.messages if each.role == "user"] for one in chat.requests]


@pytest.mark.parametrize(
    "reader",
    [
        ByLoudness(loud_s=0.5, soft_s=2.0),
        ByLoudness(loud_s=2.0, soft_s=0.5),
        ByLoudness(loud_s=2.0, soft_s=0.5, loud=ProviderUnavailable("down")),
        Stubborn(loud_s=2.0, soft_s=0.5),
    ],
    ids=["old first", "new first", "old fails", "old cannot be stopped"],
)
@scripted
async def test_sound_in_the_place_of_other_sound_gets_its_own_words(reader: FakeTranscriber) -> None:
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=reader) as talk:
        await talk.send("conversation.item.create", item=voice("m1", LOUD))
        await asyncio.sleep(0.02)
        await talk.send("conversation.item.delete", item_id="m1")
        await talk.send("conversation.item.create", item=voice("m1", SOFT))
        await talk.send("response.create")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        await asyncio.sleep(8.0)
        assert told(talk) == [("m1", "Soft?")]
        assert asked(chat) == [["Soft?"]]
        await talk.send("conversation.item.retrieve", item_id="m1")
        (part,) = talk.events[-1]["item"]["content"]
        assert part["transcript"] == "Soft?"


@scripted
async def test_recordings_that_wait_for_their_text_are_counted_until_they_have_it_or_are_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(items, "MAX_UNREAD_S", 2.5)  # one recording has 1.2 s
    async with Talk(transcriber=ByLoudness(loud_s=5.0, soft_s=5.0)) as talk:
        for item_id in ("m1", "m2", "m3"):
            await talk.send("conversation.item.create", item=voice(item_id, LOUD))
        refused = await talk.until("error")
        assert refused["error"]["code"] == "rate_limit_exceeded"
        assert [event["item"]["id"] for event in talk.of("conversation.item.done")] == ["m1", "m2"]
        await talk.send("conversation.item.delete", item_id="m2")
        await talk.send("conversation.item.create", item=voice("m3", SOFT))
        await asyncio.sleep(11.0)
        await talk.send("conversation.item.create", item=voice("m4", LOUD))
        await talk.send("conversation.item.create", item=voice("m5", LOUD))
        await asyncio.sleep(11.0)
        assert told(talk) == [("m1", "Loud?"), ("m3", "Soft?"), ("m4", "Loud?"), ("m5", "Loud?")]


@scripted
async def test_a_text_in_the_place_of_speech_that_failed_is_answered() -> None:
    chat = FakeChat()
    reader = FakeTranscriber([ProviderUnavailable("down")] * 3, interim=False)
    async with Talk(chat=chat, transcriber=reader) as talk:
        await talk.speak(1.0)
        await talk.silence(1.0)
        item_id = (await talk.until(FAILED))["item_id"]
        await talk.send("conversation.item.delete", item_id=item_id)
        await talk.send("conversation.item.create", item=typed(item_id, "Typed instead."))
        await talk.send("response.create")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert asked(chat) == [["Typed instead."]]


@pytest.mark.parametrize("interim", [True, False], ids=["read in the pause", "read at the end"])
@scripted
async def test_nobody_waits_for_the_text_of_speech_that_was_deleted(interim: bool) -> None:
    chat = FakeChat([[(0.1, "One.")], [(0.1, "Two.")]])
    reader = FakeTranscriber(["Spoken."] * 3, interim=interim, interim_texts=[], delay_s=9.0)
    async with Talk(chat=chat, transcriber=reader) as talk:
        await talk.speak(1.0)
        await talk.silence(1.0)
        item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
        await talk.send("conversation.item.delete", item_id=item_id)
        before_s = asyncio.get_running_loop().time()
        await talk.ask("Typed instead.")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        assert asyncio.get_running_loop().time() - before_s < 2.0
        await asyncio.sleep(20.0)
        assert told(talk) == []
        assert len(talk.of("response.created")) == 1
        reader.delay_s, reader.texts = 0.1, ["And now?"] * 3
        await talk.speak(1.0)
        await talk.silence(2.0)
        await talk.until("response.done", 2)
        assert asked(chat) == [["Typed instead."], ["Typed instead.", "And now?"]]


@scripted
async def test_a_response_that_waits_for_an_item_goes_on_without_it_when_it_is_deleted() -> None:
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=ByLoudness(loud_s=9.0, soft_s=1.0)) as talk:
        await talk.send("conversation.item.create", item=typed("first", "What is this?"))
        await talk.send("conversation.item.create", item=voice("long", LOUD))
        await talk.send("conversation.item.create", item=voice("short", SOFT))
        await talk.send("response.create")
        await asyncio.sleep(0.5)
        await talk.send("conversation.item.delete", item_id="long")
        assert (await talk.until("response.done", timeout_s=3.0))["response"]["status"] == "completed"
        assert " ".join(*asked(chat)).split() == ["What", "is", "this?", "Soft?"]
        await asyncio.sleep(20.0)
        assert told(talk) == [("short", "Soft?")]
        assert len(chat.requests) == 1


@scripted
async def test_nobody_waits_for_an_item_that_made_room_in_a_full_conversation() -> None:
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=ByLoudness(loud_s=9.0, soft_s=9.0)) as talk:
        await talk.send("conversation.item.create", item=voice("m1", LOUD))
        for number in range(MAX_ITEMS - 1):
            talk.session.conversation.add(Message(f"old_{number}", "user"))
        await talk.ask("Is there room?")
        assert talk.of("conversation.item.deleted")[0]["item_id"] == "m1"
        assert (await talk.until("response.done", timeout_s=3.0))["response"]["status"] == "completed"
        await asyncio.sleep(20.0)
        assert told(talk) == []


@scripted
async def test_a_turn_whose_item_makes_room_in_a_full_conversation_is_over() -> None:
    """Else the server would wait for its words, and no silence would count any more."""
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Spoken."], interim=False, delay_s=9.0)) as talk:
        await talk.speak(1.0)
        await talk.silence(1.0)
        item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
        for number in range(MAX_ITEMS - 1):
            talk.session.conversation.add(Message(f"old_{number}", "user"))
        await talk.send("conversation.item.create", item=typed("typed", "Is there room?"))
        assert talk.of("conversation.item.deleted")[0]["item_id"] == item_id
        assert not talk.session.leaving.engaged
        await asyncio.sleep(20.0)
        assert chat.requests == []


@scripted
async def test_a_text_with_the_id_of_deleted_speech_is_not_taken_for_speech_that_is_to_come_again() -> None:
    """While an older turn has no text yet, whoever goes on with the session needs the sound of those after it."""
    async with Talk(transcriber=FakeTranscriber(["A."] * 3, interim=False, delay_s=20.0)) as talk:
        for _ in range(2):
            await talk.speak(1.0)
            await talk.silence(1.0)
        first, second = (event["item_id"] for event in talk.of("input_audio_buffer.committed"))
        assert [each.item_id for each in talk.session.unheard.segments] == [first, second]
        await talk.send("conversation.item.delete", item_id=second)
        await talk.send("conversation.item.create", item=typed(second, "Typed instead."))
        assert [each.item_id for each in talk.session.unheard.segments] == [first]
        await talk.send("conversation.item.delete", item_id=first)
        assert not talk.session.unheard.segments
        assert not talk.session.leaving.must_stay


@scripted
async def test_a_commit_by_hand_that_was_deleted_need_not_come_again() -> None:
    async with Talk(transcriber=FakeTranscriber(["A."], interim=False, delay_s=20.0), **BY_HAND) as talk:
        await talk.speak(1.0)
        await talk.send("input_audio_buffer.commit")
        assert talk.session.unheard.segments
        item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
        await talk.send("conversation.item.delete", item_id=item_id)
        assert not talk.session.unheard.segments
        assert talk.session.unheard.from_ms == talk.session.input_audio_ms
