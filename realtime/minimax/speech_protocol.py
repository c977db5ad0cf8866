"""The protocols of the speech sockets as state machines, without I/O: frames in, results out, and frames to send.

`SpeechProtocol` is the ordinary socket, `BidiProtocol` the one that can be cancelled (docs/minimax/t2a-websocket.md
1 to 3). Both assign all audio to its chunk. Neither knows sockets, clocks or retries.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import msgspec

from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.codes import SOFT_CODES
from realtime.minimax.errors import code_of, error_for_code, find_error, trace_of
from realtime.minimax.json_text import decode_json
from realtime.minimax.reading import reading
from realtime.minimax.results import decimal, mapping
from realtime.minimax.speech_chunk import ChunkDecoder as ChunkDecoder  # part of this module's surface
from realtime.minimax.speech_chunk import ChunkEnd as ChunkEnd
from realtime.minimax.speech_chunk import ReceivedAudio as ReceivedAudio
from realtime.minimax.speech_chunk import SpeechResult as SpeechResult
from realtime.minimax.speech_chunk import WordTimes as WordTimes
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_ends import AGREE_MS, TextEnds, speaks_of_next
from realtime.minimax.speech_format import check_format


class Phase(Enum):
    """The state of the connection (docs/minimax/t2a-websocket.md 3)."""

    CONNECTING = "connecting"  # until connected_success
    READY = "ready"  # until task_start is sent
    STARTING = "starting"  # until task_started
    OPEN = "open"
    CANCELLING = "cancelling"  # bidi: until task_canceled
    FINISHING = "finishing"
    CLOSED = "closed"


class SpeechProtocol:
    """The ordinary socket. Every `is_final` ends the oldest chunk that is still open.

    `receive` raises ProviderError once the session is lost; `phase` is CLOSED from then on.
    """

    def __init__(self, config: SpeechConfig) -> None:
        self.phase = Phase.CONNECTING
        self.trace_id: str | None = None
        self._config = config
        self._next_chunk = 0
        self._open: deque[ChunkDecoder] = deque()
        self._ends = TextEnds(config.speed)
        self.doubtful = False  # it has miscounted its texts: use it no longer than for those it has

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.phase.value} pending={self.pending}>"

    @property
    def pending(self) -> int:
        """Number of chunks that are not finished."""
        return len(self._open)

    def start(self) -> str:
        """The frame that opens the task, after `connected_success`."""
        self._expect(Phase.READY)
        self.phase = Phase.STARTING
        return _frame(self._config.start_event())

    def say(self, text: str) -> tuple[int, list[str]]:
        """The number of this chunk, and the frames to send now."""
        self._expect(Phase.OPEN)
        chunk = self._next_chunk
        self._next_chunk += 1
        self._open.append(ChunkDecoder(chunk, text, raw_pcm=self._config.raw_pcm, rate=self._config.rate))
        return chunk, [_frame({"event": "task_continue", "text": text})]

    def finish(self) -> str:
        """The frame that ends the task. Call it only when nothing is pending: the platform may drop queued texts."""
        self._expect(Phase.OPEN)
        self.phase = Phase.FINISHING
        return _frame({"event": "task_finish"})

    def receive(self, message: str | bytes) -> list[SpeechResult]:
        """The results in one frame. Raises ProviderError when the session is lost."""
        try:
            with reading("a frame of the speech socket"):
                return self._receive(self._decode(message))
        except ProviderError as error:
            self.phase = Phase.CLOSED
            error.trace_id = error.trace_id or self.trace_id
            raise

    def _receive(self, frame: Mapping[str, Any]) -> list[SpeechResult]:
        self.trace_id = trace_of(frame) or self.trace_id
        code = code_of(frame)
        if code in SOFT_CODES:
            return self._skip()
        self._raise_failure(frame, code)
        # Audio frames may come without `event`, so the other fields decide.
        if isinstance(frame.get("data"), dict) or "is_final" in frame:
            return self._continued(frame)
        return self._event(str(frame.get("event") or ""))

    def fall_silent(self) -> list[SpeechResult]:
        """Nothing comes any more: the ends of the texts that lack nothing else, or nothing if sound is missing.

        After such an end nothing is received here any more: `phase` is CLOSED.
        """
        spoken = self._being_spoken()
        if self.phase is not Phase.OPEN or not spoken or not self._ends.all_received(spoken):
            return []
        self.doubtful, self.phase = True, Phase.CLOSED
        for _ in spoken:
            self._open.popleft()
        return [ChunkEnd(each.chunk, each.audio_ms or 0.0, trace_id=self.trace_id) for each in spoken]

    @property
    def expected_ms(self) -> Callable[[str], float] | None:
        """How long this voice should need for a text, as earlier texts show; None before a text has ended."""
        return self._ends.expected_ms

    def _being_spoken(self) -> list[ChunkDecoder]:
        """The chunks whose sound must have come by now, if they lack nothing but their ends."""
        return list(self._open)

    def take_unsent(self) -> list[str]:
        """Frames to send because of what was received. Always empty on the ordinary socket."""
        return []

    def _decode(self, message: str | bytes) -> Mapping[str, Any]:
        try:
            frame = decode_json(message)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable("MiniMax: the speech socket sent broken JSON.") from error
        return frame if isinstance(frame, dict) else {}

    def _raise_failure(self, frame: Mapping[str, Any], code: int) -> None:
        failed: ProviderError | None = None
        if code:
            failed = find_error(frame)
        elif frame.get("event") in ("task_failed", "error"):
            text = str(frame.get("message") or frame.get("error") or "")
            limited = "rate limit" in text.lower()
            failed = error_for_code(1002 if limited else 1000, text, trace_id=self.trace_id)
        if failed is not None:
            raise failed

    def _event(self, event: str) -> list[SpeechResult]:
        match event, self.phase:
            case "connected_success", Phase.CONNECTING:
                self.phase = Phase.READY
            case "task_started", Phase.STARTING:
                self.phase = Phase.OPEN
            case "task_finished", _:
                self.phase = Phase.CLOSED
        return []

    def _continued(self, frame: Mapping[str, Any]) -> list[SpeechResult]:
        if not self._open:
            return []
        self._check_text(frame)
        results = self._open[0].feed(frame.get("data"))
        check_format(frame.get("extra_info"), self._config, self._open[0].audio_ms or 0.0)
        if frame.get("is_final") is True:
            results += self._end(frame)
        return results

    def _check_text(self, frame: Mapping[str, Any]) -> None:
        """Raises ProviderUnavailable when the next text is spoken although the oldest one has not ended."""
        data = frame.get("data")
        if len(self._open) < 2 or not isinstance(data, dict):
            return
        if speaks_of_next(data.get("subtitle"), self._open[0], self._open[1]):
            raise ProviderUnavailable(
                "MiniMax: the speech service lost count of the texts: the end of one never came.",
            )

    def _end(self, frame: Mapping[str, Any]) -> list[SpeechResult]:
        """The ends that this final frame tells of: one, unless the platform has miscounted."""
        count = self._ended(frame.get("extra_info"))
        done = [self._open.popleft() for _ in range(count)]
        silent = self._ends.silent
        return [ChunkEnd(each.chunk, _audio_ms(frame), silent, self.trace_id) for each in done]

    def _ended(self, info: Any) -> int:
        """How many of the open chunks an end closes. Raises ProviderUnavailable if it is none of theirs."""
        count = self._ends.judge(info, tuple(self._open))
        self.doubtful = self.doubtful or count != 1
        return count

    def _skip(self) -> list[SpeechResult]:
        if not self._open:
            return []
        self._ends.skipped()
        return [ChunkEnd(self._open.popleft().chunk, skipped=True, trace_id=self.trace_id)]

    def _expect(self, phase: Phase) -> None:
        if self.phase is not phase:
            raise ProviderUnavailable(f"The speech connection is {self.phase.value}, not {phase.value}.")


class BidiProtocol(SpeechProtocol):
    """The socket that can be cancelled. A chunk is sent as its text and a flush; `task_flushed` ends it.

    The platform splits the text into sentences itself, so `is_final` does not mark the end of a chunk. The next chunk
    is sent only after the flush of the one before (docs/minimax/t2a-websocket.md 2).
    """

    def __init__(self, config: SpeechConfig) -> None:
        super().__init__(config)
        self._waiting: deque[str] = deque()
        self._audio_ms = 0.0  # of the finished sentences of this chunk
        self._in_sentence = False  # sound came since the last end of a sentence
        self._late_finals = 0  # of sentences whose end was told otherwise
        self._agreed = False  # final frames have told the length of what was received
        self._marked = False  # the platform tells where sentences begin and end
        self._soft = False  # the platform has refused this chunk, so no sound need come
        self._unsent: list[str] = []
        self._stale_flush = False  # sent before an interruption, and perhaps answered after it

    def say(self, text: str) -> tuple[int, list[str]]:
        chunk, _ = super().say(text)
        if self.pending > 1:
            self._waiting.append(text)
            return chunk, []
        return chunk, _flushed_frames(text)

    def cancel(self) -> str:
        """Drop all queued texts. Audio is discarded until `task_canceled`."""
        self._expect(Phase.OPEN)
        self.phase = Phase.CANCELLING
        self._stale_flush = self._stale_flush or bool(self._open)
        self._open.clear()
        self._waiting.clear()
        self._unsent.clear()
        return _frame({"event": "task_cancel"})

    def _being_spoken(self) -> list[ChunkDecoder]:
        """The oldest, as the others are not sent yet; none inside a sentence, whose end would have been told."""
        return [] if self._marked and self._in_sentence else list(self._open)[:1]

    def take_unsent(self) -> list[str]:
        due, self._unsent = self._unsent, []
        return due

    def _event(self, event: str) -> list[SpeechResult]:
        match event, self.phase:
            case "task_canceled", Phase.CANCELLING:
                self.phase = Phase.OPEN
                self._audio_ms, self._in_sentence, self._soft = 0.0, False, False
                return []
            case "sentence_start" | "sentence_end", _:
                self._sentence_mark(event)
                return []
            case "task_flushed", Phase.CANCELLING:
                self._stale_flush = False
                return []
            case "task_flushed", Phase.OPEN if self._open:
                if self._stale_flush and not self._open[0].has_audio:
                    self._stale_flush = False
                    return []
                if self._in_sentence and self._marked:
                    self.doubtful = True  # an answer that came twice: this chunk is still being spoken
                    return []
                return [self._close_head()]
        return super()._event(event)

    def _continued(self, frame: Mapping[str, Any]) -> list[SpeechResult]:
        if self.phase is not Phase.OPEN or not self._open:
            return []
        results = self._open[0].feed(frame.get("data"))
        received_ms = (self._open[0].audio_ms or 0.0) - self._audio_ms
        check_format(frame.get("extra_info"), self._config, received_ms)
        self._in_sentence = self._in_sentence or bool(results)
        if frame.get("is_final") is True:
            self._final(_audio_ms(frame))
        return results

    def _final(self, told_ms: float) -> None:
        """A sentence has ended, unless this end is late or has come before."""
        if self._late_finals:
            self._late_finals -= 1
            return
        received_ms = self._open[0].audio_ms
        agrees = received_ms is None or abs(received_ms - self._audio_ms - told_ms) <= AGREE_MS
        if self._in_sentence and (agrees or not self._agreed):
            self._agreed = agrees
            self._end_sentence(self._audio_ms + told_ms)

    def _end_sentence(self, at_ms: float) -> None:
        """The times of the next sentence count from here."""
        self._audio_ms = at_ms
        self._open[0].next_sentence(at_ms)
        self._in_sentence = False

    def _sentence_mark(self, event: str) -> None:
        """`sentence_start` or `sentence_end`: the sentence before it has ended, also if no final frame said so."""
        self._marked = True
        if self._open and self._in_sentence:
            self._late_finals += event == "sentence_end"
            self._end_sentence(self._open[0].audio_ms or self._audio_ms)

    def _skip(self) -> list[SpeechResult]:
        self._soft = True
        return []  # the flush that was sent with the text is still answered

    def _close_head(self) -> ChunkEnd:
        if self._soft:
            self._ends.skipped()
        else:
            self._ended(None)
        done = self._open.popleft()
        self._soft = self._in_sentence = False
        self._stale_flush = False  # answers come in order, so this one cannot come any more
        end = ChunkEnd(done.chunk, self._audio_ms, not done.has_audio, self.trace_id)
        self._audio_ms = 0.0
        if self._waiting:
            self._unsent += _flushed_frames(self._waiting.popleft())
        return end


def _flushed_frames(text: str) -> list[str]:
    return [_frame({"event": "task_continue", "text": text}), _frame({"event": "task_flush"})]


def _audio_ms(frame: Mapping[str, Any]) -> float:
    return decimal(mapping(frame, "extra_info"), "audio_length")


def _frame(event: Mapping[str, Any]) -> str:
    return msgspec.json.encode(event).decode()
