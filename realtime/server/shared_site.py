"""A listening socket that several processes have: each accepts only when the next connection is for it.

`spread.py` decides whose it is. The system alone would wake all of them and let the fastest take a whole crowd. Knows
sockets and no paths (docs/operations.md, "Several workers").
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable
from typing import cast

from aiohttp import web

from realtime.server.listener import FLUSH_S, HEAD_TIMEOUT_S, Handler
from realtime.server.spread import Slot

log = logging.getLogger(__name__)

PAUSE_S = 0.002  # while a connection waits that is for somebody else
BEAT_S = 0.1
NO_FILES_S = 1.0  # after an accept that failed because the process has no files left


class SharedSite(web.BaseSite):
    """Listens on a socket that other processes accept from, too. `room` and `sessions` are asked before each accept."""

    def __init__(
        self,
        runner: web.BaseRunner,
        sock: socket.socket,
        tls: ssl.SSLContext | None,
        slot: Slot,
        *,
        room: Callable[[], bool],
        sessions: Callable[[], int],
    ) -> None:
        super().__init__(runner, ssl_context=tls)
        self._sock, self._slot, self._room, self._sessions = sock, slot, room, sessions

    @property
    def name(self) -> str:
        return f"{'https' if self._ssl_context else 'http'}://{self._sock.getsockname()}"

    async def start(self) -> None:
        await super().start()
        assert self._runner.server is not None
        accepting = Accepting(self._sock, self._runner.server, self._ssl_context, self._slot, self._state)
        self._server = cast("asyncio.AbstractServer", accepting)  # as much of one as a site needs
        accepting.start()

    def _state(self) -> tuple[bool, int]:
        return self._room(), self._sessions()


class Accepting:
    """Accepts from the socket until it is closed."""

    def __init__(
        self,
        sock: socket.socket,
        server: web.Server,
        tls: ssl.SSLContext | None,
        slot: Slot,
        state: Callable[[], tuple[bool, int]],
    ) -> None:
        self.sockets = (sock,)
        self._sock, self._server, self._tls, self._slot, self._state = sock, server, tls, slot, state
        self._loop = asyncio.get_running_loop()
        self._joining: set[asyncio.Task[None]] = set()  # accepted, and not yet a connection of the server
        self._beat: asyncio.TimerHandle | None = None
        self._pause: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._sock.setblocking(False)
        self._heart()
        self._watch()

    def close(self) -> None:
        """Accept no more; connections stay. A second call does nothing."""
        for timer in (self._beat, self._pause):
            if timer is not None:
                timer.cancel()
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._slot.leave()
            self._sock.close()

    def _heart(self) -> None:
        self._say()
        self._beat = self._loop.call_later(BEAT_S, self._heart)

    def _say(self) -> None:
        room, sessions = self._state()
        busy = sum(isinstance(each, Handler) and each.busy for each in self._server.connections)
        self._slot.say(time.monotonic(), room=room, load=busy + len(self._joining), sessions=sessions)

    def _watch(self) -> None:
        self._loop.add_reader(self._sock, self._someone_waits)

    def _someone_waits(self) -> None:
        self._say()
        wait_s = PAUSE_S
        if self._slot.takes(time.monotonic()):
            try:
                self._accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return  # somebody else took it, or it is gone
            except OSError as error:
                log.warning("a connection could not be accepted (%s)", error.strerror)
                wait_s = NO_FILES_S
            else:
                return
        self._loop.remove_reader(self._sock)  # it would call again at once
        self._pause = self._loop.call_later(wait_s, self._watch)

    def _accept(self) -> None:
        connection, _ = self._sock.accept()
        self._slot.took()
        joining = self._loop.create_task(self._join(connection), name="join a connection")
        self._joining.add(joining)
        joining.add_done_callback(self._joining.discard)
        self._say()

    async def _join(self, connection: socket.socket) -> None:
        """Make it a connection of the server; with TLS after its handshake."""
        timeouts = {"ssl_handshake_timeout": HEAD_TIMEOUT_S, "ssl_shutdown_timeout": FLUSH_S}
        with contextlib.suppress(OSError):  # the peer left, or its handshake failed
            connection.setblocking(False)
            await self._loop.connect_accepted_socket(
                self._server, connection, ssl=self._tls, **(timeouts if self._tls else {})
            )
