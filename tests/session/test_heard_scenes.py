"""What was heard in single scenes: queued replies, late acknowledgements and truncates, voices that break off."""

from __future__ import annotations

import asyncio
import random

import pytest

from realtime.errors import ProviderUnavailable
from realtime.providers.base import SpeechAudio
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeUtterance, call, functions
from tests.session.listeners import items_said, kept_of, make_story

LOOKUP = [(0.1, "Let me look that up for you, it will only take a moment. "), (0.1, call("weather", "{}"))]


RESULT = {"type": "function_call_output", "call_id": "call_1", "output": "4"}


@scripted
async def test_a_reply_queued_behind_another_is_not_heard_before_its_turn():
    """A tool's answer is spoken while the words before the call still sound: an interruption cuts both."""
    chat = FakeChat([LOOKUP, [(0.1, "It is four degrees in Oslo.")], [(0.1, "Yes?")]])
    async with Talk(
        chat=chat, tools=functions("weather"), transcriber=FakeTranscriber(["Stop, please."] * 3)
    ) as talk:
        await talk.ask("Weather in Oslo?")
        await talk.until("response.done")
        await talk.send("conversation.item.create", item=RESULT)
        await talk.send("response.create")
        await talk.until("response.done", 2)
        await talk.speak(1.0)
        first, second = items_said(talk)
        before, after = await kept_of(talk, first), await kept_of(talk, second)
        assert before.startswith("Let me look")
        assert not before.endswith("moment."), "the first reply was interrupted in its middle"
        assert after == "", "nothing of the second one had sounded"


@scripted
async def test_a_silent_tool_call_does_not_hide_the_reply_that_still_sounds():
    chat = FakeChat([LOOKUP[:1], [(0.1, call("weather", "{}"))], [(0.1, "Yes?")]])
    async with Talk(
        chat=chat, tools=functions("weather"), transcriber=FakeTranscriber(["Stop, please."] * 3)
    ) as talk:
        await talk.ask("Weather in Oslo?")
        await talk.until("response.done")
        await talk.ask("And in Rome?")
        await talk.until("response.done", 2)
        await talk.speak(1.0)
        assert not (await kept_of(talk, items_said(talk)[0])).endswith("moment.")


@scripted
async def test_acknowledgements_of_an_earlier_reply_count_while_a_later_one_waits():
    chat = FakeChat([LOOKUP, [(0.1, "It is four degrees in Oslo.")], [(0.1, "Yes?")]])
    transcriber = FakeTranscriber(["Stop, please."] * 3)
    async with Talk(
        chat=chat, tools=functions("weather"), transcriber=transcriber, extensions="playback"
    ) as talk:
        await talk.ask("Weather in Oslo?")
        await talk.until("response.done")
        await talk.send("conversation.item.create", item=RESULT)
        await talk.send("response.create")
        await talk.until("response.done", 2)
        first, second = items_said(talk)
        await talk.send("output_audio_buffer.played", item_id=first, played_ms=300)
        await talk.speak(0.4)
        assert len(talk.of("output_audio_buffer.cleared")) == 2
        await talk.send("output_audio_buffer.played", item_id=first, played_ms=400, state="flushed")
        truncated = await talk.until("conversation.item.truncated")
        assert (truncated["item_id"], truncated["transcript"]) == (first, "Let me")
        await talk.silence(0.4)
        assert await kept_of(talk, second) == ""


@scripted
async def test_audio_thrown_away_before_it_was_sent_was_not_heard():
    """The reader has stalled, everything sent has been played, the rest waits here: a barge-in throws it away."""
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    speech = FakeSpeech(factor=50)
    async with Talk(chat=chat, speech=speech, transcriber=FakeTranscriber(["Wait."] * 3)) as talk:
        await talk.ask("Count.")
        await talk.until("response.output_audio.delta")
        talk.reads.clear()
        await asyncio.sleep(1.5)
        await talk.speak(0.8)
        talk.reads.set()
        await talk.until("input_audio_buffer.speech_started")
        kept = await kept_of(talk, items_said(talk)[0])
        assert len(kept) < len("One two three")


