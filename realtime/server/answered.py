"""The net under every HTTP request: what breaks us gets the protocol's error body, and the log its trace.

Without it aiohttp would answer with a page of its own. It knows no route; refusals on purpose pass through it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from realtime.errors import ProtocolError
from realtime.server.secrets_endpoint import error_response

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers 500 for an error of ours, and 413 with an error body for a body that is too large."""
    try:
        return await handler(request)
    except web.HTTPRequestEntityTooLarge:
        return error_response(ProtocolError("The body is too large."), 413)
    except web.HTTPException:
        raise
    except ConnectionError:
        return web.Response()  # never sent: the client has gone
    except Exception as error:
        log.error("a request broke", exc_info=error)
        message = "The server has an internal error and could not answer this request."
        return error_response(ProtocolError(message, code="internal_error", type="server_error"), 500)
