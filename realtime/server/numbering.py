"""The messages of one session to its client: numbered, and kept as long as they may have to be sent again.

What is kept is `replay.py`; binary frames are `audio_streams.py`. Knows no connection, only whether there is one.
"""

from __future__ import annotations

import asyncio
import itertools

from msgspec.structs import replace

from realtime.core.playback import UNTOLD_S
from realtime.deadlines import Alarm
from realtime.outbox import Outgoing
from realtime.protocol.codec import encode_bytes
from realtime.protocol.server_events import ResponseOutputAudioDelta, ServerEvent, SessionResumed
from realtime.server.audio_streams import AudioStreams
from realtime.server.replay import AFTER_PLAYED_S, ReplayBuffer, Sent, sent_event
from realtime.server.restoring import Restored
from realtime.session.session import Session
from realtime.weak_calls import weak_call

FORGET_EVERY_S = 2.0  # sound that is kept for a lost connection, and over


class Numbering:
    """`attached`: whether a connection takes the messages now. `seq`: the number of the last one."""

    def __init__(self, session: Session, *, binary: bool) -> None:
        self.attached = False
        self.seq = 0
        self.replay = ReplayBuffer()
        self._session = session
        self._streams = AudioStreams() if binary else None
        self._forgetting = Alarm(weak_call(self._forget_played))
        self._resumptions = itertools.count(1)

    def __repr__(self) -> str:
        return f"<Numbering {self.seq}, {self.replay!r}>"

    def go_on(self, restored: Restored) -> None:
        """The numbers go on after those of the server before."""
        self.seq = restored.last_seq
        self.replay.begin_after(restored.last_seq)
        reply, config = restored.snapshot.reply, self._session.config
        if self._streams is not None:
            ended = reply is None or 0 < reply.done_seq <= restored.last_seq
            number, item_id = (0, None) if reply is None or ended else (reply.stream, reply.item_id)
            format = config.output_format.to_wire()["type"]
            self._streams.go_on(restored.snapshot.streams, item_id, number, restored.position.sent_ms, format)

    @property
    def last_stream(self) -> int:
        """The last number of a binary stream."""
        return 0 if self._streams is None else self._streams.last

    def stream_of(self, item_id: str | None) -> int:
        """The number of this item's stream, if it is open or the last one that ended; else 0."""
        return 0 if self._streams is None else self._streams.number_of(item_id)

    # -- sending ---------------------------------------------------------------------------------------------------

    def number(self, outgoing: Outgoing) -> list[Sent]:
        """The messages for this event, numbered and kept for replay. If one cannot be written no number is used."""
        messages: list[ServerEvent | bytes] = [outgoing.event]
        if self._streams is not None:
            messages = self._streams.messages(outgoing.event, self.seq + 1)
        resumable = self._session.config.has("resume")
        numbered = [
            self._encode(message, seq, outgoing, resumable)
            for seq, message in enumerate(messages, self.seq + 1)
        ]
        self.seq += len(numbered)
        if resumable:
            for sent in numbered:
                self.replay.keep(sent, self._now())
            self._forget_soon()
        else:
            self.replay.clear()  # also one that is empty: it knows the last number, and misses the ones from here on
        return numbered

    def _encode(self, message: ServerEvent | bytes, seq: int, outgoing: Outgoing, with_seq: bool) -> Sent:
        audio_ms, sound = outgoing.audio_ms, outgoing.event
        if isinstance(message, bytes):
            item_id = sound.item_id if audio_ms and isinstance(sound, ResponseOutputAudioDelta) else None
            return Sent(seq, message, binary=True, audio_ms=audio_ms, item_id=item_id)
        if with_seq and isinstance(message, ResponseOutputAudioDelta):
            return sent_event(message, seq, audio_ms)
        data = encode_bytes(message, f"event_{seq}", seq if with_seq else None)
        return Sent(seq, data, audio_ms=audio_ms)

    # -- forgetting ------------------------------------------------------------------------------------------------

    def _forget_soon(self) -> None:
        """As long as a client is there and sound is kept, look at it again."""
        if self.replay.audio_ms and self.attached and self._forgetting.when_s is None:
            self._forgetting.set_in(FORGET_EVERY_S)

    def _forget_played(self) -> None:
        """Keep no sound that is over. A client that tells what it has played may tell nothing of some of it."""
        tells = self._session.config.has("playback")
        self.replay.supposed(self._now(), UNTOLD_S if tells else AFTER_PLAYED_S)
        self._forget_soon()

    def stop_forgetting(self) -> None:
        """Nobody is there any more: nothing is played."""
        self._forgetting.cancel()

    # -- sending again ---------------------------------------------------------------------------------------------

    def missed(self, last_seq: int) -> tuple[Sent, ...]:
        """All messages after number `last_seq`, which are on their way again. Raises Gap."""
        missed = self.replay.after(last_seq)
        self.replay.received(last_seq)
        self.replay.sent_again(self._now())
        self._forget_soon()
        return missed

    def has_missed(self, last_seq: int) -> bool:
        """Whether all messages after this number can be sent again."""
        return self.replay.has(last_seq)

    def resumed(self, last_seq: int, last_event_id: str | None, *, restored: bool = False) -> Sent:
        """The first message on the new socket. `restored`: the client is told that another server has begun it."""
        event = self._event(last_seq, last_event_id)
        return self._first(replace(event, restored=True) if restored else event)

    def restored(self, last_event_id: str | None) -> Sent:
        """The first message to a client whose session another server has begun."""
        return self.resumed(self.seq, last_event_id, restored=True)

    def _event(self, last_seq: int, last_event_id: str | None) -> SessionResumed:
        return SessionResumed(
            session=self._session.session_object(),
            from_seq=last_seq + 1,
            input_audio_ms=self._session.input_audio_ms,
            last_event_id=last_event_id,
        )

    def _first(self, event: SessionResumed) -> Sent:
        return Sent(0, encode_bytes(event, f"event_resumed_{next(self._resumptions)}"))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
