"""aiohttp's server with the connections of `listener.py`; what is no HTTP costs one line of the log, one small answer.

aiohttp would log the bytes that it could not read, with a traceback, and send them back. Among them can be the header
with a client's key. Applications of others have their own runner: for them `quiet_aiohttp` changes the log's records.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from realtime.server.answers import plain_error
from realtime.server.arrivals import AT_ONCE, CONNECTIONS, Queue
from realtime.server.descriptors import Descriptors
from realtime.server.front_door import add_security_headers
from realtime.server.listener import IDLE_TIMEOUT_S, Handler
from realtime.server.state import DOOR, REGISTRY, SETTINGS

log = logging.getLogger(__name__)


class Runner(web.AppRunner):
    """An `AppRunner` with our connections. `voice` is the application of `realtime_app`, itself or a part of `app`."""

    def __init__(self, app: web.Application, voice: web.Application, **options: Any) -> None:
        super().__init__(app, **options)
        self._voice = voice

    async def _make_server(self) -> web.Server:
        return _Server(self._voice, await super()._make_server())


def realtime_runner(
    app: web.Application, voice: web.Application | None = None, **options: Any
) -> web.AppRunner:
    """A runner of your application that guards its connections as `realtime serve` does (docs/extending.md).

    `voice` is the application of `realtime_app` if it is a part of `app`. The options are those of `web.AppRunner`.
    Raises ValueError if neither is one of `realtime_app`.
    """
    voice = app if voice is None else voice
    if DOOR not in voice:
        raise ValueError("realtime_runner needs the application of realtime_app: pass it as `voice`.")
    return Runner(app, voice, **{"keepalive_timeout": IDLE_TIMEOUT_S, **options})


class _Server(web.Server):
    """The same server as the one made, with our protocol."""

    def __init__(self, app: web.Application, made: web.Server) -> None:
        super().__init__(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )
        self._app = app
        self._descriptors = Descriptors()
        registry = app.get(REGISTRY)  # none at the admin port
        self._queue = Queue(CONNECTIONS if registry is not None and registry.measures_load else AT_ONCE)

    def __call__(self) -> web.RequestHandler:
        handler = _Protocol(
            self, descriptors=self._descriptors, queue=self._queue, loop=self._loop, **self._kwargs
        )
        handler.app = self._app
        return handler


class _Protocol(Handler):
    """One connection."""

    __slots__ = ("app",)
    app: web.Application

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer. aiohttp itself answers an `Expect` that it does not know, and would quote it."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = plain_error(resp.status)
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what could not be read, or could not be handled. Raises ConnectionError if one has begun."""
        if quotes_request(exc):
            self.app[DOOR].refused(request, "not_http")
            status = 400
        elif isinstance(exc, ConnectionError):  # the client was gone before it had an answer
            log.debug("the client of a request is gone (%s)", type(exc).__name__)
        elif exc is not None:
            log.error("a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("The answer has begun: it cannot become another one.")
        response = plain_error(status)
        add_security_headers(response, self.app[SETTINGS])
        response.force_close()
        return response


def quotes_request(error: BaseException | None) -> bool:
    """Whether the message of this error, or of one behind it, quotes bytes of a request."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, HttpProcessingError | web.RequestPayloadError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


class _NoRequests(logging.Filter):
    """Takes what quotes a request out of a record of aiohttp."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if quotes_request(error):
            record.exc_info = record.exc_text = None
            _say(record, "a request that is not HTTP was refused (%s)", type(error).__name__)
        elif record.name == "aiohttp.websocket" and record.args:
            _say(record, "a WebSocket handshake has values that do not fit")
        return True


def _say(record: logging.LogRecord, message: str, *values: Any) -> None:
    record.msg, record.args = message, values
    if record.levelno > logging.WARNING:
        record.levelno, record.levelname = logging.WARNING, "WARNING"


_no_requests = _NoRequests()


def quiet_aiohttp() -> None:
    """From now on no record of aiohttp holds a header, at any level and for any handler. Again: no effect."""
    for name in ("aiohttp.server", "aiohttp.websocket"):
        logging.getLogger(name).addFilter(_no_requests)
