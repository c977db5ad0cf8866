"""Warm connections over minutes, in virtual time: one is ready at every moment, and none is older than allowed."""

from __future__ import annotations

import asyncio

from tests import virtual_time
from tests.providers.scripted_speech import Fate, ScriptedClient
from tests.providers.test_speech_losses import VOICE, provider


def now() -> float:
    return asyncio.get_running_loop().time()


def timed(test):
    """Run an async test in virtual time."""

    def run() -> None:
        virtual_time.run(test())

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


@timed
async def test_a_voice_in_use_is_ready_at_every_moment_of_a_quiet_spell():
    """The old connection goes only when the new one is there, however long that takes to open."""
    client = ScriptedClient(*[Fate(connect_s=4.0)] * 9)
    speech = provider(client)
    speech.warm(VOICE)
    await asyncio.sleep(5.0)
    config = client.config("v", rate=24_000, speed=1.0, language=None)
    for _ in range(280):
        await asyncio.sleep(1.0)
        ready = [session for session in speech._pool._idle[config] if session.usable]
        assert ready, f"nothing was ready {now() - 1000:.0f} s after the start"
        assert all(now() - session.last_sent_s < 120 for session in client.sessions if not session.closed)
    assert client.open_now <= 2
    await speech.aclose()
