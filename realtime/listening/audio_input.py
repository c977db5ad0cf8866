"""The ears of one session: sound in the wire's format becomes frames, probabilities and endpointing events.

Keeps the audio that may still be needed, by position in all audio received. It decides nothing about turns and knows no
transcriber.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from realtime.core.audio import AudioFormat, Framer, PcmDecoder, Resampler
from realtime.core.audio_buffer import AudioBuffer, Samples
from realtime.core.endpointing import FRAME_MS, Endpointer, EndpointEvent, EndpointRules
from realtime.core.energy_gate import EnergyGate
from realtime.providers.base import VAD_FRAME_SAMPLES, VAD_RATE, VoiceDetector

KEEP_MS = 120_000.0  # of uncommitted audio (wire 1.4)
IDLE_KEEP_MS = 2_000.0  # while nobody speaks and the server listens for turns
PRE_ROLL_MS = 400.0  # the detector is this late in one case of ten (shared/engines.md 3)
SPEECH = 0.5  # probability
SLICE_BYTES = 9_600  # of one append are worked on at once: 200 ms of PCM, so that nobody else waits for it


class AudioInput:
    """One microphone. Feed it bytes; it tells what the endpointer made of each 32 ms."""

    def __init__(self, vad: VoiceDetector | None, format: AudioFormat, rules: EndpointRules) -> None:
        self._stream = vad.open() if vad is not None else None
        self._framer = Framer(VAD_FRAME_SAMPLES)
        self._audio = AudioBuffer(VAD_RATE, KEEP_MS)
        self._listened_ms = 0.0  # position up to which frames have been judged
        self._last_speech_ms = -1.0
        self._energy_gate = EnergyGate()
        self.endpointer = Endpointer(rules)
        self.listens_for_turns = True
        self.set_format(format)

    def __repr__(self) -> str:
        return f"<AudioInput at {self.position_ms:.0f} ms, {self.buffered_ms:.0f} ms buffered>"

    def set_format(self, format: AudioFormat) -> None:
        """Expect another format from now on; only while nothing is buffered."""
        self._decoder = PcmDecoder(format)
        self._resampler = Resampler(format.rate, VAD_RATE)

    @property
    def can_detect(self) -> bool:
        return self._stream is not None

    @property
    def position_ms(self) -> float:
        return self._audio.end_ms

    @property
    def buffered_ms(self) -> float:
        return self._audio.buffered_ms

    @property
    def start_ms(self) -> float:
        """Position of the oldest audio that is still kept."""
        return self._audio.start_ms

    def has_speech_since(self, ms: float) -> bool:
        """Whether there may be speech after this position; without a detector, always."""
        return self._stream is None or self._last_speech_ms > ms

    async def hear(self, data: bytes) -> AsyncGenerator[EndpointEvent | float, None]:
        """Take in bytes of the wire's format. Yields endpointing events, and after each frame of open speech its
        position."""
        for start in range(0, len(data), SLICE_BYTES):
            samples = self._resampler.feed(self._decoder.feed(data[start : start + SLICE_BYTES]))
            self._audio.append(samples)
            if self._stream is not None:
                frames = self._framer.feed(samples)
                for frame, probability in zip(frames, await self._stream.probabilities(frames), strict=True):
                    for event in self._judge(frame, probability):
                        yield event
                    if self.listens_for_turns and self.endpointer.speaking:
                        yield self._listened_ms
                if self.listens_for_turns and not self.endpointer.speaking:
                    self._audio.discard_before(self._listened_ms - IDLE_KEEP_MS)
            if start:
                await asyncio.sleep(0)

    def _judge(self, frame: Samples, probability: float) -> Sequence[EndpointEvent]:
        """What the next frame means."""
        self._listened_ms += FRAME_MS
        if probability >= SPEECH:
            self._last_speech_ms = self._listened_ms
        if not self.listens_for_turns:
            return ()
        quiet_ms = 0.0
        if self.endpointer.speaking:
            quiet_ms = self._energy_gate.feed(frame, voiced=probability >= SPEECH)
        else:
            self._energy_gate.reset()
        return self.endpointer.feed(probability, int(self._listened_ms), quiet_ms)

    def samples(self, from_ms: float, to_ms: float | None = None) -> Samples:
        """A copy of what was heard there, at VAD_RATE."""
        return self._audio.since(from_ms, to_ms)

    def flush(self) -> None:
        """Nothing more belongs to what is being committed: let out what the resampler holds back."""
        self._audio.append(self._resampler.feed(self._decoder.format.decode(b""), last=True))
        self._decoder.reset()

    def forget(self, before_ms: float | None = None) -> None:
        """Drop the audio before this position (default: all) and whatever speech was open."""
        if before_ms is None:
            self._audio.clear()
        else:
            self._audio.discard_before(before_ms)

    def abandon_speech(self) -> None:
        """The open speech was taken away: what goes on is a new start."""
        self.endpointer.reset(int(self._listened_ms))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
