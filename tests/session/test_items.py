"""What clients do to the conversation directly, alone: what is told, what is kept, and what is given to be transcribed."""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any

import msgspec
import numpy as np
import pytest

from realtime.core.audio import Resampler
from realtime.core.conversation import MAX_ITEMS, Item, Message
from realtime.errors import ProtocolError
from realtime.protocol.codec import decode
from realtime.providers.base import VAD_RATE
from realtime.session import items
from realtime.session.items import ItemEvents
from tests.contexts import Bench
from tests.conversing import LOUD, scripted


class Side:
    """Item events of a bench; `transcribed` has the items that were given away, with their samples."""

    def __init__(self, **session) -> None:
        self.bench = Bench(**session)
        self.unread_s = 0.0
        self.transcribed: list[tuple[str, dict[int, np.ndarray]]] = []
        self.items = ItemEvents(
            self.bench.context,
            transcribe=lambda item_id, recordings: self.transcribed.append((item_id, dict(recordings))),
            unread_s=lambda: self.unread_s,
            sent_ms=lambda item_id: None,
        )

    def send(self, type: str, **fields) -> list[dict]:
        """One event of the client; what it is told."""
        event = decode(msgspec.json.encode({"type": type, **fields}))
        self.gave_way, new = at_once(self.items.prepared(event))
        self.items.receive(event, new)
        return self.bench.sent()

    async def record(self, item: dict) -> list[dict]:
        """A new item whose sound is worked on while others work."""
        event = decode(msgspec.json.encode({"type": "conversation.item.create", "item": item}))
        self.items.receive(event, await self.items.prepared(event))
        return self.bench.sent()

    def create(self, item: dict, **fields) -> list[dict]:
        return self.send("conversation.item.create", item=item, **fields)


def at_once(work: Coroutine[Any, Any, Any]) -> tuple[int, Any]:
    """In how many steps this work gives way to others, and its result."""
    steps = 0
    try:
        while True:
            work.send(None)
            steps += 1
    except StopIteration as end:
        return steps, end.value


def text(words: str, **fields) -> dict:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}], **fields}


def audio(sound: bytes, **fields) -> dict:
    part = {"type": "input_audio", "audio": base64.b64encode(sound).decode(), **fields}
    return {"type": "message", "role": "user", "content": [part]}


@scripted
async def test_a_created_item_is_told_twice_with_its_place():
    side = Side()
    side.create(text("One.", id="one"))
    side.create(text("Three.", id="three"))
    told = side.create(text("Two.", id="two"), previous_item_id="one")
    assert [event["type"] for event in told] == ["conversation.item.added", "conversation.item.done"]
    assert {(event["previous_item_id"], event["item"]["id"]) for event in told} == {("one", "two")}
    assert [item.id for item in side.bench.context.conversation.items] == ["one", "two", "three"]
    assert side.transcribed == []


@scripted
async def test_a_long_recording_is_prepared_in_pieces_that_let_others_work():
    sound, side = np.random.default_rng(11).integers(-9_000, 9_000, 500_000).astype("<i2").tobytes(), Side()
    turns_of_others = 0

    async def work() -> None:
        nonlocal turns_of_others
        while True:
            turns_of_others += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    await side.record(audio(sound))
    working.cancel()
    ((_, recordings),) = side.transcribed
    samples = recordings[0]
    whole = Resampler(24_000, VAD_RATE).feed(np.frombuffer(sound, "<i2"), last=True)
    assert len(samples) == len(whole)
    assert np.abs(samples.astype(int) - whole).max() <= 1  # rounded elsewhere
    assert turns_of_others >= len(sound) // items.PIECE_BYTES


@scripted
async def test_ids_that_the_client_left_out_are_given():
    side = Side()
    (added, _) = side.create({"type": "function_call", "name": "dim", "arguments": "{}"})
    assert (added["item"]["id"], added["item"]["call_id"]) == ("item_1", "call_2")
    (added, _) = side.create(
        {"type": "function_call", "id": "i", "call_id": "c", "name": "dim", "arguments": "{}"}
    )
    assert (added["item"]["id"], added["item"]["call_id"]) == ("i", "c")


@scripted
async def test_sound_without_its_words_is_transcribed_and_not_sent_back():
    side = Side()
    (added, done) = await side.record(audio(LOUD * 50))
    ((item_id, recordings),) = side.transcribed
    samples = recordings[0]
    assert item_id == added["item"]["id"]
    assert len(samples) == 16_000
    assert np.abs(samples).max() > 10_000
    for event in (added, done):
        assert "audio" not in event["item"]["content"][0]


