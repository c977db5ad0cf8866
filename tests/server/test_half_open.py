"""A line to chat or speech that dies without a word: the reply fails, and the next one uses new connections at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.settings import Settings
from tests.server.harness import QUICK, open_socket

LONG_S = 60.0  # a timeout that the test must not need


@dataclass
class Line:
    """A TCP proxy. `die` stops it for the connections of now: they stay open, and nothing passes any more."""

    target: tuple[str, int]
    url: str = ""
    opened: int = 0
    _alive: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def die(self) -> None:
        self._alive.clear()
        self._alive = asyncio.Event()
        self._alive.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        alive = self._alive
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        for one, other in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(_pass(one, other, alive))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, alive: asyncio.Event) -> None:
    try:
        while data := await reader.read(65536):
            await alive.wait()  # for ever, once the line is dead
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.close()


@asynccontextmanager
async def line_to(sandbox: Sandbox) -> AsyncIterator[Line]:
    parts = urlsplit(sandbox.url)
    line = Line((parts.hostname or "", parts.port or 0))
    line._alive.set()
    server = await asyncio.start_server(line.take, "127.0.0.1", 0)
    line.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield line
    finally:
        server.close()
        await line.aclose()


@pytest.mark.parametrize("dies", ["chat", "speech"])
@pytest.mark.parametrize("socket", ["ordinary", "bidi"])
async def test_the_next_reply_uses_new_connections(dies: str, socket: str) -> None:
    slow = (
        ("chat.tps=20", "chat.plain_tps=20", "chat.chunk_ms=50") if dies == "chat" else ("speech.factor=1",)
    )
    options = SandboxOptions.parse("local", [*QUICK, *slow], ())
    short = {"chat_gap_timeout_s": 2.0} if dies == "chat" else {"speech_timeout_s": 2.0}
    patient = {"chat_first_timeout_s": LONG_S, "chat_gap_timeout_s": LONG_S, "speech_timeout_s": LONG_S}
    async with Sandbox(options) as sandbox, line_to(sandbox) as line:
        settings = Settings(
            api_key="k",
            base_url=line.url if dies == "chat" else sandbox.url,
            speech_urls=(line.url if dies == "speech" else sandbox.url,),
            port=0,
            transcriber="none",
            speech_socket=socket,
            **patient | short,
        )
        async with (
            running(settings) as server,
            open_socket(server.url.replace("http", "ws", 1) + "/v1/realtime") as wire,
        ):
            await wire.until("conversation.created")
            await wire.say("Count from one to nine.")
            await wire.send("response.create")
            await wire.until("response.output_audio.delta", 2)
            opened = line.opened
            line.die()
            first = (await wire.until("response.done"))["response"]
            if dies == "chat":
                assert first["status_details"]["error"]["code"] == "upstream_timeout"
            else:
                assert first["status"] == "completed"  # the voice went on over a new connection
            async with asyncio.timeout(LONG_S / 2):
                done = await wire.ask("What is two plus three?")
            assert done["status"] == "completed", done["status_details"]
            assert wire.audio(done["id"])
            assert line.opened > opened
