"""A session of another server goes on here: checked, claimed in the journal, and built anew (docs/wire.md 6.6).

Knows the journal and the kept items as roles. What the client hears first is `session/continued.py`.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from dataclasses import dataclass

import msgspec

from realtime import deadlines
from realtime.core.snapshot import (
    Position,
    ReplySnapshot,
    SessionSnapshot,
    SnapshotError,
    decode_position,
    decode_record,
)
from realtime.errors import ProviderError
from realtime.protocol.session_config import SessionConfig, apply
from realtime.providers.base import Store
from realtime.providers.journal import Entry
from realtime.replying.restored import LostReply
from realtime.server.access import Caller
from realtime.server.journaling import proof_of
from realtime.server.persistence import StoredConversation, take_stored
from realtime.server.replay import ResumeRequest
from realtime.server.resume_request import NotResumable
from realtime.server.runtime import Runtime
from realtime.session.continued import Continued
from realtime.session.defaults import default_config

log = logging.getLogger(__name__)

TRIES = 3  # others claim it in the same moment
AHEAD = 100_000  # messages after the last record
BUSY_S = 2.0  # nobody waits longer for the journal and the items
UNKNOWN = "That session does not exist any more, or another credential opened it."


@dataclass(frozen=True, slots=True)
class Found:
    """A session in the journal that this client may go on with."""

    snapshot: SessionSnapshot
    entry: Entry
    request: ResumeRequest

    @property
    def caller(self) -> Caller:
        return Caller(self.snapshot.key, None, self.snapshot.ephemeral)


@dataclass(frozen=True, slots=True)
class Restored:
    """A session that this server has claimed. `kept` are its items, `stored` is what the store has of them."""

    snapshot: SessionSnapshot
    position: Position
    epoch: int
    last_seq: int
    kept: StoredConversation
    stored: StoredConversation | None
    continued: Continued


async def find_elsewhere(
    runtime: Runtime, request: ResumeRequest, credential: str | None, *, binary: bool
) -> Found:
    """The session in the journal. Raises NotResumable."""
    if runtime.journal is None:
        raise NotResumable(UNKNOWN)
    if request.last_seq is None:
        raise NotResumable("'last_seq' must be the number of the last message received.")
    try:
        async with deadlines.timeout(BUSY_S):
            entry = await runtime.journal.read(request.session_id)
    except (ProviderError, TimeoutError):
        raise NotResumable("Sessions of other servers cannot be found at the moment.") from None
    if entry is None:
        raise NotResumable(UNKNOWN)
    return Found(_checked(entry, request, credential, binary=binary), entry, request)


def _checked(
    entry: Entry, request: ResumeRequest, credential: str | None, *, binary: bool
) -> SessionSnapshot:
    """Raises NotResumable."""
    try:
        snapshot = decode_record(entry.record)
    except SnapshotError as error:
        log.warning("a session of another server cannot be resumed: %s", error)
        raise NotResumable("That session belongs to a newer server.") from None
    if not hmac.compare_digest(snapshot.proof, proof_of(request.session_id, credential)):
        raise NotResumable(UNKNOWN)
    if snapshot.binary is not binary:
        raise NotResumable("A session must be resumed with the subprotocol that opened it.")
    if snapshot.expires_unix_s <= time.time():
        raise NotResumable(UNKNOWN)
    if request.last_seq is None or request.last_seq > snapshot.seq + AHEAD:
        raise NotResumable("'last_seq' must be the number of the last message received.")
    return snapshot


async def claim(runtime: Runtime, found: Found, credential: str | None) -> Restored:
    """Take the session over: its older server is refused from now on. Raises NotResumable."""
    try:
        async with deadlines.timeout(BUSY_S):
            return await _claimed(runtime, found, credential)
    except (ProviderError, SnapshotError, TimeoutError) as error:
        log.warning("a session of another server cannot be resumed: %s", str(error) or "Redis is slow")
        raise NotResumable("That session cannot be resumed at the moment.") from None


async def _claimed(runtime: Runtime, found: Found, credential: str | None) -> Restored:
    assert runtime.journal is not None
    session_id, entry, claimed = found.request.session_id, found.entry, None
    for _ in range(TRIES):
        claimed = await runtime.journal.claim(session_id, entry.epoch)
        if claimed is not None:
            break
        again = await runtime.journal.read(session_id)
        if again is None:
            raise NotResumable(UNKNOWN)
        entry = again
    if claimed is None:
        raise NotResumable("That session is resumed by somebody else.")
    snapshot = _checked(claimed, found.request, credential, binary=found.snapshot.binary)
    position = decode_position(claimed.position)
    kept, stored = await _items(runtime, snapshot)
    last_seq = found.request.last_seq or 0
    continued = continued_of(snapshot, position, found.request)
    log.info("%s goes on here", session_id)
    return Restored(snapshot, position, claimed.epoch, last_seq, kept, stored, continued)


async def _items(
    runtime: Runtime, snapshot: SessionSnapshot
) -> tuple[StoredConversation, StoredConversation | None]:
    """The kept items, and what the store has of this conversation. Raises ProviderError."""
    owner, conversation_id = snapshot.key, snapshot.conversation_id
    if runtime.copies is None:  # the store is what all servers share
        stored = None if runtime.store is None else await take_stored(runtime.store, owner, conversation_id)
        return stored or StoredConversation(conversation_id, ()), stored
    taking = [take_stored(runtime.copies, owner, snapshot.items_at)]
    if runtime.store is not None:
        taking.append(_of_store(runtime.store, owner, conversation_id))
    kept, *stored_too = await asyncio.gather(*taking)
    return kept or StoredConversation(snapshot.items_at, ()), stored_too[0] if stored_too else None


async def _of_store(store: Store, owner: str, conversation_id: str) -> StoredConversation | None:
    """A store that fails does not keep the client from its session."""
    try:
        return await take_stored(store, owner, conversation_id)
    except ProviderError:
        return None


def config_of(runtime: Runtime, snapshot: SessionSnapshot) -> SessionConfig:
    """Its settings, with the defaults of this server. Raises ProtocolError."""
    defaults = default_config(runtime.settings, runtime.providers)
    return apply(defaults, msgspec.json.decode(snapshot.config))


def continued_of(snapshot: SessionSnapshot, position: Position, request: ResumeRequest) -> Continued:
    """What the client must hear first."""
    last_seq, reply = request.last_seq or 0, snapshot.reply
    known = reply is not None and 0 < reply.created_seq <= last_seq
    made = bool(reply and not reply.done_seq)
    return Continued(
        session_id=snapshot.session_id,
        expires_unix_s=snapshot.expires_unix_s,
        input_ms=position.input_audio_ms,
        untold=frozenset(item_id for seq, item_id in snapshot.told if seq > last_seq),
        unanswered=snapshot.unanswered,
        lost=_lost(reply, position, request) if reply is not None and known else None,
        ask_again=reply is not None and not known and made,
        unseen_item=reply.item_id if reply is not None and not known and made else None,
    )


def _lost(reply: ReplySnapshot, position: Position, request: ResumeRequest) -> LostReply:
    """What was heard: never more than was sent, whatever the client says."""
    ended = 0 < reply.done_seq <= (request.last_seq or 0)
    if reply.item_id is None or reply.spoken is None:
        return LostReply(reply, ended=ended)
    sent_ms = position.sent_ms if position.item_id == reply.item_id else 0.0
    if request.item_id is None:  # a client that tells nothing plays on what it has
        return LostReply(reply, sent_ms, sent_ms, ended=ended)
    mine = request.item_id == reply.item_id
    played_ms = min(request.played_ms if mine else 0.0, sent_ms)
    received_ms = request.received_ms if mine else None
    if received_ms is not None and played_ms <= received_ms <= sent_ms:
        return LostReply(reply, received_ms, played_ms, ended=ended)
    return LostReply(reply, played_ms, played_ms, silence=True, ended=ended)
