"""Threads for heavy work, one per core, with short queues: urgent work first, then what may wait, then all else.

What may wait never has all threads, where there are several. What is not urgent runs only if one is free soon.
It knows urgency and queue limits; it does not know what the work is.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar

from realtime.ending import OF_THIS_PROCESS, Ending
from realtime.errors import ProviderUnavailable
from realtime.providers.base import MAY_WAIT

T = TypeVar("T")
MAX_WAITING = 64
CLOSE_S = 1.0  # for work that is nearly done


def cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class WorkerPool:
    """Runs blocking functions, `size` at a time. Urgent ones go first, those of them under `MAY_WAIT` after the others;
    the queue of what is not urgent is short."""

    def __init__(self, size: int, name: str, ending: Ending = OF_THIS_PROCESS) -> None:
        self.size = size
        self._ending = ending
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)
        self._free = size
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()  # may wait
        self._patient_running = 0
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
        queue = self._not_urgent if not urgent else self._patient if MAY_WAIT.get() else self._urgent
        await self._acquire(queue, MAX_WAITING if urgent else self.size)
        work = _Work(function, loads)
        result = asyncio.get_running_loop().run_in_executor(self._threads, work)
        self._running[result] = work
        result.add_done_callback(partial(self._done, queue))
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
        for queue in (self._urgent, self._patient, self._not_urgent):
            while queue:
                _fail(queue.popleft())
        try:
            if short := [result for result, work in self._running.items() if not work.loads]:
                await asyncio.wait(short, timeout=timeout_s)
        finally:  # also if who closes has no time left
            for result, work in list(self._running.items()):
                if work.thread is not None:
                    self._ending.abandon(work.thread)
                result.cancel()
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _acquire(self, queue: deque[asyncio.Future[None]], limit: int) -> None:
        if self._free and not self._urgent and self._has_place(queue):
            self._take(queue)
            return
        if sum(not queued.done() for queued in queue) >= limit:
            raise ProviderUnavailable("all workers are busy; try again in a moment", code="overloaded")
        slot: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and not slot.exception():
                self._release(queue)  # the slot was given at the same moment: pass it on
            elif slot in queue:
                queue.remove(slot)
            raise

    def _has_place(self, queue: deque[asyncio.Future[None]]) -> bool:
        """Whether one more of this kind may have a free thread."""
        return queue is not self._patient or self._patient_running < max(1, self.size - 1)

    def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        self._free -= 1
        self._patient_running += queue is self._patient

    def _release(self, left: deque[asyncio.Future[None]]) -> None:
        """A thread is free again that worked for one of this queue."""
        self._free += 1
        self._patient_running -= left is self._patient
        for queue in (self._urgent, self._patient, self._not_urgent):
            while queue and self._has_place(queue):
                slot = queue.popleft()
                if not slot.done():
                    self._take(queue)
                    slot.set_result(None)
                    return

    def _done(self, queue: deque[asyncio.Future[None]], work: asyncio.Future[Any]) -> None:
        self._running.pop(work, None)
        if not work.cancelled():
            work.exception()  # retrieved, also if the caller was cancelled
        self._release(queue)


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
