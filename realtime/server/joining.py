"""Joins an open socket to its session: one that is resumed, one that another server has begun, or a new one.

`?resume=` resumes a session (docs/wire.md 6.6). `?conversation=conv_...` is an extension of the protocol: a new session
continues a stored conversation, and an older session of it is ended (6.8). If it cannot be loaded, the session starts
with a new one and sends an `error` `invalid_value`. Knows what the handshake found; answers no request.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from aiohttp import web

from realtime import deadlines
from realtime.errors import ProtocolError, ProviderError, ProviderUnavailable
from realtime.logs import story
from realtime.providers.journal import FIRST_EPOCH
from realtime.server.access import Caller
from realtime.server.beginning import Beginning
from realtime.server.connection import Connection
from realtime.server.frames import Frames
from realtime.server.live_session import LiveSession
from realtime.server.persistence import StoredConversation, take_stored
from realtime.server.recording import proof_of
from realtime.server.registry import Place
from realtime.server.replay import ResumeRequest, Sent
from realtime.server.restoring import Found, Restored, claim
from realtime.server.resume_request import NotResumable, find_session, messages_missing
from realtime.server.room import take_place
from realtime.server.session_ids import ids_of, random_id
from realtime.server.state import ACCESS, METRICS, OPENED, OPENINGS, REGISTRY, runtime_of
from realtime.server.story import Client

log = logging.getLogger(__name__)

LOAD_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Handshake:
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


async def _load_stored(
    app: web.Application, client: Handshake, *, alone: bool
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


async def connect(
    app: web.Application, socket: web.WebSocketResponse, client: Handshake, place: Place
) -> tuple[Connection, list[Sent]]:
    """A connection of the socket to the resumed session or a new one, and the messages to send first.

    Raises ProtocolError if there is no room for a new one, or the credential is not good any more.
    """
    try:
        if client.existing is not None and client.resume is not None:
            return await _from_here(app, socket, client, client.existing, client.resume)
        if client.elsewhere is not None:
            return await _from_elsewhere(app, socket, client, client.elsewhere, place)
    except NotResumable as error:
        if client.elsewhere is not None:
            _tell_not_taken_over(app, client.elsewhere, error)
        client = _as_new(app, client, place, error)
    return await _anew(app, socket, client, place), []


def _as_new(app: web.Application, client: Handshake, place: Place, error: NotResumable) -> Handshake:
    """The same client, for a new session instead of one that cannot be resumed: that needs a credential that is good
    now, and room. Raises ProtocolError."""
    caller = app[ACCESS].check(client.credential, time.time())
    place.free()
    take_place(app, place, caller)
    return replace(client, caller=caller, not_resumable=error)


async def _anew(
    app: web.Application, socket: web.WebSocketResponse, client: Handshake, place: Place
) -> Connection:
    """A connection to a new session. Who opens the same conversation waits. Raises ProtocolError."""
    opening = app[OPENINGS].alone(client.caller.name, client.conversation_id, LOAD_TIMEOUT_S)
    async with opening if client.conversation_id else contextlib.nullcontext(True) as alone:
        live = await _started(app, client, place, alone=alone)
    connection = _connection(app, socket, client.frames, live)
    await live.attach(connection)
    return connection


async def _from_here(
    app: web.Application,
    socket: web.WebSocketResponse,
    client: Handshake,
    live: LiveSession,
    resume: ResumeRequest,
) -> tuple[Connection, list[Sent]]:
    """A connection to this session of this server. Raises NotResumable."""
    connection = _connection(app, socket, client.frames, live)
    first = await _resumed(live, connection, resume)
    app[METRICS].takeovers.labels("same").inc()
    return connection, first


def _tell_not_taken_over(app: web.Application, found: Found, error: NotResumable) -> None:
    app[METRICS].takeovers.labels("failed").inc()
    story(log, "session not taken over", {"id": found.snapshot.session_id, "reason": error.message})


async def _from_elsewhere(
    app: web.Application, socket: web.WebSocketResponse, client: Handshake, found: Found, place: Place
) -> tuple[Connection, list[Sent]]:
    """A connection to the session of another server, which goes on here. Raises NotResumable.

    Of several connections that want it here at the same time one takes it over, and the others resume it after that.
    """
    async with app[OPENINGS].alone("", client.session_id, LOAD_TIMEOUT_S) as alone:
        if not alone:
            raise NotResumable("That session is resumed by somebody else.")
        if app[REGISTRY].get(client.session_id) is None:
            return await _restored(app, socket, client, found, place)
    place.free()  # it has one
    live = find_session(app[REGISTRY], found.request, client.credential, binary=client.binary)
    connection = _connection(app, socket, client.frames, live)
    return connection, await _resumed(live, connection, found.request)


async def _restored(
    app: web.Application, socket: web.WebSocketResponse, client: Handshake, found: Found, place: Place
) -> tuple[Connection, list[Sent]]:
    """The same for the connection that takes it over. Raises NotResumable."""
    restored = await claim(runtime_of(app), found, client.credential)
    try:
        live = _live(app, client, place, stored=restored.stored, restored=restored)
    except ProtocolError as error:  # its settings are not good here
        log.warning("a session of another server cannot go on here: %s", error)
        raise NotResumable("That session cannot be resumed at this server.") from None
    _begin(app, live, client, place, restored)
    app[METRICS].takeovers.labels("done").inc()
    if restored.continued.lost:
        live.story.goes_on(restored.buffered_s)
    story(log, "session taken over", {"id": live.id, **restored.facts})
    connection = _connection(app, socket, client.frames, live)
    await live.attach(connection)
    try:
        return connection, live.restored_messages()
    except BaseException:
        live.detach()
        raise


async def _started(app: web.Application, client: Handshake, place: Place, *, alone: bool) -> LiveSession:
    """A new session, with the stored conversation if the client asked for one. Raises ProtocolError."""
    stored, not_loaded = await _load_stored(app, client, alone=alone)
    if place.instead_of is not None and not place.instead_of.ended.is_set():  # so this is one more after all
        place.free()
        take_place(app, place, client.caller)
    refused = [error for error in (client.not_resumable, not_loaded) if error is not None]
    live = _live(app, client, place, refused=refused, stored=stored)
    _begin(app, live, client, place)
    return live


def _live(app: web.Application, client: Handshake, place: Place, **more: Any) -> LiveSession:
    traces = app[OPENED].traces
    runtime = runtime_of(app)
    # A session that should be resumed has just ended: the new one is another one
    resumed = client.existing is not None or client.elsewhere is not None
    beginning = Beginning(
        caller=client.caller,
        client=client.who,
        credential=client.credential,
        extensions=client.extensions,
        binary=client.binary,
        careful=app[REGISTRY].careful,
        seat=place.seat,
        on_turn=traces.session(client.headers) if traces is not None else None,
        new_id=random_id if resumed else ids_of(client.session_id),
        **more,
    )
    at_account = runtime if place.seat is None else runtime.at(place.seat.account)
    return LiveSession(at_account, app[METRICS], beginning)


def _begin(
    app: web.Application,
    live: LiveSession,
    client: Handshake,
    place: Place,
    restored: Restored | None = None,
) -> None:
    """Start it, here and in the journal."""
    journaling, proof = app[OPENED].journaling, proof_of(live.id, client.credential)
    if journaling is not None:
        epoch, before = (FIRST_EPOCH, None) if restored is None else (restored.epoch, restored.snapshot)
        live.elsewhere.offer(partial(journaling.begin, proof=proof, epoch=epoch, before=before), live)
    app[REGISTRY].start(live, place)


async def _resumed(live: LiveSession, connection: Connection, resume: ResumeRequest) -> list[Sent]:
    """The messages to send first on the session's new connection. Raises NotResumable if it ends, or if others have
    resumed it meanwhile and know more: it goes on for them."""
    last_seq = resume.last_seq or 0
    if await live.attach(connection, last_seq):
        try:
            return await live.resume_messages(resume)
        except BaseException:
            live.detach()
            raise
    if not live.ending.done():
        raise messages_missing(last_seq)
    await live.gone()
    raise NotResumable("That session has just ended.")


def _connection(
    app: web.Application, socket: web.WebSocketResponse, frames: Frames | None, live: LiveSession
) -> Connection:
    send_timeout_s = runtime_of(app).settings.send_timeout_s
    return Connection(socket, frames, live, app[METRICS], send_timeout_s=send_timeout_s)
