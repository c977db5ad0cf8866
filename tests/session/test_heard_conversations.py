"""What was heard in whole conversations: hundreds of stories that are interrupted or cancelled anywhere, in virtual time."""

from __future__ import annotations

import asyncio
import math
import random

import pytest

from tests import virtual_time
from tests.conversing import Talk
from tests.fakes import FakeChat, FakeTranscriber
from tests.session.listeners import Client, UnevenSpeech, make_story, now, spoken_words


async def one_conversation(seed: str, report: str) -> None:
    """A story, an interruption, a question; then what the model is told it said."""
    dice = random.Random(seed)
    chinese = dice.random() < 0.5
    chat = FakeChat([make_story(dice, chinese=chinese), [(0.1, "Yes?")], [(0.1, "Yes?")]])
    speech = UnevenSpeech(dice)
    extensions = "playback" if report == "acks" else ""
    async with Talk(
        chat=chat, speech=speech, transcriber=FakeTranscriber(["Stop it now."] * 9), extensions=extensions
    ) as talk:
        client = Client(talk, dice, report)
        await talk.ask("Tell me a story.")
        acks = asyncio.create_task(client.acknowledge()) if report == "acks" else None
        await asyncio.sleep(dice.choice([dice.uniform(0, 0.6), dice.uniform(0, 4), dice.uniform(0, 12)]))
        by_voice = dice.random() < 0.5 or not talk.session.replying
        cut_s = now()
        await (client.barge_in() if by_voice else client.cancel())
        if acks is not None:
            await acks
        if by_voice:
            cut_s = talk.of("input_audio_buffer.speech_started")[0]["at"]
        if dice.random() < 0.3:
            await talk.send("response.cancel")
        story_id = (talk.of("response.output_audio_transcript.delta") or [{}])[0].get("item_id")
        spoken = speech.spoken[:]
        await talk.silence(2.0) if by_voice else await talk.ask("And?")
        await asyncio.sleep(1.0)
        if story_id is None:  # interrupted before its first word: nothing of it may be left
            told = [message.role for message in chat.requests[1].messages]
            assert "assistant" not in told, f"seed {seed}"
            return
        speech.spoken = spoken
        await check_item(client, chat, speech, story_id, report, cut_s, f"seed {seed}", chinese=chinese)


async def check_item(client, chat, speech, item_id, report, cut_s, name, *, chinese) -> None:
    talk = client.talk
    await talk.send("conversation.item.retrieve", item_id=item_id)
    item = (await talk.until("conversation.item.retrieved"))["item"]
    kept = item["content"][0]["transcript"]
    told = [message.content for message in chat.requests[1].messages if message.role == "assistant"]
    assert told[:1] == ([kept] if kept.strip() else []), f"{name}: the model was told something else"
    whole = "".join(
        event["delta"]
        for event in talk.of("response.output_audio_transcript.delta")
        if event["item_id"] == item_id
    )
    assert whole.startswith(kept), name
    heard_ms = client.heard_ms(item_id, math.inf)
    bounds = [speech.heard_words(heard_ms)]
    if report == "nothing":
        bounds.append(speech.heard_words(heard_ms - client.delay_ms))
        bounds.append(speech.heard_words(heard_ms + client.delay_ms))
    least, most = min(low for low, _ in bounds), max(high for _, high in bounds)
    count = spoken_words(kept, chinese=chinese)
    assert least - 1 <= count <= most + 1, f"{name}: {count} words kept, {least} to {most} heard: {kept!r}"


@pytest.mark.parametrize("report", ["truncate", "acks", "nothing"])
def test_whole_conversations(report):
    """100 conversations for each way to report: barge-in and cancel, English and Chinese."""
    for number in range(100):
        virtual_time.run(one_conversation(f"{report} {number}", report))
