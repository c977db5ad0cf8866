"""A microphone that is always on: sends recorded speech and silence in real time, and knows the true end of speech.

Sends frames of 20 ms, like the microphone of the page. Knows nothing of the server.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from bench.common import RATE, now_s
from bench.conditions import BEFORE_MS, sound_of
from tests.clips import RATE as CLIP_RATE
from tests.clips import Clip, clips, have_recordings

FRAME_MS = 20
_FRAME = RATE * FRAME_MS // 1000  # samples
_ENERGY_MS = 10
FLOOR_DB = -35.0  # relative to the loudest block: quieter blocks are not speech (docs/engines.md 3)

Samples = NDArray[np.int16]
SENTENCES = (  # complete sentences of a natural length
    "en_sb_spk1_snt1",
    "en_sb_spk1_snt3",
    "en_sb_spk1_snt4",
    "en_sb_spk1_snt5",
    "en_sb_spk1_snt6",
    "en_new_home",
    "en_sb_spk1_snt2",
    "en_arctic_a0024",
)


@dataclass(frozen=True)
class Speech:
    """An utterance for the microphone. Times in ms from its first sample."""

    name: str
    samples: Samples  # at RATE
    onset_ms: float  # energy begins
    end_ms: float  # energy ends

    @property
    def ms(self) -> float:
        return len(self.samples) / RATE * 1000


def speech_of(clip: Clip, floor_db: float = FLOOR_DB) -> Speech:
    """`floor_db`: quieter than that, compared with the loudest 10 ms, is not speech."""
    samples = soxr.resample(clip.samples, CLIP_RATE, RATE, quality="HQ").astype(np.int16)
    size = RATE * _ENERGY_MS // 1000
    blocks = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    energy = np.sqrt((blocks**2).mean(axis=1)) + 1e-9
    loud = np.flatnonzero(20 * np.log10(energy / energy.max()) > floor_db)
    return Speech(clip.id, samples, float(loud[0] * _ENERGY_MS), float((loud[-1] + 1) * _ENERGY_MS))


CHINESE = ("zh_funasr_example", "zh_sensevoice", "zh_aishell_0121")


def sentences(condition: str = "clean", language: str = "en") -> list[Speech]:
    """Recorded sentences under a condition, or the sandbox's voice if there are no recordings."""
    others = clips("en")
    spoken = clips(language)
    if have_recordings():
        names = SENTENCES if language == "en" else CHINESE
        spoken = [clip for name in names for clip in spoken if clip.id == name]
    if condition == "clean":
        return [speech_of(clip) for clip in spoken]
    return [_under(condition, clip, others) for clip in spoken]


def _under(condition: str, clip: Clip, others: Sequence[Clip]) -> Speech:
    """With BEFORE_MS of the condition before the speech, and as much of it after as the answer may take."""
    sound = sound_of(clip, condition, others)
    samples = soxr.resample(sound.samples, CLIP_RATE, RATE, quality="HQ").astype(np.int16)
    return Speech(clip.id, samples, float(BEFORE_MS), sound.end_ms)


class Microphone:
    """`run` sends audio for ever; `say` queues an utterance."""

    def __init__(self, send: Callable[..., Awaitable[None]]) -> None:
        self._send = send
        self._queue: deque[tuple[Speech, asyncio.Future[float]]] = deque()
        self.late_ms = 0.0  # the maximum lateness of a frame

    async def run(self) -> None:
        silence = np.zeros(_FRAME, np.int16)
        start_s, frame = now_s(), 0
        speech: Samples = silence[:0]
        while True:
            if not len(speech) and self._queue:
                utterance, start = self._queue.popleft()
                speech = utterance.samples
                if not start.cancelled():
                    start.set_result(start_s + frame * FRAME_MS / 1000)
            block, speech = speech[:_FRAME], speech[_FRAME:]
            frame += 1
            due_s = start_s + frame * FRAME_MS / 1000  # a frame is sent after its last sample
            await asyncio.sleep(max(0.0, due_s - now_s()))
            self.late_ms = max(self.late_ms, (now_s() - due_s) * 1000)
            pcm = np.concatenate([block, silence[len(block) :]]).astype("<i2").tobytes()
            await self._send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def say(self, speech: Speech) -> float:
        """Queue an utterance; returns the time of its first sample, when that is known."""
        start: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._queue.append((speech, start))
        return await start
