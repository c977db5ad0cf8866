"""Faults on request on the sandbox's speech socket."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
import websockets

from tests.sandbox.speech_kit import (
    audio_of,
    begin,
    code,
    platform,
    receive,
    rest,
    send,
    settled,
    start_event,
)
from tests.sandbox.speech_socket_kit import SENTENCE, failed_after


async def speak_with(fault: str, text: str = SENTENCE) -> tuple[list[dict[str, Any]], int | None]:
    async with platform() as sandbox:
        try:
            async with sandbox.connect(fault=fault) as ws:
                await begin(ws)
                await send(ws, "task_continue", text=text)
                await send(ws, "task_finish")
                return await rest(ws), ws.close_code
        except (websockets.ConnectionClosed, websockets.InvalidMessage, ConnectionError):
            return [], None


async def test_fault_no_event() -> None:
    """Audio frames without `event`."""
    frames, _ = await speak_with("speech.no_event")
    assert all("event" not in frame for frame in frames[:-1])
    assert audio_of(frames)


async def test_fault_trace_in_base_resp() -> None:
    frames, _ = await speak_with("speech.trace_in_base_resp")
    assert all("trace_id" not in frame and len(frame["base_resp"]["trace_id"]) == 32 for frame in frames)


async def test_fault_no_finished() -> None:
    """The socket closes without `task_finished`."""
    frames, closed = await speak_with("speech.no_finished")
    assert frames[-1]["is_final"] is True
    assert closed == 1000


async def test_fault_empty_data() -> None:
    """Null data and empty audio come in between; the audio is complete."""
    frames, _ = await speak_with("speech.empty_data")
    assert any(frame.get("data", 0) is None for frame in frames)
    assert any(frame.get("data") == {"audio": "", "status": 1} for frame in frames)
    info = next(frame["extra_info"] for frame in frames if frame.get("is_final"))
    assert info["audio_size"] == len(audio_of(frames))


async def test_fault_bad_hex() -> None:
    """Exactly one frame cannot be read."""
    frames, _ = await speak_with("speech.bad_hex")
    bad = [f for f in frames if re.search("[^0-9a-f]", (f.get("data") or {}).get("audio", ""))]
    assert len(bad) == 1


@pytest.mark.parametrize("number", [2203, 2204, 2205])
async def test_fault_soft(number: int) -> None:
    """A text is skipped with one reply."""
    frames, _ = await speak_with(f"speech.soft={number}")
    assert [code(frame) for frame in frames] == [number, 0]
    assert frames[0]["is_final"] is True


@pytest.mark.parametrize("name", ["speech.error", "speech.start_error"])
async def test_fault_error_codes(name: str) -> None:
    """Refused at the first text, or at the start."""
    async with platform() as sandbox, sandbox.connect(fault=f"{name}=1039") as ws:
        await receive(ws)
        await send(ws, start_event())
        if name == "speech.error":
            assert (await receive(ws))["event"] == "task_started"
            await send(ws, "task_continue", text="Hello.")
        assert code(await failed_after(ws)) == 1039


async def test_fault_drop_after_counts_audio_frames() -> None:
    """Two frames, then the connection is cut: no close frame."""
    frames, closed = await speak_with("speech.drop_after=2")
    assert len(frames) == 2
    assert closed == 1006


@pytest.mark.parametrize(
    ("moment", "count"),
    [("connect", 0), ("connected", 0), ("start", 0), ("text", 0), ("mid", 1), ("final", 20)],
)
async def test_fault_drop_at_every_moment(moment: str, count: int) -> None:
    """The connection is cut at the given moment, never after an `is_final`."""
    frames, closed = await speak_with(f"speech.drop_at={moment}")
    assert closed in (1006, None)
    assert (len(frames) >= count) if count == 20 else (len(frames) == count)
    assert not any(frame.get("is_final") for frame in frames)


async def test_fault_stall_sends_nothing_and_ends_with_the_client() -> None:
    async with platform() as sandbox:
        async with sandbox.connect(fault="speech.stall") as ws:
            await begin(ws)
            await send(ws, "task_continue", text="Hello.")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await ws.recv()
        await settled(sandbox.state)
