"""A web server that answers with exactly what a test wrote down, one answer per request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer. `cut` drops the connection after the body, `hold` keeps it open without another byte."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/event-stream"
    cut: bool = False
    hold: bool = False


@dataclass(slots=True)
class Scripted:
    """The requests so far, and the replies that are left. The last reply is repeated."""

    replies: list[Reply]
    gets: Reply | None = None  # the reply to every GET, if it is not one of these
    url: str = ""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: list[tuple[str, int]] = field(default_factory=list)  # the other end of each request's connection

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.path_qs, await request.read()))
        self.headers.append(dict(request.headers))
        assert request.transport is not None
        self.peers.append(request.transport.get_extra_info("peername"))
        if request.method == "GET" and self.gets is not None:
            reply = self.gets
        else:
            reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        response = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type})
        await response.prepare(request)
        await response.write(reply.body)
        if reply.cut:
            request.transport.abort()
        if reply.hold:
            await asyncio.sleep(3600)
        return response


@asynccontextmanager
async def scripted(*replies: Reply, gets: Reply | None = None) -> AsyncIterator[Scripted]:
    script = Scripted(list(replies), gets)
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", script.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield script
    finally:
        await runner.cleanup()


async def until(condition: Callable[[], object], timeout_s: float = 10.0) -> None:
    """Wait until something becomes true; fails the test if it never does."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0.005)
