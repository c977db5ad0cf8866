"""Waits for what another task, thread, process or browser does.

What was sent may still be on its way, and nobody knows how fast the machine is. So a test asks again until it is so, and
asserts neither at once nor after a fixed time. The timeout only ends a test that would wait for ever.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

WITHIN_S = 60.0  # long: a slow machine, with other tests on it
EVERY_S = 0.01


async def eventually(check: Callable[[], Any], what: str = "", within_s: float = WITHIN_S) -> Any:
    """Wait until `check()`, or what it awaits, is true; return that value. AssertionError names `what` was missing."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        late = loop.time() >= deadline  # before the question: there is always a last one
        value = check()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if late:
            raise AssertionError(f"timeout after {within_s:g} s: {what or inspect.getsource(check).strip()}")
        await asyncio.sleep(EVERY_S)
