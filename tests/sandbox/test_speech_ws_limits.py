"""Limits, keys and idle times of the sandbox's speech socket."""

from __future__ import annotations

import asyncio

import pytest
import websockets

from realtime.sandbox.context import message_for
from tests.sandbox.speech_kit import (
    audio_of,
    begin,
    code,
    platform,
    receive,
    rest,
    send,
    settled,
    until_final,
)
from tests.sandbox.speech_socket_kit import failed_after


async def test_too_many_waiting_texts_is_2205() -> None:
    """The limit of the queue is `speech.max_queue`."""
    async with platform("speech.max_queue=3", "speech.first_ms=5000") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for _ in range(5):
            await send(ws, "task_continue", text="Hello.")
        assert code(await failed_after(ws)) == 2205


async def test_requests_over_the_rate_are_1002() -> None:
    """Every non-empty text is one request; empty texts do not count."""
    async with platform("limit.speech_rpm=2") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for text in ("One.", "", "Two.", "Three."):
            await send(ws, "task_continue", text=text)
        frames = await rest(ws)
        assert [code(f) for f in frames if f.get("is_final")] == [0, 2203, 0]
        assert frames[-1]["base_resp"] == {
            "status_code": 1002,
            "status_msg": "rate limit, please retry later",
        }


async def test_sockets_over_the_limit_are_1041_until_one_closes() -> None:
    async with platform("limit.connections=1") as sandbox:
        async with sandbox.connect() as first:
            await begin(first)
            async with sandbox.connect() as second:
                (failed,) = await rest(second)
                assert (failed["event"], code(failed)) == ("task_failed", 1041)
        await settled(sandbox.state)
        async with sandbox.connect() as third:
            await begin(third)
        assert sandbox.state.connections_opened == 2


@pytest.mark.parametrize(("key", "number"), [(None, 1004), ("sk-bad", 2049)])
async def test_a_bad_key_is_refused_in_the_first_frame(key: str | None, number: int) -> None:
    """The handshake succeeds, then `task_failed` and close."""
    async with platform() as sandbox, sandbox.connect(key=key) as ws:
        (failed,) = await rest(ws)
        assert failed["event"] == "task_failed"
        assert failed["base_resp"] == {"status_code": number, "status_msg": message_for(number)}


async def test_a_bad_key_can_be_refused_in_the_handshake() -> None:
    async with platform("speech.reject_handshake=1") as sandbox:
        with pytest.raises(websockets.InvalidStatus) as refused:
            await sandbox.connect(key=None)
        assert refused.value.response.status_code == 401


async def test_an_idle_client_gets_2201() -> None:
    """Pings do not count; the message has the time."""
    async with platform("speech.idle_s=1.5") as sandbox, sandbox.connect() as ws:
        await begin(ws)

        async def ping() -> None:
            while True:
                await ws.ping()
                await asyncio.sleep(0.05)

        pinging = asyncio.create_task(ping())
        failed = await failed_after(ws)
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        assert code(failed) == 2201
        assert "no messages received for 1.5 seconds" in failed["base_resp"]["status_msg"]


async def test_an_empty_text_keeps_the_socket_alive() -> None:
    """The keep-alive of real clients: each empty text is answered with 2203 and restarts the idle timeout."""
    async with platform("speech.idle_s=3") as sandbox, sandbox.connect() as ws:
        await begin(ws)
        for _ in range(4):
            await asyncio.sleep(0.9)
            await send(ws, "task_continue", text="")
            assert code(await receive(ws)) == 2203
        await send(ws, "task_continue", text="Hello.")
        assert audio_of(await until_final(ws))
