"""Writes in the journal what another server needs to go on with the sessions of this one (docs/scale.md).

A record is written soon after an event to the client, a position again and again while somebody speaks or listens.
Nobody waits for a write. A server that is refused has lost the session to another one: the session is silenced at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from realtime.core.snapshot import (
    Position,
    ReplySnapshot,
    SessionSnapshot,
    SpokenSnapshot,
    encode_position,
    encode_record,
)
from realtime.protocol import server_events as events
from realtime.providers.journal import FIRST_EPOCH, Journal, Kept

if TYPE_CHECKING:
    from realtime.replying.response import Response
    from realtime.server.live_session import LiveSession

log = logging.getLogger(__name__)

RECORD_S = 0.05  # from a change to its record
POSITION_S = 0.25
ALIVE_S = 5.0  # a session in which nothing happens; an owner that was taken over finds out then at the latest
RENEW_S = 15.0  # what is kept with an end, while nothing changes
RETRY_S = 0.5  # after a write that was lost
TOLD = 32  # items
HAND_OVER_S = 1.0  # for the last record

_SOUND = (events.ResponseOutputAudioDelta, events.ResponseOutputAudioWordsDelta)
_OFTEN = (events.ResponseOutputAudioTranscriptDelta, events.ResponseOutputTextDelta)


def proof_of(session_id: str, credential: str | None) -> str:
    """What shows later that somebody has the credential, and does not tell it."""
    secret = (credential or "").encode(errors="surrogateescape")
    return hmac.new(session_id.encode(), secret, hashlib.sha256).hexdigest()


class JournaledSession:
    """One session in the journal, as long as this server has it."""

    def __init__(self, live: LiveSession, journal: Journal, credential: str | None, epoch: int) -> None:
        self.live = live
        self.epoch = epoch
        self._journal = journal
        self._proof = proof_of(live.id, credential)
        self._created: dict[str, int] = {}  # numbers of messages, by response
        self._done: dict[str, int] = {}
        self._told: deque[tuple[int, str]] = deque(maxlen=TOLD)
        self._dirty = True
        self._due_s = 0.0  # of the next look at the position
        self._alive_s = 0.0
        self._renew_s = 0.0
        self._position: Position | None = None
        self.moved = False  # its last record is written: another server goes on

    def __repr__(self) -> str:
        return f"<JournaledSession {self.live.id}, epoch {self.epoch}>"

    # -- what happens --------------------------------------------------------------------------------------------

    def on_event(self, event: events.ServerEvent) -> None:
        """An event is on its way to the client."""
        if isinstance(event, _OFTEN):
            self._due_s = min(self._due_s, self._now() + POSITION_S)
            self._position = None
        elif not isinstance(event, _SOUND):
            self._dirty = True

    def sent(self, event: events.ServerEvent, seq: int) -> None:
        """It has this number now."""
        match event:
            case events.ResponseCreated(response=response):
                self._created[response.id] = seq
                if len(self._created) > TOLD:
                    del self._created[next(iter(self._created))]
            case events.ResponseDone(response=response):
                self._done[response.id] = seq
                if len(self._done) > TOLD:
                    del self._done[next(iter(self._done))]
            case events.ConversationItemAdded(item=item) | events.ConversationItemDone(item=item):
                self._told.append((seq, item.id))
            case _:
                return
        self._dirty = True

    def received(self) -> None:
        """The client has sent an event."""
        self._dirty = True

    # -- writing -------------------------------------------------------------------------------------------------

    def look(self, now_s: float) -> None:
        """Write what is due."""
        if self.moved or self.live.ending.done():
            return
        if now_s >= self._renew_s:
            self._renew_s = now_s + RENEW_S
            self.live.save_again()
        if self._dirty:
            self.write()
        elif now_s >= self._due_s:
            self._due_s = now_s + POSITION_S
            self._look_at_position(now_s)

    def write(self) -> asyncio.Future[Kept]:
        """Write all of it."""
        self._dirty = False
        self._position = self._position_now()
        self._alive_s = self._now() + ALIVE_S
        return self._send(encode_record(self._snapshot()), encode_position(self._position))

    def _look_at_position(self, now_s: float) -> None:
        if self._position is None:
            self.write()
            return
        position = self._position_now()
        busy = position.item_id is not None or self.live.session.unanswered[1] is not None
        if (busy and position != self._position) or now_s >= self._alive_s:
            self._position, self._alive_s = position, now_s + ALIVE_S
            self._send(None, encode_position(position))

    def _send(self, record: bytes | None, position: bytes) -> asyncio.Future[Kept]:
        kept = self._journal.write(self.live.id, self.epoch, record=record, position=position)
        kept.add_done_callback(self._heard)
        return kept

    def _heard(self, kept: asyncio.Future[Kept]) -> None:
        match kept.result():
            case Kept.REFUSED:
                if not self.live.ending.done():
                    log.warning("%s goes on at another server", self.live.id)
                    self.live.story.taken_over()
                    self.live.taken_over()
            case Kept.INCOMPLETE:
                self._dirty = True
                self.live.save_again()
            case Kept.LOST:
                self._position = None  # all of it, after a while
                self._due_s = self._now() + RETRY_S

    async def is_mine(self) -> bool:
        """Whether no other server has it, as far as anybody knows."""
        kept = self.write()
        await asyncio.wait([kept], timeout=HAND_OVER_S)
        return not (kept.done() and kept.result() is Kept.REFUSED)

    async def hand_over(self) -> bool:
        """Write the last record; whether another server can go on."""
        saved = await self.live.save_all()
        kept = self.write()
        self.moved = True
        await asyncio.wait([kept], timeout=HAND_OVER_S)
        self.moved = saved and kept.done() and kept.result() is Kept.WRITTEN
        return self.moved

    def end(self) -> None:
        """The session is over, for every server, unless another one has it."""
        if not self.moved:
            self._journal.end(self.live.id, self.epoch)

    # -- what is written -----------------------------------------------------------------------------------------

    def _position_now(self) -> Position:
        session = self.live.session
        input_ms, reply = session.unanswered[0], session.responses.unfinished
        if reply is None or reply.events.sound.item_id is None:
            return Position(round(input_ms, 1))
        sound = reply.events.sound
        heard_ms = sound.playback.heard_ms(session.listener_s)
        return Position(
            round(input_ms, 1), sound.item_id, round(sound.playback.sent_ms, 1), round(heard_ms, 1)
        )

    def _snapshot(self) -> SessionSnapshot:
        live, session = self.live, self.live.session
        reply = session.responses.unfinished
        return SessionSnapshot(
            session_id=live.id,
            key=live.key,
            proof=self._proof,
            config=session.session_object(),
            conversation_id=session.conversation_id,
            items_at=live.items_at,
            expires_unix_s=session.expires_unix_s,
            binary=live.binary,
            ephemeral=live.caller.ephemeral,
            seq=live.numbering.seq,
            last_event_id=live.last_event_id,
            told=tuple(self._told),
            unanswered=session.unanswered[1],
            reply=None if reply is None else self._reply(reply),
            streams=live.numbering.last_stream,
        )

    def _reply(self, reply: Response) -> ReplySnapshot:
        told, answer = reply.events, reply.answer
        spoken = None
        if told.options.spoken and told.sound.item_id is not None:
            spoken = SpokenSnapshot(*told.sound.part.measured())
        return ReplySnapshot(
            response_id=reply.id,
            created_seq=self._created.get(reply.id, 0),
            done_seq=self._done.get(reply.id, 0),
            item_id=told.message_id,
            text=answer.text if told.options.spoken else told.transcript,
            complete=answer.finish is not None,
            spoken=spoken,
            stream=self.live.numbering.stream_of(told.message_id),
        )

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class Journaling:
    """All sessions of one server that are in the journal."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._sessions: dict[str, JournaledSession] = {}

    def __repr__(self) -> str:
        return f"<Journaling {len(self._sessions)} sessions>"

    def begin(self, live: LiveSession, credential: str | None, epoch: int = FIRST_EPOCH) -> None:
        """This server has the session from now on."""
        entry = JournaledSession(live, self.journal, credential, epoch)
        self._sessions[live.id] = live.journaled = entry
        entry.write()

    async def run(self) -> None:
        """Write what is due, again and again."""
        while True:
            self._look()
            await asyncio.sleep(RECORD_S)

    def _look(self) -> None:
        now_s = asyncio.get_running_loop().time()
        for session_id, entry in list(self._sessions.items()):
            if entry.live.ended.is_set():
                del self._sessions[session_id]
                entry.end()
                continue
            try:
                entry.look(now_s)
            except Exception as error:  # the session must not suffer
                log.error("%s is not in the journal", session_id, exc_info=error)

    async def aclose(self) -> None:
        self._look()


@asynccontextmanager
async def journaling(journal: Journal) -> AsyncIterator[Journaling]:
    """Until the end of the block."""
    writer = Journaling(journal)
    task = asyncio.create_task(writer.run(), name="journal")
    try:
        yield writer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await writer.aclose()
