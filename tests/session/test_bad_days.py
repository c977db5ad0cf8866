"""Bad days as scripts in virtual time: slow models, spent budgets, interruptions at the worst moments.

The real voice provider over scripted connections; the same over sockets is `server/test_bad_days.py`.
"""

from __future__ import annotations

import asyncio
import base64
import re

import pytest

from realtime.minimax.errors import error_for_code
from realtime.providers.base import Voice
from realtime.providers.memory_quota import MemoryQuota, now_ms
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient
from tests.providers.minimax.test_speech_losses import check_sound, provider
from tests.session.listeners import kept_of

STORY = (
    "Once a small dog lived by the sea. Every morning it ran along that wide beach, barking happily! "
    "Then waves came in, cold and grey, so it hurried home and slept until noon."
)
WORDS = [word.strip(".,!").lower() for word in STORY.split()]


def told(tokens_per_s: float = 50.0) -> list[tuple[float, str]]:
    """The story as a model writes it, a word at a time."""
    return [(1 / tokens_per_s, f"{word} ") for word in STORY.split()]


def voice_of(client: ScriptedClient, **settings):
    speech = provider(client, **settings)
    speech.open_now = 0  # a `Talk` asks its voice
    return speech


def sound_of(talk: Talk) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in talk.of("response.output_audio.delta"))


def dry_s(talk: Talk) -> float:
    """For how long the listener had nothing to hear, after the first sound."""
    until_s, dry = None, 0.0
    for event in talk.of("response.output_audio.delta"):
        if until_s is not None and event["at"] > until_s:
            dry += event["at"] - until_s
        until_s = max(until_s or 0.0, event["at"]) + len(event["delta"]) * 3 / 4 / 48_000
    return dry


