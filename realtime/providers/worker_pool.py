"""Threads for heavy work, one per core, with two short queues: urgent work first, other work only if one is free soon.

It knows urgency and queue limits; it does not know what the work is.
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
MAX_WAITING = 64


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerPool:
    """Runs blocking functions, `size` at a time. Urgent ones go first; the queue of the others is short."""

    def __init__(self, size: int, name: str) -> None:
        self.size = size
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._free = size
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._not_urgent: deque[asyncio.Future[None]] = deque()
        self._running: set[asyncio.Future[Any]] = set()
        self._closed = False

    async def run(self, function: Callable[[], T], *, urgent: bool) -> T:
        """The result of the function. Cancelling ends the wait; a function that has begun runs to its end.

        Raises ProviderUnavailable if the queue is full (if not urgent, the queue is as long as there are threads).
        """
        if self._closed:
            raise ProviderUnavailable("the workers are closed")
        await self._acquire(
            self._urgent if urgent else self._not_urgent, MAX_WAITING if urgent else self.size
        )
        work = asyncio.get_running_loop().run_in_executor(self._threads, function)
        self._running.add(work)
        work.add_done_callback(self._done)
        return await asyncio.shield(work)

    async def aclose(self, timeout_s: float = 5.0) -> None:
        """Refuse the queued calls, and let running functions finish."""
        self._closed = True
        for queue in (self._urgent, self._not_urgent):
            while queue:
                _fail(queue.popleft())
        if self._running:
            await asyncio.wait(self._running, timeout=timeout_s)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _acquire(self, queue: deque[asyncio.Future[None]], limit: int) -> None:
        if self._free and not self._urgent:
            self._free -= 1
            return
        if sum(not queued.done() for queued in queue) >= limit:
            raise ProviderUnavailable("all workers are busy; try again in a moment", code="overloaded")
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and not slot.exception():
                self._release()  # the slot was given at the same moment: pass it on
            elif slot in queue:
                queue.remove(slot)
            raise

    def _release(self) -> None:
        self._free += 1
        for queue in (self._urgent, self._not_urgent):
            while queue:
                slot = queue.popleft()
                if not slot.done():
                    self._free -= 1
                    slot.set_result(None)
                    return

    def _done(self, work: asyncio.Future[Any]) -> None:
        self._running.discard(work)
        if not work.cancelled():
            work.exception()  # retrieved, also if the caller was cancelled
        self._release()


def _fail(slot: asyncio.Future[None]) -> None:
    if not slot.done():
        slot.set_exception(ProviderUnavailable("the workers are closed"))
