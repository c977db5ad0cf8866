"""GET /v1/realtime: the handshake (shared/realtime-wire.md 1.1, 1.2). A conversation itself is `connection.py`."""

from __future__ import annotations

import time

from aiohttp import web

from realtime.errors import ProtocolError
from realtime.protocol.codec import encode
from realtime.protocol.server_events import ErrorEvent
from realtime.server.access import (
    AccessDenied,
    Caller,
    credential_of,
    host_allowed,
    origin_allowed,
)
from realtime.server.connection import Connection
from realtime.server.secrets_endpoint import error_response
from realtime.server.state import ACCESS, METRICS, REGISTRY, RUNTIME

PATHS = ("/v1/realtime", "/v1/realtime/", "/realtime", "/realtime/")
PROTOCOLS = ("realtime.bin.v1", "realtime")  # in order of preference
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
PING_S = 20.0


def add_routes(app: web.Application) -> None:
    for path in PATHS:
        app.router.add_get(path, handshake)


def offered_protocols(request: web.Request) -> list[str]:
    header = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return [name.strip() for name in header.split(",") if name.strip()]


async def handshake(request: web.Request) -> web.StreamResponse:
    """Check who calls and how, upgrade, converse."""
    app, settings = request.app, request.app[RUNTIME].settings
    if not origin_allowed(request.headers.get("Origin"), request.host, settings.origins):
        return web.Response(status=403, text="This origin is not in REALTIME_ORIGINS of this server.")
    if (
        not app[ACCESS].required
        and not settings.open_to_all
        and not host_allowed(request.host, settings.host)
    ):
        return web.Response(status=403, text="The Host header does not name this server.")
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return error_response(
            ProtocolError("This address speaks WebSocket: connect with ws:// or wss://."), 426
        )
    offered = offered_protocols(request)
    selected = next((name for name in PROTOCOLS if name in offered), None)
    if offered and selected is None:
        return error_response(ProtocolError("Offer the subprotocol 'realtime', or none."), 400)
    if app[REGISTRY].full:
        busy = ProtocolError(
            "The server is at its limit of sessions.", code="server_overloaded", type="server_error"
        )
        return error_response(busy, 503, {"Retry-After": "5"})

    credential, from_browser = credential_of(request.headers.get("Authorization"), offered)
    caller, denied = None, None
    try:
        caller = app[ACCESS].check(credential, time.time())
    except AccessDenied as error:
        if not from_browser:
            return error_response(error, 401)
        denied = error  # a page cannot read an HTTP 401: it gets an event instead

    socket = web.WebSocketResponse(
        protocols=(selected,) if selected else (),
        max_msg_size=MAX_MESSAGE_BYTES,
        heartbeat=PING_S,
        compress=False,
        autoping=True,
    )
    await socket.prepare(request)
    if denied is not None:
        await socket.send_str(encode(ErrorEvent.of(denied), "event_1"))
        await socket.close(code=1008, message=b"invalid_api_key")
        return socket
    await _converse(request, socket, caller or Caller("open"), binary=selected == "realtime.bin.v1")
    return socket


async def _converse(
    request: web.Request, socket: web.WebSocketResponse, caller: Caller, *, binary: bool
) -> None:
    app = request.app
    connection = Connection(
        socket,
        runtime=app[RUNTIME],
        metrics=app[METRICS],
        caller=caller,
        extensions=request.query.get("extensions", ""),
        binary=binary,
    )
    app[REGISTRY].add(connection)
    try:
        await connection.run()
    finally:
        app[REGISTRY].remove(connection)