async def whole_story(client: ScriptedClient, answer=None, **settings) -> Talk:
    """Ask for the story; every word of it has to sound once, and the next turn has to work."""
    speech = voice_of(client, **settings)
    chat = FakeChat([answer or told(), [(0.1, "Fine.")]])
    async with Talk(chat=chat, speech=speech) as talk:
        await talk.ask("Tell me a story.")
        done = (await talk.until("response.done", timeout_s=120))["response"]
        assert done["status"] == "completed", done["status_details"]
        check_sound(client, WORDS, client.lexicon.runs(sound_of(talk), 24_000))
        assert done["output"][0]["content"][0]["transcript"].split() == STORY.split()
        await talk.ask("And?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
    await speech.aclose()
    return talk


@scripted
async def test_a_chat_model_at_five_tokens_a_second_is_spoken_as_it_comes():
    client = ScriptedClient()
    talk = await whole_story(client, told(5.0))
    first_s = talk.of("response.output_audio.delta")[0]["at"]
    assert first_s < len("Once a small dog lived".split()) / 5 + 2.0, "it does not wait for the end"


@scripted
async def test_the_patience_of_a_turn_is_for_silence_and_not_for_a_slow_answer():
    """Half a minute of words, one now and then; and after a last one nothing more for twenty seconds."""
    await whole_story(ScriptedClient(), told(1.1))
    speech = voice_of(ScriptedClient())
    async with Talk(chat=FakeChat([[*told(1.1)[:20], (60.0, "late")]]), speech=speech) as talk:
        asked_s = asyncio.get_running_loop().time() - 1000
        await talk.ask("Tell me a story.")
        done = await talk.until("response.done")
        assert done["response"]["status_details"]["error"]["code"] == "upstream_timeout"
        assert 20 / 1.1 + 20.0 < done["at"] - asked_s < 20 / 1.1 + 25.0
    await speech.aclose()


@scripted
async def test_a_voice_at_four_fifths_of_real_time_stutters_and_loses_nothing():
    client = ScriptedClient()
    client.factor = 0.8
    talk = await whole_story(client)
    spoken_s = len(sound_of(talk)) / 48_000
    assert dry_s(talk) < 0.4 * spoken_s, "no more silence than the voice is slow"


@pytest.mark.parametrize("frames", [0, 5, 40])
def test_a_rate_limit_on_a_piece_is_waited_for_and_nothing_is_said_twice(frames):
    @scripted
    async def conversation():
        limited = error_for_code(1002)
        client = ScriptedClient(Fate(frames=frames, error=limited), Fate(frames=0, error=limited))
        talk = await whole_story(client, budget_wait_s=5.0)
        assert 1.0 < dry_s(talk) + talk.of("response.output_audio.delta")[0]["at"] < 7.0

    conversation()


@scripted
async def test_a_rate_limit_that_lasts_fails_the_response_with_the_wait_in_its_message():
    client = ScriptedClient(*[Fate(frames=0, error=error_for_code(1002))] * 9)
    speech = voice_of(client, budget_wait_s=5.0)
    async with Talk(chat=FakeChat([told(), [(0.1, "Fine.")]]), speech=speech) as talk:
        await talk.ask("Tell me a story.")
        done = await talk.until("response.done")
        error = done["response"]["status_details"]["error"]
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        assert "Try again in about 5 s" in error["message"]
        assert 2.0 < done["at"] < 8.0, "neither at once nor after the timeout"
        client._fates.clear()
        await talk.ask("And?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
    await speech.aclose()


@scripted
async def test_our_own_count_waits_up_to_five_seconds_and_says_how_long_it_would_take():
    client = ScriptedClient()
    speech = voice_of(client, rpm=1, budget_wait_s=5.0)
    async with Talk(chat=FakeChat([[(0.1, "Fine.")] for _ in range(3)]), speech=speech) as talk:
        await talk.ask("One?")
        await talk.until("response.done")
        spent_s = talk.of("response.output_audio.delta")[0]["at"]
        await talk.ask("Two?")
        error = (await talk.until("response.done", 2))["response"]["status_details"]["error"]
        assert error["code"] == "rate_limit_exceeded"
        assert re.search(r"Try again in (60|61) s", error["message"])
        await asyncio.sleep(spent_s + 57.0 - (asyncio.get_running_loop().time() - 1000))
        before = len(talk.of("response.output_audio.delta"))
        await talk.ask("Three?")
        sound = await talk.until("response.output_audio.delta", before + 1)
        assert sound["at"] - spent_s == pytest.approx(61.0, abs=0.6)
        assert (await talk.until("response.done", 3))["response"]["status"] == "completed"
    await speech.aclose()


@scripted
async def test_interrupted_before_the_first_sound_nothing_was_said():
    for by_voice in (True, False):
        chat = FakeChat([told(), [(0.1, "Fine.")]])
        speech = FakeSpeech(first_s=3.0)
        async with Talk(chat=chat, speech=speech, transcriber=FakeTranscriber(["Stop, please."] * 9)) as talk:
            await talk.ask("Tell me a story.")
            await asyncio.sleep(0.5)
            await (talk.speak(0.8) if by_voice else talk.send("response.cancel"))
            done = (await talk.until("response.done"))["response"]
            assert done["status"] == "cancelled"
            await (talk.silence(2.0) if by_voice else talk.ask("And?"))
            await talk.until("response.done", 2)
            assert "assistant" not in [message.role for message in chat.requests[1].messages]


@scripted
async def test_interrupted_in_the_last_tenth_of_a_second_the_reply_was_heard():
    chat = FakeChat([[(0.1, "One two three four five.")], [(0.1, "Fine.")]])
    transcriber = FakeTranscriber(["Stop, please."] * 9)
    async with Talk(chat=chat, speech=FakeSpeech(factor=50), transcriber=transcriber) as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        first = talk.of("response.output_audio.delta")[0]
        end_s = first["at"] + talk.audio_ms() / 1000
        # Its words confirm it after a third of a second.
        await asyncio.sleep(end_s - 0.36 - (asyncio.get_running_loop().time() - 1000))
        await talk.speak(1.0)
        started = await talk.until("input_audio_buffer.speech_started")
        assert 0.0 <= end_s - started["at"] < 0.1
        await talk.silence(2.0)
        await talk.until("response.done", 2)
        kept = (await kept_of(talk, first["item_id"])).split()
        assert kept[:4] == ["One", "two", "three", "four"]


@scripted
async def test_interrupted_twice_within_a_fifth_of_a_second():
    """By voice and by button, and the button again: one cancelled reply, one cut, no error, and it goes on."""
    chat = FakeChat([told(), [(0.1, "Fine.")]])
    transcriber = FakeTranscriber(["Stop, please."] * 9)
    async with Talk(chat=chat, speech=FakeSpeech(factor=3.0), transcriber=transcriber) as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        await talk.silence(0.5)
        speaking = asyncio.create_task(talk.speak(0.9))
        await talk.until("input_audio_buffer.speech_started")
        kept = await kept_of(talk, item_id)
        for _ in range(2):
            await asyncio.sleep(0.08)
            await talk.send("response.cancel")
        assert await kept_of(talk, item_id) == kept
        await speaking
        await talk.silence(2.0)
        await talk.until("response.done", 2)
        assert [done["response"]["status"] for done in talk.of("response.done")] == ["cancelled", "completed"]
        assert not talk.of("error")


@scripted
async def test_two_conversations_on_one_spent_budget_both_go_on():
    """One provider, a request every two seconds between them: later, never silent without a reason."""
    client = ScriptedClient()
    speech = voice_of(client, rpm=30, budget_wait_s=5.0)
    quota = MemoryQuota("speech", 30)
    for number in range(29):
        quota.log.write(f"earlier {number}", now_ms() - 59_000)
    speech.use_quota(quota)

    async def converse() -> list[dict]:
        async with Talk(chat=FakeChat([told() for _ in range(4)]), speech=speech) as talk:
            for turn in range(1, 5):
                await talk.ask("Tell me a story.")
                await talk.until("response.done", turn, timeout_s=200)
            return [done["response"] for done in talk.of("response.done")]

    for responses in await asyncio.gather(converse(), converse()):
        for response in responses:
            if response["status"] != "completed":
                assert response["status_details"]["error"]["code"] == "rate_limit_exceeded"
                assert "Try again in" in response["status_details"]["error"]["message"]
        assert responses[0]["status"] == "completed"
    assert speech.latency(Voice("v1")).mean_s < 1.0, "waiting for the budget is no latency of the voice"
    await speech.aclose()
