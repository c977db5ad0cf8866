"""The last messages to a client, kept to send them again on a new socket (docs/wire.md 6.6).

Keeps numbered messages and returns those after a number. Sound is kept once, as it is; its JSON is made again when
somebody asks for it. What the client has surely received is dropped: sound that it says it has played, and what came
before that; without its word, sound that must have been played for a while. So the limits are for bad days: sound is
made at most 12 s ahead of the listener (docs/architecture.md 2.2). Knows no socket and no clock: time is an argument.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from realtime.protocol.codec import encode_bytes
from realtime.protocol.server_events import ResponseOutputAudioDelta

MAX_AUDIO_MS = 30_000.0
MAX_BYTES = 1_000_000  # 20 s at 24 kHz: 12 s ahead of the listener, 5 s after, and some more
AFTER_PLAYED_S = 5.0  # a player that tells nothing may be so late
MAX_ITEMS = 64  # whose sound may go on


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """The values of `?resume=sess_A1&last_seq=812&item_id=item_A6&played_ms=620`."""

    session_id: str
    last_seq: int | None  # None: missing, or not a number
    item_id: str | None = None
    played_ms: int = 0
    received_ms: int | None = None  # how much audio of this item has arrived


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as it was sent. `seq` counts the messages of a session from 1; 0 is not counted.

    `item_id` is the item whose sound it holds. `event` can make the data again.
    """

    seq: int
    data: bytes  # a binary frame, or UTF-8 JSON
    binary: bool = False
    audio_ms: float = 0.0
    item_id: str | None = None
    event: ResponseOutputAudioDelta | None = None


def sent_event(event: ResponseOutputAudioDelta, seq: int, audio_ms: float) -> Sent:
    """A message of sound for a client that takes JSON and asked for `resume`."""
    data = encode_bytes(event, f"event_{seq}", seq)
    return Sent(seq, data, audio_ms=audio_ms, item_id=event.item_id, event=event)


def lengths_ms(messages: Iterable[Sent]) -> dict[str, float]:
    """How much sound of each item is in these messages."""
    lengths: dict[str, float] = {}
    for message in messages:
        if message.item_id is not None:
            lengths[message.item_id] = lengths.get(message.item_id, 0.0) + message.audio_ms
    return lengths


@dataclass(slots=True)
class _Kept:
    """A message, or the event that makes it. `end_ms`: where its sound ends in the item. `played_s`: when that was
    played, at the latest, by a player that plays without a pause."""

    seq: int
    data: bytes | ResponseOutputAudioDelta
    binary: bool
    audio_ms: float
    item_id: str | None
    end_ms: float = 0.0
    played_s: float = 0.0

    @property
    def size_bytes(self) -> int:
        return len(self.data) if isinstance(self.data, bytes) else len(self.data.delta)

    def message(self) -> Sent:
        if isinstance(self.data, bytes):
            return Sent(self.seq, self.data, self.binary, self.audio_ms, self.item_id)
        return sent_event(self.data, self.seq, self.audio_ms)


class Gap(Exception):
    """Some messages after this number are not in the buffer."""