@scripted
async def test_a_player_that_empties_itself_unasked_is_believed():
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    async with Talk(chat=chat, speech=FakeSpeech(factor=50), extensions="playback") as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        item_id = items_said(talk)[0]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=420, state="flushed")
        assert (await talk.until("conversation.item.truncated"))["transcript"] == "One two"
        await talk.ask("And?")
        await talk.until("response.done", 2)
        assert "One two" in [message.content for message in chat.requests[1].messages]


@scripted
async def test_a_flush_that_is_late_corrects_the_estimate_and_a_lost_one_does_not_count_the_silence():
    for flush_s in (None, 0.6):
        chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
        async with Talk(
            chat=chat,
            speech=FakeSpeech(factor=50),
            transcriber=FakeTranscriber(["Stop, please."] * 3),
            extensions="playback",
        ) as talk:
            await talk.ask("Count.")
            first = await talk.until("response.output_audio.delta")
            item_id = first["item_id"]
            await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
            await talk.speak(1.0)
            started = await talk.until("input_audio_buffer.speech_started")
            truncated = await talk.until("conversation.item.truncated")
            assert truncated["audio_end_ms"] == pytest.approx((started["at"] - first["at"]) * 1000, abs=2)
            if flush_s is not None:
                await asyncio.sleep(flush_s - 0.3)
                await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=430, state="flushed")
                assert (await talk.until("conversation.item.truncated", 2))["audio_end_ms"] == 430
                assert await kept_of(talk, item_id) == "One two"


@scripted
async def test_a_truncate_of_the_client_outweighs_its_acknowledgements():
    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")], [(0.1, "Yes?")]])
    transcriber = FakeTranscriber(["Stop, please."] * 3)
    async with Talk(chat=chat, transcriber=transcriber, extensions="playback") as talk:
        await talk.ask("Count.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.silence(0.6)
        await talk.speak(0.4)
        await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=430)
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=1000, state="flushed")
        await talk.silence(0.5)
        assert [event["audio_end_ms"] for event in talk.of("conversation.item.truncated")] == [430]
        assert await kept_of(talk, item_id) == "One two"


@scripted
async def test_late_truncates_reach_no_further_than_what_was_sent():
    """A rounding error beyond the sent audio is clamped, more is refused; unsent audio counts for nothing."""
    chat = FakeChat([make_story(random.Random(4), chinese=False) * 3, [(0.1, "Yes?")]])
    async with Talk(
        chat=chat, speech=FakeSpeech(factor=50), transcriber=FakeTranscriber(["Stop."] * 9)
    ) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta", 5)
        talk.reads.clear()
        await asyncio.sleep(0.2)
        await talk.send("response.cancel")
        talk.reads.set()
        await talk.until("response.done")
        sent_ms, item_id = talk.audio_ms(), items_said(talk)[0]
        await talk.ask("And?")
        await talk.until("response.done", 2)
        await talk.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=int(sent_ms) + 1500
        )
        error = (await talk.until("error"))["error"]
        assert (error["code"], error["param"]) == ("invalid_value", "audio_end_ms")
        assert "is already shorter than" in error["message"]
        await talk.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=int(sent_ms) + 900
        )
        assert (await talk.until("conversation.item.truncated"))["audio_end_ms"] == int(sent_ms)


@scripted
async def test_a_voice_that_breaks_off_leaves_the_words_that_sounded():
    """No sound, no words: text handed to the voice that it never spoke is not history."""

    class _BreaksOff(FakeUtterance):
        async def events(self):
            text = await self._texts.get()
            yield SpeechAudio(0, b"\x01\x00" * 24 * 420)
            await asyncio.sleep(0.2)
            assert len(text) * 60 > 2000
            raise ProviderUnavailable("The voice is gone.")

    class _Speech(FakeSpeech):
        def open(self, voice):
            opened, speech = super().open(voice), self

            class _Opened:
                async def __aenter__(self):
                    await opened.__aenter__()
                    return _BreaksOff(speech)

                async def __aexit__(self, *error):
                    return await opened.__aexit__(*error)

            return _Opened()

    chat = FakeChat([[(0.1, "One two three four five six seven eight nine ten.")]])
    async with Talk(chat=chat, speech=_Speech()) as talk:
        await talk.ask("Count.")
        assert (await talk.until("response.done"))["response"]["status"] == "failed"
        assert await kept_of(talk, items_said(talk)[0]) == "One two"
