"""GET /v1/realtime: the handshake (docs/wire.md 1.1, 1.2). `connection.py` serves the client after it.

`?resume=` resumes a session on a new socket (6.6). `?conversation=conv_...` is an extension of the protocol: a new
session continues a stored conversation, and an older session of it is ended. The server sends its items as
`conversation.item.added` and `.done` after `conversation.created`. If it cannot be loaded, the session starts with a
new one and sends an `error` `invalid_value`.
"""

from __future__ import annotations

import contextlib
import logging
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from realtime import deadlines
from realtime.errors import ProtocolError, ProviderError, ProviderUnavailable, session_broken
from realtime.protocol.codec import encode
from realtime.protocol.server_events import ErrorEvent
from realtime.providers.journal import FIRST_EPOCH
from realtime.server.access import Caller, credential_of
from realtime.server.answers import error_response
from realtime.server.closing import Closing
from realtime.server.connection import Connection
from realtime.server.frames import MAX_MESSAGE_BYTES, Frames
from realtime.server.live_session import LiveSession
from realtime.server.origins import cors_headers, origin_refused
from realtime.server.persistence import StoredConversation, take_stored
from realtime.server.registry import Place, Registry
from realtime.server.replay import Gap, ResumeRequest, Sent
from realtime.server.restoring import Found, claim, find_elsewhere
from realtime.server.resume_request import NotResumable, find_session, read_resume
from realtime.server.runtime import Runtime
from realtime.server.session_ids import HEADER, ids_of, random_id
from realtime.server.state import ACCESS, ARRIVALS, DOOR, METRICS, OPENED, OPENINGS, REGISTRY, runtime_of
from realtime.server.story import Client, client_of
from realtime.session.defaults import new_session_config

log = logging.getLogger(__name__)

PATHS = ("/v1/realtime", "/v1/realtime/", "/realtime", "/realtime/")
PROTOCOLS = ("realtime.bin.v1", "realtime")  # in order of preference
PING_S = 20.0
LOAD_TIMEOUT_S = 5.0
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
    for path in PATHS:
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
        _check_room(request.app[REGISTRY])
    except ProtocolError as error:
        answer = _refusal(error)
    else:
        wrong = ProtocolError("This address is a WebSocket: connect with ws:// or wss://.")
        answer = error_response(wrong, 426)
    answer.headers.update(cors_headers(request, runtime_of(request.app).settings))
    return answer


async def _admitted(request: web.Request, place: Place, credential: str | None, *, binary: bool) -> _Client:
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
        _take_place(app, place, caller)
    else:
        caller = app[ACCESS].check(credential, time.time())
        _take_place(app, place, caller, request.query.get("conversation", ""))
    return _Client(
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


async def _turn(request: web.Request, client: _Client) -> None:
    """Wait until it may begin, with its place. Raises ProtocolError if that takes too long, or the server stops."""
    await request.app[ARRIVALS].turn(resumed=client.existing is not None)
    if request.transport is None or request.transport.is_closing():
        raise ConnectionResetError("The client left while it waited.")
    if client.existing is None:
        _check_stopping(request.app[REGISTRY])


def _refusal(error: ProtocolError) -> web.Response:
    status, headers = HTTP_ERRORS[error.code]
    if error.code in FOR_EVERYBODY:  # at random: who was refused together does not come back together
        headers = {"Retry-After": str(random.randint(*FOR_EVERYBODY[error.code]))}
    return error_response(error, status, headers)


def _has_resume(runtime: Runtime, client: _Client) -> bool:
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
        autoping=True,
    )
    socket.headers.update(headers or {})
    frames = Frames.before(request)
    await socket.prepare(request)
    return socket, frames


async def _serve(request: web.Request, socket: web.WebSocketResponse, client: _Client, place: Place) -> None:
    """Join the socket to its session until one of them ends."""
    try:
        connection, first = await _connect(request.app, socket, client, place)
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


