"""What a client remembers to go on with its session on a new socket (docs/wire.md 6.6).

The number of the last message that came, and what was sent that the server may not have received: the newest 30 s of
audio and 500 events, in order. Pure: knows no socket and no clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.core.audio import ms_to_samples, samples_to_ms

KEEP_S = 30
MAX_EVENTS = 500
MAX_BYTES = 4 << 20  # of events
ONSET_MS = 1000  # speech that began so long before a sign of life may not have been noticed yet
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
        self._speech: dict[str, int] = {}  # items of the user without text, and where they begin, in ms
        self._answered_ms = 0  # the end of the user's last whole utterance
        self._sign_at = 0  # samples sent when the server last gave a sign of life

    def __repr__(self) -> str:
        return f"<Resuming {self.session_id} after {self.last_seq}, {len(self._log)} kept>"

    @property
    def full(self) -> bool:
        """Whether no event more can wait for a new socket."""
        return self._events >= MAX_EVENTS or self._bytes >= MAX_BYTES

    def is_new(self, seq: int | None) -> bool:
        """A message came. False if it came before, on an older socket."""
        self._sign_at = self._end
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
        self._add(entry)

    def follow(self, event: Mapping[str, Any]) -> None:
        """Learn from an event of the server what it knows of the user's speech."""
        match event:
            case {"type": "session.updated" | "session.resumed", "session": session}:
                if "resume" not in (session.get("extensions") or ()):
                    self.session_id = None
            case {"type": "input_audio_buffer.speech_started", "item_id": item_id}:
                self._speech[item_id] = int(event.get("audio_start_ms") or 0)
            case {"type": "input_audio_buffer.speech_stopped", "audio_end_ms": int(end_ms)}:
                self._answered_ms = max(self._answered_ms, end_ms)
            case {"type": "input_audio_buffer.cleared"}:
                self._speech.clear()
            case {
                "type": "conversation.item.deleted"
                | "conversation.item.input_audio_transcription.completed"
                | "conversation.item.input_audio_transcription.failed",
                "item_id": item_id,
            }:
                self._speech.pop(item_id, None)

    def resumed(self, input_audio_ms: int, last_event_id: str | None) -> list[Sent]:
        """The session goes on. Returns what it has not received, in order."""
        log, begin = list(self._log), self._end - self._samples
        received = self._received(begin, input_audio_ms)
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

    def begin(self, session: Mapping[str, Any]) -> list[str]:
        """A new session, which knows nothing: keep the audio that it should hear.

        That is what was said and not transcribed, or what the old session may not have received. Returns the ids of the
        user's items whose audio that is.
        """
        items, from_sample = list(self._speech), self._unheard_from()
        at, audio = self._end - self._samples, []
        for entry in self._log:
            if isinstance(entry, SentAudio):
                at += entry.samples
                if at > from_sample:
                    audio.append(entry)
        self.__init__(self._rate)  # type: ignore[misc]
        self._keep(audio)
        self._end = self._samples
        if "resume" in (session.get("extensions") or ()):
            self.session_id = str(session["id"])
        return items

    def ended(self) -> None:
        """The server has ended the session; what it has not heard is kept for the next one."""
        self.session_id = None

    def rest(self) -> list[Sent]:
        """What is kept and worth sending."""
        return [entry for entry in self._log if isinstance(entry, SentAudio) or entry.text]

    def _unheard_from(self) -> int:
        if self._speech:
            return ms_to_samples(min(self._speech.values()), self._rate)
        sign_ms = samples_to_ms(self._sign_at, self._rate)
        return ms_to_samples(max(self._answered_ms, sign_ms - ONSET_MS), self._rate)

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
