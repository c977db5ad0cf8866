"""Code that is not ours (a tool of the operator, a provider from anywhere), run so that it ends nothing but itself.

`sys.exit` in it, Ctrl-C's exception, or a cancel of its own would pass every `except Exception`, and end the reply or
the whole process. Here they become an ordinary error: where it is called, and, for what is called without waiting, at
the border of each task, reply and event of a client. Only a task that such code starts itself is not reached: the
event loop stops for a `SystemExit` in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Escaped(Exception):
    """It raised what is no ordinary error."""


async def contained(work: Awaitable[T]) -> T:
    """What it gives. Raises its errors, and Escaped for what is none; a cancel of our own task stays one."""
    task = asyncio.current_task()
    assert task is not None
    try:
        return await work
    except Exception:
        raise
    except asyncio.CancelledError as error:
        if task.cancelling():  # also one that was asked for before and comes only now
            raise
        raise Escaped("it was cancelled") from error
    except GeneratorExit as error:
        if _current() is not task:  # it does not run any more: whoever made the coroutine closes it
            raise
        raise Escaped("GeneratorExit") from error
    except BaseException as error:
        raise Escaped(_named(error)) from error
    finally:
        del task  # it knows its error, and the trace of that knows us


async def awaited(value: Any) -> Any:
    """The value, also of a method that should be a coroutine and is none."""
    return await value if inspect.isawaitable(value) else value


class Leavable(Awaitable[T]):
    """A coroutine in the task that awaits it. One that goes on although that task is cancelled is left after
    `cancel_s`: the cancel comes out, as from any other one. Some code must end in the task in which it began, so it
    cannot be put into one of its own."""

    def __init__(self, work: Coroutine[Any, Any, T], cancel_s: float) -> None:
        self._work = work
        self._cancel_s = cancel_s
        self._timer: asyncio.TimerHandle | None = None
        self._over = False  # its time after the cancel
        self.left = False

    def __repr__(self) -> str:
        return f"<Leavable {'left' if self.left else self._work}>"

    def __await__(self) -> Generator[Any, Any, T]:
        task = asyncio.current_task()
        assert task is not None
        cancels = task.cancelling()
        step: Callable[[], Any] = partial(self._work.send, None)
        try:
            while True:
                try:
                    waits_for = step()
                except StopIteration as end:
                    value: T = end.value
                    return value
                try:
                    step = partial(self._work.send, (yield waits_for))
                except asyncio.CancelledError as error:
                    if self._over:
                        task.uncancel()  # ours
                        self._leave()
                        raise
                    # Without a cancel of the task, what it waits for was cancelled
                    if self._timer is None and task.cancelling() > cancels:
                        loop = asyncio.get_running_loop()
                        self._timer = loop.call_later(self._cancel_s, self._end, task, cancels)
                    step = partial(self._work.throw, error)
                except BaseException as error:
                    step = partial(self._work.throw, error)
        finally:
            del task, step  # they know us
            if self._timer is not None:
                self._timer.cancel()

    def _end(self, task: asyncio.Task[Any], cancels: int) -> None:
        self._timer = None
        if task.cancelling() <= cancels:  # its own cancel, as of `asyncio.timeout`, which it has taken back
            return
        self._over = True
        task.cancel()

    def _leave(self) -> None:
        self.left = True
        with contextlib.suppress(BaseException):  # it may refuse this as well
            self._work.close()  # else a timer of its own could ring for our task later


class Outlived(Coroutine[Any, Any, T]):
    """A whole task of ours, in which code that is not ours runs somewhere. For a `SystemExit` in a task the event loop
    stops; here it is Escaped. All else passes, also Ctrl-C's exception.

    No `async def`: a task that is cancelled before it begins would leave the coroutine in it without a beginning.
    """

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._work = work
        # As every coroutine has them, for who lists the tasks
        self.__name__: str = getattr(work, "__name__", type(work).__name__)
        self.__qualname__: str = getattr(work, "__qualname__", self.__name__)

    def __repr__(self) -> str:
        return repr(self._work)

    def send(self, value: Any) -> Any:
        try:
            return self._work.send(value)
        except SystemExit as error:
            raise Escaped(_named(error)) from error

    def throw(self, *raised: Any) -> Any:
        try:
            return self._work.throw(*raised)
        except SystemExit as error:
            raise Escaped(_named(error)) from error

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._work.__await__()


def _named(error: BaseException) -> str:
    """Its class, and what it says: that may fail."""
    name = type(error).__name__
    try:
        return f"{name}: {error}" if str(error) else name
    except BaseException:
        return name


def _current() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no loop runs
        return None
