"""A session of another server goes on here: checked, claimed in the journal, and built anew (docs/wire.md 6.6).

Knows the journal and the kept items as roles. What the client hears first is `session/continued.py`.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import msgspec

from realtime import deadlines
from realtime.core.snapshot import (
    ChangeSnapshot,
    Position,
    SegmentSnapshot,
    SessionSnapshot,
    SnapshotError,
    TurnSnapshot,
    decode_position,
    decode_record,
    decode_words,
)
from realtime.errors import ProviderError
from realtime.listening.comes_again import ROUNDING_MS
from realtime.listening.user_items import Unheard
from realtime.protocol.session_config import SessionConfig, apply
from realtime.providers.journal import Entry
from realtime.providers.store import Store
from realtime.replying.restored import LostReply
from realtime.replying.said_before import Said
from realtime.server.access import Caller
from realtime.server.persistence import StoredConversation, take_stored
from realtime.server.recording import proof_of
from realtime.server.replay import ResumeRequest
from realtime.server.resume_request import WITHOUT_RESUME, NotResumable
from realtime.server.runtime import Runtime
from realtime.session.continued import Continued
from realtime.session.defaults import default_config

log = logging.getLogger(__name__)

T = TypeVar("T")

TRIES = 3  # others claim it in the same moment
AHEAD = 100_000  # messages after the last record
BUSY_S = 2.5  # nobody waits longer for the journal and the items
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


class _Extensions(msgspec.Struct):
    """Of the settings in a record."""

    extensions: list[str] | None = None


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

    @property
    def facts(self) -> dict[str, object]:
        """For the log."""
        lost = self.continued.lost
        replies = {"replies": len(lost), "buffered_s": self.buffered_s} if lost else {}
        return {"epoch": self.epoch, "items": len(self.kept.items), **replies}

    @property
    def buffered_s(self) -> float:
        """How much sound the client still has and plays on."""
        return sum(lost.heard_ms - lost.played_ms for lost in self.continued.lost) / 1000


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
            entry = await _twice(partial(runtime.journal.read, request.session_id))
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
    if "resume" not in (msgspec.json.decode(snapshot.config, type=_Extensions).extensions or ()):
        raise NotResumable(WITHOUT_RESUME)
    if request.last_seq is None or request.last_seq > snapshot.seq + AHEAD:
        raise NotResumable("'last_seq' must be the number of the last message received.")
    return snapshot


async def claim(runtime: Runtime, found: Found, credential: str | None) -> Restored:
    """Take the session over: its older server is refused from now on. Raises NotResumable."""
    try:
        async with deadlines.timeout(BUSY_S):
            return await _claimed(runtime, found, credential)
    except (ProviderError, SnapshotError, TimeoutError, msgspec.MsgspecError) as error:
        log.warning("a session of another server cannot be resumed: %s", str(error) or "Redis is slow")
        raise NotResumable("That session cannot be resumed at the moment.") from None


async def _claimed(runtime: Runtime, found: Found, credential: str | None) -> Restored:
    assert runtime.journal is not None
    session_id, entry, claimed = found.request.session_id, found.entry, None
    for _ in range(TRIES):
        claimed = await _twice(partial(runtime.journal.claim, session_id, entry.epoch))
        if claimed is not None:
            break
        again = await _twice(partial(runtime.journal.read, session_id))
        if again is None:
            raise NotResumable(UNKNOWN)
        entry = again
    if claimed is None:
        raise NotResumable("That session is resumed by somebody else.")
    snapshot = _checked(claimed, found.request, credential, binary=found.snapshot.binary)
    position = decode_position(claimed.position)
    kept, stored = await _twice(partial(_items, runtime, snapshot, claimed.epoch))
    last_seq = found.request.last_seq or 0
    continued = continued_of(snapshot, position, found.request)
    return Restored(snapshot, position, claimed.epoch, last_seq, kept, stored, continued)


async def _twice(ask: Callable[[], Awaitable[T]]) -> T:
    """A Redis that was slow for a moment is asked once more. Raises ProviderError."""
    try:
        return await ask()
    except ProviderError:
        return await ask()


async def _items(
    runtime: Runtime, snapshot: SessionSnapshot, epoch: int
) -> tuple[StoredConversation, StoredConversation | None]:
    """The kept items, and what the store has of this conversation. Raises ProviderError, and NotResumable if there are
    none although there were some.

    The older server may have had another store: it says where they are, in its store or in a copy."""
    owner, conversation_id = snapshot.key, snapshot.conversation_id
    in_our_store = runtime.copies is None and snapshot.items_at == conversation_id
    place = runtime.store if in_our_store or runtime.of_others is None else runtime.of_others
    assert place is not None, "a server with a journal has one or the other"
    taking = [take_stored(place, owner, snapshot.items_at)]
    if place is not runtime.store and runtime.store is not None:
        taking.append(_of_store(runtime.store, owner, conversation_id))
    kept, *stored = await asyncio.gather(*taking)
    if kept is None and snapshot.saved:
        raise NotResumable("The items of that session are lost.")
    # An epoch later than that of its older server
    kept = kept or StoredConversation(snapshot.items_at, (), epoch=epoch)
    return kept, kept if place is runtime.store else next(iter(stored), None)


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
    last_seq = request.last_seq or 0
    untold = frozenset(item_id for seq, item_id in snapshot.told if seq > last_seq)
    unheard, retaken = _unheard(snapshot, position)
    received_ms = position.input_audio_ms if position.received_ms is None else position.received_ms
    return Continued(
        session_id=snapshot.session_id,
        expires_unix_s=snapshot.expires_unix_s,
        unheard=unheard,
        received_ms=received_ms,
        retaken=retaken,
        speaking=snapshot.speaking,
        turn=snapshot.turn or TurnSnapshot(),
        stopped=snapshot.stopped,
        untold=untold,
        lost=_lost(snapshot, position, request, untold),
        ended=tuple(each for each in snapshot.ended if 0 < each.created_seq <= last_seq < each.done_seq),
        beside=tuple(response_id for response_id, seq in snapshot.beside if 0 < seq <= last_seq),
        said=tuple(Said(each, decode_words(each.words)) for each in snapshot.said),
        changes=_changes(snapshot, last_seq),
        idle=snapshot.idle,
        idle_left_s=None if position.idle_left_ms is None else position.idle_left_ms / 1000,
    )


def _unheard(snapshot: SessionSnapshot, position: Position) -> tuple[Unheard, tuple[str, ...]]:
    """The sound that comes again, and the items whose sound is heard again as if it had none: of an older server, which
    did not write where the detector had ended them."""
    from_ms, segments, retaken = position.input_audio_ms, snapshot.segments, tuple[str, ...]()
    if segments is None:
        first = () if snapshot.unanswered is None else (snapshot.unanswered,)
        retaken = (*first, *snapshot.unanswered_too)
        segments = tuple(
            SegmentSnapshot(each.item_id, each.from_ms, each.to_ms, by_client=True)
            for each in snapshot.commits
        )
    ends_ms = (each.to_ms for each in segments)
    open_ms = max(ends_ms, default=from_ms) if position.open_ms is None else position.open_ms
    comes = tuple(each for each in segments if each.from_ms >= from_ms - ROUNDING_MS)
    gone = (each.item_id for each in segments if each not in comes)
    sent = (*snapshot.sent, *gone)
    return Unheard(from_ms, open_ms, comes, sent, snapshot.settled), retaken


def _changes(snapshot: SessionSnapshot, last_seq: int) -> tuple[ChangeSnapshot, ...]:
    """Those that the client does not know, each once. Of an item that it never knew it need not know the end."""
    told = [item_id for _, item_id in snapshot.told]
    known = {item_id for seq, item_id in snapshot.told if seq <= last_seq}
    found: dict[tuple[str, str], ChangeSnapshot] = {}
    for place, change in enumerate(snapshot.changes):
        never_known = change.what == "deleted" and change.id in told and change.id not in known
        if change.seq > last_seq and not never_known and not _of_another(place, snapshot.changes):
            found[change.what, change.id] = change
    return tuple(found.values())


def _of_another(place: int, changes: Sequence[ChangeSnapshot]) -> bool:
    """Whether it happened to an item that was deleted after it: what has its id now, if anything, is another one.

    Those that the client was not sent are in their order, and have one number, above all others."""
    change = changes[place]
    return any(
        each.what == "deleted" and each.id == change.id and (each.seq, index) > (change.seq, place)
        for index, each in enumerate(changes)
    )


def _lost(
    snapshot: SessionSnapshot, position: Position, request: ResumeRequest, untold: frozenset[str]
) -> tuple[LostReply, ...]:
    last_seq, replies = request.last_seq or 0, snapshot.replies
    ends = {each.response_id: each for each in snapshot.ended}
    sent_ms = [0.0 if reply.spoken is None else position.sent_of(reply.item_id) for reply in replies]
    heard = _heard([reply.item_id for reply in replies], sent_ms, request)
    found = []
    for reply, (heard_ms, played_ms, silence) in zip(replies, heard, strict=True):
        known, ended = 0 < reply.created_seq <= last_seq, 0 < reply.done_seq <= last_seq
        unmade = tuple(call.item_id for call in reply.calls if not call.ours and call.item_id in untold)
        if unmade:  # the model will make these calls again
            calls = tuple(call for call in reply.calls if call.item_id not in unmade)
            reply = replace(reply, calls=calls, complete=False)
        end = ends.get(reply.response_id)
        found.append(LostReply(reply, heard_ms, played_ms, silence, known, ended, unmade, end))
    return tuple(found)


def _heard(
    item_ids: Sequence[str | None], sent_ms: Sequence[float], request: ResumeRequest
) -> list[tuple[float, float, bool]]:
    """Of each: how much counts as heard, how much of that was played, and whether the rest must be silenced.

    Never more than was sent, whatever the client says: of the sound after the last record nobody knows the words, and a
    client drops it when it is told what counts. Those before the one that plays were played to their end. What has
    arrived is played on, unless more has been sent after it: then nobody knows how much of that has arrived.
    """
    if request.item_id is None:  # a client that tells nothing plays on what it has
        return [(ms, ms, False) for ms in sent_ms]
    at = item_ids.index(request.item_id) if request.item_id in item_ids else None
    if at is None:  # it still plays what came before
        return [(0.0, 0.0, any(sent_ms)) for _ in sent_ms]
    later_ms, played_ms = sent_ms[at + 1 :], min(request.played_ms, sent_ms[at])
    received_ms = -1 if request.received_ms is None or any(later_ms) else request.received_ms
    plays_on = received_ms >= played_ms
    heard_ms = min(received_ms, sent_ms[at]) if plays_on else played_ms
    over = [(ms, ms, False) for ms in sent_ms[:at]]
    return [*over, (heard_ms, played_ms, not plays_on), *((0.0, 0.0, not plays_on) for _ in later_ms)]
