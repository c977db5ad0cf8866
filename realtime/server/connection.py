"""One WebSocket: messages in become events of the session, events of the outbox become messages out.

It knows frames, codes and deadlines of the socket, and nothing of what is said.
"""

from __future__ import annotations

import asyncio
import logging
from secrets import token_urlsafe

from aiohttp import WSMsgType, web

from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.outbox import Outbox, OutboxFull, Outgoing
from realtime.protocol.client_events import InputAudioBufferAppend
from realtime.protocol.codec import NotAnEvent, decode, encode
from realtime.protocol.framing import MAX_INBOUND_BYTES, FramingError, decode_frame
from realtime.protocol.server_events import ErrorEvent, ServerEvent
from realtime.server.access import Caller
from realtime.server.audio_streams import AudioStreams
from realtime.server.event_rate import EventRate
from realtime.server.runtime import Runtime
from realtime.session import Session, SessionEnded
from realtime.session_defaults import new_session_config

log = logging.getLogger(__name__)

MAX_GARBAGE = 100  # messages in a row that are no event


class Closing(Exception):
    """The connection has to end, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Connection:
    """Joins one socket to one session."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        *,
        runtime: Runtime,
        metrics: Metrics,
        caller: Caller,
        extensions: str,
        binary: bool,
    ) -> None:
        self._socket = socket
        self._metrics = metrics
        self._send_timeout_s = runtime.settings.send_timeout_s
        self._outbox = Outbox()
        self._streams = AudioStreams() if binary else None
        self._seq = 0
        self._garbage = 0
        self._rate = EventRate(asyncio.get_running_loop().time())
        self._closing: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()
        self._session = Session(
            new_session_config(runtime.settings, runtime.providers, caller.session, extensions),
            providers=runtime.providers,
            settings=runtime.settings,
            outbox=self._outbox,
            metrics=metrics,
            new_id=lambda kind: f"{kind}_{token_urlsafe(12)}",
        )

    def __repr__(self) -> str:
        return f"<Connection {self._session.id} {self._outbox!r}>"

    @property
    def replying(self) -> bool:
        return self._session.replying or self._outbox.unsent_audio_ms > 0

    def close_soon(self, code: int, reason: str) -> None:
        """Ask the connection to end."""
        if not self._closing.done():
            self._closing.set_result(Closing(code, reason))

    async def run(self) -> None:
        """Converse until either side has enough."""
        self._metrics.sessions.inc()
        self._metrics.sessions_total.inc()
        closing = Closing(1011, "internal_error")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._session.run(), name=f"{self._session.id} session")
                group.create_task(self._read(), name=f"{self._session.id} reader")
                group.create_task(self._write(), name=f"{self._session.id} writer")
                group.create_task(self._wait_for_closing(), name=f"{self._session.id} closing")
        except* Closing as reasons:
            closing = _first(reasons)
        except* SessionEnded as ended:
            closing = Closing(1001, str(ended.exceptions[0]))
        except* OutboxFull:
            closing = Closing(1008, "slow_reader")
        except* Exception:
            log.exception("session %s failed", self._session.id)
            self._outbox.put(ErrorEvent.of(_our_fault()))
        finally:
            self._metrics.sessions.dec()
            await self._session.aclose()
            await self._say_goodbye(closing)

    async def _wait_for_closing(self) -> None:
        raise await asyncio.shield(self._closing)

    async def _say_goodbye(self, closing: Closing) -> None:
        """Send what is still queued if the peer reads, then close."""
        self._outbox.close()
        try:
            async with asyncio.timeout(1.0):
                if closing.reason != "slow_reader":
                    while (outgoing := self._outbox.take_now()) is not None:
                        await self._send(outgoing)
                await self._socket.close(code=closing.code, message=closing.reason.encode()[:123])
        except (TimeoutError, ConnectionError):
            if self._socket._req is not None and self._socket._req.transport is not None:
                self._socket._req.transport.abort()

    # -- in --------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            match message.type:
                case WSMsgType.TEXT:
                    await self._take_text(message.data)
                case WSMsgType.BINARY:
                    await self._take_binary(message.data)
                case _:
                    raise Closing(self._socket.close_code or 1000, "")

    async def _take_text(self, data: str) -> None:
        event = None
        try:
            event = decode(data)
            self._garbage = 0
            await self._session.receive(event)
        except ProtocolError as error:
            if error.event_id is None and event is not None:
                error.event_id = event.event_id
            self._refuse(error)
        if not isinstance(event, InputAudioBufferAppend):
            wait_s = self._rate.take(asyncio.get_running_loop().time())
            if wait_s > 0:
                await asyncio.sleep(wait_s)

    async def _take_binary(self, data: bytes) -> None:
        if len(data) > MAX_INBOUND_BYTES:
            raise Closing(1009, "message_too_big")
        if self._streams is None:
            self._refuse(
                ProtocolError("Binary audio needs the subprotocol 'realtime.bin.v1'.", param="message")
            )
            return
        try:
            frame = decode_frame(data)
        except FramingError as error:
            raise Closing(error.close_code, "bad_frame") from error
        if frame is not None:
            await self._session.hear(frame.payload)

    def _refuse(self, error: ProtocolError) -> None:
        self._metrics.protocol_errors.labels(error.code).inc()
        self._outbox.put(ErrorEvent.of(error))
        if not isinstance(error, NotAnEvent):
            self._garbage = 0
        else:
            self._garbage += 1
            if self._garbage >= MAX_GARBAGE:
                raise Closing(1008, "too_many_errors")

    # -- out -------------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        while (outgoing := await self._outbox.take()) is not None:
            try:
                async with asyncio.timeout(self._send_timeout_s):
                    await self._send(outgoing)
            except TimeoutError as error:
                raise Closing(1008, "slow_reader") from error
            except ConnectionError as error:
                raise Closing(1006, "") from error

    async def _send(self, outgoing: Outgoing) -> None:
        messages: list[ServerEvent | bytes] = [outgoing.event]
        if self._streams is not None:
            messages = self._streams.messages(outgoing.event, self._seq + 1)
        for message in messages:
            self._seq += 1
            if isinstance(message, bytes):
                await self._socket.send_bytes(message)
            else:
                await self._socket.send_str(encode(message, f"event_{self._seq}"))


def _first(group: BaseExceptionGroup[Closing]) -> Closing:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Closing)
    return error


def _our_fault() -> ProtocolError:
    return ProtocolError(
        "The server hit a bug of its own; the session cannot go on. Connect again.",
        code="internal_error",
        type="server_error",
    )
