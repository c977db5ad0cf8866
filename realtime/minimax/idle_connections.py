"""Which connections of a pool are open and unused, and since when.

The library's pool does not say so, and a count of requests does not know what the other side has closed. So the
connector is asked for each connection that it gives out, and each connection whether it still stands. Knows nothing of
what the connections are for.
"""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from yarl import URL

from realtime.minimax.dead_peers import noticing, wait_for_body
from realtime.minimax.json_text import digits


class IdleConnections:
    """The unused connections of one connector, by the address that they lead to."""

    def __init__(self) -> None:
        self._released: dict[asyncio.BaseTransport, tuple[URL, float]] = {}

    def __repr__(self) -> str:
        return f"<IdleConnections {len(self._released)}>"

    def count(self, origin: URL, *, younger_s: float) -> int:
        """How many to this address are open, and were used within the last `younger_s` seconds."""
        self._forget_closed()
        since_s = _now() - younger_s
        return sum(where == origin and at_s > since_s for where, at_s in self._released.values())

    def lent(self, connection: Connection, origin: URL) -> None:
        """A request has got this connection, and will give it back."""
        self._forget_closed()
        transport = connection.transport
        if transport is not None:
            self._released.pop(transport, None)
            connection.add_callback(lambda: self._returned(transport, origin))

    def _returned(self, transport: asyncio.BaseTransport, origin: URL) -> None:
        # What the pool does not keep, it closes in the same step: then the connection is not counted.
        self._released[transport] = (origin, _now())

    def _forget_closed(self) -> None:
        for transport in [one for one in self._released if one.is_closing()]:
            del self._released[transport]


class CountedConnector(aiohttp.TCPConnector):
    """A connector whose unused connections can be counted. With `lost_s` the system notices its lost ones."""

    def __init__(self, *args: Any, lost_s: float | None = None, **options: Any) -> None:
        noticed: dict[str, Any] = {} if lost_s is None else {"socket_factory": noticing(lost_s)}
        super().__init__(*args, **noticed, **options)
        self.idle = IdleConnections()
        self._lost_s = lost_s

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        self.idle.lent(connection, req.url.origin())
        if self._lost_s is not None and connection.transport is not None:
            length = digits(req.headers.get("Content-Length", ""))
            size = length if req.method != "GET" else 0
            if (sock := connection.transport.get_extra_info("socket")) is not None:
                wait_for_body(sock, size, self._lost_s)
        return connection


def _now() -> float:
    return asyncio.get_running_loop().time()
