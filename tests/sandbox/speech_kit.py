"""Helpers for the speech tests: a platform with only the speech parts, and a plain client of its sockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import numpy as np
import websockets
from aiohttp import web

from realtime.sandbox import links, speech_bidi, speech_http, speech_ws, voices
from realtime.sandbox.context import CLOSING, OPTIONS, STATE, SandboxState
from realtime.sandbox.options import SandboxOptions

QUICK = (
    "speech.connect_ms=0", "speech.connected_ms=0", "speech.start_ms=0", "speech.first_ms=0", "speech.hd_first_ms=0",
    "speech.final_ms=0", "speech.factor=1000000", "http.error_ms=0",
)  # fmt: skip
ORDINARY, BIDI, HTTP = "/ws/v1/t2a_v2", "/ws/v1/t2a_v2_bidi", "/v1/t2a_v2"


@dataclass(frozen=True)
class Platform:
    """A running platform."""

    url: str
    state: SandboxState

    def connect(self, path: str = ORDINARY, *, key: str | None = "any", fault: str = "") -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        if fault:
            headers["X-Sandbox-Fault"] = fault
        address = self.url.replace("http", "ws", 1) + path
        return websockets.connect(address, additional_headers=headers, max_size=None, ping_interval=None)

    async def post(
        self, path: str, body: Any, *, key: str = "any", fault: str = ""
    ) -> aiohttp.ClientResponse:
        """A POST whose answer has been read completely."""
        headers = {"Authorization": f"Bearer {key}"} | ({"X-Sandbox-Fault": fault} if fault else {})
        async with (
            aiohttp.ClientSession(read_bufsize=2**24) as session,
            session.post(self.url + path, json=body, headers=headers) as answer,
        ):
            await answer.read()
            return answer

    async def get(self, url: str) -> bytes:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 200
            return await answer.read()


@asynccontextmanager
async def platform(*sets: str, faults: tuple[str, ...] = ()) -> AsyncIterator[Platform]:
    """The speech parts on a free port, without latency unless set by `sets`. Fails if a task is left."""
    before = asyncio.all_tasks()
    app = web.Application()
    options = SandboxOptions.parse("local", [*QUICK, *sets], faults)
    app[OPTIONS], app[STATE], app[CLOSING] = options, SandboxState(options), asyncio.Event()

    async def release(app: web.Application) -> None:
        app[CLOSING].set()

    app.on_shutdown.append(release)
    for part in (links, speech_ws, speech_bidi, speech_http, voices):
        part.add_routes(app)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Platform(f"http://127.0.0.1:{runner.addresses[0][1]}", app[STATE])
        await settled(app[STATE])
    finally:
        await runner.cleanup()
    left = {task for task in asyncio.all_tasks() - before if "sandbox speech" in task.get_name()}
    assert not left, left


async def settled(state: SandboxState) -> None:
    """Wait until every speech socket is closed."""
    async with asyncio.timeout(60):
        while state.connections_open:  # noqa: ASYNC110 - a counter has no event to wait for
            await asyncio.sleep(0.005)


def start_event(**fields: Any) -> dict[str, Any]:
    """A `task_start` for 24 kHz pcm; dictionaries are merged, the rest replaces."""
    event: dict[str, Any] = {
        "event": "task_start",
        "model": "speech-2.8-turbo",
        "voice_setting": {"voice_id": "English_Graceful_Lady", "speed": 1, "vol": 1, "pitch": 0},
        "audio_setting": {"sample_rate": 24000, "format": "pcm", "channel": 1},
    }
    for name, value in fields.items():
        old = event.get(name)
        event[name] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    return event


async def send(ws: Any, event: str | dict[str, Any], **fields: Any) -> None:
    body = {"event": event, **fields} if isinstance(event, str) else event
    await ws.send(json.dumps(body))


async def receive(ws: Any) -> dict[str, Any]:
    async with asyncio.timeout(60):
        message = await ws.recv()
    assert isinstance(message, str)
    return dict(json.loads(message))


async def begin(ws: Any, **fields: Any) -> None:
    """Start the task: from the handshake to `task_started`."""
    assert (await receive(ws))["event"] == "connected_success"
    await send(ws, start_event(**fields))
    answer = await receive(ws)
    assert answer["event"] == "task_started", answer


async def until_final(ws: Any) -> list[dict[str, Any]]:
    """All frames up to and with the next `is_final`."""
    frames = [await receive(ws)]
    while not frames[-1].get("is_final"):
        assert frames[-1]["base_resp"]["status_code"] == 0, frames[-1]
        frames.append(await receive(ws))
    return frames


async def until(ws: Any, event: str) -> list[dict[str, Any]]:
    """All frames up to and with the next `event`."""
    frames = [await receive(ws)]
    while frames[-1].get("event") != event:
        frames.append(await receive(ws))
    return frames


async def rest(ws: Any) -> list[dict[str, Any]]:
    """All frames until the platform closes."""
    frames = []
    try:
        while True:
            frames.append(await receive(ws))
    except websockets.ConnectionClosed:
        return frames


def audio_of(frames: list[dict[str, Any]]) -> bytes:
    """The audio of some frames, joined."""
    return b"".join(bytes.fromhex((frame.get("data") or {}).get("audio", "")) for frame in frames)


def samples(pcm: bytes) -> np.ndarray:
    return np.frombuffer(pcm, dtype="<i2")


def code(frame: dict[str, Any]) -> int:
    return int(frame["base_resp"]["status_code"])
