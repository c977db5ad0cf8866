"""Prewarmed connections over minutes, in virtual time: one is always ready, and none is idle for too long."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from realtime.errors import ProviderUnavailable
from realtime.minimax.errors import error_for_code
from realtime.minimax.speech import Transport
from realtime.providers.base import SpeechAudio
from realtime.providers.minimax.speech import create
from realtime.providers.minimax.speech_pool import MAX_IDLE_S, MAX_VOICES
from realtime.settings import Settings
from tests import virtual_time
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient
from tests.providers.minimax.test_speech_losses import VOICE, provider, speak


def now() -> float:
    return asyncio.get_running_loop().time()


def timed(test):
    """Run an async test in virtual time."""

    def run() -> None:
        virtual_time.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@timed
async def test_a_voice_in_use_has_a_ready_connection_during_a_long_silence():
    """The old connection is closed only when the new one is open, however long that takes."""
    client = ScriptedClient(*[Fate(connect_s=4.0)] * 9)
    speech = provider(client)
    speech.prewarm(VOICE)
    await asyncio.sleep(5.0)
    config = client.config("v", rate=24_000, speed=1.0, language=None)
    for _ in range(280):
        await asyncio.sleep(1.0)
        ready = [session for session in speech._pool._idle[config] if session.usable]
        assert ready, f"nothing was ready {now() - 1000:.0f} s after the start"
        assert all(now() - session.last_sent_s < 120 for session in client.sessions if not session.closed)
    assert client.open_now <= 2
    await speech.aclose()


@timed
async def test_a_connection_that_is_almost_too_idle_is_not_lent():
    """The platform could close a connection that was last used 110 s ago."""
    client = ScriptedClient()
    speech = provider(client)
    speech.prewarm(VOICE)
    await asyncio.sleep(MAX_IDLE_S - 0.05)
    await speak(speech, ["Good evening."])
    assert [session.texts for session in client.sessions[:2]] == [[], ["Good evening."]]
    await speech.aclose()


@timed
async def test_an_unused_voice_leaves_nothing_in_the_tables():
    """A client that uses a thousand voices and speeds must not fill the memory."""
    client = ScriptedClient()
    speech = provider(client, connections=3)
    for number in range(1000):
        speech.prewarm(replace(VOICE, speed=0.5 + number / 1000))
        await asyncio.sleep(0.3)
        if number % 50 == 0:
            await speak_as(speech, replace(VOICE, speed=0.5 + number / 1000))
    await asyncio.sleep(600.0)
    pool = speech._pool
    kept = [pool._idle, pool._opening, pool._used_s, pool._addresses, pool._idle_timers, speech._learnt]
    assert client.open_now == 0
    assert all(len(table) <= MAX_VOICES for table in kept), [len(table) for table in kept]
    await speech.aclose()


@timed
async def test_two_voices_have_a_prewarmed_connection_each():
    client = ScriptedClient()
    speech = provider(client)
    other = replace(VOICE, voice_id="w", rate=8000)
    for voice in (VOICE, other):
        speech.prewarm(voice)
    await asyncio.sleep(1.0)
    for _ in range(3):
        await asyncio.gather(speak_as(speech, VOICE), speak_as(speech, other))
    assert client.sockets == 2
    assert {
        config.rate: len(session.texts)
        for (_, _, config), session in zip(client.opened, client.sessions, strict=True)
    } == {24_000: 3, 8000: 3}
    await speech.aclose()


async def speak_as(speech, voice) -> float:
    """Seconds until the first audio of a short reply in this voice."""
    began_s, first_s = now(), 0.0
    async with speech.open(voice) as utterance:
        await utterance.say("Good evening to you.")
        utterance.finish()
        async for event in utterance.events():
            if isinstance(event, SpeechAudio) and not first_s:
                first_s = now() - began_s
    return first_s


@timed
async def test_the_connect_timeout_is_the_speech_timeout():
    """All hosts have to be tried within the twenty seconds of a turn without audio."""
    speech = create(Settings(api_key="k", base_url="http://x", speech_timeout_s=3.0))
    assert speech._client.timeouts.connect_s == 3.0
    await speech.aclose()


@timed
async def test_the_limit_is_halved_by_a_refusal_and_grows_again():
    refused = Fate(connect=error_for_code(1041))
    client = ScriptedClient(refused)
    speech = provider(client, connections=8)
    await speak(speech, ["Good evening."])
    assert [transport for transport, _, _ in client.opened][:2] == [Transport.ORDINARY, Transport.HTTP]
    assert speech._pool.limit == 4
    await asyncio.sleep(301)
    assert speech._pool.limit == 8
    await speech.aclose()


@timed
async def test_the_breaker_allows_a_host_again_after_half_a_minute():
    gone = ProviderUnavailable("gone")
    client = ScriptedClient(Fate(connect=gone), hosts=("one", "two"))
    speech = provider(client)
    speech.prewarm(VOICE)
    await asyncio.sleep(1.0)
    assert [host for _, host, _ in client.opened] == ["one", "two"]
    speech.prewarm(replace(VOICE, voice_id="w"))
    await asyncio.sleep(1.0)
    assert client.opened[-1][1] == "two", "the bad host is skipped"
    await asyncio.sleep(30.0)
    speech.prewarm(replace(VOICE, voice_id="x"))
    await asyncio.sleep(1.0)
    assert client.opened[-1][1] == "one"
    await speech.aclose()


@timed
async def test_a_spare_is_opened_as_soon_as_a_connection_is_abandoned():
    """Also if the closing handshake takes a second."""
    client = ScriptedClient()
    client.close_s = 1.0
    speech = provider(client)
    speech.prewarm(VOICE)
    await asyncio.sleep(1.0)
    for _ in range(3):
        async with speech.open(VOICE) as utterance, aclosing(utterance.events()) as events:
            await utterance.say("Good evening to all of you.")
            await anext(events)
        await asyncio.sleep(0.15)  # opening takes a tenth of a second
        assert await speak_as(speech, VOICE) == pytest.approx(client.first_s + 0.004, abs=0.002)
    await speech.aclose()


@timed
async def test_when_a_connection_goes_silent_the_idle_ones_of_its_host_are_closed():
    """They may be dead too: the next reply would wait for its first sound in vain."""
    client = ScriptedClient(Fate(frames=1, stalls=True))
    speech = provider(client)
    speech.prewarm(VOICE)
    await asyncio.sleep(1.0)
    silent = asyncio.create_task(speak(speech, ["One two three four five."]))
    await asyncio.sleep(1.0)
    await speak(speech, ["Six."])  # meanwhile another reply, whose connection is idle then
    idle = client.sessions[-1]
    assert not idle.closed
    await silent
    await asyncio.sleep(0.1)
    assert idle.closed
    await speak(speech, ["Seven."])
    assert "Seven." not in idle.texts
    await speech.aclose()
