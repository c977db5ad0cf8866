"""Silero v6 for every conversation of the process in one network: frames that come together are run together.

A conversation's stream keeps its own memory (recurrent state and the last 64 samples). What comes while the detector
rests is run as one batch, in the event loop's own thread: a batch takes less than a millisecond, and handing it to
another thread would cost as much again. It does not know what counts as speech: that is `core/endpointing.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from realtime.errors import ProviderUnavailable
from realtime.providers import weights
from realtime.providers.base import VAD_FRAME_SAMPLES, Samples
from realtime.providers.silero.network import CONTEXT, WIDTH, Floats, SileroNet
from realtime.settings import Settings

REST_S = 0.004  # between two batches: an idle detector answers at once, a busy one fills its batches
MAX_BATCH = 48  # frames; a larger batch costs as much per frame, and holds the loop up for longer


def create(settings: Settings) -> SileroDetector:
    """The detector. Raises ConfigError with the line to type if a part is missing."""
    return SileroDetector(SileroNet(weights.silero()))


class SileroDetector:
    """A `VoiceDetector`. One network, any number of streams."""

    def __init__(self, net: SileroNet) -> None:
        # Products this small are no work for several threads; the library's would spin and wait for each other.
        threadpool_limits(1, user_api="blas")
        self._net = net
        self._waiting: deque[_Job] = deque()  # bounded by its makers: a stream waits for its frames
        self._rested_s = 0.0  # when the next batch may run
        self._scheduled: asyncio.Handle | None = None
        self._closed = False
        self.frames = 0  # that were run, and
        self.batches = 0  # in how many goes

    def open(self) -> SileroStream:
        return SileroStream(self)

    async def aclose(self) -> None:
        """Whoever still waits gets ProviderUnavailable."""
        self._closed = True
        if self._scheduled is not None:
            self._scheduled.cancel()
        while self._waiting:
            self._waiting.popleft().fail(ProviderUnavailable("the voice detector was closed"))

    async def run(self, stream: SileroStream, frames: Sequence[Samples]) -> list[float]:
        """Frames of one stream, in order. Cancelling leaves the stream's memory whole."""
        if self._closed:
            raise ProviderUnavailable("the voice detector is closed")
        loop = asyncio.get_running_loop()
        job = _Job(stream, frames, loop.create_future())
        self._waiting.append(job)
        if self._scheduled is None:
            self._scheduled = (
                loop.call_at(self._rested_s, self._run)
                if loop.time() < self._rested_s
                else loop.call_soon(self._run)
            )
        return await job.answer

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        self._scheduled = None
        if jobs := self._next_batch():
            try:
                self._run_batch(jobs)
            except Exception as error:
                for job in jobs:
                    job.fail(ProviderUnavailable(f"the voice detector failed: {error}"))
        self._rested_s = loop.time() + REST_S
        if self._waiting:
            self._scheduled = loop.call_soon(self._run)

    def _next_batch(self) -> list[_Job]:
        """The oldest waiting jobs, never two of one stream: the second needs what the first leaves behind."""
        batch: list[_Job] = []
        streams: set[SileroStream] = set()
        later: list[_Job] = []
        frames = 0
        while self._waiting and frames < MAX_BATCH:
            job = self._waiting.popleft()
            if job.answer.done():
                continue
            if job.stream in streams:
                later.append(job)
                continue
            streams.add(job.stream)
            batch.append(job)
            frames += job.frames
        self._waiting.extendleft(reversed(later))
        return sorted(batch, key=lambda job: -job.frames)

    def _run_batch(self, jobs: list[_Job]) -> None:
        memory = np.stack([job.stream.memory for job in jobs], axis=1)
        probabilities, memory = self._net.run([job.sound() for job in jobs], memory)
        self.frames += sum(job.frames for job in jobs)
        self.batches += 1
        for index, job in enumerate(jobs):
            job.succeed(probabilities[: job.frames, index].tolist(), memory[:, index].copy())


class SileroStream:
    """A `VoiceStream`: one conversation's memory."""

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._closed = False
        self.reset()

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        """How likely each of these frames of 512 samples holds speech. Raises ProviderUnavailable if the detector is
        closed."""
        if any(len(frame) != VAD_FRAME_SAMPLES for frame in frames):
            raise ValueError(f"a frame has {VAD_FRAME_SAMPLES} samples")
        if self._closed:
            raise ProviderUnavailable("this conversation's voice detection is closed")
        return await self._detector.run(self, frames) if frames else []

    def reset(self) -> None:
        self.memory: Floats = np.zeros((2, WIDTH), np.float32)
        self.context: Floats = np.zeros(CONTEXT, np.float32)

    def close(self) -> None:
        self._closed = True


class _Job:
    """Frames of one stream on their way through the network."""

    __slots__ = ("_sound", "answer", "frames", "stream")

    def __init__(
        self, stream: SileroStream, frames: Sequence[Samples], answer: asyncio.Future[list[float]]
    ) -> None:
        self.stream = stream
        self.answer = answer
        self.frames = len(frames)
        self._sound: Floats = np.concatenate(frames, dtype=np.float32)
        self._sound *= np.float32(1 / 32768)

    def sound(self) -> Floats:
        """With what went before."""
        return np.concatenate((self.stream.context, self._sound))

    def succeed(self, probabilities: list[float], memory: Floats) -> None:
        self.stream.memory = memory
        self.stream.context = self._sound[-CONTEXT:].copy()
        self.answer.set_result(probabilities)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
