"""A sound that breaks off inside a word because its server is gone: at the ear no word is lost, and one at most comes twice."""

from __future__ import annotations

import asyncio
import random

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeSpeech
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
    """The client plays what it has, or stops in the middle of a word."""
    dice = random.Random(seed)
    voice = UnevenSpeech(dice)
    voice.words, voice.factor = "growing", dice.choice([1.1, 1.5, 3.0, 20.0])
    chat = StoryChat(story=STORY, word_s=dice.choice([0.01, 0.2]))
    async with Losable(chat=chat, speech=voice, extensions=EXTENSIONS) as old:
        client = Client(old, dice, "acks")
        await old.ask("Tell me a story.")
        await asyncio.sleep(dice.uniform(0.5, 9.0))
        left, told, received_ms = old.lose(), at_ear(client, arrived=seed % 4 > 0), old.audio_ms()
    async with Talk(
        chat=StoryChat(story=STORY),
        speech=FakeSpeech(factor=20.0),
        extensions=EXTENSIONS,
        continues=left.continues(**told),
    ) as new:
        await quiet(new)
        assert said(new) == WORDS
        stopped_ms = told["played_ms"] if new.of("output_audio_buffer.cleared") else received_ms
        whole, part = at_the_ear(voice, stopped_ms)
        again = said_again(new)
        assert len(whole) + len(again) >= len(WORDS), "a word is lost"
        assert len(whole) + len(part) + len(again) <= len(WORDS) + 1, "more than one comes twice"
