"""A scripted Realtime server for the page: its files, /readyz, client secrets and the WebSocket. `fake_session.py` has the
conversation. It shares no code with the product.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.ports import free_port
from tests.web.fake_session import RATE, Event, Script, Session

__all__ = ["RATE", "FakeServer", "Script", "Session", "serving"]

ROOT = Path(__file__).parents[2] / "web"
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


class FakeServer:
    """The page's files with a strict Content-Security-Policy, /readyz, client secrets, and the WebSocket."""

    def __init__(self, script: Script, port: int = 0) -> None:
        self.script, self.port = script, port or free_port()  # one may be started again
        self.sessions: list[Session] = []
        self.subprotocols: list[list[str]] = []
        self.asked_for: list[str | None] = []  # the `conversation` of each connection
        self.secrets = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application(middlewares=[_strict])
        app.router.add_get("/", self._page)
        app.router.add_get("/readyz", self._ready)
        app.router.add_post("/v1/realtime/client_secrets", self._secret)
        app.router.add_get("/v1/realtime", self._socket)
        app.router.add_static("/", ROOT)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop without closing the sockets, like a killed process."""
        for session in self.sessions:
            transport = session.socket._req.transport if session.socket._req else None
            if transport:
                transport.abort()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(ROOT / "index.html")

    async def _ready(self, request: web.Request) -> web.Response:
        await self.script.answering.wait()
        if self.script.hide_ready:
            raise web.HTTPNotFound()
        status: Event = {
            "ready": True, "sandbox": False, "key_required": self.script.key is not None,
            "transcriber": "local", "voice": "English_Graceful_Lady", "chat_model": "MiniMax-M3", "missing": [],
        }  # fmt: skip
        return web.json_response(status | self.script.ready)

    async def _secret(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.script.key}":
            error = {"message": "Incorrect key.", "type": "authentication_error", "code": "invalid_api_key"}
            return web.json_response({"error": error}, status=401)
        self.secrets += 1
        return web.json_response({"value": f"ek_{self.secrets:04d}", "expires_at": 1})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        await self.script.answering.wait()
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        self.subprotocols.append(offered)
        known = ("realtime.bin.v1", "realtime") if self.script.binary else ("realtime",)
        chosen = [name for name in known if name in offered][:1]
        socket = web.WebSocketResponse(protocols=chosen, compress=False)
        await socket.prepare(request)
        extensions = request.query.get("extensions", "").split(",")
        known = request.query.get("conversation", "") if self.script.stored else ""
        self.asked_for.append(request.query.get("conversation"))
        number = len(self.sessions)
        session = Session(self.script, socket, extensions, known or f"conv_{number + 1}")
        session.ids = itertools.count(1 + 100 * number)  # an item of one session is none of another
        if self.script.key and f"openai-insecure-api-key.ek_{self.secrets:04d}" not in offered:
            error = {"type": "authentication_error", "code": "invalid_api_key", "message": "Incorrect key."}
            await session.send("error", error=error)
            await socket.close(code=1008, message=b"invalid_api_key")
            return socket
        self.sessions.append(session)
        await session.run()
        return socket


@web.middleware
async def _strict(request: web.Request, handler: Any) -> web.StreamResponse:
    response: web.StreamResponse = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = STRICT
        if origin := request.headers.get("Origin"):  # it allows every page
            response.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin"})
    return response


@asynccontextmanager
async def serving(script: Script | None = None) -> AsyncIterator[FakeServer]:
    """A running fake server on a free port."""
    server = FakeServer(script or Script())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
