"""The WebSocket frames of one client, on their way to aiohttp: checked, and large messages put together in steps.

aiohttp unmasks and copies a large message at its end, all at once: 40 ms for 15 MiB. Here it is unmasked piece by
piece, as it comes, and its text is checked in the same way. aiohttp gets the small frames, and a mark in the place of
a large message. It also takes frames without a mask, which RFC 6455 5.1 forbids; here they end the connection.

It stands between the socket's transport and aiohttp, by the public calls of asyncio alone: what is not as expected
leaves the connection to aiohttp. Knows no contents of messages.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import struct
from collections import deque
from dataclasses import dataclass

from aiohttp import WSCloseCode, web

from realtime.blocks import LongBytes
from realtime.server.frame_heads import (
    BINARY,
    CLOSE,
    CONTINUATION,
    CONTROL,
    FIN,
    MASKED,
    OPCODE,
    PONG,
    RESERVED,
    TEXT,
    head_size,
    is_one_small_frame,
    payload_size,
)
from realtime.server.long_message import LongMessage, WrongFrame
from realtime.server.token_bucket import TokenBucket

log = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
FRAMES_AT_ONCE = 250  # of one read; a read of 256 KiB can have 40,000
FRAGMENTS_PER_S, FRAGMENTS_BURST = 2_000.0, 10_000.0  # they are no messages, which the connection counts
SMALL_BYTES = 65_535  # a longer frame is put together here
MAX_UNREAD_BYTES = 2 * 1024 * 1024  # of tiny frames that came faster than they can be read
ALIVE_S = 1.0  # while a long message comes, aiohttp is told that often that the client is there
_ALIVE = bytes((FIN | PONG, MASKED)) + bytes(4)  # a pong
_WEIGHT_BYTES = 160 * 1024  # a mark of this size makes aiohttp pause its client, as the message would have


@dataclass(frozen=True, slots=True)
class Wrong:
    """In the place of a message: the client sent something that ends the connection."""

    close_code: int


class Frames(asyncio.Protocol):
    """Takes what the socket has read. Stands in the place of aiohttp's protocol."""

    def __init__(
        self, inner: asyncio.Protocol, transport: asyncio.Transport, max_bytes: int = MAX_MESSAGE_BYTES
    ) -> None:
        self._inner = inner
        self._transport = transport
        self._max_bytes = max_bytes
        self._token = secrets.token_bytes(16)  # no client can send it
        self._waiting: deque[LongBytes | Wrong] = deque()  # what marks stand for
        self._unread = b""  # what came, and was too much for one step
        self._aiohttp_reads = True  # while we read nothing: whether aiohttp would
        self._lost: list[Exception | None] = []  # why the transport was lost, until aiohttp knows it
        self._left = 0  # payload of the present frame that has not come yet
        self._head = b""  # the beginning of one
        self._passes = True  # whether the present frame goes to aiohttp
        self._message: LongMessage | None = None  # being put together here
        self._final = False  # whether the present frame is its last one
        self._waits = False  # for the next step, also if nothing is unread
        self._fragments = 0  # that came in this step
        self._fragments_limit = TokenBucket(FRAGMENTS_PER_S, FRAGMENTS_BURST, 0.0)
        self._failed = False
        self._alive_s = 0.0

    @classmethod
    def before(cls, request: web.Request) -> Frames | None:
        """Read the frames of this request's connection from now on; None leaves them to aiohttp.

        A client may send frames before the handshake is answered: what aiohttp has of them is read first. It keeps
        what it gets until the handshake is answered.
        """
        transport, inner = request.transport, request.protocol
        if transport is None:
            return None
        if transport.get_protocol() is not inner or not isinstance(inner, asyncio.Protocol):
            log.warning(
                "large messages are read at once: aiohttp's connection is not the transport's protocol"
            )
            return None
        frames = cls(inner, transport)
        transport.set_protocol(frames)
        if early := getattr(inner, "_message_tail", b""):
            inner._message_tail = b""
            frames.data_received(early)
        return frames

    def taken(self, data: bytes) -> LongBytes | Wrong:
        """What a message of aiohttp is: itself, or what its mark stands for."""
        if self._unread:
            self._stop_again()  # aiohttp reads on as soon as its own queue has room
        return self._waiting.popleft() if data.startswith(self._token) else data

    # -- what the transport calls ----------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._failed:
            return
        if self._is_between and is_one_small_frame(data):
            self._inner.data_received(data)
        elif not self._unread and not self._waits:
            self._feed(bytes(data))
        elif len(self._unread) < MAX_UNREAD_BYTES:
            self._unread += data
            self._stop_again()
        else:
            self._fail(int(WSCloseCode.POLICY_VIOLATION))

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = [exc]
        if not self._unread:
            self._leave()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()

    # -- frames ----------------------------------------------------------------------------------------------------

    @property
    def _is_between(self) -> bool:
        """Whether a frame that comes now is the next one, and a whole message."""
        return not (self._left or self._head or self._unread or self._message)

    def _feed(self, data: bytes) -> None:
        try:
            passed = self._passed(self._head + data)
        except WrongFrame as error:
            self._fail(int(error.close_code))
            return
        if passed:
            self._inner.data_received(passed)
        elif self._message is not None:
            self._stay_alive()
        wait_s = self._too_many_fragments_s()
        if self._unread or wait_s:
            self._aiohttp_reads = self._transport.is_reading()
            self._transport.pause_reading()
            self._waits = True
            asyncio.get_running_loop().call_later(wait_s, self._go_on)

    def _too_many_fragments_s(self) -> float:
        """For how long nothing is read, because of the fragments of this step."""
        if not self._fragments:
            return 0.0
        count, self._fragments = self._fragments, 0
        return self._fragments_limit.take(count, asyncio.get_running_loop().time())

    def _passed(self, data: bytes) -> bytes:
        """Go through these frames; returns what is for aiohttp at their end. Raises WrongFrame."""
        self._head = b""
        place = start = frames = 0  # from `start` on is what aiohttp has not got yet
        while place < len(data):
            if not self._left:
                if frames == FRAMES_AT_ONCE:
                    self._unread = data[place:]
                    break
                frames += 1
                size = head_size(data, place)
                if place + size > len(data):
                    self._head = data[place:]
                    break
                begin, place = place, place + size
                start = self._begin(data, begin, place, start)
            end = min(place + self._left, len(data))
            self._left -= end - place
            if not self._passes:
                self._take(data[place:end])
                start = end
            place = end
        return data[start:place]

    def _begin(self, data: bytes, begin: int, place: int, start: int) -> int:
        """A frame begins, its payload at `place`; returns from where on aiohttp has got nothing. Raises WrongFrame."""
        try:
            self._read_head(data[begin:place])
        except WrongFrame:
            self._inner.data_received(data[start:begin])  # the messages before it are good
            raise
        if self._passes:
            return start
        if start < begin:
            self._inner.data_received(data[start:begin])
        return place

    def _read_head(self, head: bytes) -> None:
        """Raises WrongFrame."""
        first = head[0]
        if not head[1] & MASKED:
            raise WrongFrame(WSCloseCode.PROTOCOL_ERROR)
        opcode, size = first & OPCODE, payload_size(head)
        if self._message is not None and opcode in (TEXT, BINARY):
            raise WrongFrame(WSCloseCode.PROTOCOL_ERROR)
        small = self._message is None and bool(first & FIN) and size <= SMALL_BYTES
        self._passes = (
            small
            or bool(opcode & CONTROL or first & RESERVED)  # what is wrong with it is found by aiohttp
            or opcode not in (CONTINUATION, TEXT, BINARY)
            or (opcode == CONTINUATION and self._message is None)
        )
        if not self._passes:
            self._fragments += 1
            self._message = self._message or LongMessage(opcode)
            if self._message.size_bytes + size > self._max_bytes:
                raise WrongFrame(WSCloseCode.MESSAGE_TOO_BIG)
            self._message.mask = head[-4:]
            self._final = bool(first & FIN)
        self._left = size

    def _take(self, piece: bytes) -> None:
        """Take a piece of the message that is put together here. Raises WrongFrame."""
        message = self._message
        assert message is not None
        ends = self._final and not self._left
        message.add(piece, last=ends)
        if ends:
            self._message = None
            self._put(message.opcode, message.data, message.size_bytes)

    def _put(self, opcode: int, value: LongBytes | Wrong, size_bytes: int = 0) -> None:
        """Let aiohttp queue a mark in the place of this."""
        self._waiting.append(value)
        mark = self._token + bytes(min(size_bytes, _WEIGHT_BYTES))
        # The mask is four zeros
        self._inner.data_received(struct.pack("!BBQ4x", FIN | opcode, MASKED | 127, len(mark)) + mark)

    def _fail(self, close_code: int) -> None:
        """End the connection. The close frame is for who closes it and waits for the client's answer."""
        if self._left and self._passes:
            self._inner.data_received(bytes(self._left))  # of a small frame: aiohttp waits for its end
        self._failed, self._unread, self._message = True, b"", None
        self._put(BINARY, Wrong(close_code))
        self._inner.data_received(struct.pack("!BB4xH", FIN | CLOSE, MASKED | 2, close_code))

    # -- steps -----------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """The next step, after others have had their turn."""
        data, self._unread, self._waits = self._unread, b"", False
        if self._aiohttp_reads and not self._transport.is_closing():
            self._transport.resume_reading()
        if not self._failed:
            self._feed(data)
        if self._lost and not self._unread:
            self._leave()

    def _stop_again(self) -> None:
        if self._transport.is_reading():
            self._aiohttp_reads = True
            self._transport.pause_reading()

    def _leave(self) -> None:
        self._inner.connection_lost(self._lost.pop())
        self._failed, self._message = True, None

    def _stay_alive(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._alive_s + ALIVE_S:
            self._alive_s = now_s
            self._inner.data_received(_ALIVE)
