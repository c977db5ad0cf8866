"""Whether new sessions may come to a server, and why not: what `/readyz`, `/lb` and the admin port say.

A server that is full is ready all the same (docs/operations.md, "Health"). Workers tell it to their supervisor.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from realtime.server.state import OPENED, REGISTRY

STOPS = "The server stops."
LOOK_S = 0.1  # after which a change is told to the supervisor


def not_ready(app: web.Application) -> str | None:
    """Why no new sessions should come to this server; None: they may."""
    runtime = app[OPENED].runtime
    if runtime is None:
        return starts(app)
    return STOPS if app[REGISTRY].draining else runtime.not_ready()


def starts(app: web.Application) -> str:
    """Why a server that does not listen yet is not ready."""
    return app[OPENED].starting.reason


def telling(
    tell: Callable[[str | None], object],
) -> Callable[[web.Application], AsyncIterator[None]]:
    """A `cleanup_ctx` that tells it at the start, and then again and again."""

    async def keep_telling(app: web.Application) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            tell(not_ready(app))

    async def context(app: web.Application) -> AsyncIterator[None]:
        tell(not_ready(app))
        task = asyncio.create_task(keep_telling(app), name="tell readiness")
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    return context