@dataclass(frozen=True, slots=True)
class _Client:
    """What a client sent in its handshake."""

    who: Client
    caller: Caller
    credential: str | None
    extensions: str
    conversation_id: str  # the stored conversation to continue; "" for a new one
    binary: bool
    resume: ResumeRequest | None
    existing: LiveSession | None  # the session to resume
    not_resumable: NotResumable | None  # why there is none
    elsewhere: Found | None  # the session to resume, which is another server's
    session_id: str  # of the one to resume, or of the one that begins
    headers: Mapping[str, str]  # also name the parent of its traces
    frames: Frames | None = None  # who reads its socket


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
        return await find_elsewhere(runtime_of(app), resume, credential, binary=binary), None
    except NotResumable as error:
        return None, error


def _take_place(app: web.Application, place: Place, caller: Caller, conversation_id: str = "") -> None:
    """Take room for one more session, or for one that takes over this conversation from a session that ends for it.

    Raises ProtocolError if no more sessions are allowed now.
    """
    registry = app[REGISTRY]
    _check_stopping(registry)
    older = registry.of_conversation(caller.name, conversation_id) if conversation_id else None
    if older is not None and not registry.full_instead_of(older):
        place.instead_of = older
        place.take(caller.name)
        return
    _check_room(registry)
    if registry.full_for(caller.name):
        raise _at_its_limit()
    if registry.leaves_too_little(runtime_of(app).account_limits):
        raise ProtocolError(
            "The account has too few requests a minute for one more session: try again later.",
            code="account_exhausted",
            type="server_error",
        )
    place.take(caller.name)
    if registry.over_for(caller.name):  # two workers looked in the same moment: neither may exceed it
        place.free()
        raise _at_its_limit()


def _at_its_limit() -> ProtocolError:
    message = "This key is at its limit of open sessions: close one, or try again later."
    return ProtocolError(message, code="rate_limit_exceeded", type="rate_limit_error")


def _check_stopping(registry: Registry) -> None:
    """Raises ProtocolError if the server stops."""
    if registry.draining:
        raise ProtocolError(
            "The server is stopping: connect again in a few seconds.",
            code="server_draining",
            type="server_error",
        )


def _check_room(registry: Registry) -> None:
    """Raises ProtocolError if no session can begin now, whoever asks."""
    _check_stopping(registry)
    if registry.full:
        raise ProtocolError(
            "The server is full: try again in a few seconds.", code="server_overloaded", type="server_error"
        )


async def _load_stored(
    app: web.Application, client: _Client, *, alone: bool
) -> tuple[StoredConversation | None, ProtocolError | None]:
    """The stored conversation for `?conversation=conv_...`, or the error if it cannot be loaded."""
    store, owner, conversation_id = runtime_of(app).store, client.caller.name, client.conversation_id
    if not conversation_id:
        return None, None
    stored, why = None, "is not stored here, or belongs to another key"
    try:
        if store is not None and not alone:
            raise ProviderUnavailable("Others are opening it, and the store is slow.")
        if store is not None:
            await app[OPENINGS].end_older(owner, conversation_id)
            async with deadlines.timeout(LOAD_TIMEOUT_S):
                stored = await take_stored(store, owner, conversation_id)
    except (ProviderError, TimeoutError) as error:
        log.warning("a conversation could not be loaded from the store: %s", str(error) or "it is slow")
        why = "cannot be loaded at the moment"
    if stored is not None:
        return stored, _left_out(stored)
    message = f"The conversation {conversation_id[:128]!r} {why}: this session starts a new one."
    return None, ProtocolError(message, param="conversation")


def _left_out(stored: StoredConversation) -> ProtocolError | None:
    """What to tell of stored items that nobody can read."""
    if not stored.unreadable:
        return None
    message = (
        f"{stored.unreadable} stored items of this conversation cannot be read: it goes on without them."
    )
    return ProtocolError(message, param="conversation")


