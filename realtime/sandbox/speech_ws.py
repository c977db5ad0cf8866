"""The ordinary speech socket, `/ws/v1/t2a_v2`: one session, texts spoken strictly in the order sent.

Rules: docs/minimax/t2a-websocket.md 1. Every text, also a skipped one, is answered by exactly one `is_final`.
"""

from __future__ import annotations

import asyncio
import enum
from typing import Any

from aiohttp import web

from .context import sleep_ms
from .refusal import Refusal
from .speech_socket import Phase, SpeechSocket, serve

PATH = "/ws/v1/t2a_v2"


def add_routes(app: web.Application) -> None:
    """Register the socket."""
    app.router.add_get(PATH, handle)


async def handle(request: web.Request) -> web.StreamResponse:
    """One connection."""
    return await serve(request, OrdinarySocket)


class _Command(enum.Enum):
    START = enum.auto()
    FINISH = enum.auto()


class OrdinarySocket(SpeechSocket):
    """The rules of the ordinary socket."""

    transport = "ordinary"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._phase = Phase.READY
        # Two more than the limit of texts, for the two commands.
        self._queue: asyncio.Queue[str | _Command] = asyncio.Queue(int(self.options["speech.max_queue"]) + 2)

    async def on_event(self, event: dict[str, Any]) -> None:
        match event.get("event"), self._phase:
            case "task_start", Phase.READY:
                self.drop_at("start")
                self.start(event)
                self._phase = Phase.STARTING
                self._queue.put_nowait(_Command.START)
            case "task_continue", Phase.STARTED:
                self._add_text(event.get("text"))
            case "task_finish", Phase.STARTED:
                self._phase = Phase.FINISHING
                self.finishing = True
                await self._finish()
            case _:
                raise Refusal(2202)

    def _add_text(self, text: Any) -> None:
        self.drop_at("text")
        if not isinstance(text, str):
            raise Refusal(2013, "invalid params, invalid params: text")
        if self._queue.qsize() >= self.options["speech.max_queue"]:
            raise Refusal(2205)
        if text.strip():
            self.record(text)
        self._queue.put_nowait(text)

    async def _finish(self) -> None:
        if self.faults.has("speech.finish_immediately"):
            await self.stop_speaker()
            await self.answer_finish()
            await self.close()
        else:
            self._queue.put_nowait(_Command.FINISH)

    async def speak_queue(self) -> None:
        while True:
            item = await self._queue.get()
            match item:
                case _Command.START:
                    await sleep_ms(self.app, "speech.start_ms")
                    self._phase = Phase.STARTED
                    await self.send("task_started")
                case _Command.FINISH:
                    await self.answer_finish()
                    return
                case str():
                    await self._speak(item)

    async def _speak(self, text: str) -> None:
        code = self.faults.redrawn().number("speech.soft")
        if not text.strip():
            code = 2203
        elif len(text) > self.options["speech.max_text"]:
            code = 2204
        if code is not None:
            await self.soft(code)
        else:
            await self.speak_text(text)
