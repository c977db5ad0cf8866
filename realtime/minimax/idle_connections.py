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
    """A connector whose unused connections can be counted."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.idle = IdleConnections()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        connection = await super().connect(req, traces, timeout)
        self.idle.lent(connection, req.url.origin())
        return connection


def _now() -> float:
    return asyncio.get_running_loop().time()
