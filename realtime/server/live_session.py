"""A session with its outbox and its numbers: what outlives the socket when the client asked for `resume`.

One task of its own runs the session from greeting to end. A connection attaches, converses and leaves; without one the
session is parked for a while and then ends (shared/realtime-wire.md 6.6). It knows messages, and no socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from secrets import token_urlsafe
from typing import Any, Protocol

from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.outbox import Outbox, OutboxFull, Outgoing
from realtime.protocol.client_events import ClientEvent, OutputAudioBufferPlayed
from realtime.protocol.codec import encode_bytes
from realtime.protocol.server_events import ErrorEvent, ServerEvent, SessionResumed
from realtime.server.access import Caller
from realtime.server.audio_streams import AudioStreams
from realtime.server.persistence import Persistence, StoredConversation
from realtime.server.replay import ReplayBuffer, Sent
from realtime.server.runtime import Runtime
from realtime.session.defaults import new_session_config
from realtime.session.session import Session, SessionEnded

log = logging.getLogger(__name__)


class Closing(Exception):
    """A connection has to end, with this code and reason. `resumable`: its session may go on without it."""

    def __init__(self, code: int, reason: str, *, resumable: bool = False) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.resumable = resumable


@dataclass(frozen=True, slots=True)
class ResumeAsk:
    """What `?resume=sess_A1&last_seq=812&item_id=item_A6&played_ms=620` says."""

    session_id: str
    last_seq: int | None  # None: missing, or not a number
    item_id: str | None = None
    played_ms: int = 0


class Holder(Protocol):
    """The connection a session is attached to."""

    def close_soon(self, closing: Closing) -> None: ...


def proof_of(credential: str | None) -> bytes:
    """What is remembered of a credential, to know it again."""
    return hashlib.sha256((credential or "").encode()).digest()


class LiveSession:
    """One session and everything that goes out of it, numbered."""

    def __init__(
        self,
        runtime: Runtime,
        metrics: Metrics,
        caller: Caller,
        *,
        credential: str | None = None,
        extensions: str = "",
        binary: bool = False,
        refused: Sequence[ProtocolError] = (),
        stored: StoredConversation | None = None,
    ) -> None:
        self.caller = caller
        self.binary = binary
        self.outbox = Outbox()
        self.session = Session(
            new_session_config(runtime.settings, runtime.providers, caller.session, extensions),
            providers=runtime.providers,
            settings=runtime.settings,
            outbox=self.outbox,
            metrics=metrics,
            new_id=lambda kind: f"{kind}_{token_urlsafe(12)}",
            tools=runtime.tools,
            refused=refused,
            conversation=stored.restored() if stored is not None else None,
            conversation_id=stored.conversation_id if stored is not None else None,
        )
        self.last_event_id: str | None = None
        self._persistence: Persistence | None = None
        if runtime.store is not None:
            conversation_id = self.session.conversation_id
            self._persistence = Persistence(
                runtime.store, self.key, conversation_id, self.session.conversation
            )
            self.outbox.tap = self._persistence.notice
        self._metrics = metrics
        self._window_s = runtime.settings.resume_window_s
        self._proof = proof_of(credential)
        self._streams = AudioStreams() if binary else None
        self._replay = ReplayBuffer()
        self._seq = 0
        self._resumptions = itertools.count(1)
        self._holder: Holder | None = None
        self._vacant = asyncio.Event()
        self._vacant.set()
        self._quiet = asyncio.Event()  # nobody reads from a socket for this session
        self._quiet.set()
        self._window: asyncio.TimerHandle | None = None
        loop = asyncio.get_running_loop()
        self.ending: asyncio.Future[Closing] = loop.create_future()  # it will end, for this reason
        self.over = asyncio.Event()  # nothing of it runs any more

    def __repr__(self) -> str:
        state = "over" if self.over.is_set() else "parked" if self._holder is None else "attached"
        return f"<LiveSession {self.id} {state} {self.outbox!r}>"

    @property
    def key(self) -> str:
        """Whose session it is, without saying the key."""
        return self.caller.name

    @property
    def id(self) -> str:
        return self.session.id

    @property
    def attached(self) -> bool:
        """Whether a connection converses."""
        return self._holder is not None

    @property
    def unsent_audio_ms(self) -> float:
        return self.outbox.unsent_audio_ms

    @property
    def replying(self) -> bool:
        """Somebody is hearing a reply; nobody hears one of a parked session."""
        return self._holder is not None and (self.session.replying or self.outbox.unsent_audio_ms > 0)

    @property
    def resumes(self) -> bool:
        """The client asked that the session outlive its socket."""
        return self.session.config.has("resume")

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self, gone: Callable[[LiveSession], None]) -> None:
        """Begin; `gone` is called once nothing is left."""
        self._metrics.sessions.inc()
        self._metrics.sessions_total.inc()
        self._task = asyncio.create_task(self._live(), name=f"{self.id} life")
        self._task.add_done_callback(lambda _: gone(self))

    def end(self, closing: Closing) -> None:
        """Ask the session to end; an attached connection ends with it."""
        if not self.ending.done():
            self.ending.set_result(closing)

    def close_soon(self, code: int, reason: str) -> None:
        """Ask the session to end with this close code."""
        self.end(Closing(code, reason))

    async def _live(self) -> None:
        running = asyncio.create_task(self.session.run(), name=f"{self.id} session")
        saving = None
        if self._persistence is not None:
            saving = asyncio.create_task(self._persistence.run(), name=f"{self.id} persistence")
        try:
            waits: set[asyncio.Future[Any]] = {running, self.ending}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if not self.ending.done():
                self.end(self._why(running))
            await self._quiet.wait()
        finally:
            if self._window is not None:
                self._window.cancel()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await self.session.aclose()
            if saving is not None and self._persistence is not None:
                saving.cancel()
                await asyncio.gather(saving, return_exceptions=True)
                await self._persistence.finish()
            self.outbox.close()
            self._metrics.sessions.dec()
            self.over.set()

    def _why(self, running: asyncio.Task[None]) -> Closing:
        """What ended the session."""
        match running.exception():
            case SessionEnded() as ended:
                return Closing(1001, str(ended))
            case OutboxFull():
                return Closing(1008, "slow_reader")
            case error:
                log.error("session %s failed", self.id, exc_info=error)
                with contextlib.suppress(OutboxFull):
                    self.outbox.put(ErrorEvent.of(our_fault()))
                return Closing(1011, "internal_error")

    # -- attached and parked -------------------------------------------------------------------------------------

    def opened_by(self, credential: str | None) -> bool:
        """Whether this credential opened the session."""
        return hmac.compare_digest(self._proof, proof_of(credential))

    async def attach(self, holder: Holder) -> bool:
        """Give the session to this connection; an older one is closed. False if the session ends instead."""
        while self._holder is not None and not self.ending.done():
            self._holder.close_soon(Closing(1008, "session_taken_over", resumable=True))
            await self._vacant.wait()
        if self.ending.done():
            return False
        self._holder = holder
        self._vacant.clear()
        self._quiet.clear()
        if self._window is not None:
            self._window.cancel()
            self._window = None
            self.session.resume()
        return True

    def park(self) -> None:
        """The connection is gone and the session waits for another one, for the window."""
        self._leave()
        self.session.suspend()
        loop = asyncio.get_running_loop()
        self._window = loop.call_later(self._window_s, self.close_soon, 1001, "resume_window_over")

    async def finish(self, closing: Closing) -> None:
        """The connection is done: end the session. What it still had to say can be taken afterwards."""
        self.end(closing)
        self._leave()
        await self.over.wait()

    def _leave(self) -> None:
        self._holder = None
        self._vacant.set()
        self._quiet.set()

    # -- in --------------------------------------------------------------------------------------------------------

    async def receive(self, event: ClientEvent) -> None:
        """Carry out one client event. Raises ProtocolError."""
        try:
            await self.session.receive(event)
        finally:
            self.last_event_id = event.event_id or self.last_event_id

    # -- out -------------------------------------------------------------------------------------------------------

    async def take(self) -> list[Sent] | None:
        """The next messages, numbered and remembered; None when there will be no more."""
        outgoing = await self.outbox.take()
        return None if outgoing is None else self._number(outgoing)

    def take_now(self) -> list[Sent] | None:
        """The next messages if there are some already."""
        outgoing = self.outbox.take_now()
        return None if outgoing is None else self._number(outgoing)

    def _number(self, outgoing: Outgoing) -> list[Sent]:
        messages: list[ServerEvent | bytes] = [outgoing.event]
        if self._streams is not None:
            messages = self._streams.messages(outgoing.event, self._seq + 1)
        keep = self.resumes
        if not keep and len(self._replay):
            self._replay.clear()
        numbered = []
        for message in messages:
            self._seq += 1
            sent = self._encode(message, outgoing.audio_ms, keep)
            numbered.append(sent)
            if keep:
                self._replay.keep(sent)
        return numbered

    def _encode(self, message: ServerEvent | bytes, audio_ms: float, with_seq: bool) -> Sent:
        if isinstance(message, bytes):
            return Sent(self._seq, message, binary=True, audio_ms=audio_ms)
        data = encode_bytes(message, f"event_{self._seq}", self._seq if with_seq else None)
        return Sent(self._seq, data, audio_ms=audio_ms)

    def missed(self, last_seq: int) -> tuple[Sent, ...]:
        """What a client that has everything up to `last_seq` has not got. Raises Gap."""
        return self._replay.after(last_seq)

    async def resumed(self, ask: ResumeAsk) -> list[Sent]:
        """What the new connection sends first: `session.resumed`, then all that was missed. Raises Gap."""
        last_seq = ask.last_seq or 0
        missed = self.missed(last_seq)
        if ask.item_id is not None:
            await self.session.receive(OutputAudioBufferPlayed(item_id=ask.item_id, played_ms=ask.played_ms))
        event = SessionResumed(
            session=self.session.session_object(),
            from_seq=last_seq + 1,
            input_audio_ms=self.session.input_audio_ms,
            last_event_id=self.last_event_id,
        )
        return [Sent(0, encode_bytes(event, f"event_resumed_{next(self._resumptions)}")), *missed]


def our_fault() -> ProtocolError:
    """What a client is told about a bug of ours."""
    return ProtocolError(
        "The server hit a bug of its own; the session cannot go on. Connect again.",
        code="internal_error",
        type="server_error",
    )
