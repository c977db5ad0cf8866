"""The clause floor: the lowest possible latency to first audio, measured without any framework.

One chat stream and one open speech socket; the first clause is sent as soon as its last token arrives
(docs/architecture.md 4). The product is compared with it in the same run, with the same platform.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

from bench.common import RATE, is_loud

KEEPALIVE_S = 120.0  # longer than the pauses; the library's default is 15 s
KEY = {"Authorization": "Bearer sandbox"}
_CLAUSE = re.compile(r"^(?P<clause>.*?[,.;:!?—…](?=\s|$)|.*?[，。；：！？、…\n])", re.DOTALL)
_OPENER = re.compile(r"^\s*\w+[.!?]")


def first_clause(text: str, finished: bool) -> str | None:
    """The first clause of docs/architecture.md 2.2, if complete: 3 words or 2 Han characters, up to punctuation."""
    position = 0
    while match := _CLAUSE.match(text[position:]):
        position += match.end()
        head = text[:position]
        han = len(re.findall(r"[一-鿿]", head))
        if han >= 2 or len(head.split()) >= 3 or _OPENER.match(head):
            return head
    words = text.split()
    if len(words) >= 8:  # the eighth word may be incomplete
        return " ".join(words[:7])
    if len(re.findall(r"[一-鿿]", text)) >= 16:
        return text[:16]
    return text if finished and text.strip() else None


@dataclass(frozen=True)
class FloorTurn:
    """Milliseconds after the question, for each mark."""

    chat_first_delta: float
    first_chunk: float
    first_audio: float


class Floor:
    """An open chat connection and an open speech socket."""

    def __init__(self, url: str, http: aiohttp.ClientSession, speech: ClientConnection) -> None:
        self._url = url
        self._http = http
        self._speech = speech

    async def turn(self, messages: list[dict[str, str]], model: str = "MiniMax-M3") -> FloorTurn:
        loop = asyncio.get_running_loop()
        start_s = loop.time()
        body = {
            "model": model,
            "messages": messages,
            "stream": True,
            "reasoning_split": True,
            "thinking": {"type": "disabled"},
        }
        text, first_delta_s, chunk_s = "", 0.0, 0.0
        async with self._http.post(f"{self._url}/v1/chat/completions", json=body, headers=KEY) as answer:
            async for line in answer.content:
                delta = content_of(line)
                if delta and not text:
                    first_delta_s = loop.time()
                text += delta
                clause = first_clause(text, finished=False)
                if clause is not None:
                    break
            else:
                clause = first_clause(text, finished=True)
            await self._speech.send(json.dumps({"event": "task_continue", "text": clause}))
            chunk_s = loop.time()
            audio_s = await self._first_audio()
            await answer.read()  # so that the connection can be reused
        await self._finish_chunk()
        return FloorTurn(*((at_s - start_s) * 1000 for at_s in (first_delta_s, chunk_s, audio_s)))

    async def _first_audio(self) -> float:
        while True:
            frame = json.loads(await self._speech.recv())
            audio = bytes.fromhex((frame.get("data") or {}).get("audio") or "")
            self._final = bool(frame.get("is_final"))
            if is_loud(audio):
                return asyncio.get_running_loop().time()

    async def _finish_chunk(self) -> None:
        while not self._final:
            self._final = bool(json.loads(await self._speech.recv()).get("is_final"))

    _final = False


def content_of(line: bytes) -> str:
    """The text delta in one line of a chat stream."""
    if not line.startswith(b"data: {"):
        return ""
    choices = json.loads(line[6:]).get("choices") or []
    return (choices[0].get("delta") or {}).get("content") or "" if choices else ""


@asynccontextmanager
async def floor(url: str, voice_id: str = "English_Graceful_Lady") -> AsyncIterator[Floor]:
    """Both connections are open: TCP to the chat model, and a speech socket after `task_started`."""
    start: dict[str, Any] = {
        "event": "task_start",
        "model": "speech-2.8-turbo",
        "voice_setting": {"voice_id": voice_id, "speed": 1, "vol": 1, "pitch": 0},
        "audio_setting": {"sample_rate": RATE, "format": "pcm", "channel": 1},
        "subtitle_enable": True,
        "subtitle_type": "word_streaming",
    }
    address = url.replace("http", "ws", 1) + "/ws/v1/t2a_v2"
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(keepalive_timeout=KEEPALIVE_S)) as http,
        connect(address, additional_headers=KEY, compression=None, max_size=None) as speech,
    ):
        await speech.recv()
        await speech.send(json.dumps(start))
        await speech.recv()
        async with http.get(f"{url}/v1/models", headers=KEY) as answer:
            await answer.read()
        yield Floor(url, http, speech)
