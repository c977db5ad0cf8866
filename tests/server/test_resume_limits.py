"""Resumed sessions and their limits: keys that expire, a full server, a stopping one, the replay buffer."""

import asyncio
import base64
import time
import zlib

import msgspec
import pytest

from realtime.server.access import CLOCK_LEEWAY_S
from realtime.server.closing import Closing
from realtime.server.state import ACCESS
from tests.eventually import eventually
from tests.server.harness import Harness, open_harness
from tests.server.resuming import (
    LONG,
    disconnect,
    live,
    open_client,
    resume_query,
)


async def test_a_client_secret_resumes_even_after_it_has_expired():
    async with open_harness(api_keys=("key-one",)) as harness:
        access = harness.server.app[ACCESS]
        secret = access.mint(access.check("key-one", time.time()), {}, int(time.time()) + 2 - CLOCK_LEEWAY_S)
        protocols = ("realtime", f"openai-insecure-api-key.{secret}")
        async with harness.connect("?extensions=resume", protocols=protocols) as before:
            await disconnect(harness, before)
            await eventually(lambda: time.time() > expiry(secret) + CLOCK_LEEWAY_S)
            async with harness.open_socket(resume_query(before), protocols=protocols) as after:
                await after.until("session.resumed")
            async with harness.open_socket(protocols=protocols) as expired:
                assert (await expired.error())["code"] == "invalid_api_key"


def expiry(secret: str) -> float:
    """When this secret expires, in Unix seconds."""
    body = base64.urlsafe_b64decode(secret[3:] + "=" * (-len(secret[3:]) % 4))[20:-8]
    return float(msgspec.json.decode(zlib.decompress(body))["e"])


async def test_a_full_server_resumes_sessions():
    async with open_harness(max_sessions=1) as harness, harness.connect("?extensions=resume") as before:
        await disconnect(harness, before)
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")


async def test_a_stopping_server_does_not_wait_long_for_detached_sessions():
    begin_s = asyncio.get_running_loop().time()
    async with open_harness(drain_s=20.0) as harness:
        wire = await open_client(harness, "?extensions=resume")
        await wire.until("conversation.created")
        await wire.say(LONG)
        await wire.send("response.create")
        await wire.until("response.created")
        await disconnect(harness, wire)
    assert asyncio.get_running_loop().time() - begin_s < 15
    await wire.aclose()


async def test_a_slow_reader_may_resume():
    async with open_harness(send_timeout_s=30.0) as harness, harness.connect("?extensions=resume") as before:
        await before.ask("What is two plus three?")
        session = live(harness, before)
        assert session.attached
        session._connection.close_soon(Closing(1008, "slow_reader", resumable=True))
        assert await before.closed() == (1008, "slow_reader")
        await eventually(lambda: not session.attached)
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")


async def test_the_replay_buffer_counts_audio_and_bytes(harness: Harness):
    async with harness.connect("?extensions=resume") as wire:
        await wire.ask(LONG)
        replay = live(harness, wire).numbering.replay
        assert replay.audio_ms == pytest.approx(len(wire.audio()) / 48, abs=1)
        assert len(wire.audio()) < replay.size_bytes < 2 * len(wire.audio())
