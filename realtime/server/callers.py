"""The caller of an HTTP request to an address that needs the same credential as a session (docs/wire.md 1.2)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from realtime.errors import ProtocolError
from realtime.server.access import Caller, credential_of
from realtime.server.answers import error_response
from realtime.server.state import ACCESS, DOOR

STATUS = {
    "invalid_api_key": 401,
    "api_key_needed": 403,
    "voice_not_found": 404,
    "conversation_not_found": 404,
    "conversation_in_use": 409,
    "rate_limit_exceeded": 429,
    "upstream_timeout": 504,
    "store_unavailable": 503,
    "voices_unknown": 503,
    "upstream_unavailable": 502,
}
ForCaller = Callable[[web.Request, Caller], Awaitable[web.StreamResponse]]


class RetryLater(ProtocolError):
    """There is no answer now; there may be one after `retry_after_s`."""

    def __init__(self, message: str, *, code: str, type: str, retry_after_s: float) -> None:
        super().__init__(message, code=code, type=type)
        self.retry_after_s = retry_after_s


def for_callers(handler: ForCaller) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler that is told who asks. A ProtocolError, of a wrong credential too, becomes the answer."""

    async def called(request: web.Request) -> web.StreamResponse:
        try:
            credential, _ = credential_of(request.headers.get("Authorization"), [])
            return await handler(request, request.app[ACCESS].check(credential, time.time()))
        except ProtocolError as error:
            if error.code == "invalid_api_key":
                request.app[DOOR].refused(request, error.code)
            wait_s = error.retry_after_s if isinstance(error, RetryLater) else None
            headers = None if wait_s is None else {"Retry-After": str(max(1, round(wait_s)))}
            return error_response(error, STATUS.get(error.code, 400), headers)

    return called