@scripted
async def test_a_recording_is_refused_while_others_of_ten_minutes_wait_to_be_transcribed():
    side = Side()
    recorded = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": LOUD}]}
    side.unread_s = items.MAX_UNREAD_S
    with pytest.raises(ProtocolError) as refused:
        side.create(recorded)
    assert (refused.value.code, refused.value.type) == ("rate_limit_exceeded", "rate_limit_error")
    assert "600 s" in refused.value.message
    assert side.bench.sent() == []
    assert side.transcribed == []
    with_words = {"type": "input_audio", "audio": LOUD, "transcript": "Hello."}
    side.create({**recorded, "content": [with_words]})
    side.unread_s = 0.0  # one alone may be as long as a message can bring
    side.create(recorded)
    assert len(side.transcribed) == 1


@scripted
async def test_sound_that_comes_with_its_words_is_not_transcribed():
    side = Side()
    (added, _) = await side.record(audio(LOUD * 50, transcript="Hello."))
    assert side.transcribed == []
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": "Hello."}]


@scripted
async def test_a_deleted_item_is_told_and_gone():
    side = Side()
    side.create(text("One.", id="one"))
    (retrieved,) = side.send("conversation.item.retrieve", item_id="one")
    assert retrieved["item"]["content"] == [{"type": "input_text", "text": "One."}]
    (deleted,) = side.send("conversation.item.delete", item_id="one")
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", "one")
    with pytest.raises(ProtocolError):
        side.send("conversation.item.retrieve", item_id="one")


@scripted
async def test_what_is_refused_changes_nothing():
    side = Side(truncation="disabled")
    for number in range(MAX_ITEMS):
        side.bench.context.conversation.add(Message(f"old_{number}", "user"))
    with pytest.raises(ProtocolError):
        await side.record(audio(LOUD * 50))
    assert (side.bench.sent(), side.transcribed) == ([], [])


BOOK = "word " * 200_000  # 1 MB


def kept(side: Side, item_id: str) -> Item:
    return side.bench.context.conversation.get(item_id)


@scripted
async def test_a_book_is_cut_and_says_so():
    side = Side()
    (added, done) = side.create(text(BOOK, id="book"))
    (part,) = kept(side, "book").parts
    assert 199_900 <= len(part.text) <= 200_000
    assert "\n[... 800,060 characters left out ...]\n" in part.text
    assert added["item"] == done["item"]
    assert added["item"]["content"] == [{"type": "input_text", "text": part.text}]


@scripted
async def test_an_output_of_3_megabytes_is_cut_and_says_so():
    side = Side()
    side.create({"type": "function_call", "call_id": "c", "name": "read", "arguments": "{}"})
    side.create({"type": "function_call_output", "id": "out", "call_id": "c", "output": BOOK})
    assert "characters left out" in kept(side, "out").output
    assert len(kept(side, "out").output) <= 200_000


@scripted
async def test_only_the_longest_part_is_cut():
    side = Side()
    parts = [{"type": "input_text", "text": words} for words in ("Summarise this.", BOOK, "In French.")]
    side.create({"type": "message", "role": "user", "id": "book", "content": parts})
    first, second, third = (part.text for part in kept(side, "book").parts)
    assert (first, third) == ("Summarise this.", "In French.")
    assert "characters left out" in second
    assert len(first + second + third) <= 200_000


@scripted
async def test_a_text_of_200_000_characters_is_not_touched():
    side = Side()
    side.create(text("x" * 200_000, id="long"))
    assert kept(side, "long").parts[0].text == "x" * 200_000


@scripted
async def test_a_photo_is_kept_for_the_model_and_does_not_come_back():
    side = Side()
    photo = "data:image/jpeg;base64," + "A" * 1_200_000
    content = [{"type": "input_image", "image_url": photo, "detail": "low"}]
    events = side.create({"type": "message", "role": "user", "id": "photo", "content": content})
    events += side.send("conversation.item.retrieve", item_id="photo")
    assert len(events) == 3
    for event in events:
        assert event["item"]["content"] == [{"type": "input_image", "detail": "low"}]
    assert kept(side, "photo").parts[0].url == photo


@scripted
async def test_an_item_of_many_parts_is_prepared_in_steps():
    side = Side()
    side.create(text("Hi.", id="small"))
    assert side.gave_way == 0
    parts = [{"type": "input_text", "text": "word " * 100}] * 1_000
    (added, _) = side.create({"type": "message", "role": "user", "id": "many", "content": parts})
    assert side.gave_way >= 3
    assert len(kept(side, "many").parts) == len(added["item"]["content"]) == 1_000
