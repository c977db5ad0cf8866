"""What is received for one text: audio, word times and its end; and the decoder of its frames, without I/O.

For the sockets and for HTTP. Knows the object `data` of a frame (docs/minimax/t2a-websocket.md 1.3), not whose frame it
is.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import Any

from realtime.core.messages import WordTime
from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.reading import reading
from realtime.minimax.subtitles import SubtitleTrack, latest_ms


@dataclass(frozen=True, slots=True)
class ReceivedAudio:
    """Audio of chunk number `chunk`; whole 16-bit samples if the format is PCM."""

    chunk: int
    data: bytes


@dataclass(frozen=True, slots=True)
class WordTimes:
    """All words of chunk number `chunk` known so far."""

    chunk: int
    words: tuple[WordTime, ...]


@dataclass(frozen=True, slots=True)
class ChunkEnd:
    """Chunk number `chunk` is finished. `skipped`: the platform sent no audio for it."""

    chunk: int
    audio_ms: float = 0.0
    skipped: bool = False
    trace_id: str | None = None


SpeechResult = ReceivedAudio | WordTimes | ChunkEnd


class ChunkDecoder:
    """Decodes the frames of one chunk: strict hex, whole samples, repaired word times. For sockets and HTTP."""

    def __init__(self, chunk: int, text: str, *, raw_pcm: bool, rate: int = 24_000) -> None:
        self.chunk = chunk
        self.text = text
        self.has_audio = False
        self.timed_ms = 0.0  # the latest time of its subtitles
        self._rate = rate  # Hertz
        self._bytes = 0
        self._track = SubtitleTrack(text)
        self._words: tuple[WordTime, ...] = ()
        self._raw_pcm = raw_pcm
        self._remainder = b""

    @property
    def audio_ms(self) -> float | None:
        """How much sound was received; None where it cannot be told from the bytes."""
        return self._bytes / 2 / self._rate * 1000 if self._raw_pcm else None

    @property
    def timed_to(self) -> int:
        """The character after the last word that has its time; 0 without word times."""
        return self._words[-1].end if self._words else 0

    @property
    def timed_end_ms(self) -> float:
        """When that word ends, in milliseconds of this chunk."""
        return self._words[-1].end_ms if self._words else 0.0

    def feed(self, data: Any) -> list[SpeechResult]:
        """The results in one `data` object. Words come before their audio. Raises ProviderUnavailable."""
        if not isinstance(data, dict):
            return []
        results: list[SpeechResult] = []
        words = self._words_in(data.get("subtitle"))
        if words != self._words:
            self._words = words
            results.append(WordTimes(self.chunk, words))
        audio = self._samples(data.get("audio"))
        if audio:
            self.has_audio = True
            self._bytes += len(audio)
            results.append(ReceivedAudio(self.chunk, audio))
        return results

    def _words_in(self, subtitle: Any) -> tuple[WordTime, ...]:
        """All words known by now. Word times that cannot be read cost no sound: times are then estimated."""
        if subtitle is None:
            return self._words
        try:
            with reading("the word times"):
                self.timed_ms = max(self.timed_ms, latest_ms(subtitle))
                return self._track.words() if self._track.feed(subtitle) else self._words
        except ProviderError:
            return self._words

    def next_sentence(self, start_ms: float) -> None:
        """Bidi: the next sentence is a synthesis of its own, whose times count from zero."""
        self._track.next_run(start_ms)

    def _samples(self, audio: Any) -> bytes:
        if not isinstance(audio, str) or not audio:
            return b""
        try:
            data = binascii.unhexlify(audio)
        except (binascii.Error, ValueError) as error:
            raise ProviderUnavailable("MiniMax: the speech service sent broken audio.") from error
        if not self._raw_pcm:
            return data
        data = self._remainder + data
        whole = len(data) - len(data) % 2
        self._remainder = data[whole:]
        return data[:whole]
