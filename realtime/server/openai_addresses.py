"""The addresses of OpenAI's Realtime API: how those of this server may be written, and why the others are not here.

A client that was made for one of the others is told so in one sentence, which a page of an allowed origin can read:
without that its browser would only say that the request failed (docs/wire.md 1.1). Knows no keys and no sessions.
"""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from realtime.errors import ProtocolError
from realtime.server.answers import error_response
from realtime.server.origins import add_for_pages

NO_CALLS = "This server has no WebRTC and no SIP: connect by WebSocket to /v1/realtime."
_BETA = "POST /v1/realtime/{} is from the beta: use POST /v1/realtime/client_secrets."
_NO_TRANSLATION = "This server has no sessions that translate: connect by WebSocket to /v1/realtime."

# Below /v1/realtime → why there is nothing
NOT_HERE = {
    "/calls": NO_CALLS,
    "/calls/{rest:.+}": NO_CALLS,  # accept, hangup, refer, reject
    "/sessions": _BETA.format("sessions"),
    "/transcription_sessions": _BETA.format("transcription_sessions"),
    "/translations": _NO_TRANSLATION,
    "/translations/{rest:.+}": _NO_TRANSLATION,
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def spellings(below: str = "") -> tuple[str, ...]:
    """All paths of one address: with `/v1` and without it, with a slash at the end and without it."""
    return tuple(prefix + below + end for prefix in ("/v1/realtime", "/realtime") for end in ("", "/"))


def add_routes(app: web.Application) -> None:
    """The addresses that are not here; also POST to that of the WebSocket, which takes an SDP at OpenAI."""
    for below, reason in NOT_HERE.items():
        for path in spellings(below):
            add_for_pages(app, path, **dict.fromkeys(_METHODS, _handler(reason)))
    for path in spellings():
        add_for_pages(app, path, POST=_handler(NO_CALLS))


def not_here(reason: str) -> web.Response:
    """The answer at an address that this server does not have."""
    return error_response(ProtocolError(reason, code="unknown_url"), 404)


def _handler(reason: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return not_here(reason)

    return handler
