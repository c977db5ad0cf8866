"""When which frames of which conversation go through Silero: one network for every conversation of the process.

Batches run in the event loop's own thread: most take less than a millisecond, and another thread would cost as much
again. Two queues share the network. Live sound, which comes no faster than it is spoken, waits for a batch of many
streams. A backlog, which came faster, is worked off without a pause in small parts, between which the loop and live
sound go first. It does not decide what is speech: that is `core/endpointing.py`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from threadpoolctl import threadpool_limits

from realtime.errors import ProviderUnavailable
from realtime.providers import weights
from realtime.providers.base import VAD_FRAME_SAMPLES, VAD_RATE, Samples
from realtime.providers.silero.jobs import Job, Lead, Network, StreamState, run_batch
from realtime.providers.silero.network import SileroNet
from realtime.providers.silero.onnx_network import OnnxNet
from realtime.settings import Settings

REST_S = 0.004  # between two batches of live sound: an idle detector answers at once, a busy one fills them
BACKLOG_PARTS = 4  # the batch of a lone backlog has this part of the frames of a full one: 0.5 to 0.8 ms
LEAST_SHARE = 3  # frames of each backlog in a batch: where many have one, as after a stall, batches are full
LOOP_ROUNDS = 6  # before each such batch: what has arrived meanwhile is read, worked on and answered first

log = logging.getLogger(__name__)
_FRAME_S = VAD_FRAME_SAMPLES / VAD_RATE


def create(settings: Settings) -> SileroDetector:
    """The detector. Raises ConfigError with the line to type if a part is missing.

    A model that `SileroNet` does not know is left to onnxruntime, with a warning in the log.
    """
    return SileroDetector(_network(weights.silero()))


def _network(model: weights.SileroFile) -> Network:
    if model.known:
        return _known_network(model.path)
    network = OnnxNet(model.path, weights.INSTALL_SILERO)
    log.warning(
        "voice detection: %s is not the known model, so onnxruntime runs it, at two to three times the cost. "
        "How well it detects speech was not tested. For the known one: %s",
        model.path,
        weights.INSTALL_SILERO,
    )
    return network


@lru_cache(maxsize=1)
def _known_network(model: Path) -> SileroNet:
    """Servers of one process share it: its hash was checked, so the weights are the same, and it has no state."""
    return SileroNet(model)


class SileroDetector:
    """A `VoiceDetector`. One network, any number of streams."""

    def __init__(self, network: Network) -> None:
        # Products this small are no work for several threads, which would only wait for each other.
        threadpool_limits(1, user_api="blas")
        self._network = network
        self._part = max(1, network.most_frames // BACKLOG_PARTS)
        # Only the first job of a stream is in one of the queues. A conversation waits for each of its answers.
        self._live: deque[Job] = deque()
        self._backlog: deque[Job] = deque()
        self._rested_s = 0.0  # when the next batch of live sound may run
        self._live_due: asyncio.Handle | None = None
        self._backlog_due: asyncio.Handle | None = None
        self._closed = False
        self.frames = 0  # that were run, and
        self.batches = 0  # in how many batches

    def __repr__(self) -> str:
        return f"<SileroDetector, {len(self._live)} live jobs and {len(self._backlog)} of backlogs waiting>"

    def open(self) -> SileroStream:
        return SileroStream(self)

    async def aclose(self) -> None:
        """Whoever still waits gets ProviderUnavailable."""
        self._closed = True
        for due in (self._live_due, self._backlog_due):
            if due is not None:
                due.cancel()
        for queue in (self._live, self._backlog):
            while queue:
                for job in queue.popleft().stream.jobs:
                    job.fail(ProviderUnavailable("the voice detector was closed"))

    async def run(self, stream: StreamState, frames: Sequence[Samples], *, is_backlog: bool) -> list[float]:
        """Frames of one stream, in order. Cancelling leaves the stream's state whole."""
        if self._closed:
            raise ProviderUnavailable("the voice detector is closed")
        job = Job(stream, frames, asyncio.get_running_loop().create_future(), is_backlog=is_backlog)
        stream.jobs.append(job)
        if len(stream.jobs) == 1:
            self._enqueue(job)
            self._schedule()
        return await job.answer

    def _enqueue(self, job: Job) -> None:
        (self._backlog if job.is_backlog else self._live).append(job)

    def _schedule(self) -> None:
        """Give each queue in which somebody waits its next batch."""
        loop = asyncio.get_running_loop()
        if self._live and self._live_due is None:
            self._live_due = (
                loop.call_at(self._rested_s, self._run_live)
                if loop.time() < self._rested_s
                else loop.call_soon(self._run_live)
            )
        if self._backlog and self._backlog_due is None:
            self._backlog_due = loop.call_soon(self._run_backlog, LOOP_ROUNDS)

    def _run_live(self) -> None:
        if self._live_due is not None:
            self._live_due.cancel()
            self._live_due = None
        most = self._network.most_frames
        self._run(self._next(self._live, most, most), most)
        if not self._live:  # else the batch was full, and the next one may follow at once
            self._rested_s = asyncio.get_running_loop().time() + REST_S
        self._schedule()

    def _run_backlog(self, rounds: int) -> None:
        """A batch of the backlogs, after so many more rounds of the event loop. Live sound need not end before it."""
        loop = asyncio.get_running_loop()
        if rounds:
            if self._live and loop.time() >= self._rested_s:
                self._run_live()  # now: the loop's timer may be a millisecond late
            self._backlog_due = loop.call_soon(self._run_backlog, rounds - 1)
            return
        self._backlog_due = None
        share = max(LEAST_SHARE, self._part // max(1, len(self._backlog)))
        self._run(self._next(self._backlog, self._network.most_frames, share), share)
        self._schedule()

    def _next(self, queue: deque[Job], most: int, share: int) -> list[Job]:
        """The jobs that have waited longest: together at most `most` frames, of each at most `share`."""
        jobs: list[Job] = []
        while queue:
            job = queue.popleft()
            if job.answer.done():  # cancelled
                self._finish(job)
                continue
            most -= min(job.left, share)
            if most < 0 and jobs:
                queue.appendleft(job)
                break
            jobs.append(job)
        return jobs

    def _run(self, jobs: Sequence[Job], share: int) -> None:
        if not jobs:
            return
        self.frames += run_batch(self._network, jobs, share)
        self.batches += 1
        for job in jobs:
            if job.answer.done():
                self._finish(job)
            else:
                self._enqueue(job)  # behind the others

    def _finish(self, job: Job) -> None:
        """Make room for the next job of its stream."""
        waiting = job.stream.jobs
        waiting.popleft()
        if waiting:
            self._enqueue(waiting[0])


class SileroStream:
    """A `VoiceStream`: one conversation's state."""

    def __init__(self, detector: SileroDetector) -> None:
        self._detector = detector
        self._state = StreamState()
        self._lead = Lead()
        self._closed = False

    async def probabilities(self, frames: Sequence[Samples]) -> list[float]:
        """The probability of speech for each of these frames of 512 samples; there may be many.

        The frames must not be changed before the answer is there. Raises ProviderUnavailable if the detector or this
        stream is closed, ValueError for a frame of another size.
        """
        if any(len(frame) != VAD_FRAME_SAMPLES for frame in frames):
            raise ValueError(f"a frame has {VAD_FRAME_SAMPLES} samples")
        if self._closed:
            raise ProviderUnavailable("this conversation's voice detection is closed")
        if not frames:
            return []
        now_s = asyncio.get_running_loop().time()
        is_backlog = self._lead.add(len(frames) * _FRAME_S, now_s)
        return await self._detector.run(self._state, frames, is_backlog=is_backlog)

    def reset(self) -> None:
        self._state.reset()

    def close(self) -> None:
        self._closed = True
