"""What a client remembers to go on with its session on a new socket (docs/wire.md 6.6).

The number of the last message that came, and what was sent that the server may not have received: the newest 30 s of
audio and 500 events, in order. Pure: knows no socket and no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .unheard import COMMIT, Unheard

KEEP_S = 30
MAX_EVENTS = 500
MAX_BYTES = 4 << 20  # of events
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class SentAudio:
    """What one append held: 16-bit mono PCM."""

    pcm: bytes

    @property
    def samples(self) -> int:
        return len(self.pcm) // SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class SentEvent:
    """One client event. `text` is what to send again: nothing, if it would be worth nothing later."""

    event_id: str
    text: str = ""
    type: str = ""


Sent = SentAudio | SentEvent


class Resuming:
    """`session_id` is that of the session that can be resumed, or None."""

    def __init__(self, rate: int) -> None:
        self.session_id: str | None = None
        self.last_seq = 0
        self._rate = rate
        self._log: deque[Sent] = deque()
        self._end = 0  # samples of the session up to the end of the log
        self._samples = self._bytes = self._events = 0  # in the log
        self._unheard = Unheard(rate)

    def __repr__(self) -> str:
        return f"<Resuming {self.session_id} after {self.last_seq}, {len(self._log)} kept>"

    def is_new(self, seq: int | None) -> bool:
        """A message came. False if it came before, on an older socket."""
        self._unheard.sign(self._end)
        if seq is None or self.session_id is None:
            return True
        if seq <= self.last_seq:
            return False
        self.last_seq = seq
        return True

    def sent(self, entry: Sent) -> None:
        """Keep what is sent now, or as soon as there is a socket."""
        if isinstance(entry, SentAudio):
            self._end += entry.samples
        else:
            self._unheard.sent(entry.type, entry.event_id, self._end)
        self._add(entry)

    def follow(self, event: Mapping[str, Any]) -> None:
        """Learn from an event of the server what it knows of the user's speech."""
        match event:
            case {"type": "session.updated" | "session.resumed", "session": session}:
                if "resume" not in (session.get("extensions") or ()):
                    self.session_id = None
        self._unheard.follow(event)

    def resumed(
        self, input_audio_ms: int, last_event_id: str | None, *, restored: bool = False
    ) -> list[Sent]:
        """The session goes on. Returns what it has not received, in order.

        `restored`: by another server, which may want audio again from before an event that it knows.
        """
        log, begin = list(self._log), self._end - self._samples
        received = self._received(begin, input_audio_ms)
        if restored:
            log = _without_known(log, last_event_id)
            last_event_id = None
        at, done, cut = begin, 0, b""
        for index, entry in enumerate(log):
            if isinstance(entry, SentEvent):
                if entry.event_id == last_event_id:
                    done, cut = index + 1, b""
                continue
            if at < received:
                done, cut = index + 1, entry.pcm[(received - at) * SAMPLE_BYTES :]
            at += entry.samples
        self._keep([*([SentAudio(cut)] if cut else []), *log[done:]])
        self._end = received + self._samples
        return self.rest()

    def begin(self, session: Mapping[str, Any]) -> tuple[list[str], list[Sent]]:
        """A new session, which knows nothing, and to which nothing has been sent.

        Returns the ids of the user's items that have no text yet, and what the new session should hear: their audio,
        and what the old session may not have received, with the commits in their places.
        """
        items, rest, unheard = self._unheard.items, self._to_hear(), self._unheard.fresh()
        self.__init__(self._rate)  # type: ignore[misc]
        self._unheard = unheard
        if "resume" in (session.get("extensions") or ()):
            self.session_id = str(session["id"])
        return items, rest

    def _to_hear(self) -> list[Sent]:
        begins_at, at = self._unheard.begins_at, self._end - self._samples
        rest: list[Sent] = []
        committed = False
        for entry in self._log:
            match entry:
                case SentAudio():
                    at += entry.samples
                    wanted = at > begins_at
                case SentEvent(type="input_audio_buffer.clear"):
                    wanted = bool(rest)
                case SentEvent(type="response.create"):
                    wanted = committed
                case SentEvent(type="response.cancel" | "output_audio_buffer.clear", text=text):
                    wanted = False
                    if "response_id" not in text:  # what was asked for before is not wanted any more
                        rest = [
                            kept
                            for kept in rest
                            if isinstance(kept, SentAudio) or kept.type != "response.create"
                        ]
                case SentEvent(type=kind):
                    wanted = kind == COMMIT and bool(rest) and self._unheard.is_pending(entry.event_id)
                    committed |= wanted
            if wanted:
                rest.append(entry)
        return rest

    def ended(self) -> None:
        """The server has ended the session; what it has not heard is kept for the next one."""
        self.session_id = None

    def rest(self) -> list[Sent]:
        """What is kept and worth sending."""
        return [entry for entry in self._log if isinstance(entry, SentAudio) or entry.text]

    def _received(self, begin: int, ms: int) -> int:
        """The server tells whole milliseconds; it has received whole messages."""
        each = self._rate / 1000
        ends = [begin]
        for entry in self._log:
            if isinstance(entry, SentAudio):
                ends.append(ends[-1] + entry.samples)
        fitting = [end for end in ends if ms * each <= end < (ms + 1) * each]
        return fitting[-1] if fitting else int(ms * each)

    def _keep(self, entries: Sequence[Sent]) -> None:
        self._log.clear()
        self._samples = self._bytes = self._events = 0
        for entry in entries:
            self._add(entry)

    def _add(self, entry: Sent) -> None:
        self._log.append(entry)
        self._count(entry, 1)
        while (audio := self._samples > KEEP_S * self._rate) or (
            self._events > MAX_EVENTS or self._bytes > MAX_BYTES
        ):
            kind = SentAudio if audio else SentEvent
            oldest = next(entry for entry in self._log if isinstance(entry, kind))
            self._log.remove(oldest)
            self._count(oldest, -1)

    def _count(self, entry: Sent, sign: int) -> None:
        if isinstance(entry, SentAudio):
            self._samples += sign * entry.samples
        else:
            self._events += sign
            self._bytes += sign * len(entry.text)


def _without_known(log: list[Sent], last_event_id: str | None) -> list[Sent]:
    """The log without the events that the server has, the last of them this one."""
    ids = [entry.event_id if isinstance(entry, SentEvent) else None for entry in log]
    known = ids.index(last_event_id) if last_event_id is not None and last_event_id in ids else -1
    return [entry for index, entry in enumerate(log) if isinstance(entry, SentAudio) or index > known]
