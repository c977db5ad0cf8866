"""The conversation of the scripted server: it detects speech by level, always answers with the same recording, and keeps
everything the page sends. It knows the protocol, and no product code: the page is tested against the protocol itself.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from aiohttp import WSMsgType, web

RATE = 24_000  # Hertz
LOUD = 500  # RMS of 20 ms that counts as speech
VOICE = "English_Graceful_Lady"  # where the page asks for none
Event = dict[str, Any]


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Script:
    """The behaviour of the server."""

    reply: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int16))  # int16, 24 kHz
    reply_words: tuple[str, ...] = ("Well, ", "here ", "you ", "are.")
    user_text: str = "What time is it?"
    unread: Event | None = None  # the error of every transcription
    extensions: tuple[str, ...] = ("playback", "words", "latency")
    binary: bool = True
    key: str | None = None
    frame_ms: int = 40
    send_factor: float = 0.5  # seconds needed to send one second of audio
    burst: int = 5  # frames sent at once at the start, like a speech service
    think_s: float = 0.15
    thought: asyncio.Event = field(default_factory=_set)  # cleared: it thinks until it is set
    stalls: dict[int, float] = field(default_factory=dict)  # frame number -> seconds of pause before it
    fail: Event | None = None  # the error of every response
    error: Event | None = None  # sent after session.created
    ready: Event = field(default_factory=dict)  # fields of /readyz
    hide_ready: bool = False  # like a proxy that does not let it through
    stored: tuple[Event, ...] = ()  # the items of a stored conversation
    greeting: bool = False  # the server speaks first
    answering: asyncio.Event = field(default_factory=_set)  # cleared: takes everything, answers nothing
    silence_ms: int = 500
    detects: bool = True  # False: it finds no speech
    settles: bool = True  # False: it does not say what counts of a cut answer, as if nothing was left to cut
    only_seen: str = ""  # the beginning of the reply that is code or a table: it counts once it is sent


class Session:
    """One socket: what it received, and its scripted conversation."""

    def __init__(
        self,
        script: Script,
        socket: web.WebSocketResponse,
        extensions: list[str],
        conversation: str = "conv_1",
    ) -> None:
        self.conversation = conversation
        self.script, self.socket = script, socket
        self.extensions = [name for name in extensions if name in script.extensions]
        self.voice = VOICE
        self.binary = socket.ws_protocol == "realtime.bin.v1"
        self.events: list[tuple[float, Event]] = []
        self.sent: list[tuple[float, Event]] = []
        self.probes = 0
        self.received = bytearray()
        self.frames: list[tuple[int, int]] = []  # (seq, start_ms)
        self.items: list[str] = []
        self.transcripts: dict[str, str] = {}
        self.reply: asyncio.Task[None] | None = None
        self.item = ""  # the assistant item that may still be playing
        self.flushed = asyncio.Event()
        self.numbers = itertools.count(1)
        self.ids = itertools.count(1)
        self._checked = 0
        self._loud = self._quiet = 0
        self._speech: str | None = None

    def of(self, kind: str) -> list[Event]:
        """The events of one type that the page sent, in order."""
        return [event for _, event in self.events if event["type"] == kind]

    async def send(self, kind: str, **fields: Any) -> None:
        number = next(self.numbers)
        event = {"type": kind, "event_id": f"event_{number}", **fields}
        await self.script.answering.wait()
        self.sent.append((asyncio.get_running_loop().time(), event))
        with contextlib.suppress(ConnectionError):
            await self.socket.send_str(json.dumps(event))

    def describe(self) -> Event:
        turn = {"type": "server_vad", "create_response": True, "interrupt_response": True}
        pcm = {"type": "audio/pcm", "rate": RATE}
        audio = {
            "input": {"format": pcm, "turn_detection": turn},
            "output": {"format": pcm, "voice": self.voice},
        }
        session = {"type": "realtime", "object": "realtime.session", "id": "sess_1", "audio": audio}
        return session | ({"extensions": self.extensions} if self.extensions else {})

    async def run(self) -> None:
        await self.send("session.created", session=self.describe())
        await self.send("conversation.created", conversation={"id": self.conversation})
        for item in self.script.stored:
            await self._add(item)
        if self.script.greeting:
            await self._begin_reply()
        if self.script.error:
            await self.send("error", error={"param": None, "event_id": None, **self.script.error})
        try:
            async for message in self.socket:
                if message.type is WSMsgType.BINARY:
                    await self._binary(message.data)
                elif message.type is WSMsgType.TEXT:
                    await self._text(json.loads(message.data))
        finally:
            if self.reply:
                self.reply.cancel()
                await asyncio.gather(self.reply, return_exceptions=True)

    async def _binary(self, data: bytes) -> None:
        version, kind, _, stream, seq, start_ms = struct.unpack_from("<BBBBII", data)
        assert (version, kind, stream) == (1, 1, 0)
        self.frames.append((seq, start_ms))
        await self._receive_audio(data[12:])

    async def _text(self, event: Event) -> None:
        if event["type"] == "input_audio_buffer.append":
            await self._receive_audio(base64.b64decode(event["audio"]))
            return
        if event.get("event_id") == "probe":  # a sign of life, and no part of the conversation
            self.probes += 1
            error = {
                "type": "invalid_request_error",
                "code": "item_retrieve_invalid_item_id",
                "event_id": "probe",
            }
            await self.send("error", error=error)
            return
        self.events.append((asyncio.get_running_loop().time(), event))
        match event:
            case {"type": "session.update", "session": changed}:
                output = changed.get("audio", {}).get("output", {})
                self.voice = output.get("voice", self.voice) or VOICE
                await self.send("session.updated", session=self.describe())
            case {"type": "conversation.item.create", "item": item}:
                own = {"id": f"item_C{next(self.ids)}"}  # of an item that came without one
                await self._add({**own, **item, "object": "realtime.item", "status": "completed"})
            case {"type": "response.create"}:
                await self._begin_reply()
            case {"type": "response.cancel"} | {"type": "output_audio_buffer.clear"}:
                await self._stop_reply("client_cancelled")
            case {"type": "output_audio_buffer.played", "state": "flushed"}:
                self.flushed.set()
                await self._truncated(event["item_id"], event["played_ms"])
            case {"type": "conversation.item.truncate"}:
                await self._truncated(event["item_id"], event["audio_end_ms"])
            case {"type": "conversation.item.retrieve", "item_id": item_id}:
                content = [{"type": "output_audio", "transcript": self.transcripts.get(item_id, "")}]
                item = {"id": item_id, "type": "message", "role": "assistant", "status": "incomplete"}
                await self.send("conversation.item.retrieved", item=item | {"content": content})

    # --- speech detection: by the level of 20 ms frames ---

    async def _receive_audio(self, pcm: bytes) -> None:
        self.received += pcm
        while self.script.detects and len(self.received) - self._checked >= 960:
            frame = np.frombuffer(bytes(self.received[self._checked : self._checked + 960]), np.int16)
            self._checked += 960
            loud = float(np.sqrt(np.mean(frame.astype(float) ** 2))) > LOUD
            self._loud = self._loud + 1 if loud else 0
            self._quiet = 0 if loud else self._quiet + 1
            if self._speech is None and self._loud >= 6:
                await self._speech_started()
            elif self._speech and self._quiet * 20 >= self.script.silence_ms:
                await self._speech_stopped()

    async def _speech_started(self) -> None:
        self._speech = f"item_U{next(self.ids)}"
        at = self._checked // 48
        await self.send("input_audio_buffer.speech_started", audio_start_ms=at, item_id=self._speech)
        await self._stop_reply("turn_detected")

    async def _speech_stopped(self) -> None:
        item, self._speech = self._speech, None
        assert item is not None
        previous = self.items[-1] if self.items else None
        at = self._checked // 48
        await self.send("input_audio_buffer.speech_stopped", audio_end_ms=at, item_id=item)
        await self.send("input_audio_buffer.committed", item_id=item, previous_item_id=previous)
        content = [{"type": "input_audio", "transcript": None}]
        await self._add(
            {"id": item, "type": "message", "role": "user", "status": "completed", "content": content}
        )
        prefix = "conversation.item.input_audio_transcription"
        if self.script.unread:
            return await self.send(
                f"{prefix}.failed", item_id=item, content_index=0, error=self.script.unread
            )
        await self.send(f"{prefix}.delta", item_id=item, content_index=0, delta=self.script.user_text[:4])
        usage = {"type": "duration", "seconds": 1.0}
        await self.send(
            f"{prefix}.completed",
            item_id=item,
            content_index=0,
            transcript=self.script.user_text,
            usage=usage,
        )
        return await self._begin_reply()

    async def _add(self, item: Event) -> None:
        previous = self.items[-1] if self.items else None
        self.items.append(item["id"])
        await self.send("conversation.item.added", item=item, previous_item_id=previous)
        if item["status"] != "in_progress":
            await self.send("conversation.item.done", item=item, previous_item_id=previous)

    # --- the reply: the recording in frames, until it is stopped ---

    async def _begin_reply(self) -> None:
        if self.reply and not self.reply.done():
            code = "conversation_already_has_active_response"
            await self.send("error", error={"code": code, "message": "Wait.", "event_id": None})
            return
        number = next(self.ids)
        response = {
            "id": f"resp_{number}",
            "status": "in_progress",
            "conversation_id": self.conversation,
            "output": [],
        }
        await self.send("response.created", response=response)
        self.flushed.clear()
        self.reply = asyncio.create_task(self._speak(response, f"item_A{number}"))

    async def _speak(self, response: Event, item_id: str) -> None:
        ids = {"response_id": response["id"], "item_id": item_id, "output_index": 0, "content_index": 0}
        item = {"id": item_id, "object": "realtime.item", "type": "message", "role": "assistant"}
        said: list[str] = []
        ended = False

        async def finish(status: str, details: Event | None) -> None:
            nonlocal ended
            if ended:
                return
            ended = True
            text = "".join(said)
            whole = item | {"status": status, "content": [{"type": "output_audio", "transcript": text}]}
            if item_id in self.items:
                await self._close(ids, whole, text)
            state = "cancelled" if status == "incomplete" else status
            output = [whole] if item_id in self.items else []
            done = response | {"status": state, "status_details": details, "output": output}
            await self.send("response.done", response=done)

        try:
            await asyncio.sleep(self.script.think_s)
            await self.script.thought.wait()
            if self.script.fail:
                details = {"type": "failed", "error": self.script.fail}
                failed = response | {"status": "failed", "status_details": details}
                return await self.send("response.done", response=failed)
            started = item | {"status": "in_progress", "content": []}
            await self.send(
                "response.output_item.added", response_id=response["id"], output_index=0, item=started
            )
            await self._add(started)
            stream = {"stream": 1} if self.binary else {}
            part = {"type": "audio", "transcript": ""}
            await self.send("response.content_part.added", **ids, part=part, **stream)
            self.item = item_id
            await self._send_audio(ids, said)
            await finish("completed", None)
            await self._latency(response["id"])
        except asyncio.CancelledError as cancelled:
            reason = cancelled.args[0] if cancelled.args else "client_cancelled"
            await finish("incomplete", {"type": "cancelled", "reason": reason})
            raise

    async def _close(self, ids: Event, item: Event, text: str) -> None:
        self.transcripts.setdefault(item["id"], text)
        if self.binary:
            await self._frame(b"", len(self.script.reply) * 1000 // RATE, end=True)
        await self.send("response.output_audio.done", **ids)
        await self.send("response.output_audio_transcript.done", **ids, transcript=text)
        await self.send("response.content_part.done", **ids, part={"type": "audio", "transcript": text})
        response_id = ids["response_id"]
        await self.send("response.output_item.done", response_id=response_id, output_index=0, item=item)
        previous = self.items[self.items.index(item["id"]) - 1]
        await self.send("conversation.item.done", item=item, previous_item_id=previous)

    async def _send_audio(self, ids: Event, said: list[str]) -> None:
        reply, step = self.script.reply, RATE * self.script.frame_ms // 1000
        words = self.script.reply_words
        clock = asyncio.get_running_loop().time()
        for number, at in enumerate(range(0, len(reply), step)):
            await asyncio.sleep(self.script.stalls.get(number, 0))
            clock += self.script.stalls.get(number, 0)
            while len(said) < len(words) and len(said) / len(words) <= at / len(reply):
                await self._send_word(ids, said)
            pcm = reply[at : at + step].tobytes()
            if self.binary:
                await self._frame(pcm, at * 1000 // RATE)
            else:
                await self.send("response.output_audio.delta", **ids, delta=base64.b64encode(pcm).decode())
            clock += self.script.frame_ms / 1000 * self.script.send_factor * (number >= self.script.burst)
            await asyncio.sleep(max(0.0, clock - asyncio.get_running_loop().time()))

        while len(said) < len(words):
            await self._send_word(ids, said)

    async def _send_word(self, ids: Event, said: list[str]) -> None:
        index, words = len(said), self.script.reply_words
        said.append(words[index])
        await self.send("response.output_audio_transcript.delta", **ids, delta=words[index])
        if "words" not in self.extensions:
            return
        total_ms = len(self.script.reply) * 1000 / RATE
        start, end = (int(total_ms * edge / len(words)) for edge in (index, index + 1))
        timed = [{"text": words[index], "start_ms": start, "end_ms": end}]
        await self.send("response.output_audio_words.delta", **ids, source="aligned", words=timed)

    async def _frame(self, pcm: bytes, start_ms: int, end: bool = False) -> None:
        header = struct.pack("<BBBBII", 1, 1, int(end), 1, next(self.numbers), start_ms)
        with contextlib.suppress(ConnectionError):
            await self.socket.send_bytes(header + pcm)

    async def _stop_reply(self, reason: str) -> None:
        if not self.item and not (self.reply and not self.reply.done()):
            return
        if "playback" in self.extensions:
            await self.send("output_audio_buffer.cleared", response_id="resp_1")
        if self.reply:
            self.reply.cancel(reason)
            await asyncio.gather(self.reply, return_exceptions=True)
        self.item = ""

    async def _truncated(self, item_id: str, ms: int) -> None:
        words = self.script.reply_words
        each = len(self.script.reply) * 1000 / RATE / len(words)
        heard = "".join(word for i, word in enumerate(words) if (i + 0.5) * each <= ms).rstrip()
        heard = max(heard, self.script.only_seen, key=len)
        self.transcripts[item_id] = heard
        if not self.script.settles:
            return
        extra = {"transcript": heard} if "playback" in self.extensions else {}
        await self.send(
            "conversation.item.truncated", item_id=item_id, content_index=0, audio_end_ms=ms, **extra
        )

    async def _latency(self, response_id: str) -> None:
        if "latency" not in self.extensions:
            return
        marks = {
            "speech_ended": 0, "turn_confirmed": 412, "transcript_final": 371, "chat_request": 413,
            "chat_first_delta": 702, "first_chunk": 731, "speech_first_audio": 905, "first_audio_sent": 906,
            "playback_started": 948,
        }  # fmt: skip
        await self.send("response.latency.done", response_id=response_id, origin="speech_ended", marks=marks)
