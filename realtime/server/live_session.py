"""A session with its outbox and its `numbering.py`: the part that outlives a socket if the client asked for `resume`.

Its own task runs the session from `session.created` to the end. A connection attaches and detaches. A detached session
waits for another connection for a limited time (docs/wire.md 6.6). Knows messages; knows no socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
from collections.abc import Callable
from typing import Any

from realtime.deadlines import Alarm
from realtime.errors import session_broken, without_trace
from realtime.metrics import Metrics
from realtime.outbox import Outbox, OutboxFull, Outgoing
from realtime.protocol.client_events import AnyClientEvent, InputAudioBufferAppend, OutputAudioBufferPlayed
from realtime.protocol.server_events import (
    ErrorEvent,
    ResponseOutputAudioDelta,
    ServerEvent,
    SessionUpdated,
)
from realtime.server.beginning import Beginning
from realtime.server.closing import DRAINING, AttachedConnection, Closing
from realtime.server.elsewhere import Elsewhere
from realtime.server.journaling import JournaledSession
from realtime.server.numbering import Numbering
from realtime.server.replay import ResumeRequest, Sent, lengths_ms
from realtime.server.runtime import Runtime
from realtime.server.saving import places_of
from realtime.server.story import SessionStory
from realtime.session.lifetime import SessionEnded
from realtime.tasks import cancel
from realtime.weak_calls import weak_call

log = logging.getLogger(__name__)

_OFTEN = (InputAudioBufferAppend, OutputAudioBufferPlayed)


def credential_hash(credential: str | None) -> bytes:
    """A hash to compare with that of a later credential."""
    return hashlib.sha256((credential or "").encode(errors="surrogateescape")).digest()


class LiveSession:
    """One session, and its numbered messages to the client."""

    def __init__(self, runtime: Runtime, metrics: Metrics, beginning: Beginning) -> None:
        """Raises ProtocolError for settings of another server that are not good here."""
        restored = beginning.restored
        self.caller = beginning.caller
        self.binary = beginning.binary
        self.outbox = Outbox()
        self.elsewhere = Elsewhere()
        self.session = beginning.session(runtime, metrics, self.outbox, self.elsewhere.may_run)
        self.last_event_id: str | None = None
        self._unmet = restored is not None  # its client has not been heard since
        self._held = False  # it stands still, until it is known whether another server goes on
        self.saving = places_of(
            self.session,
            runtime,
            self.key,
            stored=beginning.stored,
            restored=restored,
            on_taken_over=weak_call(self.taken_over),
        )
        self.items_at = self.session.conversation_id if runtime.copies is None else self.id
        self.story = SessionStory(metrics)
        self.outbox.on_event = weak_call(self._on_event)
        self._client = beginning.client
        self._account = None if beginning.seat is None else beginning.seat.name
        self._window_s = runtime.settings.resume_window_s
        self._credential_hash = credential_hash(beginning.credential)
        self.numbering = Numbering(self.session, binary=self.binary)
        if restored is not None:
            self.last_event_id = restored.snapshot.last_event_id
            self.numbering.go_on(restored)
        self._away_since_s: float | None = None
        self._connection: AttachedConnection | None = None
        self._detached = asyncio.Event()
        self._detached.set()
        self._window: Alarm | None = None
        self.ending: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()  # set: it must end
        self.ended = asyncio.Event()  # no task of the session runs any more
        self._leaves_out = False  # there was an event that cannot be written

    def __repr__(self) -> str:
        state = "ended" if self.ended.is_set() else "attached" if self.attached else "detached"
        return f"<LiveSession {self.id} {state} {self.outbox!r}>"

    @property
    def key(self) -> str:
        """The name of the client's key (not the key itself)."""
        return self.caller.name

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def attached(self) -> bool:
        """Whether a connection is attached."""
        return self._connection is not None

    @property
    def engaged(self) -> bool:
        """Whether somebody speaks, waits for an answer or hears one."""
        return self.session.leaving.engaged or self.outbox.unsent_audio_ms > 0

    @property
    def answer_due(self) -> bool:
        """Whether the client may be about to ask for an answer."""
        return self.session.leaving.answer_due

    @property
    def away_s(self) -> float | None:
        """For how long it has been without a client; None with one."""
        return None if self.attached or not self._away_since_s else self._now() - self._away_since_s

    def has_conversation(self, key: str, conversation_id: str) -> bool:
        """Whether this is the session of this conversation of this key."""
        return self.key == key and self.session.conversation_id == conversation_id

    @property
    def resumable(self) -> bool:
        """Whether the client asked for `resume`: the session then outlives its socket."""
        return self.session.config.has("resume")

    # -- start and end -----------------------------------------------------------------------------------------------

    def start(self, on_ended: Callable[[LiveSession], None]) -> None:
        """Start the session's task; `on_ended` is called when it has ended."""
        self.story.begin(self.id, self.key, self._client, self._account)
        self._task = asyncio.create_task(self._run(), name=f"{self.id} live session")
        self._task.add_done_callback(lambda _: on_ended(self))

    def end(self, closing: Closing) -> None:
        """Ask the session to end; an attached connection closes too."""
        if not self.ending.done():
            self.ending.set_result(closing.copy())

    def close_soon(self, code: int, reason: str) -> None:
        """Ask the session to end with this close code."""
        self.end(Closing(code, reason))

    def leave(self) -> None:
        """The server stops: let another one go on with the session, or end it, and what is said in it as failed. The
        client may connect again."""
        self.elsewhere.leave(self)

    @property
    def can_move(self) -> bool:
        """Whether another server can go on with it now, without a loss."""
        return self.elsewhere.can_move(self)

    @property
    def journaled(self) -> JournaledSession | None:
        """Its entry in the journal, if other servers can go on with it."""
        return self.elsewhere.journaled

    def taken_over(self) -> None:
        """Another server has the session or its conversation by now: nobody hears this one any more."""
        self.session.leaving.silence()
        self.close_soon(1008, "session_taken_over")

    @property
    def was_taken_over(self) -> bool:
        return self.ending.done() and self.ending.result().reason == "session_taken_over"

    async def save_all(self) -> bool:
        """Save the conversation now; returns whether the store has it all."""
        return await self.saving.save_all()

    async def _run(self) -> None:
        running = asyncio.create_task(self.session.run(), name=f"{self.id} session")
        try:
            self.saving.start(self.id)
            waits: set[asyncio.Future[Any]] = {running, self.ending}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not self.ending.done():
                self.end(self._closing_after(running))
                without_trace(running.exception())  # it was logged
            await self._detached.wait()
        finally:
            try:
                await self._stop(running)
            except Exception:
                log.exception("session %s has not ended well", self.id)
            finally:
                self.outbox.close()
                closing = self.ending.result() if self.ending.done() else Closing(*DRAINING)
                self.story.end(self.id, closing.code, closing.reason)
                self.ended.set()

    async def _stop(self, running: asyncio.Task[None]) -> None:
        """Stop all that runs for the session, and save it, also if something cannot be stopped."""
        running.cancel()
        try:
            if self._window is not None:
                self._window.cancel()
            self.numbering.stop_forgetting()
        finally:
            await self._stop_session(running)

    async def _stop_session(self, running: asyncio.Task[None]) -> None:
        try:
            await cancel([running])
            await self.session.aclose()
        finally:
            moved_on = self.was_taken_over and await self.elsewhere.moved_on()
            await self.saving.finish(only_heard=self._silenced, late=not moved_on)

    @property
    def _silenced(self) -> bool:
        """Whether what the listener has not heard by the end stays unheard. A client without `playback` may play on."""
        return self.was_taken_over or self.session.config.has("playback")

    def _on_event(self, event: ServerEvent) -> None:
        self.story.on_event(event)
        self.saving.on_event(event)
        if self.journaled is not None:
            self.journaled.on_event(event)
        elif isinstance(event, SessionUpdated):
            self.elsewhere.follow(self)

    def hold(self, *, held: bool) -> None:
        """Send nothing more and take in nothing more, or do so again: what comes meanwhile will come again."""
        self._held = held
        self.outbox.hold(held)

    def _closing_after(self, running: asyncio.Task[None]) -> Closing:
        """The close code and reason for a session that ended by itself."""
        match running.exception():
            case SessionEnded() as ended:
                return Closing(1001, str(ended))
            case OutboxFull():
                return Closing(1008, "slow_reader")
            case error:
                log.error("session %s failed", self.id, exc_info=error)
                with contextlib.suppress(OutboxFull):
                    self.outbox.put(ErrorEvent.of(session_broken()))
                return Closing(1011, "internal_error")

    # -- attaching and detaching ---------------------------------------------------------------------------------

    def opened_by(self, credential: str | None) -> bool:
        """Whether this credential opened the session."""
        return hmac.compare_digest(self._credential_hash, credential_hash(credential))

    async def attach(self, connection: AttachedConnection, last_seq: int | None = None) -> bool:
        """Attach this connection and close an older one. False if the session is ending, or cannot send all messages
        after `last_seq` again: then it goes on without this connection."""
        while self._connection is not None and self._can_serve(last_seq):
            self._connection.close_soon(Closing(1008, "session_taken_over", resumable=True))
            await self._detached.wait()
        if not self._can_serve(last_seq):
            return False
        self._connection = connection
        self.numbering.attached = True
        self._detached.clear()
        if self._window is not None:
            self._window.cancel()
            self._window = None
            self.numbering.replay.paused(self._now() - self._away_since_s if self._away_since_s else 0.0)
            self.session.resume()
        return True

    def _can_serve(self, last_seq: int | None) -> bool:
        return not self.ending.done() and (last_seq is None or self.numbering.has_missed(last_seq))

    def detach(self) -> None:
        """The connection is lost: wait for another one until the resume window ends."""
        self._remove_connection()
        self._away_since_s = self._now()
        self._window = Alarm(weak_call(self._window_over))
        self._window.set_in(self._window_s)
        self.numbering.stop_forgetting()
        self.session.suspend()

    def _window_over(self) -> None:
        self.close_soon(1001, "resume_window_over")

    async def finish(self, closing: Closing) -> None:
        """The client has finished: end the session. Queued messages can still be taken afterwards."""
        self.end(closing)
        self._remove_connection()
        await self.ended.wait()

    async def gone(self) -> None:
        """Wait until the session is over and its place is free."""
        await asyncio.wait({self._task})  # who asked for its end first is told first: `on_ended`

    def _remove_connection(self) -> None:
        self._connection = None
        self.numbering.attached = False
        self._detached.set()

    # -- receiving -------------------------------------------------------------------------------------------------

    async def receive(self, event: AnyClientEvent) -> float:
        """Apply one client event. Returns how many seconds of sound it brought. Raises ProtocolError."""
        if self._held:
            return 0.0
        self._unmet = False
        if not isinstance(event, InputAudioBufferAppend):
            log.debug("%s ← %s", self.id, type(event).__name__)
        try:
            sound_s = await self.session.receive(event)
        except Exception:  # refused or failed events count as dealt with; cancelled ones do not
            self._dealt_with(event)
            raise
        if isinstance(event, OutputAudioBufferPlayed):
            self.numbering.replay.played(event.item_id, event.played_ms)
        self._dealt_with(event)
        return sound_s

    def _dealt_with(self, event: AnyClientEvent) -> None:
        self.last_event_id = event.event_id or self.last_event_id
        if self.journaled is not None and not isinstance(event, _OFTEN):
            self.journaled.changed()

    # -- sending ---------------------------------------------------------------------------------------------------

    async def take(self) -> list[Sent] | None:
        """The next messages, numbered and kept for replay; None after the last one."""
        try:
            outgoing = await self.outbox.take()
        except Exception as error:  # who is told that its sound goes out cannot read it
            return self._left_out(error)
        return None if outgoing is None else self._number(outgoing)

    def take_now(self) -> list[Sent] | None:
        """The next messages if some are queued, else None."""
        try:
            outgoing = self.outbox.take_now()
        except Exception as error:
            return self._left_out(error)
        return None if outgoing is None else self._number(outgoing)

    def _number(self, outgoing: Outgoing) -> list[Sent]:
        try:
            self.story.sounded(outgoing.event)
            numbered = self.numbering.number(outgoing)
        except Exception as error:
            return self._left_out(error, outgoing.event)
        if self.journaled is not None and not isinstance(outgoing.event, ResponseOutputAudioDelta):
            self.journaled.sent(outgoing.event, self.numbering.seq)
        return numbered

    def _left_out(self, error: Exception, event: ServerEvent | None = None) -> list[Sent]:
        """One event that cannot be written (sound of a provider that is no sound): the session goes on without it."""
        if not self._leaves_out:  # more would say the same
            kind = "sound" if event is None else type(event).__name__
            log.error("an event of session %s cannot be written: %s", self.id, kind, exc_info=error)
        self._leaves_out = True
        return []

    def restored_messages(self) -> list[Sent]:
        """The first message to a client whose session another server has begun."""
        return [self.numbering.restored(self.last_event_id)]

    async def resume_messages(self, request: ResumeRequest) -> list[Sent]:
        """The first messages on the new socket: `session.resumed`, then all missed ones."""
        last_seq = request.last_seq or 0
        missed = self.numbering.missed(last_seq)
        self.session.sent_again(lengths_ms(missed))
        if request.item_id is not None:
            played = OutputAudioBufferPlayed(item_id=request.item_id, played_ms=request.played_ms)
            await self.session.receive(played)
        first = self.numbering.resumed(last_seq, self.last_event_id, restored=self._unmet)
        return [first, *missed]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
