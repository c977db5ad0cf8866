"""Audio deltas as binary frames, for clients that negotiated `realtime.bin.v1` (docs/wire.md 6.2).

Gives every open audio part a stream number and turns each event into messages. Knows no socket.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from realtime.protocol.framing import MAX_STREAM, encode_frame
from realtime.protocol.objects import AudioPart
from realtime.protocol.server_events import (
    ResponseContentPartAdded,
    ResponseCreated,
    ResponseDone,
    ResponseOutputAudioDelta,
    ResponseOutputAudioDone,
    ServerEvent,
)

_BYTES_PER_S = {"audio/pcm": 48_000, "audio/pcmu": 8_000, "audio/pcma": 8_000}


@dataclass(slots=True)
class _Stream:
    number: int
    bytes_per_s: int
    sent_bytes: int = 0

    def frame(self, payload: bytes, seq: int, *, end: bool = False) -> bytes:
        start_ms = self.sent_bytes * 1000 // self.bytes_per_s
        frame = encode_frame(payload, stream=self.number, seq=seq, start_ms=start_ms, end=end)
        self.sent_bytes += len(payload)
        return frame


class AudioStreams:
    """The open streams of one connection."""

    def __init__(self) -> None:
        self._open: dict[str, _Stream] = {}  # by item id
        self._ended = ("", 0)  # the last one: its item and its number
        self._bytes_per_s: dict[str, int] = {}  # by response id
        self._last = 0

    @property
    def last(self) -> int:
        """The number that was given last."""
        return self._last

    def number_of(self, item_id: str | None) -> int:
        """Of the stream of this item, if it is open or the last one that ended; else 0."""
        stream = self._open.get(item_id or "")
        if stream is not None:
            return stream.number
        return self._ended[1] if item_id == self._ended[0] else 0

    def go_on(self, last: int, item_id: str | None, number: int, sent_ms: float, format: str) -> None:
        """Another server has given these numbers, and this stream is still open (0: none)."""
        self._last = last
        if item_id is not None and number:
            per_s = _BYTES_PER_S[format]
            self._open[item_id] = _Stream(number, per_s, int(sent_ms * per_s / 1000))

    def messages(self, event: ServerEvent, next_seq: int) -> list[ServerEvent | bytes]:
        """The messages to send for this event, in order: frames as bytes, everything else as an event.

        `next_seq` is the number of the first message; frames carry it in their header.
        """
        match event:
            case ResponseCreated(response=response):
                if response.audio is not msgspec.UNSET:
                    self._bytes_per_s[response.id] = _BYTES_PER_S[response.audio.output.format["type"]]
            case ResponseDone(response=response):
                self._bytes_per_s.pop(response.id, None)
            case ResponseContentPartAdded(part=AudioPart(), item_id=item_id, response_id=response_id):
                stream = _Stream(self._free_number(), self._bytes_per_s[response_id])
                self._open[item_id] = stream
                return [msgspec.structs.replace(event, stream=stream.number)]
            case ResponseOutputAudioDelta(item_id=item_id, delta=delta):
                return [self._open[item_id].frame(delta, next_seq)]
            case ResponseOutputAudioDone(item_id=item_id):
                ended = self._open.pop(item_id, None)
                if ended is None:  # of a reply that another server had begun: the client knows of its end
                    return [event]
                self._ended = (item_id, ended.number)
                return [ended.frame(b"", next_seq, end=True), event]
        return [event]

    def _free_number(self) -> int:
        taken = {stream.number for stream in self._open.values()}
        while True:
            self._last = self._last % MAX_STREAM + 1
            if self._last not in taken:
                return self._last