async def _connect(
    app: web.Application, socket: web.WebSocketResponse, client: _Client, place: Place
) -> tuple[Connection, list[Sent]]:
    """A connection of the socket to the resumed session or a new one, and the messages to send first.

    Raises ProtocolError if there is no room for a new one, or the credential is not good any more.
    """
    not_resumable = client.not_resumable
    if client.existing is not None and client.resume is not None:
        connection = _connection(app, socket, client.frames, client.existing)
        first = await _resumed(client.existing, connection, client.resume)
        if first is not None:
            return connection, first
        not_resumable = NotResumable("That session has just ended.")
        app[ACCESS].check(client.credential, time.time())  # a new session needs one that is good now
        _take_place(app, place, client.caller)
    if client.elsewhere is not None:
        try:
            return await _restored(app, socket, client, client.elsewhere, place)
        except NotResumable as error:
            not_resumable = error
        caller = app[ACCESS].check(client.credential, time.time())  # as above
        client = replace(client, caller=caller)
    opening = app[OPENINGS].alone(client.caller.name, client.conversation_id, LOAD_TIMEOUT_S)
    async with opening if client.conversation_id else contextlib.nullcontext(True) as alone:
        live = await _started(app, client, place, not_resumable, alone=alone)
    connection = _connection(app, socket, client.frames, live)
    await live.attach(connection)
    return connection, []


async def _restored(
    app: web.Application, socket: web.WebSocketResponse, client: _Client, found: Found, place: Place
) -> tuple[Connection, list[Sent]]:
    """A connection to the session of another server, which goes on here. Raises NotResumable."""
    restored = await claim(runtime_of(app), found, client.credential)
    try:
        live = _live(app, client, stored=restored.stored, restored=restored)
    except ProtocolError as error:  # its settings are not good here
        log.warning("a session of another server cannot go on here: %s", error)
        raise NotResumable("That session cannot be resumed at this server.") from None
    _begin(app, live, client, place, restored.epoch)
    connection = _connection(app, socket, client.frames, live)
    await live.attach(connection)
    return connection, live.restored_messages()


async def _started(
    app: web.Application, client: _Client, place: Place, not_resumable: NotResumable | None, *, alone: bool
) -> LiveSession:
    """A new session, with the stored conversation if the client asked for one. Raises ProtocolError."""
    stored, not_loaded = await _load_stored(app, client, alone=alone)
    if place.instead_of is not None and not place.instead_of.ended.is_set():  # so this is one more after all
        place.free()
        _take_place(app, place, client.caller)
    refused = [error for error in (not_resumable, not_loaded) if error is not None]
    live = _live(app, client, refused=refused, stored=stored)
    _begin(app, live, client, place)
    return live


def _live(app: web.Application, client: _Client, **more: Any) -> LiveSession:
    traces = app[OPENED].traces
    # A session that should be resumed has just ended: the new one is another one
    resumed = client.existing is not None or client.elsewhere is not None
    return LiveSession(
        runtime_of(app),
        app[METRICS],
        client.caller,
        client=client.who,
        credential=client.credential,
        extensions=client.extensions,
        binary=client.binary,
        careful=app[REGISTRY].careful,
        on_turn=traces.session(client.headers) if traces is not None else None,
        new_id=random_id if resumed else ids_of(client.session_id),
        **more,
    )


def _begin(
    app: web.Application, live: LiveSession, client: _Client, place: Place, epoch: int = FIRST_EPOCH
) -> None:
    """Start it, here and in the journal."""
    journaling = app[OPENED].journaling
    if journaling is not None and live.resumable:
        journaling.begin(live, client.credential, epoch)
    app[REGISTRY].start(live, place)


async def _resumed(live: LiveSession, connection: Connection, resume: ResumeRequest) -> list[Sent] | None:
    """The messages to send first on the session's new connection; None if it cannot be resumed after all."""
    if await live.attach(connection):
        try:
            return await live.resume_messages(resume)
        except Gap:  # meanwhile the older socket got more messages than the replay buffer can hold
            await live.finish(Closing(1001, "session_not_resumable"))
        except BaseException:
            live.detach()
            raise
    await live.gone()
    return None


def _connection(
    app: web.Application, socket: web.WebSocketResponse, frames: Frames | None, live: LiveSession
) -> Connection:
    send_timeout_s = runtime_of(app).settings.send_timeout_s
    return Connection(socket, frames, live, app[METRICS], send_timeout_s=send_timeout_s)
