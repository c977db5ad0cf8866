"""What happened to items while their client was away, and its server was lost then: it is told, and its picture of the
conversation is history again."""

from __future__ import annotations

import asyncio
import random

import pytest

from realtime.errors import ProviderUnavailable
from realtime.translate import to_wire_item
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.moving import Losable

BY_HAND = {"audio": {"input": {"turn_detection": None}}}
COMPLETED = "conversation.item.input_audio_transcription.completed"
FAILED = "conversation.item.input_audio_transcription.failed"
KNOWN_TO_CLIENT = "…"  # it cut the item itself, and knows what was heard of it


def text_of(item: dict) -> str:
    parts = item.get("content", [])
    return "".join(part.get("text") or part.get("transcript") or "" for part in parts)


def picture(events: list[dict]) -> dict[str, str]:
    """The items that a client shows, which believes what it is told."""
    shown: dict[str, str] = {}
    cut = set()
    for event in events:
        match event:
            case {"type": "conversation.item.added" | "conversation.item.done", "item": item}:
                if item["id"] not in cut:  # whose end says what was said
                    shown[item["id"]] = text_of(item)
            case {"type": "conversation.item.input_audio_transcription.completed", "item_id": item_id}:
                if item_id in shown:  # not deleted meanwhile
                    shown[item_id] = event["transcript"]
            case {"type": "conversation.item.truncated", "item_id": item_id}:
                shown[item_id] = event.get("transcript", KNOWN_TO_CLIENT)
                cut.add(item_id)
            case {"type": "conversation.item.deleted", "item_id": item_id}:
                del shown[item_id]  # of one that it never knew it is told nothing
    return shown


def history(talk: Talk) -> dict[str, str]:
    items = [to_wire_item(item) for item in talk.session.conversation.items]
    return {
        item.id: "".join(getattr(part, "text", "") or part.transcript or "" for part in item.content)
        for item in items
    }


@scripted
async def test_the_text_of_speech_is_told_whose_client_was_away() -> None:
    reader = FakeTranscriber(["What is the sea?"], interim=False, delay_s=0.5)
    async with Losable(transcriber=reader, extensions="resume", **BY_HAND) as old:
        await old.speak(1.0)
        await old.send("input_audio_buffer.commit")
        item_id = (await old.until("conversation.item.done"))["item"]["id"]
        known = len(old.events)
        old.reads.clear()
        await asyncio.sleep(1.0)
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=known), ids="b", **BY_HAND) as new:
        told = await new.until(COMPLETED)
        assert (told["item_id"], told["transcript"]) == (item_id, "What is the sea?")
        assert told["usage"] == {"type": "duration", "seconds": 1.0}
        assert new.types == [COMPLETED]


@scripted
async def test_that_speech_has_no_text_is_told_as_well() -> None:
    away = ProviderUnavailable("The transcriber is away.", code="transcription_failed")
    reader = FakeTranscriber([away], interim=False)
    async with Losable(transcriber=reader, extensions="resume", **BY_HAND) as old:
        await old.speak(1.0)
        await old.send("input_audio_buffer.commit")
        there = await old.until(FAILED)
        left = old.lose()
    continues = left.continues(last_seq=len(left.events) - 1)
    async with Talk(extensions="resume", continues=continues, ids="b", **BY_HAND) as new:
        told = await new.until(FAILED)
        assert (told["item_id"], told["error"]) == (there["item_id"], there["error"])


async def an_answer(old: Losable) -> str:
    await old.ask("Tell me a story.")
    await old.until("response.done")
    await asyncio.sleep(old.audio_ms() / 1000 + 1.0)
    return old.of("response.output_audio.delta")[0]["item_id"]


def told_chat() -> FakeChat:
    return FakeChat([[(0.01, "One dog ran by the sea, and two cats sat on a warm wall.")]] * 9)


@pytest.mark.parametrize("away", [True, False])
@pytest.mark.parametrize("extensions", ["resume", "playback,resume"])
@scripted
async def test_a_cut_is_confirmed_whose_confirmation_never_came(extensions: str, away: bool) -> None:
    """Its client does not send it again: the server had carried it out. `away`: it waited; else it was on its way."""
    async with Losable(chat=told_chat(), speech=FakeSpeech(factor=100.0), extensions=extensions) as old:
        item_id = await an_answer(old)
        known = len(old.events)
        if away:
            old.reads.clear()
        for ms in (2000, 1200):
            await old.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=ms)
        await asyncio.sleep(0.1)
        left = old.lose()
    async with Talk(extensions=extensions, continues=left.continues(last_seq=known), ids="b") as new:
        await asyncio.sleep(0.5)
        told = new.of("conversation.item.truncated")[-1]
        assert (told["item_id"], told["audio_end_ms"]) == (item_id, 1200)
        assert told.get("transcript") == (history(new)[item_id] if "playback" in extensions else None)
        assert set(new.types) == {"conversation.item.truncated"}


@scripted
async def test_a_deletion_is_told_unless_the_client_never_knew_the_item() -> None:
    async with Losable(chat=told_chat(), speech=FakeSpeech(factor=100.0), extensions="resume") as old:
        await an_answer(old)
        question = old.of("conversation.item.added")[0]["item"]["id"]
        known = len(old.events)
        old.reads.clear()
        for text in ("This goes.", "And this stays."):
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
            await old.send("conversation.item.create", item={"id": text[:4], **item})
        await old.send("conversation.item.delete", item_id="This")
        await old.send("conversation.item.delete", item_id=question)
        left = old.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=known), ids="b") as new:
        await asyncio.sleep(0.5)
        assert [event["item_id"] for event in new.of("conversation.item.deleted")] == [question]
        assert [event["item"]["id"] for event in new.of("conversation.item.added")] == ["And "]
        assert picture([*left.events[:known], *new.events]) == history(new)


