"""The bidi speech socket, `/ws/v1/t2a_v2_bidi`: text of any granularity in, sentences spoken, flush and cancel.

Rules: shared/minimax/t2a-websocket.md 2. Every event carries `connect_id`; a turn ends with `task_flushed`.
"""

from __future__ import annotations

import asyncio
import enum
from typing import Any

from aiohttp import web

from .context import new_trace_id, sleep_ms
from .speech_cutter import SentenceCutter
from .speech_request import Refusal
from .speech_socket import SpeechSocket, serve

PATH = "/ws/v1/t2a_v2_bidi"
_MARKS_ROOM = 100  # flushes and the like that may wait


def add_routes(app: web.Application) -> None:
    """Register the socket."""
    app.router.add_get(PATH, handle)


async def handle(request: web.Request) -> web.StreamResponse:
    """One connection."""
    return await serve(request, BidiSocket)


class _Phase(enum.Enum):
    READY = enum.auto()  # connected
    STARTING = enum.auto()  # task_start came, task_started is not sent yet
    STARTED = enum.auto()
    FINISHING = enum.auto()


class _Mark(enum.Enum):
    START = enum.auto()
    FLUSH = enum.auto()
    FINISH = enum.auto()


class BidiSocket(SpeechSocket):
    """The rules of the bidi socket."""

    transport = "bidi"
    pings_count = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._connect_id = new_trace_id()
        self.session_id = self._connect_id
        self._phase = _Phase.READY
        self._cutter = SentenceCutter()
        # A piece is refused while more than one longest text waits, so two of them bound the sentences.
        self._queue: asyncio.Queue[str | _Mark] = asyncio.Queue(
            2 * int(self.options["speech.max_text"]) + _MARKS_ROOM
        )
        self._waiting = 0  # characters that are not spoken yet
        self._timer: asyncio.TimerHandle | None = None

    def identity(self) -> dict[str, str]:
        return {"session_id": self.session_id, "connect_id": self._connect_id}

    async def on_event(self, event: dict[str, Any]) -> None:
        match event.get("event"), self._phase:
            case "task_start", _Phase.READY:
                self.drop_at("start")
                self.start(event)
                if isinstance(event.get("session_id"), str) and event["session_id"]:
                    self.session_id = event["session_id"]
                self._phase = _Phase.STARTING
                self._put(_Mark.START)
            case "task_continue", _Phase.STARTED:
                await self._take(event.get("text"))
            case "task_flush", _Phase.STARTED:
                self._flush()
                self._put(_Mark.FLUSH)
            case "task_cancel", _Phase.STARTED:
                await self._cancel()
            case "task_finish", _Phase.STARTED:
                self._phase = _Phase.FINISHING
                self.finishing = True
                self._flush()
                self._put(_Mark.FINISH)
            case "task_start" | "task_continue" | "task_flush" | "task_cancel" | "task_finish", _:
                raise Refusal(2206)
            case _:
                raise Refusal(2202)

    async def _take(self, text: Any) -> None:
        self.drop_at("text")
        if not isinstance(text, str):
            raise Refusal(2013, "invalid params, invalid params: text")
        if not text.strip() and not len(self._cutter):
            return
        if len(text) > self.options["speech.max_text"]:
            await self.soft(2204, is_final=False)
        elif self._waiting + len(self._cutter) + len(text) > self.options["speech.max_text"]:
            await self.soft(2205, is_final=False)
        else:
            self._queue_sentences(self._cutter.feed(text))
            self._wait_for_more()

    def _queue_sentences(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self.record(sentence)
            self._waiting += len(sentence)
            self._put(sentence)

    def _put(self, item: str | _Mark) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            raise Refusal(2205) from None

    def _flush(self) -> None:
        self.ended()
        self._queue_sentences(self._cutter.flush())

    def _wait_for_more(self) -> None:
        """A rest that is not continued is spoken after a silence."""
        self.ended()
        if (patience_ms := self._cutter.patience_ms) is not None:
            self._timer = asyncio.get_running_loop().call_later(patience_ms / 1000, self._flush)

    async def _cancel(self) -> None:
        self.ended()
        self._cutter.flush()
        await self.stop_speaker()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._waiting = 0
        await self.send("task_canceled")
        self.start_speaker()

    def ended(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def speak_queue(self) -> None:
        while True:
            item = await self._queue.get()
            match item:
                case _Mark.START:
                    await sleep_ms(self.app, "speech.start_ms")
                    self._phase = _Phase.STARTED
                    await self.send("task_started")
                case _Mark.FLUSH:
                    await self.send("task_flushed")
                case _Mark.FINISH:
                    await self.finished()
                    return
                case str():
                    await self.send("sentence_start", fields={"text": item})
                    await self.speak_text(item)
                    await self.send("sentence_end", fields={"text": item})
                    self._waiting -= len(item)
