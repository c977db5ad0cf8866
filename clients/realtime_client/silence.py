"""Notices a server that has fallen silent: a network that breaks closes no connection, and TCP waits for many minutes.

Any byte from the server is a sign of life. When none has come for a while, a ping asks for one, so that a server that
has nothing to say is not taken for a dead one. Knows bytes and time; knows no event.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from enum import Enum, auto

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

# Someone waits in front of a screen: 5 s is the longest that is still taken for thinking. The ping leaves 3 s before
# that, so a server that is suspended or very busy for as long is kept (docs/clients.md).
SILENCE_TIMEOUT_S = 5.0
PING_AT = 0.4  # of the timeout
MAX_PING_S = 20.0  # also with a long timeout: a router forgets a connection on which nothing is sent
TICK_S = 0.25


class Verdict(Enum):
    """What a tick of silence asks for."""

    WAIT = auto()
    PING = auto()
    LOST = auto()


class Silence:
    """How long the server has said nothing, in ticks that this program has lived through.

    Not by the clock: a program that was suspended itself (a closed laptop) could hear nothing in that time.
    """

    def __init__(self, timeout_s: float = SILENCE_TIMEOUT_S) -> None:
        self.timeout_s = timeout_s
        self._ping_s = min(PING_AT * timeout_s, MAX_PING_S)
        self.answered_in_s = math.inf  # the shortest time from a ping to a sign of life
        self._silent_s = 0.0
        self._pinged = False

    def __repr__(self) -> str:
        return f"<Silence of {self._silent_s:g} s, at most {self.timeout_s:g}>"

    def sign_of_life(self) -> None:
        """Something came from the server, or nothing could come."""
        if self._pinged:
            self.answered_in_s = min(self.answered_in_s, self._silent_s - self._ping_s)
        self._silent_s, self._pinged = 0.0, False

    def tick(self, tick_s: float, ahead_s: float = 0.0) -> Verdict:
        """Nothing came for another tick. `ahead_s`: sound that was sent ahead of real time. The server reads it before
        the ping, so the timeout is longer by it; a server that reads it twice as fast as it sounds is kept."""
        self._silent_s += tick_s
        if self._pinged and self._silent_s >= self.timeout_s + ahead_s:
            return Verdict.LOST
        if self._silent_s >= self._ping_s and not self._pinged:
            self._pinged = True
            return Verdict.PING
        return Verdict.WAIT


class WatchedSocket(ClientConnection):
    """A WebSocket that knows whether bytes have come, and why it was given up."""

    received = 0  # pieces of bytes
    given_up: str | None = None  # one sentence, if this side ended it because of silence

    def data_received(self, data: bytes) -> None:
        self.received += 1
        super().data_received(data)


async def watch(socket: WatchedSocket, silence: Silence, sound_sent_s: Callable[[], float]) -> None:
    """Give the socket up when the server is silent for too long; every method of it then raises ConnectionClosed.

    `sound_sent_s` tells how much audio was sent so far.
    """
    before, sent_s, ahead_s = _signs(socket), sound_sent_s(), 0.0
    async with _Pings(socket) as pings:
        while socket.state is State.OPEN:
            await asyncio.sleep(TICK_S)
            now, now_sent_s = _signs(socket), sound_sent_s()
            ahead_s = max(0.0, ahead_s + now_sent_s - sent_s - TICK_S)
            sent_s = now_sent_s
            if now != before or not socket.transport.is_reading():
                silence.sign_of_life()
            before = now
            match silence.tick(TICK_S, ahead_s):
                case Verdict.PING:
                    pings.send()
                case Verdict.LOST:
                    _give_up(socket, silence.timeout_s)


class SilenceWatch:
    """Gives up each socket of a conversation on which the server is silent for `timeout_s`.

    After each one that was given up the next gets twice as long, up to `longest_s`: a server that was slow and not gone
    would have the more work, the more often the client comes back. A ping that is answered soon ends that.
    """

    def __init__(
        self, timeout_s: float, sound_sent_s: Callable[[], float], longest_s: float | None = None
    ) -> None:
        self._timeout_s = self._limit_s = timeout_s
        self._longest_s = timeout_s if longest_s is None else longest_s
        self._sound_sent_s = sound_sent_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> SilenceWatch:
        return self

    async def __aexit__(self, *error: object) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def watch(self, socket: WatchedSocket) -> None:
        """This one too; the watch of a closed socket ends by itself with its next look."""
        silence = Silence(self._limit_s)
        watching = watch(socket, silence, self._sound_sent_s)
        task = asyncio.create_task(watching, name="conversation: silence")
        self._tasks.add(task)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._learn(silence, lost=socket.given_up is not None)

        task.add_done_callback(over)

    def _learn(self, silence: Silence, *, lost: bool) -> None:
        if silence.answered_in_s < (1 - PING_AT) * self._timeout_s:
            self._limit_s = self._timeout_s
        if lost:
            self._limit_s = min(2 * self._limit_s, self._longest_s)


def _signs(socket: WatchedSocket) -> tuple[int, int]:
    """What changes while the connection lives: what came, and what waits to be sent (a slow line still takes it)."""
    return socket.received, socket.transport.get_write_buffer_size()


def _give_up(socket: WatchedSocket, timeout_s: float) -> None:
    """Abort: a closing handshake would wait for the same silent server."""
    socket.given_up = (
        f"The server has not answered for {timeout_s:g} s, so the connection is lost: check the network."
    )
    socket.transport.abort()


class _Pings:
    """Sends pings from a task of its own: where nothing leaves any more, sending one would wait for ever."""

    def __init__(self, socket: WatchedSocket) -> None:
        self._socket = socket
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> _Pings:
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def send(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._ping(), name="ping")

    async def _ping(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._socket.ping()
