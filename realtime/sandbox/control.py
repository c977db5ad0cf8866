"""The sandbox's own addresses, which the platform does not have: `GET` and `POST /sandbox/clock`.

`POST {"forward_s": 90000}` moves the clock. No key is needed: the sandbox is for one machine.
"""

from __future__ import annotations

import json

from aiohttp import web

from .clock import Clock
from .context import STATE

PATH = "/sandbox/clock"


def add_routes(app: web.Application) -> None:
    """Register the address."""
    app.router.add_get(PATH, show)
    app.router.add_post(PATH, move)


async def show(request: web.Request) -> web.Response:
    """The time on the clock."""
    return _answer(request.app[STATE].clock)


async def move(request: web.Request) -> web.Response:
    """Move the clock forward; HTTP 400 with a sentence for anything else."""
    clock = request.app[STATE].clock
    try:
        clock.forward(float(json.loads(await request.read())["forward_s"]))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        wrong = f'the body must be {{"forward_s": SECONDS}}: {error!r}\n'
        return web.Response(status=400, text=wrong)
    return _answer(clock)


def _answer(clock: Clock) -> web.Response:
    return web.json_response(
        {"now_s": round(clock.now_s(), 3), "ahead_s": clock.ahead_s, "unix_s": clock.unix_s()}
    )
