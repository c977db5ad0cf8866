"""The background tasks of one session: named, and cancelled together. The first failure ends the session.

Also the group of tasks that a reply and a connection use. Both let go of the traces of cancelled tasks: a trace holds
frames, these hold the session, and the session would stay until the next full garbage collection.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextvars import Context
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from realtime.contained import Outlived
from realtime.errors import without_trace

log = logging.getLogger(__name__)

CANCEL_S = 2.0  # honest code needs a moment; a stop has 4.3 s for this and for a slow store
LEAST_CANCEL_S = 0.2  # for what others start when they are cancelled

P = ParamSpec("P")
T = TypeVar("T")


class Tasks:
    """Starts tasks and keeps them until they are done."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._running: set[asyncio.Task[None]] = set()
        self._left: set[asyncio.Task[None]] = set()  # those that do not let themselves be cancelled
        self._closed = False
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def __repr__(self) -> str:
        return f"<Tasks of {self._owner}: {len(self._running)}>"

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Run a coroutine in the background."""
        task = asyncio.create_task(Outlived(coroutine), name=f"{self._owner} {name}")
        self._running.add(task)
        task.add_done_callback(self._done)
        return task

    async def failure(self) -> None:
        """Wait until a task fails, and raise its exception."""
        await self._failure

    def guarded(self, call: Callable[P, None]) -> Callable[P, None]:
        """A function for a timer or a callback of the loop, where nobody would catch what it raises: that ends the
        session as the failure of a task does."""

        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            try:
                call(*args, **kwargs)
            except (Exception, SystemExit) as error:
                self._fail(error)

        return guarded

    async def aclose(self) -> None:
        """Cancel all running tasks, and those that they start at their end. One that does not let itself be cancelled
        is told and left: it must not keep the session for ever."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + CANCEL_S
        while tasks := self._running - self._left:
            self._left |= await cancel(tasks, max(LEAST_CANCEL_S, ends_s - loop.time()))
        self._closed = True
        if self._failure.done() and not self._failure.cancelled():
            self._failure.exception()  # read it, so that asyncio does not log it as never retrieved
        self._failure = asyncio.get_running_loop().create_future()  # the failure's trace knows us

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task in self._left:  # `cancel` tells how it ended
            self._left.discard(task)
        elif task.cancelled():
            forget_cancellation(task)
        elif (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self._closed:  # nobody waits for it any more
            log.error("%s: %s after its end", self._owner, type(error).__name__)
        elif not self._failure.done():
            self._failure.set_exception(error)


class TaskGroup(asyncio.TaskGroup):
    """The group of asyncio, without the cycles that its exceptions make with the frames they passed."""

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        assert isinstance(coro, Coroutine)
        task = super().create_task(Outlived(coro), name=name, context=context)
        task.add_done_callback(forget_cancellation)
        return task

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        except BaseException as raised:
            raised.__traceback__ = None  # those of the tasks' own errors stay
            raise
        finally:
            del error, trace
            self._parent_task = None  # newer versions of Python do that themselves


async def cancel(tasks: Iterable[asyncio.Task[T]], within_s: float = CANCEL_S) -> set[asyncio.Task[T]]:
    """Cancel these tasks and wait for their end, only so long: what is in them may not let itself be cancelled. Returns
    those that still run: the log tells how they end."""
    waited = set(tasks)
    for task in waited:
        task.cancel()
    if not waited:
        return set()
    ended, left = await asyncio.wait(waited, timeout=within_s)
    for task in left:
        log.error("%s does not end although it is cancelled: nobody waits for it any more", task.get_name())
        task.add_done_callback(_ended_late)
    for task in ended:
        if not task.cancelled():
            task.exception()  # read it, so that asyncio does not log it as never retrieved
    return left


def _ended_late(task: asyncio.Task[Any]) -> None:
    """Of a task that was left. Its error is nobody's: one line, without a trace."""
    forget_cancellation(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error(
            "%s, which did not end when it was cancelled, failed: %s", task.get_name(), type(error).__name__
        )


def forget_cancellation(task: asyncio.Task[Any]) -> None:
    """A cancelled task keeps the exception that ended it, with its trace: take it out."""
    if task.cancelled():
        try:
            task.exception()
        except asyncio.CancelledError as error:
            without_trace(error)
