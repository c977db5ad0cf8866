"""A TCP proxy in front of a server, to cut the line in the ways a network does: reset, or stall without a goodbye."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BLOCK = 16_384


class Proxy:
    """`opened` counts connections. `refusing`: new ones are reset at once.

    `cuts`: after how many bytes more to the client everything is reset, once for each number.
    """

    def __init__(self, port: int) -> None:
        self.target_port = port  # may be changed: the server was started again
        self.port = 0
        self.opened = 0
        self.refusing = False
        self.cuts: list[int] = []
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

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        if self.refusing:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        self._ends += [writer, far_writer]
        for one, other in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass(one, other, self._flowing, down=other is writer))
            self._pipes.add(task)
            task.add_done_callback(self._pipes.discard)

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flowing: asyncio.Event,
        *,
        down: bool,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_BLOCK):
                await flowing.wait()
                if down and self._cuts(len(data)):
                    self.reset()
                    return
                writer.write(data)
                await writer.drain()
        writer.close()

    def _cuts(self, size: int) -> bool:
        """Whether the line breaks now."""
        if not self.cuts:
            return False
        self.cuts[0] -= size
        if self.cuts[0] > 0:
            return False
        self.cuts.pop(0)
        return True

    async def aclose(self) -> None:
        self.reset()
        for task in list(self._pipes):
            task.cancel()
        await asyncio.gather(*self._pipes, return_exceptions=True)


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
