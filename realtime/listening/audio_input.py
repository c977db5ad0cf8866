"""The audio of one microphone: bytes of the wire's format become frames, probabilities and endpointing events.

It keeps the audio that may still be needed, by position in all audio received. It decides nothing about turns and knows
no transcriber.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from realtime.blocks import LongBytes
from realtime.contained import contained
from realtime.core.audio import AudioFormat, Framer, PcmDecoder, Resampler
from realtime.core.audio_buffer import AudioBuffer, Samples
from realtime.core.endpointing import FRAME_MS, Endpointer, EndpointEvent, SpeechStarted
from realtime.core.energy_gate import EnergyGate
from realtime.core.near_voice import NearVoice
from realtime.providers.base import VAD_FRAME_SAMPLES, VAD_RATE, NoiseReduction, VoiceDetector, VoiceStream

KEEP_MS = 120_000.0  # of uncommitted audio (wire 1.4)
IDLE_KEEP_MS = 2_000.0  # while nobody speaks and the server listens for turns
SPEECH = 0.5  # probability
PART_MS = 1_000.0  # of one append are worked on at once, so that nobody else waits for it
LOOK_FRAMES = 16  # are given to the detector at once, where speech is looked for in committed audio
ARRIVALS = 512  # appends whose arrival is remembered
MUTED_S = 1.0  # sound that comes so much later than the one before was made later: the client had sent none
STEADY_ARRIVALS = 32  # the quickest of so many, or of twice as many, tells how late sound comes

Scored = tuple[Samples, float]  # a frame, and the probability that it holds speech
# Whether the newest frame is no speech of the user, from the input and whether the detector takes it for speech
Hides = Callable[["AudioInput", bool], bool]


class AudioInput:
    """One microphone. `detects`: the detector scores frames as they come, and the endpointer follows them. What `hides`
    recognises is silence for the endpointer."""

    def __init__(
        self, vad: VoiceDetector | None, format: AudioFormat, *, detects: bool, hides: Hides | None = None
    ) -> None:
        self._vad = vad
        self._hides = hides
        self._stream = vad.open() if vad is not None else None
        self._framer = Framer(VAD_FRAME_SAMPLES)
        self._buffer = AudioBuffer(VAD_RATE, KEEP_MS)
        self.scored_ms = 0.0  # position up to which frames have been scored ...
        self._scored_from_ms = 0.0  # ... and from which on all were
        self._looked_ms = 0.0  # up to here audio was given to the detector, or need not be
        self._last_speech_ms = -1.0
        self._energy_gate = EnergyGate()
        self._near_voice = NearVoice()
        self._held_from_ms = float("inf")  # audio from here on stays, whoever speaks
        self.awaited_from_ms = float("inf")  # and from here on
        self.listens_from_ms = 0.0  # what comes before that was listened to by somebody else
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=ARRIVALS)  # (position ms, loop seconds)
        self._lateness = _Lateness()
        self._detects = detects
        self._noise_reduction: NoiseReduction | None = None
        self.endpointer = Endpointer()
        self._decoder, self._resampler = _converters(format)

    def __repr__(self) -> str:
        return f"<AudioInput at {self._buffer.end_ms:.0f} ms, {self.buffered_ms:.0f} ms buffered>"

    def set_format(self, format: AudioFormat) -> None:
        """Expect another format from now on; only while nobody speaks. A new stream begins."""
        self.flush()
        self._decoder, self._resampler = _converters(format)

    def reduce_noise(self, reduction: NoiseReduction | None) -> None:
        """Send what comes from now on through this; None: through nothing."""
        if self._noise_reduction is not None:
            self._buffer.append(self._noise_reduction.rest())
            self.score_from_here()  # speech that is open goes on
        self._noise_reduction = reduction

    def begin_at(self, ms: float, listens_from_ms: float) -> None:
        """So much audio was received before, by somebody else, who has listened to what comes next as well."""
        self._buffer.begin_at(ms)
        self.listens_from_ms = listens_from_ms
        self._look_afresh(self._buffer.end_ms)

    def listen(self) -> None:
        """What comes from now on is new, and nothing of what is buffered."""
        if self.is_deaf:
            self.listens_from_ms = 0.0
            self.discard()
            self._look_afresh(self._buffer.end_ms)

    @property
    def is_deaf(self) -> bool:
        """Whether somebody else has listened to what comes now."""
        return self.received_ms < self.listens_from_ms

    def _new_of(self, samples: Samples) -> Samples:
        """The part of this, which ends at `_looked_ms`, that nobody else has listened to."""
        end_ms, from_ms = self._looked_ms, self.listens_from_ms
        if end_ms - len(samples) * 1000 / VAD_RATE >= from_ms:
            return samples
        count = max(0, round((end_ms - from_ms) * VAD_RATE / 1000))
        self._look_afresh(end_ms - count * 1000 / VAD_RATE)
        self._looked_ms = end_ms
        return samples[len(samples) - count :]

    def detect(self, detects: bool, open_ms: float | None = None) -> None:
        """Begin to score frames, or stop; then nobody has heard what was said from `open_ms` on. When it begins again,
        what is kept of that and of all that came since is scored, by `kept`."""
        if detects == self._detects:
            return
        looked_ms = self.scored_ms if open_ms is None else open_ms
        self._detects = detects
        if detects:
            self._look_afresh(max(self._looked_ms, self._buffer.start_ms, self.listens_from_ms))
            while self._arrivals and self._arrivals[-1][0] > self._looked_ms:
                self._arrivals.pop()
        else:
            self._look_afresh(self._buffer.end_ms)
            self._looked_ms = looked_ms

    def _look_afresh(self, from_ms: float) -> None:
        """Score from this position on, and listen for new speech."""
        self._score_from(from_ms)
        self.reset_speech()

    def score_from_here(self) -> None:
        """What of a frame is there already is not looked at."""
        if self._detects:
            self._score_from(self._buffer.end_ms)

    def _score_from(self, ms: float) -> None:
        self._framer.reset()
        self._near_voice = NearVoice()
        if self._stream is not None:
            self._stream.reset()
        self.scored_ms = self._scored_from_ms = self._looked_ms = ms

    @property
    def received_ms(self) -> float:
        """How much audio was received in all: the position of the input."""
        return self._buffer.end_ms + self._waiting_ms

    @property
    def buffered_ms(self) -> float:
        """How much audio is kept, with what is held back on its way; none of what somebody else has listened to."""
        if self.is_deaf:
            return 0.0
        return round(self._buffer.buffered_ms + self._waiting_ms, 3)

    @property
    def _waiting_ms(self) -> float:
        """How much audio the resampler and the noise reduction hold back."""
        return self._resampler.held_ms + (self._noise_reduction.held_ms if self._noise_reduction else 0.0)

    @property
    def _least_speech(self) -> float:
        """The probability from which on what a client commits is read: never more than announced speech needs."""
        return min(SPEECH, self.endpointer.rules.on)

    @property
    def kept_ms(self) -> float:
        """How much audio can be read, whoever has listened to it."""
        return self._buffer.buffered_ms

    @property
    def start_ms(self) -> float:
        """Position of the oldest audio that is still kept."""
        return self._buffer.start_ms

    @property
    def end_ms(self) -> float:
        """Position after the newest audio that can be read."""
        return self._buffer.end_ms

    # -- audio in ------------------------------------------------------------------------------------------------

    def length_ms(self, data: LongBytes) -> float:
        """How much sound an append is."""
        return len(data) / self._decoder.format.bytes_per_ms

    def parts(self, data: LongBytes) -> Iterator[bytes]:
        """An append, cut into what is worked on at once."""
        size = int(PART_MS * self._decoder.format.bytes_per_ms)
        return (data[start : start + size] for start in range(0, len(data), size))

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Inside this block `take` and `kept` are called. Positions stay right whatever goes wrong, though nobody has
        looked at all of it then."""
        try:
            yield
        except BaseException:
            self.score_from_here()
            raise

    async def take(self, part: bytes, *, looks: bool = True) -> Sequence[Scored]:
        """Buffer this part. Returns its whole frames, each to be given to `endpoint`; none without detection, or if
        nobody `looks` at it."""
        samples = self._resampler.feed(self._decoder.feed(part))
        if self._noise_reduction is not None:
            samples = self._noise_reduction.feed(samples)
        self._buffer.append(samples)
        if not self._detects or not looks:
            await asyncio.sleep(0)
            return ()
        self._looked_ms = self._buffer.end_ms
        return await self._scored(samples)

    async def kept(self) -> Sequence[Scored]:
        """The next frames of the audio that is kept and that nobody has looked at, as if it came now; none: that was
        all, and `take` goes on from there."""
        if not self._detects or self._looked_ms >= self._buffer.end_ms:
            return ()
        samples = self.samples(self._looked_ms, min(self._looked_ms + PART_MS, self._buffer.end_ms))
        self._looked_ms += len(samples) * 1000 / VAD_RATE
        self._arrivals.append((self._looked_ms, asyncio.get_running_loop().time()))
        return await self._scored(samples)

    async def _scored(self, samples: Samples) -> Sequence[Scored]:
        if self._stream is None:
            await asyncio.sleep(0)
            return ()
        frames = self._framer.feed(self._new_of(samples))
        return await contained(_scored_by(self._stream, frames))

    def endpoint(self, scored: Scored) -> Sequence[EndpointEvent]:
        """What the next frame means."""
        frame, probability = scored
        self.scored_ms += FRAME_MS
        if self._hides is not None and self._hides(self, probability >= self.endpointer.rules.off):
            probability = 0.0
        if probability >= self._least_speech:
            self._last_speech_ms = self.scored_ms  # also of a voice behind: a client may commit it itself
        # what is hidden is no near voice either
        speaking = self.endpointer.speaking
        if self._near_voice.feed(frame, voiced=probability >= SPEECH, speaking=speaking):
            probability = 0.0
        quiet_ms = 0.0
        if speaking:
            quiet_ms = self._energy_gate.feed(frame, voiced=probability >= SPEECH)
        else:
            self._energy_gate.reset()
        return self._dated(self.endpointer.feed(probability, int(self.scored_ms), quiet_ms))

    def finish(self) -> Sequence[EndpointEvent]:
        """Nothing more comes for now: open speech ends where the audio ends."""
        return self.endpointer.finish(int(self._buffer.end_ms))

    def _dated(self, noticed: Sequence[EndpointEvent]) -> Sequence[EndpointEvent]:
        """Over voices behind a near one is known late: its speech began before that."""
        early_ms = self._near_voice.held_back_ms
        if not early_ms:
            return noticed
        return [
            replace(event, onset_ms=max(0, event.onset_ms - early_ms))
            if isinstance(event, SpeechStarted)
            else event
            for event in noticed
        ]

    def arrived(self, at_s: float) -> None:
        """The audio so far was there at this time, in loop seconds; what nobody will ask for is dropped."""
        end_ms = self._buffer.end_ms
        self._lateness.add(at_s - end_ms / 1000)
        self._arrivals.append((end_ms, at_s))
        if self._stream is not None and self._detects and not self.endpointer.speaking:
            kept_ms = min(self.scored_ms - IDLE_KEEP_MS, self._held_from_ms, self.awaited_from_ms)
            self._buffer.discard_before(kept_ms)

    def hold(self, from_ms: float) -> None:
        """Keep the audio from this position on: it may still become a turn. `discard` or `release` end that."""
        self._held_from_ms = from_ms

    def release(self) -> None:
        """Nobody needs what was held."""
        self._held_from_ms = float("inf")

    @property
    def last_arrival_s(self) -> float | None:
        """When the last audio arrived, in loop seconds."""
        return self._arrivals[-1][1] if self._arrivals else None

    def arrival_s(self, position_ms: float) -> float | None:
        """When the audio at this position arrived, in loop seconds, if that is remembered."""
        return next((at_s for end_ms, at_s in self._arrivals if end_ms >= position_ms), None)

    def at_s(self, position_ms: float) -> float:
        """When the sound at this position was made, in loop seconds, some steady time too late."""
        late_s = self._lateness.least_s
        if late_s is None:
            late_s = asyncio.get_running_loop().time() - self._buffer.end_ms / 1000
        return position_ms / 1000 + late_s

    def newest(self, count: int) -> Samples:
        """The samples up to the last frame that was scored, at most so many."""
        return self.samples(self.scored_ms - count * 1000 / VAD_RATE, self.scored_ms)

    # -- audio out -----------------------------------------------------------------------------------------------

    def samples(self, from_ms: float, to_ms: float | None = None) -> Samples:
        """A copy of the audio there, at VAD_RATE."""
        return self._buffer.since(from_ms, to_ms)

    async def holds_speech(self, samples: Samples) -> bool:
        """Whether there is speech in these samples; without a detector, always. Raises ProviderError."""
        return self._vad is None or await contained(self._detected(self._vad, samples))

    async def _detected(self, vad: VoiceDetector, samples: Samples) -> bool:
        frames = Framer(VAD_FRAME_SAMPLES).feed(samples)
        stream = vad.open()
        try:
            for start in range(0, len(frames), LOOK_FRAMES):
                probabilities = await stream.probabilities(frames[start : start + LOOK_FRAMES])
                if any(probability >= self._least_speech for probability in probabilities):
                    return True
        finally:
            stream.close()
        return False

    def speech_since(self, ms: float) -> bool | None:
        """Whether there is speech after this position; None where nobody has looked at all of it."""
        if self._last_speech_ms > ms:
            return True
        scored = self._stream is not None and self._detects and ms >= self._scored_from_ms
        return False if scored else None

    def flush(self) -> None:
        """A stream of the client ends here: let out what the resampler holds back, and drop half a sample.

        What comes next begins with a whole sample. Positions go on; no speech stays open.
        """
        last = self._resampler.feed(self._decoder.format.decode(b""), last=True)
        if self._noise_reduction is not None:
            self._buffer.append(self._noise_reduction.feed(last))
            last = self._noise_reduction.rest()
        self._buffer.append(last)
        self.drop_half_sample()
        self._look_afresh(self._buffer.end_ms)

    def drop_half_sample(self) -> None:
        """Its other half will not come: the next byte begins a sample."""
        self._decoder.reset()

    def discard(self, before_ms: float | None = None) -> None:
        """Drop the audio before this position (default: all, but not what somebody waits for to come again)."""
        self.release()
        if before_ms is not None:
            self._buffer.discard_before(before_ms)
        elif not self.is_deaf:
            self._buffer.clear()

    def forget(self, before_ms: float) -> None:
        """The text of open speech before this position is known: its sound goes, but for what others need."""
        self._buffer.discard_before(min(before_ms, self._held_from_ms, self.awaited_from_ms))

    def reset_speech(self) -> None:
        """The open speech was taken away: what goes on is a new start."""
        self.endpointer.reset(int(self.scored_ms))

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def _converters(format: AudioFormat) -> tuple[PcmDecoder, Resampler]:
    return PcmDecoder(format), Resampler(format.rate, VAD_RATE)


async def _scored_by(stream: VoiceStream, frames: Sequence[Samples]) -> Sequence[Scored]:
    return list(zip(frames, await stream.probabilities(frames), strict=True))


class _Lateness:
    """By how much the quickest of the last arrivals came later than its position says, at a constant cost."""

    def __init__(self) -> None:
        self._before_s = self._now_s = math.inf
        self._count = 0

    @property
    def least_s(self) -> float | None:
        least_s = min(self._before_s, self._now_s)
        return None if least_s == math.inf else least_s

    def add(self, late_s: float) -> None:
        if self._count == STEADY_ARRIVALS:
            self._before_s, self._now_s, self._count = self._now_s, math.inf, 0
        if self.least_s is not None and late_s > self.least_s + MUTED_S:
            self._before_s = self._now_s = math.inf
        self._now_s = min(self._now_s, late_s)
        self._count += 1