@scripted
async def test_it_is_told_by_the_third_server_if_the_second_was_lost_before_its_client_came() -> None:
    async with Losable(chat=told_chat(), speech=FakeSpeech(factor=100.0), extensions="resume") as first:
        item_id = await an_answer(first)
        known = len(first.events)
        first.reads.clear()
        await first.send("conversation.item.delete", item_id=item_id)
        left = first.lose()
    before = {"before": left, "continues": left.continues(last_seq=known)}
    left.events = left.events[:known]
    async with Losable(extensions="resume", ids="b", reads=False, **before) as second:
        await asyncio.sleep(0.5)
        left = second.lose()
    async with Talk(extensions="resume", continues=left.continues(last_seq=known), ids="c") as third:
        await asyncio.sleep(0.5)
        assert third.types == ["conversation.item.deleted"]


class Client:
    """Does anything, at any time."""

    def __init__(self, talk: Talk, dice: random.Random) -> None:
        self.talk, self.dice = talk, dice

    async def act(self) -> None:
        talk, dice = self.talk, self.dice
        match dice.choice(["ask", "speak", "delete", "truncate", "create", "wait"]):
            case "ask" if not talk.session.replying:
                await talk.send("response.create")
            case "speak":
                await talk.speak(0.6)
                await talk.send("input_audio_buffer.commit")
            case "create":
                content = [{"type": "input_text", "text": f"Hello {dice.random()}"}]
                item = {"type": "message", "role": "user", "content": content}
                await talk.send("conversation.item.create", item=item)
            case "delete" if items := talk.of("conversation.item.done"):
                await talk.send("conversation.item.delete", item_id=dice.choice(items)["item"]["id"])
            case "truncate" if sounds := talk.of("response.output_audio.delta"):
                ms, item_id = dice.randrange(4000), dice.choice(sounds)["item_id"]
                truncate = {"item_id": item_id, "content_index": 0, "audio_end_ms": ms}
                await talk.send("conversation.item.truncate", **truncate)
        await asyncio.sleep(dice.choice([0.0, 0.3, 4.0]))


@pytest.mark.parametrize("seed", range(100))
@scripted
async def test_the_picture_of_a_client_is_history_whatever_it_missed(seed: int) -> None:
    dice = random.Random(seed)
    reader = FakeTranscriber(
        [f"Words {number}." for number in range(30)], interim=False, delay_s=dice.choice([0.0, 0.4])
    )
    # Without it nobody is told what counts of a lost reply
    usual = {"extensions": "playback,resume", **BY_HAND}
    speech = FakeSpeech(factor=dice.choice([2.0, 100.0]))
    async with Losable(chat=told_chat(), speech=speech, transcriber=reader, **usual) as old:
        client = Client(old, dice)
        for _ in range(dice.randrange(3, 12)):
            await client.act()
        await asyncio.sleep(dice.choice([0.0, 0.3, 4.0]))
        known = len(old.events)
        if dice.random() < 0.5:
            old.reads.clear()
        for _ in range(dice.randrange(3)):
            await client.act()
        left = old.lose()
    continues = left.continues(last_seq=known)
    async with Talk(chat=told_chat(), continues=continues, ids="b", **usual) as new:
        await asyncio.sleep(20.0)
        shown, kept = picture([*left.events[:known], *new.events]), history(new)
        assert {
            item_id: kept.get(item_id) if text == KNOWN_TO_CLIENT else text for item_id, text in shown.items()
        } == kept


@pytest.mark.parametrize("known", ["nothing", "the item", "its end"])
@pytest.mark.parametrize("away", [True, False])
@scripted
async def test_a_text_is_not_told_the_failure_of_the_speech_whose_id_it_has(known: str, away: bool) -> None:
    """`known`: what the client has been told when its server is lost."""
    reader = FakeTranscriber([ProviderUnavailable("down")], interim=False)
    async with Losable(transcriber=reader, extensions="resume", **BY_HAND) as old:
        told_of: dict[str, int] = {}  # how many events it has had by then

        def client_has(what: str) -> None:
            told_of[what] = len(old.events)
            if away and what == known:
                old.reads.clear()

        await old.speak(1.0)
        client_has("nothing")
        await old.send("input_audio_buffer.commit")
        item_id = old.session.conversation.items[-1].id
        client_has("the item")
        await asyncio.sleep(1.0)
        client_has("its end")
        await old.send("conversation.item.delete", item_id=item_id)
        part = {"type": "input_text", "text": "Typed instead."}
        item = {"type": "message", "role": "user", "id": item_id, "content": [part]}
        await old.send("conversation.item.create", item=item)
        await asyncio.sleep(0.1)
        left = old.lose()
    before = told_of[known]
    continues = left.continues(last_seq=before)
    async with Talk(extensions="resume", continues=continues, ids="b", **BY_HAND) as new:
        await asyncio.sleep(1.0)
        assert FAILED not in new.types
        assert COMPLETED not in new.types
        assert picture(left.events[:before] + new.events) == history(new) == {item_id: "Typed instead."}
