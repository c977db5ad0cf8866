"""What a client gets with the extensions `playback`, `words` and `latency`, and without them."""

import asyncio
import itertools

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.stories import STORY


@scripted
async def test_playback_acknowledgements_decide_what_was_heard():
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    transcriber, speech = FakeTranscriber(["Stop, please."]), FakeSpeech(factor=1.2)
    async with Talk(chat=chat, transcriber=transcriber, speech=speech, extensions="playback") as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        assert "output_audio_buffer.started" in talk.types
        await talk.silence(1.0)
        await talk.speak(0.4)
        await talk.until("response.done")
        started, cleared = (
            talk.types.index("input_audio_buffer.speech_started"),
            talk.types.index("output_audio_buffer.cleared"),
        )
        assert started < cleared < talk.types.index("response.done")
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=640, state="flushed")
        truncated = await talk.until("conversation.item.truncated")
        assert truncated["audio_end_ms"] == 640
        assert truncated["transcript"] == "Once there"


@scripted
async def test_words_join_to_the_transcript():
    async with Talk(chat=FakeChat([STORY]), extensions="words") as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        words = [word for event in talk.of("response.output_audio_words.delta") for word in event["words"]]
        transcript = talk.of("response.output_audio_transcript.done")[0]["transcript"]
        assert "".join(word["text"] for word in words) == transcript
        assert all(a["start_ms"] <= b["start_ms"] for a, b in itertools.pairwise(words))


@scripted
async def test_the_waterfall_of_a_turn():
    async with Talk(transcriber=FakeTranscriber(["Hello there."]), extensions="latency") as talk:
        await talk.speak(0.8)
        await talk.silence(2.0)
        latency = await talk.until("response.latency.done")
        marks = latency["marks"]
        assert latency["origin"] == "speech_ended"
        assert marks["speech_ended"] == 0
        assert 400 <= marks["turn_confirmed"] <= 600
        assert (
            marks["turn_confirmed"]
            <= marks["chat_request"]
            < marks["chat_first_delta"]
            <= marks["first_chunk"]
        )
        assert marks["first_chunk"] < marks["speech_first_audio"] <= marks["first_audio_sent"]


@scripted
async def test_the_waterfall_has_the_first_acknowledgement_and_waits_for_none_that_came():
    async with Talk(chat=FakeChat([STORY]), extensions="playback,latency") as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        done, latency = await talk.until("response.done"), await talk.until("response.latency.done")
        assert latency["marks"]["playback_started"] >= latency["marks"]["first_audio_sent"]
        assert latency["at"] == done["at"]


@scripted
async def test_the_waterfall_of_a_finished_reply_waits_for_the_first_acknowledgement():
    async with Talk(extensions="playback,latency") as talk:
        await talk.ask("Hello?")
        done = await talk.until("response.done")
        await asyncio.sleep(1.0)
        assert "response.latency.done" not in talk.types
        item_id = talk.of("response.output_audio.delta")[0]["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        latency = await talk.until("response.latency.done")
        assert latency["at"] - done["at"] == pytest.approx(1.0)
        assert "playback_started" in latency["marks"]


@scripted
async def test_a_client_that_asked_for_nothing_sees_only_ga():
    async with Talk(chat=FakeChat([STORY]), transcriber=FakeTranscriber(["Stop now, please."])) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.8)
        await talk.silence(2.0)
        await talk.until("response.done", 2)
        assert not [type for type in talk.types if type.startswith("output_audio_buffer") or "words" in type]
        assert "conversation.item.truncated" not in talk.types
        assert "extensions" not in talk.events[0]["session"]
