"""What the detector works on: the state of each stream, its jobs, and one batch of jobs through a network.

It has no clock of its own; `detector.py` decides when a batch runs, and with which jobs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from realtime.errors import ProviderUnavailable
from realtime.providers.base import Samples
from realtime.providers.silero.network import CONTEXT, WIDTH, Floats

BACKLOG_S = 0.5  # more lead than this is a backlog
LEAD_S = 1.0  # more is not remembered, so that a stream that has caught up is soon live again
LEAD_SHRINKS = 1.25  # seconds per second
_SCALE = np.float32(1 / 32768)


class Network(Protocol):
    """Silero, whoever calculates it."""

    @property
    def most_frames(self) -> int:
        """Frames of one batch; so many take 2 to 3 ms."""
        ...

    def run(self, sounds: Sequence[Floats], state: Floats) -> tuple[Floats, Floats]:
        """See `SileroNet.run`."""
        ...


class Lead:
    """How much sound of a stream came faster than it is spoken.

    It shrinks a little faster than time passes, so that a stream in real time, after a backlog or with an uneven
    network, has no lead for long.
    """

    __slots__ = ("_lead_s", "_seen_s")

    def __init__(self) -> None:
        self._lead_s = self._seen_s = 0.0

    def add(self, sound_s: float, now_s: float) -> bool:
        """Count this much sound that comes now; whether the stream is a backlog with it."""
        kept_s = min(self._lead_s, LEAD_S) - (now_s - self._seen_s) * LEAD_SHRINKS
        self._lead_s = max(0.0, kept_s) + sound_s
        self._seen_s = now_s
        return self._lead_s > BACKLOG_S


class StreamState:
    """What is kept of one stream between two batches."""

    __slots__ = ("context", "jobs", "state")

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()  # in order: a job needs the state that the one before it leaves
        self.reset()

    def reset(self) -> None:
        """As if nothing had been given so far."""
        self.state: Floats = np.zeros((2, WIDTH), np.float32)
        self.context: Floats = np.zeros(CONTEXT, np.float32)


class Job:
    """Frames that a stream was given in one call; they may take several batches.

    The frames are read when their batch runs: they must not be changed before the answer is there.
    """

    __slots__ = ("_frames", "_probabilities", "answer", "is_backlog", "stream")

    def __init__(
        self,
        stream: StreamState,
        frames: Sequence[Samples],
        answer: asyncio.Future[list[float]],
        *,
        is_backlog: bool,
    ) -> None:
        self.stream = stream
        self.answer = answer
        self.is_backlog = is_backlog
        self._frames = frames
        self._probabilities: list[float] = []

    @property
    def left(self) -> int:
        """Frames still to be run."""
        return len(self._frames) - len(self._probabilities)

    def sound(self, count: int) -> Floats:
        """The context and the next `count` frames, as the network takes them."""
        at = len(self._probabilities)
        sound = np.concatenate((self.stream.context, *self._frames[at : at + count]), dtype=np.float32)
        sound[CONTEXT:] *= _SCALE
        return sound

    def advance(self, probabilities: Sequence[float], state: Floats) -> None:
        """So many frames have been run."""
        self._probabilities += probabilities
        last = self._frames[len(self._probabilities) - 1]
        self.stream.state = state
        self.stream.context = last[-CONTEXT:] * _SCALE
        if not self.left:
            self.answer.set_result(self._probabilities)

    def fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


def run_batch(network: Network, jobs: Sequence[Job], most: int) -> int:
    """Run the next frames of these jobs of different streams, `most` of each; returns how many there were.

    If the network fails, every job gets ProviderUnavailable, and the streams keep their state.
    """
    jobs = sorted(jobs, key=lambda job: -job.left)  # the network wants the longest first
    counts = [min(job.left, most) for job in jobs]
    try:
        state = np.stack([job.stream.state for job in jobs], axis=1)
        sounds = [job.sound(count) for job, count in zip(jobs, counts, strict=True)]
        probabilities, state = network.run(sounds, state)
    except Exception as error:
        for job in jobs:
            job.fail(ProviderUnavailable(f"the voice detector failed: {error}"))
        return 0
    for index, (job, count) in enumerate(zip(jobs, counts, strict=True)):
        job.advance(probabilities[:count, index].tolist(), state[:, index].copy())
    return sum(counts)
