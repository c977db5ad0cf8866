"""The listening socket and its connections, before and beside their requests: nothing here may last for ever.

A TLS handshake and the head of a request have 10 s, an idle connection 75 s, a request that is no WebSocket 120 s. When
a connection is done it is gone, whether its peer reads or not. Knows no paths; `connection.py` bounds the WebSockets.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any, cast

from aiohttp import web

from realtime.deadlines import Alarm
from realtime.server.address import BACKLOG, bound_socket
from realtime.server.arrivals import Queue, Waiting
from realtime.server.descriptors import Descriptors
from realtime.server.tcp import reset, reset_in
from realtime.weak_calls import weak_call

HEAD_TIMEOUT_S = 10.0  # from the connection, or from its first byte, to the end of the head
IDLE_TIMEOUT_S = 75.0  # between two requests: longer than a reverse proxy keeps its connections
REQUEST_TIMEOUT_S = 120.0  # a request that is no WebSocket, with its body and its answer
FLUSH_S = 5.0  # to read the last bytes
FULL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Handler(web.RequestHandler):
    """aiohttp's protocol of one connection, with an end for each wait."""

    __slots__ = (
        "__weakref__",
        "_alarm",
        "_alarm_request",
        "_begun",
        "_descriptors",
        "_queue",
        "_turn",
        "_wire",
    )

    def __init__(
        self, manager: web.Server, *, descriptors: Descriptors, queue: Queue, **options: Any
    ) -> None:
        """`queue`: in which new connections wait until they are read."""
        super().__init__(manager, **options)
        self._descriptors = descriptors
        self._queue = queue
        self._turn: Waiting | None = None
        self._begun = False
        self._alarm = Alarm(weak_call(self._overdue))
        self._alarm_request: int | None = None  # the request that the alarm is for; None: the next head
        self._wire: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._wire = wire = cast("asyncio.Transport", transport)  # those of uvloop are no subclasses
        if not self._descriptors.admit():
            self._begin(False)
            return
        self._turn = self._queue.enter(self._begin)
        if self._turn is not None:
            wire.pause_reading()

    def _begin(self, admitted: bool) -> None:
        """It is this connection's turn, or there is no room for it."""
        waited, self._turn = self._turn is not None, None
        wire = self._wire
        if wire is None:
            return
        if not admitted:
            wire.write(FULL)
            wire.close()
            reset_in(wire, FLUSH_S)
            return
        self._begun = True
        super().connection_made(wire)
        self._alarm.set_in(HEAD_TIMEOUT_S)
        if waited:
            wire.resume_reading()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._alarm.cancel()
        self._wire = None
        if self._turn is not None:
            self._queue.leave(self._turn)
        if self._begun:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            return
        known = self._request_count
        super().data_received(data)
        if self._payload_parser is not None:  # a WebSocket
            self._alarm.cancel()
        elif self._request_count > known:
            self._alarm_request = self._request_count
            self._alarm.set_in(REQUEST_TIMEOUT_S)
        elif self._is_between() and (self._alarm.when_s is None or self._alarm_request is not None):
            self._alarm_request = None
            self._alarm.set_in(HEAD_TIMEOUT_S)

    async def start(self) -> None:
        try:
            await super().start()
        finally:
            if self._wire is not None:
                reset_in(self._wire, FLUSH_S)

    @property
    def busy(self) -> bool:
        """Whether it has a request, a WebSocket, or may still become one: not one that waits for a further request."""
        return not self._is_between() or self._request_count == 0

    def _is_between(self) -> bool:
        """Whether no request is being handled."""
        return not self._messages and not self._request_in_progress and self._payload_parser is None

    def _overdue(self) -> None:
        """The head did not end in time, or its request is still running."""
        if self._wire is None or self._payload_parser is not None:
            return
        if self._is_between() == (self._alarm_request is None):
            reset(self._wire)


class Site(web.BaseSite):
    """Listens at `host` and `port`, or on a socket that is bound already."""

    def __init__(
        self,
        runner: web.BaseRunner,
        host: str,
        port: int,
        sock: socket.socket | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        super().__init__(runner, ssl_context=tls, backlog=BACKLOG)
        self._host, self._port, self._sock = host, port, sock

    @property
    def name(self) -> str:
        return f"{'https' if self._ssl_context else 'http'}://{self._host}:{self._port}"

    async def start(self) -> None:
        """Raises OSError."""
        await super().start()
        assert self._runner.server is not None
        sock = self._sock or bound_socket(self._host, self._port)
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._runner.server,
                sock=sock,
                ssl=self._ssl_context,
                ssl_handshake_timeout=HEAD_TIMEOUT_S if self._ssl_context else None,
                ssl_shutdown_timeout=FLUSH_S if self._ssl_context else None,
                backlog=self._backlog,
            )
        except BaseException:
            sock.close()
            raise
