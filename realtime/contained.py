"""Code that is not ours (a tool of the operator, a provider from anywhere), run so that it ends nothing but itself.

`sys.exit` in it, Ctrl-C's exception, or a cancel of its own would pass every `except Exception`, and end the reply or
the whole process. Here they become an ordinary error. Only a task that such code starts itself is not reached: the
event loop stops for a `SystemExit` in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

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
