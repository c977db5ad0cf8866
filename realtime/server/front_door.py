"""What every request must pass before its handler, and what every answer carries: headers, and errors as JSON.

One check of the Host for all but the page's files, one refusal of headers that come twice, one net for what a handler
raises and for what breaks while its answer begins, one place for security headers. Nothing of a request is quoted in an
answer of this module.
Knows no keys and no sessions (docs/operations.md, "What is checked first").
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from realtime.errors import ProtocolError
from realtime.server.access import host_allowed, is_local
from realtime.server.answers import error_response, forbidden, plain_error
from realtime.server.forwarded import browser_host, host_of
from realtime.server.origins import cross_origin_headers, frame_ancestors, sources
from realtime.server.state import ACCESS, DOOR, SETTINGS
from realtime.server.token_bucket import Throttle
from realtime.settings import Settings

log = logging.getLogger(__name__)

SERVER_NAME = "minimax-realtime"  # without a version: who looks for old ones learns nothing
# Headers that decide something. Two of them, and two programs in a row could each believe another one.
ONCE = (
    "Authorization",
    "Host",
    "Origin",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Version",
    "Upgrade",
)
_POLICY = (
    "default-src 'self'; connect-src {connect}; img-src 'self'; media-src 'self' blob:; "
    "worker-src 'self' blob:; base-uri 'none'; object-src 'none'; frame-ancestors {frames}"
)
_HOST = re.compile(r"[a-z0-9.-]+(:\d+)?", re.IGNORECASE)  # as a Content-Security-Policy can name it


def guard(open_handlers: Collection[Any]) -> Middleware:
    """The middleware. The answers of `open_handlers`, the page's files, are for every Host."""
    told = Throttle()

    @web.middleware
    async def guarded(request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            refusal = wrong_header(request)
            if refusal is None and request.match_info.handler not in open_handlers:
                refusal = host_refused(request)
            answer: web.StreamResponse = refusal or await handler(request)
            if not _seen_outside(request):
                await answer.prepare(request)  # aiohttp would do it beyond this net, and answer nothing
        except web.HTTPRedirection:
            raise
        except web.HTTPException as error:
            allow = error.headers.get("Allow")
            return plain_error(error.status, {"Allow": allow} if allow else None)
        except web.RequestPayloadError:  # its message quotes the body
            return plain_error(400)
        except ConnectionError:
            raise
        except Exception as error:
            _tell(told, error)
            if request.writer.output_size > 0:
                raise ConnectionResetError("The answer has begun: it cannot become another one.") from error
            return plain_error(500)
        return answer

    return guarded


def _seen_outside(request: web.Request) -> bool:
    """Whether this is a part of an application with middlewares of its own: they may still change the answer."""
    return any(app.middlewares for app in request.match_info.apps if app is not request.app)


def _tell(told: Throttle, error: Exception) -> None:
    """Log this error. Of many of a kind, only some: who found a request that fails must not fill the disk."""
    left_out = told.allow(type(error).__name__, asyncio.get_running_loop().time())
    if left_out is not None:
        before = f" ({left_out} more like it are left out)" if left_out else ""
        log.error("a request failed%s", before, exc_info=error)


def wrong_header(request: web.Request) -> web.Response | None:
    """The answer to a request in which a header that decides something came twice, or is not ASCII; else None."""
    for name in (*ONCE, "Connection"):
        values = request.headers.getall(name, ())
        if len(values) > 1 and name in ONCE:
            problem = "came more than once: send one"
        elif values and name != "Authorization" and not values[0].isascii():  # any key may be tried
            problem = "is not ASCII"
        else:
            continue
        request.app[DOOR].refused(request, "wrong_header")
        return error_response(ProtocolError(f"The header {name} {problem}.", code="invalid_request"), 400)
    return None


def host_refused(request: web.Request) -> web.Response | None:
    """The answer to a request that reached a server without keys under a foreign name, or from elsewhere.

    A web page can give its own name the address of this machine (DNS rebinding). Then its requests come from here,
    without an Origin; only the Host tells.
    """
    settings = request.app[SETTINGS]
    if request.app[ACCESS].required or settings.open_to_all:
        return None
    if not host_allowed(host_of(request), settings.host):
        request.app[DOOR].refused(request, "host")
        return forbidden("The Host header does not name this server.", "host_not_allowed")
    if not is_local(request.get_extra_info("sockname")):  # `realtime_app` in an application on the network
        request.app[DOOR].refused(request, "not_local")
        return forbidden("Without REALTIME_API_KEYS only this machine may connect.", "not_local")
    return None


def answer_headers(settings: Settings) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """A handler of `on_response_prepare`: the headers of every answer, errors and WebSockets included."""

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Server"] = SERVER_NAME
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            return
        add_security_headers(response, settings, browser_host(request, settings.trusted_proxies))
        if request.method in ("GET", "HEAD"):
            response.headers.setdefault("Cache-Control", "no-cache")
        more = cross_origin_headers(request, settings)
        if "Vary" in response.headers and "Vary" in more:
            more["Vary"] = f"{response.headers['Vary']}, {more['Vary']}"
        response.headers.update(more)

    return prepare


def add_security_headers(response: web.StreamResponse, settings: Settings, host: str = "") -> None:
    """The headers that protect a browser, whatever the answer is. `host` is this server's, as the browser wrote it."""
    response.headers["Server"] = SERVER_NAME
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    policy = _POLICY.format(
        connect=" ".join(_connect_sources(settings, host)), frames=frame_ancestors(settings.origins)
    )
    response.headers.setdefault("Content-Security-Policy", policy)


def _connect_sources(settings: Settings, host: str) -> list[str]:
    """Where the page may connect: this server (some browsers do not count ws: as 'self') and the named origins."""
    own = [f"ws://{host}", f"wss://{host}"] if _HOST.fullmatch(host) else []
    named = [source for source in sources(settings.origins) if source != "*"]
    return ["'self'", *own, *named, *(re.sub("^http", "ws", source) for source in named)]
