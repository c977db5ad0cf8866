"""Which web pages may use this server: the check of a request, and the headers that tell a browser.

`access.py` has the rule. A page of an allowed origin may connect, mint client secrets, import the SDK and show the talk
page in a frame (docs/operations.md, "Origins").
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from realtime.server.access import origin_allowed
from realtime.server.forwarded import browser_host, origin_refusal
from realtime.server.state import DOOR
from realtime.settings import Settings

# Pages of this machine may always connect: while somebody develops one, it may frame the talk page as well.
_LOCAL_FRAMES = ("http://localhost:*", "https://localhost:*", "http://127.0.0.1:*", "https://127.0.0.1:*")


def origin_ok(request: web.Request, settings: Settings) -> bool:
    """Whether to serve a request with this Origin."""
    host = browser_host(request, settings.trusted_proxies)
    return origin_allowed(request.headers.get("Origin"), host, settings.origins)


def origin_refused(request: web.Request, settings: Settings) -> web.Response | None:
    """The answer to a page that may not use this server; None for one that may."""
    if origin_ok(request, settings):
        return None
    request.app[DOOR].refused(request, "origin")
    return web.Response(status=403, text=origin_refusal(request))


def cors_headers(request: web.Request, settings: Settings) -> dict[str, str]:
    """Headers that let a page of another, allowed origin read the response."""
    vary = {"Vary": "Origin"}  # also without them: a cache must not give this answer to an allowed page
    origin = request.headers.get("Origin")
    if origin is None or not origin_ok(request, settings):
        return vary
    return {"Access-Control-Allow-Origin": origin, **vary}


def frame_ancestors(allowed: tuple[str, ...]) -> str:
    """The pages that may frame the talk page, for a Content-Security-Policy."""
    return " ".join(("'self'", *_LOCAL_FRAMES, *sources(allowed)))


def sources(allowed: tuple[str, ...]) -> list[str]:
    """Origins as a Content-Security-Policy writes them; what is none is left out."""
    return [source for source in map(_source, allowed) if source]


def _source(origin: str) -> str:
    """An origin as CSP writes it; "" if it is none. Anything else could end the directive and begin another."""
    if origin == "*":
        return "*"
    parts = urlsplit(origin)
    source = f"{parts.scheme}://{parts.netloc}"
    return "" if set(source) & set(" ;,'\"") or not parts.netloc else source
