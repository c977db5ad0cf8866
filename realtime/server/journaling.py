"""Writes the records of the sessions of this server in the journal, so that another one can go on (docs/scale.md).

A record is written as soon as a message tells the client of something that lasts, else soon after an event; a position
again and again while somebody speaks or listens. The items go first: no record speaks of what is not kept. Nobody waits
for a write, but a tool that runs once. A server that is refused has lost the session to another one: the session is
silenced at once. What is written is `recording.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from realtime import deadlines
from realtime.core.snapshot import Position, SessionSnapshot, encode_position, encode_record
from realtime.logs import story
from realtime.metrics import Metrics
from realtime.protocol import server_events as events
from realtime.providers.journal import FIRST_EPOCH, Journal, Kept
from realtime.server.recording import Recorder

if TYPE_CHECKING:
    from realtime.server.live_session import LiveSession

log = logging.getLogger(__name__)

RECORD_S = 0.05  # from a change to its record, at most
SOUND_S = 0.1  # while sound leaves for the client: words that are in no record are said twice
TEXT_S = 0.25  # while a text grows
POSITION_S = 1.0  # while somebody speaks or listens, or the idle timeout counts
ALIVE_S = 5.0  # a session in which nothing happens; an owner that was taken over finds out then at the latest
RENEW_S = 15.0  # what is kept with an end, while nothing changes
RETRY_S = 0.5  # after a write that was lost
HAND_OVER_S = 1.0  # for the last record
CLAIM_S = 0.25  # a tool waits no longer for its record
STOOD_STILL_S = 1.0  # a wait that took so much longer: this process was stopped meanwhile

_SOUND = (events.ResponseOutputAudioDelta, events.ResponseOutputAudioWordsDelta)
_OFTEN = (events.ResponseOutputAudioTranscriptDelta, events.ResponseOutputTextDelta)


class JournaledSession:
    """One session in the journal, as long as this server has it."""

    def __init__(
        self,
        live: LiveSession,
        journal: Journal,
        epoch: int,
        metrics: Metrics,
        recorder: Recorder,
    ) -> None:
        self.live = live
        self.epoch = epoch
        self.moved = False  # its last record is written: another server goes on
        self.refused = False  # another server has it
        self._journal = journal
        self._metrics = metrics
        self._recorder = recorder
        self._dirty_s: float | None = self._now()  # since then there is something new
        self._soon = False  # a record is about to be written
        self._saving: asyncio.Task[None] | None = None  # the items, and then the record
        self._due_s = 0.0  # of the next look at the position
        self._alive_s = 0.0
        self._renew_s = 0.0
        self._position: Position | None = None
        # Items of replies that were not over in the last record
        self._going_on: tuple[str | None, ...] = (None,)

    def __repr__(self) -> str:
        return f"<JournaledSession {self.live.id}, epoch {self.epoch}>"

    # -- what happens --------------------------------------------------------------------------------------------

    def on_event(self, event: events.ServerEvent) -> None:
        """An event is on its way to the client."""
        self._recorder.queued(event)
        if isinstance(event, _SOUND):
            self._due_s = min(self._due_s, self._now() + SOUND_S)
        elif isinstance(event, _OFTEN):
            self._due_s = min(self._due_s, self._now() + TEXT_S)
            self._position = None
        else:
            self.changed()

    def sent(self, event: events.ServerEvent, seq: int) -> None:
        """It has this number now."""
        if self._recorder.sent(event, seq):
            self.changed()
            if not self._soon:
                self._soon = True  # after the messages that are sent with it
                asyncio.get_running_loop().call_soon(self._write_soon)

    def changed(self) -> None:
        """There is something new, from whichever side."""
        if self._dirty_s is None:
            self._dirty_s = self._now()

    # -- writing -------------------------------------------------------------------------------------------------

    @property
    def _over(self) -> bool:
        return self.moved or self.live.ending.done() or self.live.session.restoring

    def look(self, now_s: float) -> None:
        """Write what is due."""
        if self._over or self._saving is not None:
            return
        if now_s >= self._renew_s:
            self._renew_s = now_s + RENEW_S
            self.live.saving.again()
        if self._dirty_s is not None:
            self._write_all()
        elif now_s >= self._due_s:
            self._due_s = now_s + POSITION_S
            self._look_at_position(now_s)

    def _write_soon(self) -> None:
        self._soon = False
        if not self._over and self._saving is None:
            self._write_all()

    def _write_all(self, position: Position | None = None) -> None:
        """`position`: as it is now, where somebody has just looked."""
        position = position or self._recorder.position()
        if position.item_ids != self._going_on:
            self.live.saving.changed()  # a reply that has been heard to its end counts whole, and no event says so
        if self.live.saving.unsaved:
            self._saving = asyncio.create_task(self._save_first(), name=f"{self.live.id} record")
        else:
            self.write(position)

    async def _save_first(self) -> None:
        try:
            await self.live.saving.save_changes()
            if not self._over:
                self.write()
        finally:
            self._saving = None

    def write(self, position: Position | None = None) -> asyncio.Future[Kept]:
        """Write all of it, whatever the state of its items. `position`: as it is now."""
        since_s, self._dirty_s = self._dirty_s, None
        self._position = position or self._recorder.position()
        self._going_on = self._position.item_ids
        self._alive_s = self._now() + ALIVE_S
        kept = self._send(encode_record(self._recorder.snapshot()), encode_position(self._position))
        if since_s is not None:
            seconds = self._metrics.journal_seconds
            kept.add_done_callback(lambda kept: _observe(kept, seconds.observe, self._now() - since_s))
        return kept

    def _look_at_position(self, now_s: float) -> None:
        if self._position is None:
            self._write_all()
            return
        position = self._recorder.position()
        # With the sound came the times of its words. A record that has a reply which is over needs another record, not
        # a position that does not know its item: nothing of that would count as heard. And sound that a position gives
        # up has its text in the record
        before = self._position
        more = position.sent_ms > before.sent_ms or position.settled_ms != before.settled_ms
        if more or position.item_ids != before.item_ids:
            self._write_all(position)
            return
        listens = position.item_id is not None or bool(position.earlier)
        speaks = self.live.session.speaking or position.reads
        busy = listens or speaks or position.idle_left_ms is not None
        if (busy and position != self._position) or now_s >= self._alive_s:
            self._position, self._alive_s = position, now_s + ALIVE_S
            self._send(None, encode_position(position))

    def _send(self, record: bytes | None, position: bytes) -> asyncio.Future[Kept]:
        kept = self._journal.write(self.live.id, self.epoch, record=record, position=position)
        kept.add_done_callback(self._heard)
        return kept

    def _heard(self, kept: asyncio.Future[Kept]) -> None:
        outcome = kept.result()
        self._metrics.journal_writes.labels(outcome.name.lower()).inc()
        match outcome:
            case Kept.REFUSED:
                self._refuse()
            case Kept.INCOMPLETE:
                self.changed()
                self.live.saving.again()
            case Kept.LOST:
                self._position = None  # all of it, after a while
                self._due_s = self._now() + RETRY_S

    def _refuse(self) -> None:
        if self.refused:
            return
        self.refused = True
        self._metrics.takeovers.labels("lost").inc()
        story(log, "session lost to another server", {"id": self.live.id}, logging.WARNING)
        self.live.taken_over()

    # -- who has it ----------------------------------------------------------------------------------------------

    async def is_mine(self) -> bool:
        """Whether no other server has it, as far as anybody knows."""
        if not self.refused and not self.moved:
            await asyncio.wait([self._send(None, b"")], timeout=HAND_OVER_S)
        return not self.refused

    async def claim(self) -> bool:
        """Whether this server may do what can be done once. Other servers know by then that it has begun."""
        while not self.refused and not self.moved:
            began_s = self._now()
            with contextlib.suppress(TimeoutError):
                async with deadlines.timeout(CLAIM_S):
                    await self.live.saving.save_changes()
                    kept = await asyncio.shield(self.write())
                    if kept is not Kept.LOST:
                        break
            if self._now() - began_s < CLAIM_S + STOOD_STILL_S:
                break  # Redis is away or slow
        return not self.refused and not self.moved

    async def hand_over(self) -> bool:
        """Write the last record; whether another server can go on. Until that is known the session stands still.

        What ends with the session here, such as a tool that is stopped, is for the next server to tell."""
        self.live.hold(held=True)
        if self.live.session.restoring:  # it has the record of the server before
            self.live.saving.freeze(frozen=True)
            self.moved = True
        else:
            self.moved = await self._last_record()
        story(log, "session handed over" if self.moved else "session not handed over", {"id": self.live.id})
        if not self.moved:
            self.live.hold(held=False)
            self.live.saving.freeze(frozen=False)
        return self.moved

    async def _last_record(self) -> bool:
        """With it, what counts is settled: of the items that it speaks of, none changes any more."""
        saved = await self.live.saving.save_shared()
        self.live.saving.freeze(frozen=True)
        kept = self.write()
        self.moved = True
        await asyncio.wait([kept], timeout=HAND_OVER_S)
        return saved and kept.done() and kept.result() is Kept.WRITTEN

    def end(self) -> None:
        """The session is over, for every server, unless another one has it."""
        self.live.elsewhere.journaled = None  # they hold each other
        if not self.moved and not self.refused:
            self._journal.end(self.live.id, self.epoch)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _observe(kept: asyncio.Future[Kept], observe: Callable[[float], object], seconds: float) -> None:
    if kept.result() is Kept.WRITTEN:
        observe(seconds)


class Journaling:
    """All sessions of one server that are in the journal."""

    def __init__(self, journal: Journal, metrics: Metrics) -> None:
        self._journal = journal
        self._metrics = metrics
        self._sessions: dict[str, JournaledSession] = {}

    def __repr__(self) -> str:
        return f"<Journaling {len(self._sessions)} sessions>"

    def begin(
        self, live: LiveSession, proof: str, epoch: int = FIRST_EPOCH, before: SessionSnapshot | None = None
    ) -> JournaledSession:
        """This server has the session from now on. `before`: what another one has written of it."""
        recorder = Recorder(live, proof, before)
        entry = JournaledSession(live, self._journal, epoch, self._metrics, recorder)
        self._sessions[live.id] = entry
        entry.look(asyncio.get_running_loop().time())
        return entry

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
async def journaling(journal: Journal, metrics: Metrics) -> AsyncIterator[Journaling]:
    """Until the end of the block."""
    writer = Journaling(journal, metrics)
    task = asyncio.create_task(writer.run(), name="journal")
    try:
        yield writer
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await writer.aclose()
