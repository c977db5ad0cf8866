"""Scripted conversations: a session in virtual time with fake providers and a microphone of loud or silent samples."""

import asyncio
import base64
import functools
import itertools

import msgspec
import numpy as np

from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.protocol.codec import decode, encode
from realtime.protocol.server_events import ErrorEvent
from realtime.providers.base import Providers
from realtime.session.defaults import new_session_config
from realtime.session.session import Session
from realtime.settings import Settings
from realtime.tools import Toolbox
from tests import virtual_time
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeVad

LOUD = (np.sin(np.arange(480) / 3) * 12_000).astype("<i2").tobytes()  # 20 ms at 24 kHz
SILENT = b"\x00\x00" * 480


class Talk:
    """One session and its client. `events` are the received events as dicts, with their time in seconds as `at`."""

    def __init__(
        self,
        *,
        chat: FakeChat | None = None,
        speech: FakeSpeech | None = None,
        transcriber: FakeTranscriber | None = None,
        extensions: str = "",
        settings: Settings | None = None,
        server_tools: Toolbox | None = None,
        reads: bool = True,
        end_of_turn=None,
        on_turn=None,
        seat=None,
        continues=None,
        ids: str = "",
        **session,
    ) -> None:
        """`continues`: what another server has left, as arguments of its `Session`. `ids`: begins every id."""
        self.chat = chat or FakeChat()
        self.speech = speech or FakeSpeech()
        self.transcriber = transcriber or FakeTranscriber()
        self.settings = settings or Settings(instructions="Be brief.", voice_id="v1", speculate="off")
        self.end_of_turn = end_of_turn
        self.events: list[dict] = []
        self.reads = asyncio.Event()
        if reads:
            self.reads.set()
        self._server_tools, self._on_turn, self._seat = server_tools, on_turn, seat
        self._continues, self._ids = continues or {}, ids
        self._session_patch, self._extensions = session, extensions
        self._news = asyncio.Event()

    async def __aenter__(self):
        numbers = itertools.count(1)
        providers = Providers(FakeVad(), self.transcriber, self.chat, self.speech, self.end_of_turn)
        self.outbox = Outbox()
        self.outbox.on_event = self.queued
        self.metrics = Metrics()
        config = new_session_config(self.settings, providers, self._session_patch, self._extensions)
        self.session = Session(
            config,
            providers=providers,
            settings=self.settings,
            outbox=self.outbox,
            metrics=self.metrics,
            new_id=lambda kind: f"{kind}_{self._ids}{next(numbers)}",
            tools=self._server_tools,
            on_turn=self._on_turn,
            seat=self._seat,
            **self._continues,
        )
        self._run = asyncio.create_task(self.session.run())
        self._reader = asyncio.create_task(self._read())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *error):
        self._run.cancel()
        await asyncio.gather(self._run, return_exceptions=True)
        await self.session.aclose()
        self.outbox.close()
        self.reads.set()
        await self._reader
        assert self.chat.running == 0, "a chat stream was left open"
        assert self.speech.open_now == 0, "a voice was left open"

    async def _read(self) -> None:
        while (outgoing := await self.outbox.take()) is not None:
            event = msgspec.json.decode(encode(outgoing.event, f"event_{len(self.events) + 1}"))
            event["at"] = asyncio.get_running_loop().time() - 1000.0
            self.events.append(event)
            self.sent(outgoing.event)
            self._news.set()
            await self.reads.wait()

    def queued(self, event) -> None:
        """An event waits for the client."""

    def sent(self, event) -> None:
        """The client has received one event more."""

    # -- the client's side

    async def send(self, type: str, **fields) -> None:
        """Send one client event, encoded as JSON."""
        event = decode(msgspec.json.encode({"type": type, **fields}))
        try:
            await self.session.receive(event)
        except ProtocolError as error:
            error.event_id = error.event_id or event.event_id
            self.outbox.put(ErrorEvent.of(error))
        await asyncio.sleep(0)

    async def append(self, pcm: bytes) -> None:
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def microphone(self, pcm: bytes, seconds: float) -> None:
        """Append audio in real time, 20 ms at a time."""
        for _ in range(round(seconds / 0.02)):
            await self.append(pcm)
            await asyncio.sleep(0.02)

    async def speak(self, seconds: float = 1.0) -> None:
        await self.microphone(LOUD, seconds)

    async def silence(self, seconds: float) -> None:
        await self.microphone(SILENT, seconds)

    async def ask(self, text: str, **response) -> None:
        """Send a text turn."""
        await self.send(
            "conversation.item.create",
            item={"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
        )
        await self.send("response.create", **({"response": response} if response else {}))

    async def until(self, type: str, count: int = 1, timeout_s: float = 60.0) -> dict:
        """Wait in virtual time for the `count`-th event of this type."""
        async with asyncio.timeout(timeout_s):
            while len(found := self.of(type)) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    def of(self, type: str) -> list[dict]:
        return [event for event in self.events if event["type"] == type]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def audio_ms(self) -> float:
        """Milliseconds of audio received."""
        return (
            sum(len(base64.b64decode(event["delta"])) for event in self.of("response.output_audio.delta"))
            / 48
        )


def scripted(test):
    """Run an async test in virtual time."""

    @functools.wraps(test)
    def run(**arguments) -> None:
        virtual_time.run(test(**arguments))

    return run
