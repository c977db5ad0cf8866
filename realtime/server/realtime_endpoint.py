"""GET /v1/realtime: the handshake (shared/realtime-wire.md 1.1, 1.2). A conversation itself is `connection.py`.

`?resume=` continues a session on a new socket (6.6). `?conversation=conv_...`, an addition to the wire that nobody
meets unasked, begins a new session with a conversation of the store: its items are told as `conversation.item.added`
and `.done` right after `conversation.created`. For one that is not there a new one begins, and an `error`
`invalid_value` says so.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from aiohttp import web

from realtime.errors import ProtocolError, ProviderError
from realtime.protocol.codec import encode
from realtime.protocol.server_events import ErrorEvent
from realtime.providers.base import Store
from realtime.server.access import (
    Caller,
    credential_of,
    host_allowed,
    origin_allowed,
)
from realtime.server.connection import Connection
from realtime.server.live_session import Closing, LiveSession, ResumeAsk
from realtime.server.parking import NotResumable, find_session, read_resume
from realtime.server.persistence import StoredConversation, load_stored
from realtime.server.registry import Registry
from realtime.server.replay import Gap, Sent
from realtime.server.secrets_endpoint import error_response
from realtime.server.state import ACCESS, METRICS, REGISTRY, RUNTIME

log = logging.getLogger(__name__)

PATHS = ("/v1/realtime", "/v1/realtime/", "/realtime", "/realtime/")
PROTOCOLS = ("realtime.bin.v1", "realtime")  # in order of preference
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
PING_S = 20.0
RECALL_TIMEOUT_S = 5.0
HTTP_ANSWERS: dict[str, tuple[int, dict[str, str]]] = {
    "invalid_api_key": (401, {}),
    "rate_limit_exceeded": (429, {"Retry-After": "5"}),
    "server_overloaded": (503, {"Retry-After": "5"}),
}


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
    credential, from_browser = credential_of(request.headers.get("Authorization"), offered)
    binary = selected == "realtime.bin.v1"
    ask = read_resume(request.query)
    parked, not_parked = _find_parked(app[REGISTRY], ask, credential, binary=binary)
    denied: ProtocolError | None = None
    try:
        if parked is not None:
            caller = (
                parked.caller
            )  # the credential proved itself when the session began, and may have expired
        else:
            caller = app[ACCESS].check(credential, time.time())
            _check_room(app[REGISTRY], caller)
    except ProtocolError as error:
        if error.code == "server_overloaded" or not from_browser:
            return error_response(error, *HTTP_ANSWERS[error.code])
        denied = error  # a page cannot read an HTTP error: it gets an event instead

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
        await socket.close(
            code=1013 if denied.code == "rate_limit_exceeded" else 1008, message=denied.code.encode()
        )
        return socket

    extensions, wanted = request.query.get("extensions", ""), request.query.get("conversation", "")
    arrival = _Arrival(caller, credential, extensions, wanted, binary)
    connection, first = await _take_up(app, socket, arrival, parked, ask, not_parked)
    await connection.run(first)
    return socket


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A client that was let in."""

    caller: Caller
    credential: str | None
    extensions: str
    conversation_id: str  # to go on with; "" for a new one
    binary: bool


def _find_parked(
    registry: Registry, ask: ResumeAsk | None, credential: str | None, *, binary: bool
) -> tuple[LiveSession | None, NotResumable | None]:
    """The session the client wants back, or why it cannot have it."""
    if ask is None or registry.draining:
        return None, None
    try:
        return find_session(registry, ask, credential, binary=binary), None
    except NotResumable as error:
        return None, error


def _check_room(registry: Registry, caller: Caller) -> None:
    """Raises ProtocolError if there may be no more sessions now."""
    if registry.full:
        raise ProtocolError(
            "The server is at its limit of sessions.", code="server_overloaded", type="server_error"
        )
    if registry.full_for(caller.name):
        raise ProtocolError(
            "This key has as many open sessions as it may have: close one, or try again later.",
            code="rate_limit_exceeded",
            type="rate_limit_error",
        )


async def _load_stored(
    store: Store | None, arrival: _Arrival
) -> tuple[StoredConversation | None, ProtocolError | None]:
    """The conversation that `?conversation=conv_...` asks to go on with, or why there is none."""
    if not arrival.conversation_id:
        return None, None
    stored, why = None, "is not kept here, or belongs to another key"
    try:
        if store is not None:
            async with asyncio.timeout(RECALL_TIMEOUT_S):
                stored = await load_stored(store, arrival.caller.name, arrival.conversation_id)
    except (ProviderError, TimeoutError) as error:
        log.warning("a conversation could not be read from the store: %s", error)
        why = "cannot be read at the moment"
    if stored is not None:
        return stored, None
    message = f"The conversation {arrival.conversation_id[:128]!r} {why}: a new one has begun."
    return None, ProtocolError(message, param="conversation")


async def _take_up(
    app: web.Application,
    socket: web.WebSocketResponse,
    arrival: _Arrival,
    parked: LiveSession | None,
    ask: ResumeAsk | None,
    refused: NotResumable | None,
) -> tuple[Connection, list[Sent]]:
    """Join the socket to the session it wants back, or to a new one; and what is to be sent first."""
    send_timeout_s = app[RUNTIME].settings.send_timeout_s
    if parked is not None and ask is not None:
        connection = Connection(socket, parked, app[METRICS], send_timeout_s=send_timeout_s)
        if await parked.attach(connection):
            try:
                return connection, await parked.resumed(ask)
            except Gap:  # more was sent on the older socket meanwhile than can be kept
                await parked.finish(Closing(1001, "session_not_resumable"))
        refused = NotResumable("That session has just ended.")
    stored, unknown = await _load_stored(app[RUNTIME].store, arrival)
    live = LiveSession(
        app[RUNTIME],
        app[METRICS],
        arrival.caller,
        credential=arrival.credential,
        extensions=arrival.extensions,
        binary=arrival.binary,
        refused=[error for error in (refused, unknown) if error is not None],
        stored=stored,
    )
    app[REGISTRY].start(live)
    connection = Connection(socket, live, app[METRICS], send_timeout_s=send_timeout_s)
    await live.attach(connection)
    return connection, []
