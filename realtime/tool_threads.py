"""The threads in which one tool runs that is no coroutine, and in which the iterator that a tool gives is read.

None can be killed: a function that hangs keeps its own. Each tool has its own threads, so that one that
hangs stops no other. Knows no calls and no texts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from realtime import deadlines

MAX_THREADS = 16  # of one tool


class NoThread(Exception):
    """All its threads are taken."""


class ToolThreads:
    """`given_up`: how many of them run a function that nobody waits for any more."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix=f"tool {name}")
        self._places = asyncio.Semaphore(MAX_THREADS)
        self.given_up = 0

    def __repr__(self) -> str:
        return f"<ToolThreads, {self.given_up} given up>"

    async def take(self, wait_s: float) -> None:
        """Take a thread for one `run`. Raises NoThread: at once if none can be expected, else after this time."""
        if self.given_up >= MAX_THREADS:
            raise NoThread
        try:
            async with deadlines.timeout(wait_s):
                await self._places.acquire()
        except TimeoutError as error:
            raise NoThread from error

    async def run(self, work: Callable[[], Any]) -> Any:
        """What the function gives, in the thread that was taken. If the wait is cancelled, the function works on."""
        loop = asyncio.get_running_loop()
        try:
            running: Future[tuple[Any, BaseException | None]] = self._pool.submit(_outcome, work)
        except RuntimeError:  # the system gives no more threads
            self._places.release()
            raise
        running.add_done_callback(lambda _: _soon(loop, self._places.release))
        try:
            result, error = await asyncio.wrap_future(running)
        finally:
            if not running.done():
                self.given_up += 1
                running.add_done_callback(lambda _: _soon(loop, self._ended))
        if error is None:
            return result
        try:
            raise error
        finally:
            del error, running  # its trace knows us

    def _ended(self) -> None:
        self.given_up -= 1

    def close(self) -> None:
        """Start no more functions. One that is running is not stopped."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What it gives or raises, as a value: a future cannot carry every exception."""
    try:
        return work(), None
    except BaseException as error:
        return None, error


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:  # the loop is closed: nobody waits for a thread
        return
