"""The bidi speech socket, `/ws/v1/t2a_v2_bidi`: text in any fragments, sentences spoken, flush and cancel.

Rules: docs/minimax/t2a-websocket.md 2. Every event carries `connect_id`; a turn ends with `task_flushed`.
"""

from __future__ import annotations

import asyncio
import enum
from typing import Any

from aiohttp import web

from .context import new_trace_id, sleep_ms
from .refusal import Refusal
from .speech_cutter import SentenceCutter
from .speech_socket import Phase, SpeechSocket, serve

PATH = "/ws/v1/t2a_v2_bidi"
_MAX_COMMANDS = 100  # flushes and other commands in the queue


def add_routes(app: web.Application) -> None:
    """Register the socket."""
    app.router.add_get(PATH, handle)


async def handle(request: web.Request) -> web.StreamResponse:
    """One connection."""
    return await serve(request, BidiSocket)


class _Command(enum.Enum):
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
        self._phase = Phase.READY
        self._cutter = SentenceCutter()
        # Text is refused while more than `max_text` characters wait, so the queue never holds more than twice as many.
        self._queue: asyncio.Queue[str | _Command] = asyncio.Queue(
            2 * int(self.options["speech.max_text"]) + _MAX_COMMANDS
        )
        self._flushes = 0  # answered
        self._waiting = 0  # characters that are not spoken yet
        self._timer: asyncio.TimerHandle | None = None

    def identity(self) -> dict[str, str]:
        return {"session_id": self.session_id, "connect_id": self._connect_id}

    async def on_event(self, event: dict[str, Any]) -> None:
        match event.get("event"), self._phase:
            case "task_start", Phase.READY:
                self.drop_at("start")
                self.start(event)
                if isinstance(event.get("session_id"), str) and event["session_id"]:
                    self.session_id = event["session_id"]
                self._phase = Phase.STARTING
                self._put(_Command.START)
            case "task_continue", Phase.STARTED:
                await self._add_text(event.get("text"))
            case "task_flush", Phase.STARTED:
                self._flush()
                self._put(_Command.FLUSH)
            case "task_cancel", Phase.STARTED:
                await self._cancel()
            case "task_finish", Phase.STARTED:
                self._phase = Phase.FINISHING
                self.finishing = True
                self._flush()
                self._put(_Command.FINISH)
            case "task_start" | "task_continue" | "task_flush" | "task_cancel" | "task_finish", _:
                raise Refusal(2206)
            case _:
                raise Refusal(2202)

    async def _add_text(self, text: Any) -> None:
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
            self._start_timer()

    def _queue_sentences(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self.record(sentence)
            self._waiting += len(sentence)
            self._put(sentence)

    def _put(self, item: str | _Command) -> None:
        try:
            self._queue.put_nowait(item)
        except asyncio.QueueFull:
            raise Refusal(2205) from None

    def _flush(self) -> None:
        self.stop_timers()
        self._queue_sentences(self._cutter.flush())

    def _start_timer(self) -> None:
        """Speak the rest if no more text comes for a while."""
        self.stop_timers()
        if (wait_ms := self._cutter.flush_after_ms) is not None:
            self._timer = asyncio.get_running_loop().call_later(wait_ms / 1000, self._flush)

    async def _cancel(self) -> None:
        self.stop_timers()
        self._cutter.flush()
        await self.stop_speaker()
        while not self._queue.empty():
            self._queue.get_nowait()
        self._waiting = 0
        await self.send("task_canceled")
        self.start_speaker()

    def stop_timers(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _answer_flush(self) -> None:
        self._flushes += 1
        if self.faults.number("speech.lost_flushed") != self._flushes:
            await self.send("task_flushed")
        if self.faults.number("speech.double_flushed") == self._flushes:
            await self.send("task_flushed")

    async def speak_queue(self) -> None:
        while True:
            item = await self._queue.get()
            match item:
                case _Command.START:
                    await sleep_ms(self.app, "speech.start_ms")
                    self._phase = Phase.STARTED
                    await self.send("task_started")
                case _Command.FLUSH:
                    await self._answer_flush()
                case _Command.FINISH:
                    await self.answer_finish()
                    return
                case str():
                    await self.send("sentence_start", fields={"text": item})
                    await self.speak_text(item)
                    await self.send("sentence_end", fields={"text": item})
                    self._waiting -= len(item)
