"""Silero v6 for every conversation of the process in one model: frames that come together are run together.

A conversation's stream keeps its own memory (recurrent state and the last 64 samples); the detector collects the
frames of one turn of the event loop, or of the time the last batch took, and runs them as one batch in one
thread. It does not know what counts as speech: that is `core/endpointing.py`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.config import Settings
from realtime.errors import ConfigError, ProviderUnavailable
from realtime.providers import weights
from realtime.providers.base import VAD_FRAME_SAMPLES, VAD_RATE, Samples

CONTEXT_SAMPLES = 64  # the model wants to see the end of the frame before
STATE_WIDTH = 128
MAX_BATCH = 32  # beyond this a batch costs as much per frame (`shared/engines.md` 3)

Floats = NDArray[np.float32]


def create(settings: Settings) -> SileroDetector:
    """The detector. Raises ConfigError with the line to type if a part is missing."""
    return SileroDetector(weights.silero())


class SileroDetector:
    """A `VoiceDetector`. One model, one thread, any number of streams."""

    def __init__(self, model: Path) -> None:
        self._model = _Model(model)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="silero")
        self._waiting: deque[_Job] = (
            deque()
        )  # bounded by its makers: a stream has one live frame here at most
        self._running: asyncio.Future[tuple[Floats, Floats]] | None = None
        self._scheduled = False
        self._closed = False
        self.frames = 0  # that were run, and
        self.batches = 0  # in how many calls of the model

    def open(self) -> SileroStream:
        return SileroStream(self)

    async def aclose(self) -> None:
        """Let the running batch end; whoever still waits gets ProviderUnavailable."""
        self._closed = True
        while self._waiting:
            self._waiting.popleft().fail(ProviderUnavailable("the voice detector was closed"))
        if self._running is not None:
            await asyncio.wait([self._running])
        self._thread.shutdown(wait=False)

    async def run(self, stream: SileroStream, frame: Samples) -> float:
        """One frame of one stream. Cancelling leaves the stream's memory whole."""
        if self._closed:
            raise ProviderUnavailable("the voice detector is closed")
        loop = asyncio.get_running_loop()
        job = _Job(stream, frame, loop.create_future())
        self._waiting.append(job)
        if self._running is None and not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._start)
        return await job.answer

    def _start(self) -> None:
        self._scheduled = False
        jobs = self._next_batch()
        if not jobs:
            return
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(self._thread, self._model.run, [job.inputs() for job in jobs])
        self._running.add_done_callback(lambda done: self._finish(jobs, done))

    def _next_batch(self) -> list[_Job]:
        """The oldest waiting frames, never two of one stream: the second needs what the first leaves behind."""
        batch: list[_Job] = []
        streams: set[SileroStream] = set()
        later: list[_Job] = []
        while self._waiting and len(batch) < MAX_BATCH:
            job = self._waiting.popleft()
            if job.answer.done():
                continue
            if job.stream in streams:
                later.append(job)
                continue
            streams.add(job.stream)
            batch.append(job)
        self._waiting.extendleft(reversed(later))
        return batch

    def _finish(self, jobs: list[_Job], done: asyncio.Future[tuple[Floats, Floats]]) -> None:
        self._running = None
        if error := done.exception():
            for job in jobs:
                job.fail(ProviderUnavailable(f"the voice detector failed: {error}"))
        else:
            probabilities, states = done.result()
            self.frames += len(jobs)
            self.batches += 1
            for index, job in enumerate(jobs):
                job.succeed(float(probabilities[index]), states[:, index])
        if self._waiting:
            self._start()


class SileroStream:
    """A `VoiceStream`: one conversation's memory."""

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._closed = False
        self.epoch = 0
        self.reset()

    async def probability(self, frame: Samples) -> float:
        """How likely these 512 samples hold speech. Raises ProviderUnavailable if the detector is closed."""
        if len(frame) != VAD_FRAME_SAMPLES:
            raise ValueError(f"a frame has {VAD_FRAME_SAMPLES} samples, not {len(frame)}")
        if self._closed:
            raise ProviderUnavailable("this conversation's voice detection is closed")
        return await self._detector.run(self, frame)

    def reset(self) -> None:
        self.epoch += 1  # a frame that is being run now belongs to the past and leaves no trace
        self.state: Floats = np.zeros((2, STATE_WIDTH), np.float32)
        self.context: Floats = np.zeros(CONTEXT_SAMPLES, np.float32)

    def close(self) -> None:
        self._closed = True


class _Job:
    """One frame on its way through the model."""

    __slots__ = ("_epoch", "_frame", "answer", "stream")

    def __init__(self, stream: SileroStream, frame: Samples, answer: asyncio.Future[float]) -> None:
        self.stream = stream
        self.answer = answer
        self._frame: Floats = frame.astype(np.float32) * np.float32(1 / 32768)
        self._epoch = stream.epoch

    def inputs(self) -> tuple[Floats, Floats]:
        return np.concatenate((self.stream.context, self._frame)), self.stream.state

    def succeed(self, probability: float, state: Floats) -> None:
        """Heard is heard, even if nobody waits for the answer any more."""
        if self._epoch == self.stream.epoch:
            self.stream.state = state
            self.stream.context = self._frame[-CONTEXT_SAMPLES:]
        if not self.answer.done():
            self.answer.set_result(probability)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class _Model:
    """The ONNX session; runs in the detector's thread."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            message = f"The voice detector needs onnxruntime: {weights.INSTALL_LOCAL}"
            raise ConfigError(message) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # more threads only fight over a model this small
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(VAD_RATE, np.int64)

    def run(self, batch: list[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
        """Probabilities (N) and new states (2, N, 128) of N frames with their contexts (576) and states."""
        inputs = {
            "input": np.stack([samples for samples, _ in batch]),
            "state": np.stack([state for _, state in batch], axis=1),
            "sr": self._rate,
        }
        probabilities, states = self._session.run(None, inputs)
        return probabilities[:, 0], states
