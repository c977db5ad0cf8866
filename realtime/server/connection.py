"""One WebSocket of a session: decodes the client's messages to events and sends the session's messages.

Knows the socket's frames, close codes and timeouts. Does not know what the events mean. The session may outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from aiohttp import WebSocketError, WSMessage, WSMsgType, web

from realtime import deadlines
from realtime.blocks import LongBytes
from realtime.errors import ProtocolError, event_broken, session_broken, without_trace
from realtime.metrics import Metrics
from realtime.outbox import OutboxFull
from realtime.protocol.broken_events import id_in_broken
from realtime.protocol.client_events import AnyClientEvent, InputAudioBufferAppend
from realtime.protocol.codec import NotAnEvent, decode_in_steps, usual_append
from realtime.protocol.framing import MAX_INBOUND_BYTES, FramingError, decode_frame
from realtime.protocol.server_events import ErrorEvent
from realtime.server.client_pace import ClientPace
from realtime.server.closing import DRAINING, Closing
from realtime.server.frames import SMALL_BYTES, Frames, Wrong
from realtime.server.live_session import LiveSession
from realtime.server.replay import Sent
from realtime.server.tcp import reset_in
from realtime.tasks import TaskGroup, forget_cancellation
from realtime.watchdog import Watchdog

log = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 1.0
FLUSH_S = 5.0  # a client that does not take its last messages by then loses them, with its TCP connection
CARRY_OUT_S = 5.0  # for the message that is being carried out when the connection ends
MAX_INVALID_IN_A_ROW = 100  # messages that are no event
MAX_TRACES = 10  # in the log, of one connection
MESSAGES_AT_ONCE = 10  # then others have their turn
NOT_FLUSHED = ("slow_reader", "server_restarting")  # another server says the rest
CLIENT_DONE = (0, 1000, 1001)  # close codes of a client that has finished (0: it sent no code)


class Connection:
    """Connects one socket to one session."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        frames: Frames | None,
        live: LiveSession,
        metrics: Metrics,
        *,
        send_timeout_s: float,
    ) -> None:
        self._socket = socket
        self._frames = frames
        self._transport = socket._req.transport if socket._req is not None else None  # aiohttp forgets it
        self._live = live
        self._send_timeout_s = send_timeout_s
        self._client_reads = Watchdog(send_timeout_s)  # while something waits to be sent
        self._metrics = metrics
        self._invalid_in_a_row = 0
        self._broken = 0  # messages that broke us
        self._carries_out = False  # the session has an event, and is not done with it
        self._stops = False  # no more messages are read
        self._replaced: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()
        self._pace = ClientPace()

    def __repr__(self) -> str:
        return f"<Connection of {self._live!r}>"

    def close_soon(self, closing: Closing) -> None:
        """Close this connection: another one takes over the session."""
        if not self._replaced.done():
            self._replaced.set_result(closing)

    async def run(self, first: Sequence[Sent] = ()) -> None:
        """Serve the client until either side closes. Sends the messages `first` before all others."""
        closing = Closing(*DRAINING)
        try:
            closing = await self._serve(first)
        finally:
            await self._end(closing)

    async def _serve(self, first: Sequence[Sent]) -> Closing:
        name, closing = self._live.id, Closing(1011, "internal_error", resumable=True)
        reading = asyncio.create_task(self._read(), name=f"{name} reader")
        try:
            async with TaskGroup() as group:
                group.create_task(self._write(first), name=f"{name} writer")
                group.create_task(self._wait_for_end(reading), name=f"{name} closing")
        except* Closing as reasons:
            closing = _first_closing(without_trace(reasons)).copy()
        except* OutboxFull:
            closing = Closing(1008, "slow_reader")
        except* Exception:
            log.exception("connection of session %s failed", name)
            with contextlib.suppress(OutboxFull):
                self._live.outbox.put(ErrorEvent.of(session_broken()))
        finally:
            full = await self._stop_reading(reading)
        if closing.resumable and (code := self._socket.close_code) in CLIENT_DONE:
            # It said that it has finished, and what we had to say failed just then
            return Closing(code or 1000, "")
        return Closing(1008, "slow_reader") if full and closing.resumable else closing

    async def _wait_for_end(self, reading: asyncio.Task[None]) -> None:
        waits: set[asyncio.Future[Any]] = {self._replaced, self._live.ending, reading}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for told in (self._replaced, self._live.ending):
                if told.done():
                    raise told.result().copy()
            reading.result()
        finally:
            del reading, waits  # its error knows this frame

    async def _stop_reading(self, reading: asyncio.Task[None]) -> bool:
        """What is carried out already is carried out whole: the client is told so on its next socket. Returns whether
        there was no room for what it means."""
        self._stops = True
        try:
            if self._carries_out and self._live.session.begun:  # else it only waits to be
                async with deadlines.timeout(CARRY_OUT_S):
                    await asyncio.wait({reading})
        except TimeoutError:
            log.error("a message of session %s was not carried out in time", self._live.id)
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            forget_cancellation(reading)
            error = None if reading.cancelled() else reading.exception()
            if error is not None:
                without_trace(error)  # what was to be told of it is told
        return isinstance(error, OutboxFull)

    async def _end(self, closing: Closing) -> None:
        """Detach or end the session; then close the socket, unless the client has closed it. Whatever breaks on the
        way, the session is let go: one that is attached for ever holds its place for ever."""
        live, client_reads = self._live, closing.code not in (*CLIENT_DONE, 1006) or bool(closing.reason)
        detaches = closing.resumable and live.resumable and not live.ending.done()
        try:
            if detaches and closing.code == 1011:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(CLOSE_TIMEOUT_S):
                        await self._send_queued()
        finally:
            await self._let_go(closing, detaches=detaches)
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                if client_reads and not detaches and closing.reason not in NOT_FLUSHED:
                    await self._send_queued()
                await self._socket.close(code=closing.code, message=closing.reason.encode()[:123])
        except (TimeoutError, ConnectionError):
            pass  # aiohttp has closed the transport
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
        finally:
            without_trace(self._socket.exception())  # the socket keeps it, and its frames know the socket
            if self._transport is not None:
                reset_in(self._transport, FLUSH_S)

    async def _let_go(self, closing: Closing, *, detaches: bool) -> None:
        """Detach the session; end it if it does not wait for another connection, or cannot."""
        try:
            if detaches:
                self._live.detach()
                return
        except Exception:
            log.exception("session %s cannot wait for another connection", self._live.id)
        await self._live.finish(closing)

    async def _send_queued(self) -> None:
        """Send what is queued as far as it can be sent: what breaks here costs the client its last messages only."""
        try:
            while (messages := self._live.take_now()) is not None:
                for message in messages:
                    await self._send(message)
        except ConnectionError:
            pass
        except Exception:
            log.exception("the last messages of session %s cannot be sent", self._live.id)

    # -- receiving -------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        read = 0
        while not self._stops:
            read += 1
            if read % MESSAGES_AT_ONCE == 0:
                await asyncio.sleep(0)  # nothing here waits while more is there
            if not self._live.outbox.has_room:  # else no timer for each message
                await self._room()
            await self._pace.message()
            message = await self._receive()
            try:
                match message.type:
                    case WSMsgType.TEXT:
                        await self._receive_text(message.data)
                    case WSMsgType.BINARY:
                        await self._receive_binary(message.data)
                    case WSMsgType.PING:
                        await self._pong(message.data)
                    case WSMsgType.PONG:
                        pass
                    case _:
                        raise _ended_by(message)
            except (Closing, OutboxFull):
                raise
            except Exception as error:
                await self._broke(message, error)

    async def _receive(self) -> WSMessage:
        """The next message; `data` is LongBytes. Raises Closing if the client sent what is no message."""
        try:
            message = await self._socket.receive()
        except (ConnectionError, asyncio.CancelledError) as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            raise Closing(1006, "", resumable=True) from error
        if self._frames is None or not isinstance(message.data, bytes):
            return message
        data = self._frames.taken(message.data)
        if isinstance(data, Wrong):
            raise Closing(data.close_code, "")
        return message if data is message.data else message._replace(data=data)

    async def _pong(self, data: bytes) -> None:
        """Answer a ping. While the answer waits nothing is read: who reads no answer is a slow reader too."""
        try:
            with self._client_reads.waiting():
                await self._send_frame(data, WSMsgType.PONG)
        except ConnectionError as error:
            raise Closing(1006, "", resumable=True) from error

    async def _broke(self, message: WSMessage, error: Exception) -> None:
        """The net under every message of a client: what breaks us is an `error` event, and the session goes on."""
        self._broken += 1
        if self._broken <= MAX_TRACES:
            log.error("a message of session %s broke", self._live.id, exc_info=error)
        event_id = id_in_broken(message.data) if message.type is WSMsgType.TEXT else None
        self._report(event_broken(event_id))
        await self._pace.event()

    async def _room(self) -> None:
        """Read nothing from a client that reads nothing: wait while too much that it has caused is unsent."""
        try:
            async with deadlines.timeout(self._send_timeout_s):
                await self._live.outbox.room()
        except TimeoutError as error:
            raise Closing(1008, "slow_reader", resumable=True) from error

    async def _receive_text(self, data: LongBytes) -> None:
        self._live.story.received(len(data))
        try:
            event = usual_append(data) or await _decoded(data)  # hardly anything but appends comes
        except ProtocolError as error:
            if isinstance(error, NotAnEvent) and not _is_text(data):
                raise Closing(1007, "") from error
            self._live.last_event_id = error.event_id or self._live.last_event_id  # refused is dealt with
            self._report(error)
            await self._pace.event(len(data))
        else:
            self._invalid_in_a_row = 0
            await self._carry_out(event, len(data))

    async def _carry_out(self, event: AnyClientEvent, size: int = 0) -> None:
        """Give one event to the session, and slow a client down that sends too much."""
        self._live.story.understood(event)
        sound_s, self._carries_out = 0.0, True
        try:
            sound_s = await self._live.receive(event)
        except ProtocolError as error:
            error.event_id = error.event_id or event.event_id
            self._report(error)
        finally:
            self._carries_out = False
        if self._stops:
            return
        if isinstance(event, InputAudioBufferAppend):
            await self._pace.audio(sound_s)
        else:
            await self._pace.event(size, sound_s)

    async def _receive_binary(self, data: LongBytes) -> None:
        self._live.story.received(len(data))
        if len(data) > MAX_INBOUND_BYTES:
            raise Closing(1009, "message_too_big")
        if not self._live.binary:
            needed = "Binary audio needs the subprotocol 'realtime.bin.v1'."  # it may be JSON
            self._report(ProtocolError(needed, param="message", event_id=id_in_broken(data)))
            return
        try:
            frame = decode_frame(data[:])
        except FramingError as error:
            raise Closing(error.close_code, "bad_frame") from error
        if frame is not None:
            await self._carry_out(InputAudioBufferAppend(audio=frame.payload))

    def _report(self, error: ProtocolError) -> None:
        self._metrics.protocol_errors.labels(error.code).inc()
        self._live.outbox.put(ErrorEvent.of(error))
        if not isinstance(error, NotAnEvent):
            self._invalid_in_a_row = 0
        else:
            self._invalid_in_a_row += 1
            if self._invalid_in_a_row >= MAX_INVALID_IN_A_ROW:
                raise Closing(1008, "too_many_errors")

    # -- sending ---------------------------------------------------------------------------------------------------

    async def _write(self, first: Sequence[Sent]) -> None:
        try:
            async with self._client_reads as watchdog:
                messages: Sequence[Sent] | None = first
                while messages is not None:
                    for message in messages:
                        with watchdog.waiting():
                            await self._send(message)
                    messages = await self._live.take()
        except TimeoutError as error:
            raise Closing(1008, "slow_reader", resumable=True) from error
        except ConnectionError as error:
            raise Closing(1006, "", resumable=True) from error

    async def _send(self, message: Sent) -> None:
        self._live.story.sent(len(message.data))
        await self._send_frame(message.data, WSMsgType.BINARY if message.binary else WSMsgType.TEXT)

    async def _send_frame(self, data: bytes, kind: WSMsgType) -> None:
        """Raises ConnectionError if the client is lost, or was waited for in vain."""
        try:
            await self._socket.send_frame(data, kind)
        except asyncio.CancelledError as error:
            if _is_cancelled():
                raise
            raise ConnectionError("The client does not read.") from error


def _is_cancelled() -> bool:
    """Whether it is this task that is being cancelled.

    All who wait until a client reads share one future in aiohttp: if one of them was cancelled, the next one gets a
    CancelledError that is not its own. It means that the client does not read."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _ended_by(message: WSMessage) -> Closing:
    """How the connection ends after a message without data."""
    match message.type:
        case WSMsgType.CLOSE:
            return Closing(message.data or 1000, "", resumable=message.data not in CLIENT_DONE)
        case WSMsgType.ERROR if isinstance(message.data, WebSocketError):
            return Closing(int(message.data.code), "")
        case _:
            return Closing(1006, "", resumable=True)


async def _decoded(data: LongBytes) -> AnyClientEvent:
    """The event in a message; a large one is decoded while others are served. Raises ProtocolError."""
    steps = decode_in_steps(data)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            event: AnyClientEvent = end.value
            return event
        await asyncio.sleep(0)


def _is_text(data: LongBytes) -> bool:
    """Whether it is UTF-8. A long one was looked at as it came."""
    try:
        return len(data) > SMALL_BYTES or data[:].decode() is not None
    except UnicodeDecodeError:
        return False


def _first_closing(group: BaseExceptionGroup[Closing]) -> Closing:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Closing)
    return error
