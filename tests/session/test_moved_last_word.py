"""A sound that breaks off inside a word because its server is gone: at the ear no word is lost, and one at most comes twice."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeSpeech, FakeTranscriber
from tests.session.listeners import Client, UnevenSpeech
from tests.session.moving import Losable, StoryChat
from tests.session.test_moved import EXTENSIONS, STORY, WORDS, at_ear, quiet, said


def at_the_ear(voice: UnevenSpeech, stopped_ms: float) -> tuple[list[str], list[str]]:
    """The words of the story that sounded to their end, and those of which a part did."""
    spans = list(zip(WORDS, voice.spans(), strict=False))
    whole = [word for word, (_, end_ms) in spans if end_ms <= stopped_ms + 1]
    return whole, [word for word, (start_ms, _) in spans if start_ms < stopped_ms][len(whole) :]


def said_again(talk: Talk) -> list[str]:
    """What a new response says."""
    begun = {event["response"]["id"] for event in talk.of("response.created")}
    ended = talk.of("response.output_audio_transcript.done")
    return " ".join(event["transcript"] for event in ended if event["response_id"] in begun).split()


@pytest.mark.parametrize("seed", range(60))
@scripted
async def test_at_the_ear_no_word_is_lost_and_one_at_most_comes_twice(seed: int) -> None:
    """The record is up to 0.7 s older than what the client has. The client plays as far as it is told, or has played on."""
    dice = random.Random(seed)
    voice = UnevenSpeech(dice)
    voice.words, voice.factor = "growing", dice.choice([1.1, 1.5, 3.0, 20.0])
    chat = StoryChat(story=STORY, word_s=dice.choice([0.01, 0.2]))
    async with Losable(chat=chat, speech=voice, extensions=EXTENSIONS) as old:
        client = Client(old, dice, "acks")
        await old.ask("Tell me a story.")
        await asyncio.sleep(dice.uniform(0.5, 9.0))
        left = old.lose()
        await asyncio.sleep(dice.uniform(0.0, 0.7))
        told, received_ms, received = at_ear(client, arrived=seed % 4 > 0), old.audio_ms(), len(old.events)
    async with Talk(
        chat=StoryChat(story=STORY),
        speech=FakeSpeech(factor=20.0),
        extensions=EXTENSIONS,
        continues=left.continues(last_seq=received, **told),
    ) as new:
        await quiet(new)
        assert said(new) == WORDS
        stopped_ms, played_ms = received_ms, told.get("played_ms", 0)
        for cut in new.of("conversation.item.truncated"):
            stopped_ms = max(played_ms, 0 if new.of("output_audio_buffer.cleared") else cut["audio_end_ms"])
        whole, part = at_the_ear(voice, stopped_ms)
        again = said_again(new)
        assert len(whole) + len(again) >= len(WORDS), "a word is lost"
        if played_ms <= left.position.sent_ms:  # else the player was in what nobody has written down
            assert len(whole) + len(part) + len(again) <= len(WORDS) + 1, "more than one comes twice"
        if stopped_ms > played_ms:
            assert not part, "the player stops where a word ends"


@pytest.mark.parametrize("seed", range(12))
@scripted
async def test_what_a_client_has_beyond_the_record_is_dropped_and_nothing_else(seed: int) -> None:
    """It plays on what it has of the words that are known, and is not silenced."""
    dice = random.Random(seed)
    voice = UnevenSpeech(dice)
    voice.words, voice.factor = "growing", 2.0
    async with Losable(chat=StoryChat(story=STORY, word_s=0.01), speech=voice, extensions=EXTENSIONS) as old:
        client = Client(old, dice, "acks")
        await old.ask("Tell me a story.")
        await asyncio.sleep(dice.uniform(2.0, 3.5))
        left = old.lose()
        await asyncio.sleep(0.5)
        told, received = at_ear(client, arrived=True), len(old.events)
    assert told["played_ms"] < left.position.sent_ms < told["received_ms"]
    async with Talk(
        chat=StoryChat(story=STORY),
        extensions=EXTENSIONS,
        continues=left.continues(last_seq=received, **told),
    ) as new:
        await quiet(new)
        (cut,) = new.of("conversation.item.truncated")
        assert not new.of("output_audio_buffer.cleared")
        longest_ms = max(end_ms - start_ms for start_ms, end_ms in voice.spans()) + 120
        assert left.position.sent_ms - 2 * longest_ms <= cut["audio_end_ms"] <= left.position.sent_ms
        assert said(new) == WORDS, said(new)


@pytest.mark.parametrize("seed", range(12))
@scripted
async def test_two_servers_are_lost_while_the_sound_of_the_first_one_plays(seed: int) -> None:
    """What the second one has begun to say again is not said twice."""
    dice = random.Random(seed)
    usual = {"speech": FakeSpeech(factor=20.0), "extensions": EXTENSIONS}
    async with Losable(
        chat=StoryChat(story=STORY, word_s=0.01), speech=FakeSpeech(factor=3.0), extensions=EXTENSIONS
    ) as first:
        await first.ask("Tell me a story.")
        await asyncio.sleep(dice.uniform(1.0, 1.8))
        item_id = first.of("response.output_audio.delta")[0]["item_id"]
        at = {"item_id": item_id, "received_ms": int(first.audio_ms())}
        left = first.lose()
    before = {"before": left, "continues": left.continues(played_ms=400, **at)}
    async with Losable(chat=StoryChat(story=STORY), ids="b", **before, **usual) as second:
        await asyncio.sleep(dice.uniform(0.05, 0.9))
        left = second.lose()
        assert left.snapshot.earlier
    continues = left.continues(played_ms=900, **at)
    async with Talk(chat=StoryChat(story=STORY), continues=continues, ids="c", **usual) as third:
        await quiet(third)
        assert said(third) == WORDS, said(third)
        assert not third.of("error")


@scripted
async def test_a_noise_while_the_sound_of_a_lost_server_plays_has_nothing_said_twice() -> None:
    async with Losable(
        chat=StoryChat(story=STORY * 2, word_s=0.01), speech=FakeSpeech(factor=3.0), extensions=EXTENSIONS
    ) as old:
        await old.ask("Tell me a story.")
        await asyncio.sleep(3.0)
        item_id = old.of("response.output_audio.delta")[0]["item_id"]
        received_ms = int(old.audio_ms())
        left = old.lose()
    noise = FakeTranscriber([""], interim_texts=[], delay_s=0.08)
    continues = left.continues(item_id=item_id, played_ms=400, received_ms=received_ms)
    async with Talk(
        chat=StoryChat(story=STORY * 2),
        extensions=EXTENSIONS,
        continues=continues,
        ids="b",
        transcriber=noise,
        speech=FakeSpeech(factor=3.0),
    ) as new:
        await new.silence(0.5)
        await new.speak(1.7)
        await new.send("output_audio_buffer.played", item_id=item_id, played_ms=1900, state="flushed")
        await new.silence(1.2)
        await new.until("response.created", 2)
        await quiet(new)
        assert new.metrics.interruptions_taken_back._value.get() == 1
        assert said(new) == WORDS * 2, said(new)
