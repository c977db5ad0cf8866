"""Speech that goes on and on: its beginning is read for good while it does, so a turn of any length is heard whole.

The sound of what was read is discarded, and the text stays in the segment (`Settled`). What is read at once is cut at a
quiet place, and at the same one as by a transcriber that cuts long sound itself. None of these decodes begins while
somebody waits for another one. It decides nothing about turns.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from realtime.context import Context
from realtime.core.sound_pieces import first_piece
from realtime.errors import ProviderError
from realtime.listening.audio_input import AudioInput
from realtime.listening.echo import EchoFilter
from realtime.listening.segment import SpeechSegment
from realtime.listening.transcription import Transcription
from realtime.logs import story
from realtime.providers.base import VAD_RATE, Transcript
from realtime.upstream import facts_of

log = logging.getLogger(__name__)

LONGEST_S = 27.0  # of sound without a settled text: the local transcriber reads so much at once
LONGEST_AT_A_PRICE_S = 90.0  # fewer requests, and still less than the sound that is kept
FULL_MS = 100_000.0  # of sound that is kept: from here on more has to wait, or the oldest would be lost
RETRY_S = 10.0  # after a decode that failed
TRIES = 3  # so many failures in a row, and sound waits for none of them any more
LEAST_LOST_MS = 1.0  # positions are rounded


class LongSpeech:
    """Of one session. `look` while the voice sounds."""

    def __init__(
        self, context: Context, audio: AudioInput, transcription: Transcription, echo: EchoFilter
    ) -> None:
        self._context = context
        self._audio = audio
        self._transcription = transcription
        self._echo = echo
        self._segment = SpeechSegment()
        self._read: tuple[str, float, float] | None = None  # what was read: text, seconds, and where it ends
        self._retry_s = 0.0  # loop seconds
        self._failures = 0  # in a row
        self._lost = False  # sound that was not read is not kept any more

    def __repr__(self) -> str:
        settled = self._segment.settled
        return f"<LongSpeech {settled.seconds:.0f} s settled>"

    def began(self, segment: SpeechSegment) -> None:
        """Somebody speaks."""
        self.ended()
        self._segment, self._lost, self._retry_s = segment, False, 0.0

    def ended(self) -> None:
        """The speech is over or was taken away: what is being read of it is read with the rest."""
        self._transcription.stop_settling()
        self._read = None

    def look(self) -> str | None:
        """Take over what was read, and begin to read more. Returns text that is settled since the last call."""
        if self._read is None and self._audio.kept_ms <= LONGEST_S * 1000:
            return None  # as in nearly all speech, at each of its frames
        if not self._sounds:
            return None
        told = self._take_over() if self._read is not None else None
        start_ms = self._segment.start_ms(self._context.config)
        from_ms = self._unread_from_ms
        if from_ms > start_ms + LEAST_LOST_MS and not self._lost:
            self._say_lost(from_ms - start_ms)
        if self._is_long and self._transcription.may_settle and self._retry_in_s <= 0:
            self._read_beginning()
        return told

    async def catch_up(self) -> None:
        """Sound that comes faster than it is read waits for the decode that makes room for it; where that fails, also
        for the next one."""
        while self._makes_wait:
            if not self._transcription.may_settle:
                await self._transcription.until_free()
            elif self._retry_in_s > 0:
                await asyncio.sleep(self._retry_in_s)
            else:
                self._read_beginning()

    @property
    def _makes_wait(self) -> bool:
        if self._audio.kept_ms <= FULL_MS or self._read is not None or self._failures >= TRIES:
            return False
        return self._transcription.reads and self._sounds and self._is_long

    @property
    def _sounds(self) -> bool:
        """Whether the user is known to speak, and does so at this moment: a pause may be the end."""
        endpointer = self._audio.endpointer
        return self._segment.announced and endpointer.speaking and not (endpointer.faded or endpointer.paused)

    @property
    def _unread_from_ms(self) -> float:
        return max(self._segment.start_ms(self._context.config), self._audio.start_ms)

    @property
    def _longest_s(self) -> float:
        return LONGEST_AT_A_PRICE_S if self._transcription.reads_at_a_price else LONGEST_S

    @property
    def _is_long(self) -> bool:
        return self._audio.scored_ms - self._unread_from_ms > self._longest_s * 1000

    @property
    def _retry_in_s(self) -> float:
        return self._retry_s - asyncio.get_running_loop().time()

    def _read_beginning(self) -> None:
        from_ms = self._unread_from_ms
        sound = first_piece(self._audio.samples(from_ms, self._audio.scored_ms), self._longest_s)
        seconds = len(sound) / VAD_RATE
        to_ms = from_ms + seconds * 1000
        known = partial(self._known, self._segment, seconds, to_ms)
        self._transcription.settle(sound, known, self._failed)

    def _known(self, segment: SpeechSegment, seconds: float, to_ms: float, known: Transcript) -> None:
        if segment is not self._segment:
            return  # it was read a moment too late
        self._failures = 0
        from_ms = max(segment.open_from_ms, to_ms - seconds * 1000)
        text = self._echo.own_words(known.text, self._audio, from_ms, to_ms)
        self._read = text, seconds, to_ms

    def _failed(self, error: BaseException) -> None:
        self._failures += 1
        self._retry_s = asyncio.get_running_loop().time() + RETRY_S
        facts = facts_of(error) if isinstance(error, ProviderError) else {"error": type(error).__name__}
        story(log, "beginning of a long turn not read yet", facts)

    def _take_over(self) -> str | None:
        """Only while the voice sounds: an early decode of a pause is of the sound as it was."""
        assert self._read is not None
        (text, seconds, to_ms), self._read = self._read, None
        self._segment.settled = self._segment.settled.and_then(text, seconds, to_ms)
        self._audio.forget(to_ms)
        return text

    def _say_lost(self, lost_ms: float) -> None:
        self._lost = True
        facts = {"item": self._segment.item_id, "ms": round(lost_ms)}
        story(log, "beginning of a long turn lost: no text for it in time", facts, logging.WARNING)
