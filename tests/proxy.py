"""A TCP proxy in front of a server, to cut the line in the ways a network does: reset, or stall without a goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_BLOCK = 16_384


class Proxy:
    """`opened` counts connections. `refusing`: new ones are reset at once.

    `cuts`: after how many bytes more to the client everything is reset, once for each number. `stalls`: or nothing passes
    any more on the connections of then. `latency_s` and `bytes_per_s`: of each direction, of connections that are opened.
    """

    def __init__(self, port: int) -> None:
        self.target_port = port  # may be changed: the server was started again
        self.port = 0
        self.opened = 0
        self.refusing = False
        self.cuts: list[int] = []
        self.stalls: list[int] = []
        self.latency_s = 0.0
        self.bytes_per_s = math.inf
        self._flowing: asyncio.Event = _set()
        self._ends: list[asyncio.StreamWriter] = []
        self._pipes: set[asyncio.Task[None]] = set()

    def reset(self) -> None:
        """Both ends of all connections learn at once that they are broken; what is under way is lost."""
        ends, self._ends = self._ends, []
        for end in ends:
            end.transport.abort()

    def stall(self) -> None:
        """The connections of now stay open for both ends, and nothing passes any more."""
        self._flowing.clear()
        self._flowing = _set()

    async def reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The server behind. Raises OSError."""
        return await asyncio.open_connection("127.0.0.1", self.target_port)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        if self.refusing:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await self.reach()
        except OSError:  # nobody listens there
            writer.transport.abort()
            return
        self._ends += [writer, far_writer]
        for one, other in ((reader, far_writer), (far_reader, writer)):
            way = _Way(other, self.latency_s, self.bytes_per_s)
            task = asyncio.create_task(self._pass(one, way, self._flowing, down=other is writer))
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        way: _Way,
        flowing: asyncio.Event,
        *,
        down: bool,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_BLOCK):
                await flowing.wait()
                if down and _reached(self.cuts, len(data)):
                    self.reset()
                    return
                if down and _reached(self.stalls, len(data)):
                    self.stall()
                    await flowing.wait()
                await way.write(data)
        way.close()

    async def aclose(self) -> None:
        self.reset()
        for task in list(self._pipes):
            task.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)


class _Way:
    """One direction: what is written arrives later, as on a slow line."""

    def __init__(self, writer: asyncio.StreamWriter, latency_s: float, bytes_per_s: float) -> None:
        self._writer = writer
        self._latency_s, self._bytes_per_s = latency_s, bytes_per_s
        self._free_s = 0.0  # when the line has sent what was written before

    async def write(self, data: bytes) -> None:
        if not self._latency_s and math.isinf(self._bytes_per_s):
            self._writer.write(data)
            await self._writer.drain()
            return
        now_s = asyncio.get_running_loop().time()
        self._free_s = max(self._free_s, now_s) + len(data) / self._bytes_per_s
        self._later(lambda: self._arrive(data))

    def _arrive(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        self._later(self._writer.close)

    def _later(self, act: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_at(self._free_s + self._latency_s, act)


def _reached(limits: list[int], size: int) -> bool:
    """Whether so many bytes more are too many for the first of the limits, which is used up then."""
    if not limits:
        return False
    limits[0] -= size
    if limits[0] > 0:
        return False
    limits.pop(0)
    return True


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.aclose()
