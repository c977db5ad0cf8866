"""A test client for the protocol, and a harness: a server that uses the sandbox in the same process.

The client keeps every event it receives and checks it against the type definitions of the stock client.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

from realtime.protocol.framing import AudioFrame, decode_frame
from realtime.sandbox.faults import parse_faults
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import RunningServer, running
from realtime.server.state import REGISTRY
from realtime.settings import Settings
from tests.eventually import eventually
from tests.server.stock_types import check_event

TIMEOUT_S = 60.0  # long, because a test machine may be slow
# A server of a test waits so long for those that answer at once on another machine; where it should not, the test says so.
PATIENT: dict[str, Any] = {
    "chat_first_timeout_s": TIMEOUT_S, "chat_gap_timeout_s": TIMEOUT_S, "speech_timeout_s": TIMEOUT_S,
    "transcribe_timeout_s": TIMEOUT_S, "silent_turn_timeout_s": TIMEOUT_S, "tool_timeout_s": TIMEOUT_S,
}  # fmt: skip

QUICK = (
    "http.connect_ms=0", "http.error_ms=0", "chat.first_ms=5", "chat.tps=2000", "chat.plain_tps=2000",
    "chat.chunk_ms=5", "speech.connect_ms=0", "speech.connected_ms=0", "speech.start_ms=0", "speech.first_ms=5",
    "speech.hd_first_ms=5", "speech.final_ms=0", "speech.factor=200", "asr.ms=0",
)  # fmt: skip


class Closed(AssertionError):
    """The server ended the connection while the test waited for something else."""


class WireClient:
    """One connection. `events` and `frames` are what was received so far, in order."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self.frames: list[AudioFrame] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self._received = asyncio.Event()
        self._reader = asyncio.create_task(self._read(), name="test client")

    async def _read(self) -> None:
        try:
            while True:
                await self.reading.wait()
                message = await self.socket.recv()
                if isinstance(message, bytes):
                    frame = decode_frame(message)
                    assert frame is not None
                    self.frames.append(frame)
                else:
                    self.events.append(json.loads(message))
                self._received.set()
        except websockets.ConnectionClosed:
            pass
        finally:
            self._received.set()

    async def aclose(self) -> None:
        self.reading.set()
        await self.socket.close()
        await self._reader
        for event in self.events:
            check_event(event)

    # -- sending

    async def send(self, type: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": type, **fields}))

    async def append(self, audio: bytes) -> None:
        await self.send("input_audio_buffer.append", audio=base64.b64encode(audio).decode())

    async def say(self, text: str) -> None:
        """Create a user item, without asking for a response."""
        await self.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
        )

    async def ask(self, text: str, **response: Any) -> dict[str, Any]:
        """Run a text turn; returns the `response` of its `response.done`."""
        seen = self.count("response.done")
        await self.say(text)
        await self.send("response.create", **({"response": response} if response else {}))
        return (await self.until("response.done", seen + 1))["response"]

    # -- receiving

    async def until(self, type: str, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th event of this type. Raises Closed if the connection ends first."""
        async with asyncio.timeout(TIMEOUT_S):
            while len(found := self.of(type)) < count:
                if self._reader.done():
                    raise Closed(f"{self.close_code} {self.close_reason!r} before {type}: {self.events[-3:]}")
                self._received.clear()
                await self._received.wait()
        return found[count - 1]

    async def error(self, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th error."""
        return dict((await self.until("error", count))["error"])

    async def retrieve(self, item_id: str) -> dict[str, Any]:
        seen = self.count("conversation.item.retrieved")
        await self.send("conversation.item.retrieve", item_id=item_id)
        return dict((await self.until("conversation.item.retrieved", seen + 1))["item"])

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait until the server closes; the code and the reason."""
        async with asyncio.timeout(TIMEOUT_S):
            await self.socket.wait_closed()
        return self.close_code, self.close_reason

    @property
    def close_code(self) -> int | None:
        return self.socket.close_code

    @property
    def close_reason(self) -> str | None:
        return self.socket.close_reason

    def of(self, type: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == type]

    def count(self, type: str) -> int:
        return len(self.of(type))

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def audio(self, response_id: str | None = None) -> bytes:
        """The audio of one response, or of all."""
        return b"".join(
            base64.b64decode(event["delta"])
            for event in self.of("response.output_audio.delta")
            if response_id in (None, event["response_id"])
        )


@asynccontextmanager
async def open_socket(
    url: str, *, protocols: tuple[str, ...] = (), headers: dict[str, str] | None = None, **more: Any
) -> AsyncIterator[WireClient]:
    """A client of the server at this address, whatever the server sends first."""
    socket = await websockets.connect(
        url,
        subprotocols=[websockets.Subprotocol(name) for name in protocols] or None,
        additional_headers=headers,
        compression=None,
        max_size=None,
        ping_interval=None,
        proxy=None,
        **{"open_timeout": TIMEOUT_S, **more},
    )
    wire = WireClient(socket)
    try:
        yield wire
    finally:
        await wire.aclose()


@dataclass(frozen=True)
class Harness:
    """A server and the sandbox that it uses."""

    server: RunningServer
    sandbox: Sandbox

    @property
    def ws_url(self) -> str:
        return self.server.url.replace("http", "ws", 1) + "/v1/realtime"

    @asynccontextmanager
    async def connect(
        self,
        query: str = "",
        *,
        protocols: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> AsyncIterator[WireClient]:
        """A client that has received `conversation.created`."""
        async with self.open_socket(query, protocols=protocols, headers=headers, **more) as wire:
            await wire.until("conversation.created")
            yield wire

    @asynccontextmanager
    async def open_socket(
        self,
        query: str = "",
        *,
        protocols: tuple[str, ...] = (),
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> AsyncIterator[WireClient]:
        """A client with an open WebSocket, whatever the server sends first."""
        async with open_socket(self.ws_url + query, protocols=protocols, headers=headers, **more) as wire:
            yield wire

    def fault(self, text: str = "") -> None:
        """Set the sandbox's faults for new requests and sockets; "" removes all."""
        self.sandbox.state.options = replace(self.sandbox.state.options, faults=parse_faults(text))

    @property
    def sessions(self) -> int:
        return len(self.server.app[REGISTRY])

    async def no_sessions(self) -> None:
        """Wait until all sessions have ended."""
        await eventually(lambda: self.sessions == 0)


@asynccontextmanager
async def open_harness(
    *sets: str,
    faults: str = "",
    profile: str = "local",
    quick: bool = True,
    sandbox_port: int = 0,
    **settings: Any,
) -> AsyncIterator[Harness]:
    """A running server that uses a running sandbox. Fails if one of their tasks is left at the end."""
    before = asyncio.all_tasks()
    options = SandboxOptions.parse(
        profile, [*(QUICK if quick else ()), *sets], faults.split(",") if faults else ()
    )
    async with Sandbox(options, port=sandbox_port) as sandbox:
        chosen: dict[str, Any] = {"transcriber": "none", "speech_rpm": 6000, "chat_rpm": 6000}
        chosen |= PATIENT | settings
        async with running(Settings(api_key="sandbox", base_url=sandbox.url, port=0, **chosen)) as server:
            yield Harness(server, sandbox)
    for _ in range(20):  # the handlers of closed connections end in the next iterations of the loop
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left: {left}"
