"""The admin port: metrics, health and `POST /drain`, at an address of its own that no client needs to reach.

Knows neither sessions nor workers, only what one server or all its workers say (`Node`). Metrics and drain are for the
operator alone (`admin.py`); health is for everybody who reaches the port (docs/operations.md, "The admin port").
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

from realtime.errors import ConfigError, ProtocolError
from realtime.logs import story
from realtime.metrics import Metrics
from realtime.server.access import Access
from realtime.server.admin import may_operate
from realtime.server.answers import error_response, forbidden
from realtime.server.front_door import answer_headers, guard
from realtime.server.listener import IDLE_TIMEOUT_S, Site
from realtime.server.runner import Runner
from realtime.server.state import ACCESS, DOOR, SETTINGS
from realtime.server.story import Door
from realtime.settings import Settings
from realtime.settings.hosts import is_loopback

log = logging.getLogger(__name__)

SHUTDOWN_S = 0.5


class Node(Protocol):
    """A server, or all its workers."""

    @property
    def not_ready(self) -> str | None:
        """Why no new sessions should come; None: they may."""
        ...

    def asked(self) -> None:
        """Somebody asks whether it is ready: perhaps a balancer."""
        ...

    def sessions(self) -> int: ...

    async def metrics(self) -> str | None:
        """In the Prometheus format; None: they cannot be had now."""
        ...

    def drain(self) -> None:
        """Begin the stop, as SIGTERM does. Again: nothing happens."""
        ...


@asynccontextmanager
async def open_admin_port(settings: Settings, node: Node, door: Door | None = None) -> AsyncIterator[int]:
    """Serve the admin port of the settings until the end of the block, which is told its port; 0 without one.

    Raises ConfigError.
    """
    if settings.admin is None:
        yield 0
        return
    own = _own_settings(settings)
    runner = _runner(own, node, door)
    try:
        await runner.setup()
        try:
            await Site(runner, own.host, own.port, None, None).start()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(f"REALTIME_ADMIN={settings.admin} cannot be listened on ({reason}).") from error
        port = int(runner.addresses[0][1])
        story(log, "admin port", {"listen": f"{own.host}:{port}"})
        yield port
    finally:
        await runner.cleanup()


def _own_settings(settings: Settings) -> Settings:
    """The settings with the address of the admin port. Raises ConfigError if others could reach it and nobody may."""
    host, _, port = (settings.admin or "").rpartition(":")
    host = host.strip("[]")
    if not is_loopback(host) and not settings.api_keys and not settings.admin_addresses:
        raise ConfigError(
            f"REALTIME_ADMIN={settings.admin} is on the network: set REALTIME_ADMIN_ADDRESSES or REALTIME_API_KEYS "
            "to say who may use it."
        )
    # `open_to_all` makes nobody an operator; here it only says that the port has names that we do not know
    return dataclasses.replace(settings, host=host, port=int(port), open_to_all=not is_loopback(host))


def _runner(settings: Settings, node: Node, door: Door | None) -> Runner:
    app = web.Application(middlewares=[guard(open_handlers=())])
    app[SETTINGS], app[ACCESS] = settings, Access(settings.api_keys, settings.server_secret)
    app[DOOR] = door or Door(Metrics())
    app.router.add_get("/healthz", _health(node))
    app.router.add_get("/readyz", _ready(node))
    app.router.add_get("/metrics", _for_operator(_metrics(node)))
    app.router.add_post("/drain", _for_operator(_drain(node)))
    app.on_response_prepare.append(answer_headers(settings))
    return Runner(
        app, app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_TIMEOUT_S,
    )  # fmt: skip


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _for_operator(handler: Handler) -> Handler:
    """A handler for the operator's programs: no page in a browser is one, whoever looks at it."""

    async def checked(request: web.Request) -> web.StreamResponse:
        if _of_a_page(request):
            return forbidden("No web page may ask this.", "origin_not_allowed")
        if not may_operate(request):
            request.app[DOOR].refused(request, "metrics" if request.method == "GET" else "drain")
            needed = "This is for this machine, for REALTIME_ADMIN_ADDRESSES, and for who has an API key."
            wrong = ProtocolError(needed, code="invalid_api_key", type="authentication_error")
            return error_response(wrong, 401)
        return await handler(request)

    return checked


def _of_a_page(request: web.Request) -> bool:
    """Whether a web page sent this; `none` is an address that somebody typed."""
    headers = request.headers
    return "Origin" in headers or "Referer" in headers or headers.get("Sec-Fetch-Site", "none") != "none"


def _health(node: Node) -> Handler:
    async def health(request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok", "sessions": node.sessions()})

    return health


def _ready(node: Node) -> Handler:
    async def ready(request: web.Request) -> web.StreamResponse:
        node.asked()
        reason = node.not_ready
        if reason is None:
            return web.json_response({"ready": True})
        return web.json_response({"ready": False, "reason": reason}, status=503)

    return ready


def _metrics(node: Node) -> Handler:
    async def metrics(request: web.Request) -> web.StreamResponse:
        text = await node.metrics()
        if text is None:
            return web.Response(status=503, text="The metrics cannot be had now.")
        return web.Response(text=text, content_type="text/plain", charset="utf-8")

    return metrics


def _drain(node: Node) -> Handler:
    async def drain(request: web.Request) -> web.StreamResponse:
        node.drain()
        return web.json_response({"draining": True, "sessions": node.sessions()}, status=202)

    return drain
