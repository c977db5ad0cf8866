"""GET /v1/realtime: the handshake (docs/wire.md 1.1, 1.2): who may connect, and to which session.

`joining.py` joins the socket to it, and `connection.py` serves the client after that.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from dataclasses import replace

from aiohttp import web

from realtime.errors import ProtocolError, session_broken
from realtime.protocol.codec import encode
from realtime.protocol.server_events import ErrorEvent
from realtime.server.access import AccessDenied, credential_of
from realtime.server.answers import error_response
from realtime.server.frames import MAX_MESSAGE_BYTES, Frames
from realtime.server.joining import Handshake, connect
from realtime.server.live_session import LiveSession
from realtime.server.openai_addresses import NO_CALLS, not_here, spellings
from realtime.server.origins import cors_headers, origin_refused
from realtime.server.registry import Place, Registry
from realtime.server.replay import ResumeRequest
from realtime.server.restoring import UNKNOWN, Found, find_elsewhere
from realtime.server.resume_request import NotResumable, find_session, read_resume
from realtime.server.room import check_room, check_stopping, take_moved, take_place
from realtime.server.runtime import Runtime
from realtime.server.session_ids import HEADER, random_id
from realtime.server.state import ACCESS, ARRIVALS, DOOR, REGISTRY, runtime_of
from realtime.server.story import client_of
from realtime.session.defaults import new_session_config

log = logging.getLogger(__name__)

PROTOCOLS = ("realtime.bin.v1", "realtime")  # in order of preference
PING_S = 20.0
HTTP_ERRORS: dict[str, tuple[int, dict[str, str]]] = {
    "invalid_api_key": (401, {}),
    "rate_limit_exceeded": (429, {"Retry-After": "5"}),
    "server_overloaded": (503, {}),
    "server_draining": (503, {}),
    "account_exhausted": (503, {}),
}
# Refused before the upgrade, also for a page: for how many seconds
FOR_EVERYBODY = {"server_overloaded": (1, 5), "server_draining": (1, 5), "account_exhausted": (10, 30)}
CLOSE_CODES = {
    "rate_limit_exceeded": 1013,
    "server_overloaded": 1013,
    "account_exhausted": 1013,
    "server_draining": 1012,
    "internal_error": 1011,
}


def add_routes(app: web.Application) -> None:
    for path in spellings():
        app.router.add_get(path, handshake)


def offered_protocols(request: web.Request) -> list[str]:
    header = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return [name.strip() for name in header.split(",") if name.strip()]


async def handshake(request: web.Request) -> web.StreamResponse:
    """Check the request, upgrade it to a WebSocket and serve the client."""
    with request.app[REGISTRY].place() as place:
        return await _handshake(request, place)


async def _handshake(request: web.Request, place: Place) -> web.StreamResponse:
    offered = offered_protocols(request)
    selected = next((name for name in PROTOCOLS if name in offered), None)
    if refusal := origin_refused(request, runtime_of(request.app).settings):
        return refusal
    if "call_id" in request.query:  # a call over WebRTC or SIP: a new session would answer for it
        return not_here(NO_CALLS)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        return _without_upgrade(request)
    if offered and selected is None:
        return error_response(ProtocolError("Offer the subprotocol 'realtime', or none."), 400)
    credential, from_browser = credential_of(request.headers.get("Authorization"), offered)
    try:
        client = await _admitted(request, place, credential, binary=selected == "realtime.bin.v1")
        await _turn(request, client)
    except ProtocolError as error:
        request.app[DOOR].refused(request, error.code)
        if error.code in FOR_EVERYBODY or not from_browser:
            return _refusal(error)
        socket, _ = await _upgraded(request, selected)
        await _deny(socket, error)
        return socket
    name = {HEADER: client.session_id} if _has_resume(runtime_of(request.app), client) else None
    socket, frames = await _upgraded(request, selected, name)
    with request.app[REGISTRY].connected():
        await _serve(request, socket, replace(client, frames=frames), place)
    return socket


def _without_upgrade(request: web.Request) -> web.Response:
    """The answer to a request that is no handshake of a WebSocket.

    A page cannot read why a handshake was refused, so it asks in this way.
    """
    try:
        check_room(request.app[REGISTRY])
    except ProtocolError as error:
        answer = _refusal(error)
    else:
        wrong = ProtocolError("This address is a WebSocket: connect with ws:// or wss://.")
        answer = error_response(wrong, 426)
    answer.headers.update(cors_headers(request, runtime_of(request.app).settings))
    return answer


async def _admitted(request: web.Request, place: Place, credential: str | None, *, binary: bool) -> Handshake:
    """Who connects, and to what. Raises ProtocolError if the key is wrong or there is no room."""
    app, resume = request.app, read_resume(request.query)
    if resume is not None:
        await _forget_moved(app[REGISTRY].get(resume.session_id), credential)
    existing, not_resumable = _find_existing(app[REGISTRY], resume, credential, binary=binary)
    elsewhere = None
    if resume is not None and app[REGISTRY].get(resume.session_id) is None:
        elsewhere, not_resumable = await _find_elsewhere(app, resume, credential, binary=binary)
    if existing is not None:  # its credential was checked when it began, and may have expired since
        caller = existing.caller
    elif elsewhere is not None:
        caller = elsewhere.caller
        take_moved(app, place, caller)
    else:
        caller = app[ACCESS].check(credential, time.time())
        take_place(app, place, caller, request.query.get("conversation", ""))
    return Handshake(
        who=client_of(request, binary=binary),
        caller=caller,
        credential=credential,
        extensions=request.query.get("extensions", ""),
        conversation_id=request.query.get("conversation", ""),
        binary=binary,
        resume=resume,
        existing=existing,
        not_resumable=not_resumable,
        elsewhere=elsewhere,
        session_id=_session_id(existing, elsewhere),
        headers=request.headers,
    )


def _session_id(existing: LiveSession | None, elsewhere: Found | None) -> str:
    """Of the session to resume, or a new one."""
    if existing is not None:
        return existing.id
    return random_id("sess") if elsewhere is None else elsewhere.snapshot.session_id


async def _turn(request: web.Request, client: Handshake) -> None:
    """Wait until it may begin, with its place. Raises ProtocolError if that takes too long, or the server stops."""
    moved = client.elsewhere is not None
    await request.app[ARRIVALS].turn(resumed=client.existing is not None, moved=moved)
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("The client left while it waited.")
    if client.existing is None:
        check_stopping(request.app[REGISTRY])


def _refusal(error: ProtocolError) -> web.Response:
    status, headers = HTTP_ERRORS[error.code]
    if error.code in FOR_EVERYBODY:  # at random: who was refused together does not come back together
        headers = {"Retry-After": str(random.randint(*FOR_EVERYBODY[error.code]))}
    return error_response(error, status, headers)


def _has_resume(runtime: Runtime, client: Handshake) -> bool:
    """Whether the session has `resume` as soon as it begins. A later `session.update` comes too late for a header."""
    if client.existing is not None or client.elsewhere is not None:
        return True
    bound = client.caller.session
    try:
        return new_session_config(runtime.settings, runtime.providers, bound, client.extensions).has("resume")
    except ProtocolError:  # the start of the session says what is wrong
        return False


async def _upgraded(
    request: web.Request, selected: str | None, headers: dict[str, str] | None = None
) -> tuple[web.WebSocketResponse, Frames | None]:
    """The open socket, and who reads its frames: None if aiohttp does so alone."""
    socket = web.WebSocketResponse(
        protocols=(selected,) if selected else (),
        max_msg_size=MAX_MESSAGE_BYTES,
        heartbeat=PING_S,
        compress=False,
        decode_text=False,
        autoping=False,  # the connection answers pings: who reads no answer is a slow reader
    )
    socket.headers.update(headers or {})
    frames = Frames.before(request)
    await socket.prepare(request)
    return socket, frames


async def _serve(
    request: web.Request, socket: web.WebSocketResponse, client: Handshake, place: Place
) -> None:
    """Join the socket to its session until one of them ends."""
    try:
        connection, first = await connect(request.app, socket, client, place)
    except ProtocolError as error:
        # The session to resume has just ended, and there is no room for another one
        request.app[DOOR].refused(request, error.code)
        await _deny(socket, error)
    except Exception as error:
        log.error("a session could not begin", exc_info=error)
        await _deny(socket, session_broken())
    else:
        await connection.run(first)


async def _deny(socket: web.WebSocketResponse, error: ProtocolError) -> None:
    """Tell a client on its open socket why it gets no session: a page cannot read an HTTP error."""
    with contextlib.suppress(ConnectionError):
        await socket.send_str(encode(ErrorEvent.of(error), "event_1"))
        await socket.close(code=CLOSE_CODES.get(error.code, 1008), message=error.code.encode())


def _find_existing(
    registry: Registry, resume: ResumeRequest | None, credential: str | None, *, binary: bool
) -> tuple[LiveSession | None, NotResumable | None]:
    """The session to resume, or why it cannot be resumed."""
    if resume is None:
        return None, None
    try:
        return find_session(registry, resume, credential, binary=binary), None
    except NotResumable as error:
        return None, error


async def _forget_moved(live: LiveSession | None, credential: str | None) -> None:
    """If another server has gone on with this session meanwhile, it ends here, and can be found there."""
    if live is None or live.journaled is None or not live.opened_by(credential):
        return
    if not await live.journaled.is_mine():
        await live.gone()


async def _find_elsewhere(
    app: web.Application, resume: ResumeRequest, credential: str | None, *, binary: bool
) -> tuple[Found | None, NotResumable | None]:
    """The session of another server to resume, or why it cannot be resumed."""
    try:
        found = await find_elsewhere(runtime_of(app), resume, credential, binary=binary)
        app[ACCESS].check_known(found.snapshot.key)
        return found, None
    except (NotResumable, AccessDenied) as error:
        return None, error if isinstance(error, NotResumable) else NotResumable(UNKNOWN)
