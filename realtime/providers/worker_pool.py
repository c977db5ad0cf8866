"""Threads for heavy work, one per core, with two short queues: urgent work first, other work only if one is free soon.

It knows urgency and queue limits; it does not know what the work is.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from realtime.ending import OF_THIS_PROCESS, Ending
from realtime.errors import ProviderUnavailable

T = TypeVar("T")
MAX_WAITING = 64
CLOSE_S = 1.0  # for work that is nearly done


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerPool:
    """Runs blocking functions, `size` at a time. Urgent ones go first; the queue of the others is short."""

    def __init__(self, size: int, name: str, ending: Ending = OF_THIS_PROCESS) -> None:
        self.size = size
        self._ending = ending
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._free = size
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._not_urgent: deque[asyncio.Future[None]] = deque()
        self._running: dict[asyncio.Future[Any], _Work[Any]] = {}
        self._closed = False

    @property
    def free(self) -> int:
        """How many threads would begin at once."""
        return self._free

    async def run(self, function: Callable[[], T], *, urgent: bool, loads: bool = False) -> T:
        """The result of the function. Cancelling ends the wait; a function that has begun runs to its end.

        `loads`: it may take long because something is loaded first; closing does not wait for it.
        Raises ProviderUnavailable if the queue is full (if not urgent, the queue is as long as there are threads), or
        if the pool is closed before there is a result.
        """
        if self._closed:
            raise ProviderUnavailable("the workers are closed")
        await self._acquire(
            self._urgent if urgent else self._not_urgent, MAX_WAITING if urgent else self.size
        )
        work = _Work(function, loads)
        result = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._running[result] = work
        result.add_done_callback(self._done)
        try:
            return await asyncio.shield(result)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if result.cancelled() and not (task and task.cancelling()):
                raise ProviderUnavailable("the workers are closed") from None
            raise

    async def aclose(self, timeout_s: float = CLOSE_S) -> None:
        """Refuse the queued calls, let running functions finish for so long, and abandon those that have not."""
        self._closed = True
        for queue in (self._urgent, self._not_urgent):
            while queue:
                _fail(queue.popleft())
        if short := [result for result, work in self._running.items() if not work.loads]:
            await asyncio.wait(short, timeout=timeout_s)
        for result, work in list(self._running.items()):
            if work.thread is not None:
                self._ending.abandon(work.thread)
            result.cancel()
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
        self._running.pop(work, None)
        if not work.cancelled():
            work.exception()  # retrieved, also if the caller was cancelled
        self._release()


class _Work(Generic[T]):
    """A function, and the thread that it runs in."""

    def __init__(self, function: Callable[[], T], loads: bool) -> None:
        self._function = function
        self.loads = loads
        self.thread: threading.Thread | None = None

    def __call__(self) -> T:
        self.thread = threading.current_thread()
        return self._function()


def _fail(slot: asyncio.Future[None]) -> None:
    if not slot.done():
        slot.set_exception(ProviderUnavailable("the workers are closed"))
