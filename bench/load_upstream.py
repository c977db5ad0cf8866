"""The upstream of the load test: frames of the sandbox, recorded once and sent to any number of conversations.

The first four samples of every audio frame are replaced by the time when it was sent, so that the receiver can compute
the delay. Chat answers and transcripts are always the same. Measures nothing itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSMsgType, web
from websockets.asyncio.client import connect

from bench.common import now_s
from bench.floor import KEY
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

ANSWER = "That is good to hear, so let us go on."  # about as long as the speech of the users
TRANSCRIPT = "What shall we do next?"
CHAT_FIRST_S, TOKEN_S = 0.3, 0.0125
SPEECH_FIRST_S, FACTOR = 0.2, 8.0
FRAME_S = 0.1
_STAMP = struct.Struct("<q")  # microseconds of the monotonic clock
STAMP_BYTES = _STAMP.size
_PLACEHOLDER = "STAMP-GOES-HERE!"  # as long as the timestamp in hexadecimal


def stamp_of(pcm: bytes) -> float | None:
    """The time in seconds when this frame was sent; None if the frame is too short."""
    if len(pcm) < STAMP_BYTES:
        return None
    (microseconds,) = _STAMP.unpack(pcm[:STAMP_BYTES])
    return float(microseconds) / 1e6


class Upstream:
    """`url` serves chat, speech and transcription."""

    def __init__(self, factor: float = FACTOR) -> None:
        """`factor`: so many times faster than it sounds speech is made."""
        self.url = ""
        self._factor = factor
        self.spoken = 0  # texts
        self._recordings: dict[str, asyncio.Task[list[tuple[str, str]]]] = {}
        self._sandbox = Sandbox(SandboxOptions.parse(sets=("speech.factor=1000", "speech.first_ms=0")))
        self._start: dict[str, Any] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Upstream]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_get("/v1/models", _models)
        app.router.add_post("/audio/transcriptions", self._transcribe)
        app.router.add_get("/ws/v1/t2a_v2", self._speech)
        runner = web.AppRunner(app, access_log=None)
        async with self._sandbox:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self
            await runner.cleanup()

    def answer_to(self, request: bytes) -> str:
        """What the model answers to this chat request."""
        return ANSWER

    async def transcript_of(self, request: web.Request) -> str:
        """What the transcriber reads in this sound."""
        await request.read()
        return TRANSCRIPT

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await asyncio.sleep(CHAT_FIRST_S)
        with contextlib.suppress(ConnectionResetError):  # the run is over
            await response.prepare(request)
            await self._answer(response, self.answer_to(body))
        return response

    async def _answer(self, response: web.StreamResponse, text: str) -> None:
        words = text.split(" ")
        for number, word in enumerate(words):
            delta = {"content": word if number == 0 else " " + word, "role": "assistant"}
            await response.write(_event({"choices": [{"index": 0, "delta": delta}]}))
            await asyncio.sleep(TOKEN_S)
        await response.write(_event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        await response.write(b"data: [DONE]\n\n")

    async def _transcribe(self, request: web.Request) -> web.Response:
        return web.json_response({"text": await self.transcript_of(request)})

    async def _speech(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=0, compress=False)
        await socket.prepare(request)
        queue: asyncio.Queue[str] = asyncio.Queue(100)
        speaker = asyncio.create_task(self._speak(socket, queue))
        await socket.send_str(json.dumps({"event": "connected_success", **_OK}))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                event = json.loads(message.data)
                if event["event"] == "task_start":
                    self._start = event
                    await socket.send_str(json.dumps({"event": "task_started", **_OK}))
                elif event["event"] == "task_continue":
                    queue.put_nowait(event["text"])
                else:
                    await socket.send_str(json.dumps({"event": "task_finished", **_OK}))
                    break
        finally:
            speaker.cancel()
            await asyncio.gather(speaker, return_exceptions=True)
        return socket

    async def _speak(self, socket: web.WebSocketResponse, queue: asyncio.Queue[str]) -> None:
        while True:
            text = await queue.get()
            due_s = now_s() + SPEECH_FIRST_S
            if text not in self._recordings:
                self._recordings[text] = asyncio.create_task(self.record(text))
            frames = await asyncio.shield(self._recordings[text])
            self.spoken += 1
            for before, after in frames:
                await asyncio.sleep(max(0.0, due_s - now_s()))
                due_s += FRAME_S / self._factor
                stamp = _STAMP.pack(int(now_s() * 1e6)).hex() if after else ""
                await socket.send_str(before + stamp + after)

    async def record(self, text: str) -> list[tuple[str, str]]:
        """The sandbox's frames for this text, each split at the place of the timestamp; one without it is whole."""
        frames = []
        address = self._sandbox.url.replace("http", "ws", 1) + "/ws/v1/t2a_v2"
        async with connect(address, additional_headers=KEY, compression=None, max_size=None) as socket:
            await socket.recv()
            await socket.send(json.dumps(self._start))
            await socket.recv()
            await socket.send(json.dumps({"event": "task_continue", "text": text}))
            final = False
            while not final:
                frame = json.loads(await socket.recv())
                final = bool(frame.get("is_final"))
                audio = (frame.get("data") or {}).get("audio") or ""
                if len(audio) > len(_PLACEHOLDER):
                    frame["data"]["audio"] = _PLACEHOLDER + audio[len(_PLACEHOLDER) :]
                before, _, after = json.dumps(frame, ensure_ascii=False).partition(_PLACEHOLDER)
                frames.append((before, after))
        return frames


_OK = {"session_id": "load", "trace_id": "0" * 32, "base_resp": {"status_code": 0, "status_msg": "success"}}


def _event(chunk: dict[str, Any]) -> bytes:
    return (
        b"data: " + json.dumps({"id": "load", "object": "chat.completion.chunk", **chunk}).encode() + b"\n\n"
    )


async def _models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": []})
