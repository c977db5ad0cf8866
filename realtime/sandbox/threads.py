"""Work on a file in a thread, which a cancelled caller does not leave behind. Knows no endpoint."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Callable[..., T], *args: Any, stop: Callable[[], object] | None = None) -> T:
    """`work(*args)` in a thread. When cancelled, however often, it calls `stop` and waits until the thread has ended.

    So the caller may close and remove what the thread worked on.
    """
    # A future, not a task: the end of a loop cancels all tasks, and this one would look ended while its thread works.
    call = functools.partial(copy_context().run, work, *args)
    running = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        if stop is not None:
            stop()
        while not running.done():
            with suppress(asyncio.CancelledError):  # the first one goes on below
                await asyncio.wait({running})
        running.exception()  # looked at: the cancellation is the news
        raise
