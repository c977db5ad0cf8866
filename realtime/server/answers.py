"""Errors as HTTP answers: the protocol's error object as JSON (docs/wire.md 5.1). Quotes nothing of a request."""

from __future__ import annotations

from http import HTTPStatus

from aiohttp import web

from realtime.errors import ProtocolError

_MESSAGES = {
    400: "This request is not valid HTTP, or not a valid WebSocket handshake.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    413: "The body of this request is too large.",
    500: "The server made a mistake. Its log has the details.",
}
_CODES = {404: "unknown_url", 405: "method_not_allowed", 413: "request_too_large", 500: "internal_error"}


def error_response(error: ProtocolError, status: int, headers: dict[str, str] | None = None) -> web.Response:
    """The protocol's error object as an HTTP response (docs/wire.md 5.1)."""
    body = {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}
    return web.json_response(body, status=status, headers=headers)


def plain_error(status: int, headers: dict[str, str] | None = None) -> web.Response:
    """An error that quotes nothing of the request, as JSON."""
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    error = ProtocolError(
        _MESSAGES.get(status, f"{phrase}."),
        code=_CODES.get(status, "invalid_request"),
        type="server_error" if status >= 500 else "invalid_request_error",
    )
    return error_response(error, status, headers)


def forbidden(message: str, code: str) -> web.Response:
    """403: who asks, or from where, may not use this server."""
    return error_response(ProtocolError(message, code=code), 403)