class ReplayBuffer:
    """The newest messages of one session, without gaps."""

    def __init__(self, *, max_audio_ms: float = MAX_AUDIO_MS, max_bytes: int = MAX_BYTES) -> None:
        self._max_audio_ms = max_audio_ms
        self._max_bytes = max_bytes
        self._kept: deque[_Kept] = deque()
        self._audio_ms = 0.0
        self._bytes = 0
        self._last_seq: int | None = None
        self._end_ms: dict[str, float] = {}  # of the sound of each item, the latest one last
        self._played_s = float("-inf")  # when all sound was played, at the latest

    def __repr__(self) -> str:
        return f"<ReplayBuffer {len(self._kept)} messages, {self._bytes} bytes, {self._audio_ms:.0f} ms of audio>"

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size_bytes(self) -> int:
        return self._bytes

    @property
    def audio_ms(self) -> float:
        return self._audio_ms

    def keep(self, message: Sent, now_s: float = 0.0) -> None:
        """Add the next message. Raises ValueError if its number does not follow the last one."""
        if self._last_seq is not None and message.seq != self._last_seq + 1:
            raise ValueError(f"message {message.seq} does not follow {self._last_seq}")
        self._last_seq = message.seq
        data = message.data if message.event is None else message.event
        kept = _Kept(message.seq, data, message.binary, message.audio_ms, message.item_id)
        self._place(kept, now_s)
        self._kept.append(kept)
        self._bytes += kept.size_bytes
        self._audio_ms += kept.audio_ms
        while self._kept and (self._bytes > self._max_bytes or self._audio_ms > self._max_audio_ms):
            self._drop_oldest()

    def _place(self, kept: _Kept, now_s: float) -> None:
        """Where its sound ends, and when it is played."""
        if kept.item_id is None:
            return
        kept.end_ms = self._end_ms.pop(kept.item_id, 0.0) + kept.audio_ms
        self._end_ms[kept.item_id] = kept.end_ms
        if len(self._end_ms) > MAX_ITEMS:  # answers may sound in turn, so the last item is not the only one
            del self._end_ms[next(iter(self._end_ms))]
        kept.played_s = self._played_s = max(self._played_s, now_s) + kept.audio_ms / 1000

    def _drop_oldest(self) -> None:
        oldest = self._kept.popleft()
        self._bytes -= oldest.size_bytes
        self._audio_ms -= oldest.audio_ms
        if not self._kept:
            self._audio_ms = 0.0  # remove rounding errors

    def begin_after(self, seq: int) -> None:
        """The messages up to this number were another server's."""
        self._last_seq = seq

    # -- what the client has received --------------------------------------------------------------------------------

    def played(self, item_id: str, played_ms: float) -> None:
        """The client says that it has played so much of this item: it has that, and all that came before it."""
        seq = 0
        for kept in self._kept:
            if kept.item_id == item_id:
                if kept.end_ms > played_ms:
                    break
                seq = kept.seq
        self.received(seq)

    def supposed(self, now_s: float, after_s: float = AFTER_PLAYED_S) -> None:
        """Drop the sound that must have been played so long ago. UNTOLD_S for a client that tells what it plays."""
        seq = 0
        for kept in self._kept:
            if kept.item_id is not None:
                if kept.played_s + after_s > now_s:
                    break
                seq = kept.seq
        self.received(seq)

    def received(self, seq: int) -> None:
        """The client has all messages up to this number."""
        while self._kept and self._kept[0].seq <= seq:
            self._drop_oldest()

    def paused(self, seconds: float) -> None:
        """Nobody was there for so long: nothing was played meanwhile."""
        self._played_s += seconds
        for kept in self._kept:
            kept.played_s += seconds

    def sent_again(self, now_s: float) -> None:
        """All that is kept is on its way again: it is played from now on, at the earliest."""
        end_s = now_s
        for kept in self._kept:
            if kept.item_id is not None:
                end_s = kept.played_s = max(kept.played_s, end_s + kept.audio_ms / 1000)
        self._played_s = max(self._played_s, end_s)

    # -- reading -----------------------------------------------------------------------------------------------------

    def has(self, seq: int) -> bool:
        """Whether all messages after this number are here, and the number was sent."""
        if self._last_seq is None or not 0 <= seq <= self._last_seq:
            return False
        return self._last_seq - seq <= len(self._kept)

    def after(self, seq: int) -> tuple[Sent, ...]:
        """All messages after this number, in order. Raises Gap if one is missing or the number was not sent yet."""
        if not self.has(seq) or self._last_seq is None:
            raise Gap(seq)
        return tuple(kept.message() for kept in self._kept if kept.seq > seq)

    def clear(self) -> None:
        """Remove everything, also the last number."""
        self._kept.clear()
        self._end_ms.clear()
        self._audio_ms, self._bytes, self._last_seq = 0.0, 0, None
