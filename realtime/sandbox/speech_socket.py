"""The common part of both speech sockets: handshake, key, limits, frames, faults, idle timeout, audio of a text.

It does not know the events: the ordinary socket and the bidi socket have their own rules for them. Source:
docs/minimax/t2a-websocket.md 1.3 and 1.7.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import json
from abc import ABC, abstractmethod
from contextlib import aclosing
from typing import Any

from aiohttp import WSMsgType, web

from .context import (
    OPTIONS,
    STATE,
    base_resp,
    cut,
    faults_for,
    key_error,
    message_for,
    native_error,
    new_trace_id,
    sleep_ms,
    stall,
)
from .faults import Faults
from .json_frames import frame_json
from .refusal import Refusal
from .speech_request import SpeechSettings, check_text, read_settings
from .speech_stream import AudioFrame, Synthesis
from .voice import VoiceUnavailable
from .voices import account_of, use_voice

MAX_MESSAGE = 16 * 1024 * 1024  # bytes
LATE_END_FRAMES = 3  # of the next text come before a late end
CLOSE_TIMEOUT_S = 2.0  # for the client's answer to our close


class Disconnected(Exception):
    """The client has disconnected, or a fault has cut the connection: nothing more can be sent."""


class Phase(enum.Enum):
    """Where the task of a connection is."""

    READY = enum.auto()  # connected
    STARTING = enum.auto()  # task_start came, task_started is not sent yet
    STARTED = enum.auto()
    FINISHING = enum.auto()


class SpeechSocket(ABC):
    """One connection of either kind. The subclasses handle the events and run their own speaker task."""

    transport = ""
    pings_count = False  # whether a client's ping keeps the socket alive

    def __init__(self, request: web.Request, connection: int, faults: Faults) -> None:
        self.request = request
        self.app = request.app
        self.state = request.app[STATE]
        self.options = request.app[OPTIONS]
        self.faults = faults
        self.ws = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=MAX_MESSAGE, timeout=CLOSE_TIMEOUT_S
        )
        self.connection = connection
        self.trace_id = new_trace_id()
        self.session_id = new_trace_id()
        self.settings: SpeechSettings | None = None
        self.finishing = False
        self.speaker: asyncio.Task[None] | None = None
        self._closing = False  # our close frame is sent
        self._frames = 0  # audio frames sent
        self._texts = 0
        self._late_end: dict[str, Any] | None = None  # of an earlier text, to be sent inside the next one

    # Sending

    def identity(self) -> dict[str, str]:
        """The fields that name the connection in every event."""
        return {"session_id": self.session_id}

    async def send(
        self,
        event: str | None,
        *,
        code: int = 0,
        message: str | None = None,
        fields: dict[str, Any] | None = None,
    ) -> None:
        """Send one event. Its own `fields` come first, as on the platform. Raises Disconnected."""
        base = base_resp(code, message)
        name = {"event": event} if event else {}
        frame: dict[str, Any] = self.identity() | name if fields is None else fields | name | self.identity()
        if self.faults.has("speech.trace_in_base_resp"):
            base["trace_id"] = self.trace_id
        else:
            frame["trace_id"] = self.trace_id
        frame["base_resp"] = base
        try:
            await self.ws.send_str(frame_json(frame).decode())
        except (ConnectionError, RuntimeError) as error:
            raise Disconnected from error

    async def fail(self, code: int, message: str | None = None) -> None:
        """Send `task_failed` with a reason, then close."""
        with contextlib.suppress(Disconnected):
            await self.send("task_failed", code=code, message=message)
        await self.close()

    async def close(self) -> None:
        """Close with a closing handshake."""
        self._closing = True
        await self.ws.close(code=1000)

    def cut(self) -> Disconnected:
        """Abort the connection without a closing handshake. The caller raises the result."""
        cut(self.request)
        return Disconnected()

    def drop_at(self, moment: str) -> None:
        """Cut the connection if a fault applies at this moment. Raises Disconnected."""
        if self.faults.get("speech.drop_at") == moment:
            raise self.cut()

    # Receiving

    async def run(self) -> web.WebSocketResponse:
        """Serve the connection until either side closes it."""
        try:
            await self.ws.prepare(self.request)
            await sleep_ms(self.app, "speech.connected_ms")
            await self.send("connected_success")
            self.drop_at("connected")
            self.start_speaker()
            await self._receive()
            if self._closing and self.speaker is not None:
                # The speaker is in the middle of the closing handshake; it is bounded by CLOSE_TIMEOUT_S.
                await asyncio.wait({self.speaker}, timeout=CLOSE_TIMEOUT_S)
        except Refusal as refusal:
            await self.stop_speaker()
            await self.fail(refusal.code, refusal.message)
        except Disconnected:
            pass
        finally:
            self.stop_timers()
            await self.stop_speaker()
        return self.ws

    def start_speaker(self) -> None:
        """Start the task that works on the queue."""
        self.speaker = asyncio.create_task(self._speaker(), name=f"sandbox speech {self.connection}")

    async def stop_speaker(self) -> None:
        """Stop the synthesis at once, and wait until it has stopped."""
        if self.speaker is not None:
            self.speaker.cancel()
            await asyncio.wait({self.speaker})

    async def _receive(self) -> None:
        loop = asyncio.get_running_loop()
        idle_s = self.options["speech.idle_s"]
        last_message_s = loop.time()
        while True:
            timeout_s = None if self.finishing else max(0.001, last_message_s + idle_s - loop.time())
            try:
                message = await self.ws.receive(timeout=timeout_s)
            except TimeoutError:
                if self.finishing or loop.time() < last_message_s + idle_s:
                    continue
                raise Refusal(
                    2201, f"connection timeout, no messages received for {idle_s:g} seconds"
                ) from None
            match message.type:
                case WSMsgType.TEXT:
                    last_message_s = loop.time()
                    await self.on_event(_decode(message.data))
                case WSMsgType.PING:
                    await self.ws.pong(message.data)
                    last_message_s = loop.time() if self.pings_count else last_message_s
                case WSMsgType.PONG:
                    pass
                case WSMsgType.BINARY:
                    raise Refusal(2202)
                case _:
                    return

    @abstractmethod
    async def on_event(self, event: dict[str, Any]) -> None:
        """Handle one event of the client. Raises Refusal to end the session."""

    @abstractmethod
    async def speak_queue(self) -> None:
        """Handle the queued texts and commands in order; returns after `task_finished`."""

    def stop_timers(self) -> None:
        """Stop the timers of the connection, if there are any."""
        return

    async def _speaker(self) -> None:
        """Run the queue. Closing the socket wakes the receiver, which then ends the connection."""
        try:
            await self.speak_queue()
            await self.close()
        except Refusal as refusal:
            await self.fail(refusal.code, refusal.message)
        except VoiceUnavailable as error:
            await self.fail(1000, str(error))
        except Disconnected:
            await self.close()

    # Speaking

    def start(self, event: dict[str, Any]) -> None:
        """Read a `task_start`. Raises Refusal."""
        code = self.faults.number("speech.start_error")
        if code is not None:
            raise Refusal(code)
        self.settings = read_settings(event, self.state, streaming=True, account=account_of(self.request))

    async def answer_finish(self) -> None:
        """Answer `task_finish`."""
        if not self.faults.has("speech.no_finished"):
            await self.send("task_finished")

    def record(self, text: str) -> None:
        """Record a text for `SandboxState.speech_requests`."""
        assert self.settings is not None
        self.state.record_speech(
            text, self.settings.model, self.settings.style.voice_id, self.transport, self.connection
        )

    async def speak_text(self, text: str) -> None:
        """Send one text's audio and its `is_final`. Raises Refusal, Disconnected, VoiceUnavailable."""
        assert self.settings is not None
        self._texts += 1
        if self._texts == 1 and (code := self.faults.number("speech.error")) is not None:
            raise Refusal(code)
        check_text(text)
        if not self.state.take("speech", account_of(self.request)):
            raise Refusal(1002)
        if self.faults.has("speech.stall"):
            await stall(self.app)
        use_voice(self.state, self.settings.style.voice_id)
        synthesis = Synthesis(
            self.app, self.settings, text, split_words=self.faults.has("speech.split_words")
        )
        number = 0
        async with aclosing(synthesis.frames()) as frames:
            async for frame in frames:
                if number == LATE_END_FRAMES:
                    await self._send_late_end()
                await self._audio(frame, first=number == 0)
                number += 1
        await self._send_late_end()
        await sleep_ms(self.app, "speech.final_ms")
        self.drop_at("final")
        await self._send_end({"data": {"audio": ""}, "extra_info": synthesis.extra_info, "is_final": True})

    async def _send_end(self, end: dict[str, Any]) -> None:
        """The end of a text: once and at once, but for the faults."""

        def has(name: str) -> bool:
            return self.faults.number(name) == self._texts

        if has("speech.late_double_final") or has("speech.late_final"):
            self._late_end = end
        if not has("speech.lost_final") and not has("speech.late_final"):
            await self._send_frame(end)
        if has("speech.double_final"):
            await self._send_frame(end)

    async def _send_late_end(self) -> None:
        end, self._late_end = self._late_end, None
        if end is not None:
            await self._send_frame(end)

    async def _audio(self, frame: AudioFrame, *, first: bool) -> None:
        after = self.faults.number("speech.drop_after")
        if after is not None and self._frames >= after:
            raise self.cut()
        audio_hex = frame.audio.hex()
        if not first:
            self.drop_at("mid")
            if self.faults.has("speech.empty_data"):
                await self._send_frame({"data": None, "is_final": False})
                await self._send_frame({"data": {"audio": "", "status": 1}, "is_final": False})
        if self._frames == 1 and self.faults.has("speech.bad_hex"):
            audio_hex = f"zz{audio_hex[:-1]}"
        self._frames += 1
        await self._send_frame({"data": {"audio": audio_hex, "subtitle": frame.subtitle}, "is_final": False})

    async def _send_frame(self, fields: dict[str, Any]) -> None:
        event = None if self.faults.has("speech.no_event") else "task_continued"
        await self.send(event, fields=fields)

    async def soft(self, code: int, *, is_final: bool = True) -> None:
        """Skip a text: one reply with the reason and no audio; the session continues."""
        await self.send("task_continued", code=code, fields={"data": None, "is_final": is_final})


def _decode(text: str) -> dict[str, Any]:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise Refusal(2013, "invalid params, message is not a JSON object")
    return event


async def serve(request: web.Request, kind: type[SpeechSocket]) -> web.StreamResponse:
    """Accept a connection, or refuse it like the platform."""
    app = request.app
    state = app[STATE]
    faults = faults_for(request)
    await sleep_ms(app, "speech.connect_ms")
    if faults.get("speech.drop_at") == "connect":
        cut(request)
        return web.Response()
    wrong = key_error(request)
    if wrong and app[OPTIONS]["speech.reject_handshake"]:
        return web.json_response(native_error(*wrong), status=401)
    number = None if wrong else state.open_connection()
    if number is None:
        return await _refuse(kind(request, 0, faults), *(wrong or (1041, message_for(1041))))
    try:
        return await kind(request, number, faults).run()
    finally:
        state.close_connection()


async def _refuse(socket: SpeechSocket, code: int, message: str) -> web.StreamResponse:
    await socket.ws.prepare(socket.request)
    await sleep_ms(socket.app, "speech.connected_ms")
    await socket.fail(code, message)
    return socket.ws
