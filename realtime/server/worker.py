"""One of several workers, in its own process: it ends with its parent, and tells the supervisor what it counts.

Importing this is cheap: a worker that begins must know at once when its parent is gone. Knows no other workers
(docs/operations.md, "Several workers").
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import multiprocessing
import os
import pickle
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, MutableSequence, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from realtime.ending import STOP_SIGNALS
from realtime.errors import ConfigError
from realtime.server.spread import Slot, WorkerTable
from realtime.server.worker_channel import (
    AskSum,
    Channel,
    Count,
    Counted,
    Hurry,
    Readiness,
    Ready,
    Refused,
    Sum,
    ToWorker,
    of_worker,
)

if TYPE_CHECKING:
    from realtime.settings import Settings
    from realtime.tools import Toolish

log = logging.getLogger(__name__)

EXIT_ORPHANED = 1
EXIT_REFUSED = 2
SUM_S = 2.0  # the supervisor waits half a second for a worker that does not answer
HELD_SIGNALS = set(STOP_SIGNALS)  # until a process that begins has said what they mean to it
_PR_SET_PDEATHSIG = 1  # Linux: prctl(2)


@dataclass(frozen=True, slots=True)
class Post:
    """What a worker is given: its number, the socket to accept from, its end of the channel, the table of all."""

    number: int
    sock: socket.socket
    channel: socket.socket
    rows: MutableSequence[float]
    keys: int = 0  # for which the table counts sessions


def run_worker(post: Post, work: bytes) -> None:
    """The whole process. `work` holds the settings and the tools; to load them takes a while."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the supervisor passes it on
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD_SIGNALS)
    settings, tools = pickle.loads(work)  # from our own parent
    from realtime import ending
    from realtime.server.run import run_until_done

    status = run_until_done(settings, _work(post, settings, tools))
    sys.exit(ending.OF_THIS_PROCESS.end(status))


def end_with_parent(leave: Callable[[int], Any] = os._exit) -> None:
    """From now on this process ends when the supervisor does: Linux kills it, elsewhere a pipe tells."""
    killed_with_parent()
    # Also on Linux: it may have ended before the line above
    threading.Thread(target=_watch_parent, args=(leave,), name="parent", daemon=True).start()


def killed_with_parent() -> None:
    """On Linux: the system kills this process when the one ends that started it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):  # a C library without it
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch_parent(leave: Callable[[int], Any]) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()  # until the pipe closes that the parent has held since the start
        leave(EXIT_ORPHANED)


async def _work(post: Post, settings: Settings, tools: Sequence[Toolish]) -> int:
    from realtime.server.run import serve_until_signal

    async with joined(post) as worker:
        try:
            await serve_until_signal(settings, tools, None, worker)
        except ConfigError as error:
            worker.refuse(str(error))
            return EXIT_REFUSED
        worker.tell_counts()
    return 0


class Worker:
    """What the server of this process asks of, and tells, the others."""

    def __init__(self, post: Post, channel: Channel[ToWorker]) -> None:
        self.number = post.number
        self.sock = post.sock
        self.slot = Slot(WorkerTable(post.rows, post.keys), post.number)
        self.on_hurry: Callable[[], object] = lambda: None
        self.count: Callable[[], bytes] = lambda: b""  # the metrics of this process
        self._channel = channel
        self._asked: dict[int, asyncio.Future[str]] = {}
        self._questions = 0
        self._told_reason: str | None = None

    def __repr__(self) -> str:
        return f"<Worker {self.number}>"

    def ready(self, text: str) -> None:
        """It accepts; `text` is for standard output."""
        self._channel.send(Ready(text))

    def tell_readiness(self, reason: str | None) -> None:
        """Why no new sessions should come here; None: they may. Said only when it changes."""
        if reason != self._told_reason:
            self._told_reason = reason
            self._channel.send(Readiness(reason))

    def refuse(self, message: str) -> None:
        """It cannot start with its settings."""
        self._channel.send(Refused(message))

    def tell_counts(self, question: int | None = None) -> None:
        """Tell the metrics of this process; without a question the last time."""
        self._channel.send(Counted(question, self.count().decode()))

    @property
    def workers(self) -> int:
        """How many there are."""
        return len(self.slot.table)

    def sessions(self) -> int:
        """Those of all workers."""
        return self.slot.table.sessions()

    async def metrics(self) -> str | None:
        """The metrics of all workers; None: the supervisor does not answer."""
        self._questions += 1
        question = self._questions
        answer = self._asked[question] = asyncio.get_running_loop().create_future()
        self._channel.send(AskSum(question))
        await asyncio.wait([answer], timeout=SUM_S)
        self._asked.pop(question, None)
        return answer.result() if answer.done() else None

    async def listen(self) -> None:
        """Answer the supervisor until it is gone."""
        while (message := await self._channel.receive()) is not None:
            match message:
                case Count(question):
                    self.tell_counts(question)
                case Sum(question, text):
                    if (answer := self._asked.pop(question, None)) is not None:
                        answer.set_result(text)
                case Hurry():
                    self.on_hurry()


@asynccontextmanager
async def joined(post: Post) -> AsyncIterator[Worker]:
    """A worker that the supervisor hears until the end of the block."""
    channel = await of_worker(post.channel)
    worker = Worker(post, channel)
    listening = asyncio.create_task(worker.listen(), name="listen to the supervisor")
    try:
        yield worker
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await channel.aclose()
