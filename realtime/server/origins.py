"""Which web pages may use this server: the check of a request, and the headers that tell a browser.

`access.py` has the rule. A page of an allowed origin may connect, import the SDK and the widget, use the addresses that
`add_for_pages` gives it, and show the talk page in a frame (docs/operations.md, "Origins").
"""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from realtime.server.access import origin_allowed
from realtime.server.answers import forbidden
from realtime.server.forwarded import browser_host, origin_refusal
from realtime.server.state import DOOR, SETTINGS
from realtime.settings import Settings

_FOR_PAGES = "_for_pages"  # a mark at the handler: pages of allowed origins may read its answers
_FROM_OTHERS = ("cross-site", "same-site")  # values of Sec-Fetch-Site

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
    return forbidden(origin_refusal(request), "origin_not_allowed")


def add_for_pages(app: web.Application, path: str, **handlers: Handler) -> None:
    """Routes, by method, that pages of allowed origins may use, with the answer to their preflights.

    Handlers need no check of the origin, and add no CORS headers. `GET` does not answer HEAD.
    """

    async def preflight(request: web.Request) -> web.Response:
        allowed = {
            "Access-Control-Allow-Methods": ", ".join(handlers),
            # `*` is what client libraries add of their own; it does not hold for Authorization
            "Access-Control-Allow-Headers": "Authorization, Content-Type, *",
            "Access-Control-Max-Age": "600",
        }
        return web.Response(status=204, headers=allowed)

    for method, handler in {**handlers, "OPTIONS": preflight}.items():
        app.router.add_route(method, path, _for_pages(handler))


def _for_pages(handler: Handler) -> Handler:
    async def checked(request: web.Request) -> web.StreamResponse:
        return _page_refused(request) or await handler(request)

    setattr(checked, _FOR_PAGES, True)
    return checked


def _page_refused(request: web.Request) -> web.Response | None:
    """The answer to another site's page that may not use this address.

    Images, sounds and frames are asked for without an Origin. The page could not read the answer, but what it costs, it
    would cost; where the browser says who asks, it is refused.
    """
    if refused := origin_refused(request, request.app[SETTINGS]):
        return refused
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site") not in _FROM_OTHERS:
        return None
    request.app[DOOR].refused(request, "origin")
    return forbidden("Another site's page may ask for this only with fetch().", "origin_not_allowed")


def embeddable(filename: str) -> bool:
    """Whether this file of the page is for other pages: the SDK with its worklets, the widget."""
    return filename == "embed.js" or (filename.startswith(("sdk/", "widget/")) and ".." not in filename)


def cross_origin_headers(request: web.Request, settings: Settings) -> dict[str, str]:
    """Headers of every answer that say what pages of other origins may do with it."""
    if embeddable(request.match_info.get("filename", "")):
        # The files are public, and a strict page loads style sheets and scripts without an Origin
        return {**cors_headers(request, settings), "Cross-Origin-Resource-Policy": "cross-origin"}
    if not hasattr(request.match_info.handler, _FOR_PAGES):
        return {}
    return {**cors_headers(request, settings), "Access-Control-Expose-Headers": "ETag, Retry-After"}


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
