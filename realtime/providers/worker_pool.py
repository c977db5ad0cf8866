"""Threads for heavy work, one per core, with a short queue: what can wait waits, what is only nice to have does not.

It knows urgency and room; it does not know what the work is.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from realtime.errors import ProviderUnavailable

T = TypeVar("T")
MOST_WAITING = 64


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerPool:
    """Runs blocking functions, `size` at a time. Urgent ones first; the others only if a thread is free soon."""

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._free = size
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()
        self._running: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def run(self, function: Callable[[], T], *, urgent: bool) -> T:
        """What the function returns. Cancelling stops the waiting; work that has begun ends by itself.

        Raises ProviderUnavailable if the queue is full (for work that is not urgent: as many waiting as threads).
        """
        if self._closed:
            raise ProviderUnavailable("the workers are closed")
        await self._take(self._urgent if urgent else self._patient, MOST_WAITING if urgent else self.size)
        work = asyncio.get_running_loop().run_in_executor(self._threads, function)
        self._running.add(work)
        work.add_done_callback(self._done)
        return await asyncio.shield(work)

    async def aclose(self, timeout_s: float = 5.0) -> None:
        """Turn away those who wait, and let what runs come to its end."""
        self._closed = True
        for queue in (self._urgent, self._patient):
            while queue:
                _fail(queue.popleft())
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take(self, queue: deque[asyncio.Future[None]], room: int) -> None:
        if self._free and not self._urgent:
            self._free -= 1
            return
        if sum(not waiting.done() for waiting in queue) >= room:
            raise ProviderUnavailable("all workers are busy; try again in a moment", code="overloaded")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self._give()  # our turn had come in the same moment: the next one takes it
            elif turn in queue:
                queue.remove(turn)
            raise

    def _give(self) -> None:
        self._free += 1
        for queue in (self._urgent, self._patient):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    self._free -= 1
                    turn.set_result(None)
                    return

    def _done(self, work: asyncio.Future[Any]) -> None:
        self._running.discard(work)
        if not work.cancelled():
            work.exception()  # seen, even if the one who asked has gone
        self._give()


def _fail(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(ProviderUnavailable("the workers are closed"))
