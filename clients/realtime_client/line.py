"""Brings a conversation back when its socket is lost (docs/wire.md 6.6): resumed, or rebuilt as text in a new session.

A server that keeps no session (one of several workers, or not one of ours) is not asked for it: it gets a new one.

It opens sockets and decides what is sent again. What that is, `resuming.py` and `rebuilding.py` know.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Awaitable, Callable
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

import msgspec
from websockets.exceptions import ConnectionClosed

from .errors import ConnectionFailed, ConnectionLost
from .rebuilding import Rebuilding
from .resuming import MAX_BYTES, MAX_EVENTS, Resuming, Sent, SentAudio, SentEvent

if TYPE_CHECKING:
    from .conversation import Conversation, Event
    from .silence import WatchedSocket

RETURN_S = 60.0  # how long a server is looked for
FIRST_TRY_S, SECOND_TRY_S, LAST_TRY_S = 0.3, 0.5, 8.0  # at most; each try waits a random part
# A new session that ends earlier is no return: a server that ends each one is not asked without end
STEADY_S = 10.0
# One that is resumed and lost again sooner was a try in vain: what is sent again may be what ends it
RESUMED_STEADY_S = 2.0
_FOR_GOOD = (1000, 1002, 1003, 1007, 1008, 1009)  # close codes


def longest_wait_s(tries: int) -> float:
    """Before the next try, after so many in vain."""
    return FIRST_TRY_S if not tries else min(LAST_TRY_S, SECOND_TRY_S * 2.0 ** min(tries - 1, 10))


class Line:
    """The way back to the server of one conversation.

    `open` opens a socket with more parameters in its URL, and returns it with its first event. Raises ConnectionFailed.
    """

    def __init__(
        self,
        conversation: Conversation,
        open: Callable[[dict[str, Any]], Awaitable[tuple[WatchedSocket, Event]]],
        *,
        rate: int,
        return_s: float = RETURN_S,
    ) -> None:
        self.closing = False  # this side is done
        self._conversation = conversation
        self._open = open
        self._return_s = return_s
        self._log = Resuming(rate)
        self._known = Rebuilding()
        self._waiting: deque[Sent] | None = None  # what the new socket has to send, while there is none
        self._late_events = self._late_bytes = 0  # that the program has sent since there is no socket
        self._named = 0
        self._built_s = float("-inf")  # when the last new session was built
        self._deadline_s = 0.0
        self._in_vain = 0  # sessions that were built and ended at once
        self._resumed_s = float("-inf")  # when the last session was resumed
        self._resumed_in_vain = 0  # of these, those that were lost at once
        self._log.begin(conversation.session)

    def __repr__(self) -> str:
        return f"<Line {'away' if self.away else 'up'} {self._log!r}>"

    @property
    def away(self) -> bool:
        return self._waiting is not None

    # -- while messages come and go -------------------------------------------------------------------------

    def is_new(self, event: Event) -> bool:
        """An event came; False if it came before, on an older socket."""
        if not self._log.is_new(event.get("seq")):
            return False
        for follow in (self._log.follow, self._known.follow):
            with contextlib.suppress(LookupError, TypeError, AttributeError, ValueError):
                # A server that is not ours may leave fields out: the program gets the event all the same
                follow(event)
        return True

    def is_new_frame(self, seq: int) -> bool:
        return self._log.is_new(seq)

    def keep(self, event: Event) -> Event:
        """Keep an event that is about to be sent; returns it with an id. Raises ConnectionLost."""
        self._named += 1
        event = {"event_id": f"client_{self._named}", **event}
        if event["type"] == "conversation.item.create":  # with an id it is the same item when it comes twice
            event["item"] = {"id": f"item_{token_urlsafe(12)}", **event["item"]}
        self._known.sent(event)
        stale = event["type"] == "output_audio_buffer.played" and event.get("state", "playing") == "playing"
        if self.away and stale:
            return event
        text = "" if stale else msgspec.json.encode(event).decode()
        if self.away:
            self._late_events, self._late_bytes = self._late_events + 1, self._late_bytes + len(text)
            if self._late_events > MAX_EVENTS or self._late_bytes > MAX_BYTES:
                raise ConnectionLost(
                    "The connection to the server was lost, and too much waits to be sent: connect again."
                )
        self._keep(SentEvent(event["event_id"], text, event["type"]))
        return event

    def cut(self, item_id: str, heard_ms: int) -> tuple[str | None, list[Event]]:
        """So much was heard of an answer that a lost session said: its text, and what tells it to this session."""
        return self._known.cut(item_id, heard_ms)

    def keep_audio(self, pcm: bytes) -> None:
        self._keep(SentAudio(pcm))

    def _keep(self, entry: Sent) -> None:
        self._log.sent(entry)
        if self._waiting is not None:
            self._waiting.append(entry)

    # -- when the socket is lost ----------------------------------------------------------------------------

    def can_return(self, closed: ConnectionClosed) -> bool:
        """Whether a new socket may help after this end of the old one."""
        if self.closing:
            return False
        if closed.rcvd is None:
            return True
        code, reason = closed.rcvd.code, closed.rcvd.reason
        return reason in ("server_draining", "slow_reader") or code not in (*_FOR_GOOD, 1001)

    async def come_back(self, closed: ConnectionClosed) -> None:
        """Open a new socket, and send on it what the server has not received. Raises ConnectionLost."""
        self._waiting = deque()
        self._late_events = self._late_bytes = 0
        try:
            await self._come_back(closed)
        except BaseException:  # also a cancellation
            self.give_up()
            raise

    def give_up(self) -> None:
        """There is no way back any more: from now on every method raises."""
        self.closing, self._waiting = True, None

    async def _come_back(self, closed: ConnectionClosed) -> None:
        self._follow(closed)
        if self._conversation.on_reconnecting is not None:
            self._conversation.on_reconnecting()
        if self._now() - self._built_s >= STEADY_S:
            self._in_vain, self._deadline_s = 0, self._now() + self._return_s
        at_once = self._now() - self._resumed_s < RESUMED_STEADY_S
        self._resumed_in_vain = self._resumed_in_vain + 1 if at_once else 0
        while self._waiting is not None:
            socket, first = await self._opened(self._deadline_s)
            try:
                await self._go_on(socket, first)
            except ConnectionClosed as again:
                self._resumed_in_vain += 1
                self._follow(again)
                if not self.can_return(again):
                    raise ConnectionLost("The connection to the server was lost.") from None
            except BaseException:
                socket.transport.abort()
                raise

    def _follow(self, closed: ConnectionClosed) -> None:
        """A server that stops keeps no session: the next one is not asked for it."""
        if closed.rcvd is not None and closed.rcvd.reason == "server_draining":
            self._log.ended()

    async def _opened(self, deadline_s: float) -> tuple[WatchedSocket, Event]:
        """A new socket and its first event, after as many tries as it takes. Raises ConnectionLost."""
        tries, asked_s = max(self._in_vain, self._resumed_in_vain), 0.0
        while True:
            await asyncio.sleep(max(asked_s, random.random() * longest_wait_s(tries)))
            if self._in_vain and self._now() >= deadline_s:
                raise ConnectionLost("The server ends every new session at once: its log says why.")
            try:
                return await self._open(self._query())
            except ConnectionFailed as failed:
                if failed.code == "invalid_api_key" or self._now() >= deadline_s:
                    raise ConnectionLost(str(failed), failed.code) from None
                # Not beyond the end: who asks once more then may still be let in
                asked_s = min(failed.retry_after_s or 0.0, max(0.0, deadline_s - self._now()))
            tries += 1

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _query(self) -> dict[str, Any]:
        if self._log.session_id is None:
            return {}
        at: dict[str, Any] = {}
        if (played := self._conversation.position) is not None:
            at = {"item_id": played.part.item_id, "played_ms": played.played_ms}
            if received_ms := self._conversation._arrived_ms(played.part):
                at["received_ms"] = received_ms
        return {"resume": self._log.session_id, "last_seq": self._log.last_seq, **at}

    async def _go_on(self, socket: WatchedSocket, first: Event) -> None:
        if first["type"] == "session.resumed":
            rest = self._log.resumed(
                first["input_audio_ms"], first["last_event_id"], restored=first.get("restored", False)
            )
            before: list[Event] = []
            self._built_s, resumed = float("-inf"), True
        else:
            rest, before = self._rebuilt(first)
            self._built_s, self._in_vain, resumed = self._now(), self._in_vain + 1, False
        self._conversation._on_new_socket(socket, [*before, first])
        self._waiting = deque(rest)
        while self._waiting:
            entry = self._waiting[0]
            message = self._conversation._appended(entry.pcm) if isinstance(entry, SentAudio) else entry.text
            await socket.send(message)
            self._waiting.popleft()
        self._waiting = None
        self._resumed_s = self._now() if resumed else float("-inf")

    def _rebuilt(self, first: Event) -> tuple[list[Sent], list[Event]]:
        """What the new session has to be sent, and the events that end what the old one left open."""
        unsent = [
            msgspec.json.decode(entry.text) for entry in self._log.rest() if isinstance(entry, SentEvent)
        ]
        endings = self._known.endings()
        repeated, heard = self._log.begin(first["session"])
        asked = any(isinstance(entry, SentEvent) and entry.type == "response.create" for entry in heard)
        events = self._known.recreate(
            self._conversation.session,
            unsent,
            repeated,
            asked=asked,
            arrived_ms=self._conversation._arrived_ms,
        )
        # If this socket is lost as well, all of it is due again
        self._known = self._known.fresh([*events, *([{"type": "response.create"}] if asked else [])])
        self._log.is_new(first.get("seq"))
        rest = [*(self._named_event(event) for event in events), *heard]
        for entry in rest:  # in the order in which the server receives them
            self._log.sent(entry)
        return rest, endings

    def _named_event(self, event: Event) -> SentEvent:
        self._named += 1
        name = f"client_{self._named}"
        return SentEvent(name, msgspec.json.encode({**event, "event_id": name}).decode(), event["type"])
