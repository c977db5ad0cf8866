"""The sandbox as one aiohttp application and one context manager.

Knows the parts of the platform, its 404, its CORS answer and its trace headers. Does not know any endpoint.
"""

from __future__ import annotations

import asyncio
import random
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from aiohttp import web
from aiohttp.typedefs import Handler

from . import (
    anthropic,
    batch,
    callbacks_out,
    chat,
    cloning,
    control,
    covers,
    designing,
    files,
    image,
    links,
    models,
    music,
    narration,
    older_paths,
    songwriting,
    speech_bidi,
    speech_http,
    speech_ws,
    templates,
    transcribe,
    video,
    video_v2,
    voices,
)
from .context import CLOSING, OPTIONS, STATE, SandboxState, new_trace_id, sleep_ms
from .faults import parse_fault
from .natural.kokoro import Kokoro
from .natural.speaker import NaturalVoice
from .options import SandboxOptions

MAX_BODY = 64 * 1024 * 1024  # docs/minimax/chat.md 2: body 64 MB
SHUTDOWN_S = 0.2  # time for running answers when the sandbox stops


class Part(Protocol):
    """Some endpoints: a module of this package, or a test's own."""

    def add_routes(self, app: web.Application) -> None:
        """Register them."""


PARTS: tuple[Part, ...] = (
    control,
    links,
    callbacks_out,
    files,
    older_paths,
    video,
    templates,
    video_v2,
    chat,
    cloning,
    designing,
    anthropic,
    models,
    transcribe,
    speech_ws,
    speech_bidi,
    speech_http,
    voices,
    image,
    narration,
    batch,
    music,
    covers,
    songwriting,
)

_SEEN: web.AppKey[weakref.WeakSet[Any]] = web.AppKey("seen transports", weakref.WeakSet)


def create_app(
    options: SandboxOptions, parts: Sequence[Part] = PARTS, *, records: bool = True
) -> web.Application:
    """The whole platform as an application; `Sandbox` runs it."""
    app = web.Application(middlewares=[_gateway], client_max_size=MAX_BODY)
    app[OPTIONS] = options
    app[STATE] = SandboxState(options, records)
    app[CLOSING] = asyncio.Event()
    app[_SEEN] = weakref.WeakSet()
    app.on_response_prepare.append(_add_headers)
    app.on_shutdown.append(_release)
    for part in parts:
        part.add_routes(app)
    return app


class Sandbox:
    """A MiniMax platform on this machine: `async with Sandbox() as sandbox:` and use `sandbox.url`.

    `records`: keep the last requests in `state`, for tests. A server's own sandbox keeps none. `natural_voice`: the
    folder of the natural voice. Its own time would spoil emulated ones, so it speaks only where none are asked for
    (`SandboxOptions.is_timed`).
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        parts: Sequence[Part] = PARTS,
        *,
        records: bool = True,
        natural_voice: Path | None = None,
    ) -> None:
        self.options = options or SandboxOptions()
        self._host = host
        self._port = port
        self._parts = parts
        self._records = records
        self._natural: NaturalVoice | None = None
        if natural_voice is not None and not self.options.is_timed:
            self._natural = NaturalVoice(Kokoro(natural_voice))
        self._loading: asyncio.Task[None] | None = None
        self._runner: web.AppRunner | None = None
        self.url = ""  # set while running
        self.state = SandboxState(self.options, records)

    def __repr__(self) -> str:
        return f"<Sandbox {self.url or 'stopped'} profile={self.options.profile}>"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def forward(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Move the clock of all lifetimes and tasks. Raises ValueError for a negative time."""
        self.state.clock.forward(hours * 3600 + minutes * 60 + seconds)

    def inject(self, *faults: str, times: int | None = None) -> None:
        """Replace the faults of the last `inject`; each applies to the next `times` requests that meet it.

        None: to every one. Without faults: ends them. Raises ConfigError naming the nearest known fault.
        """
        self.state.injected = tuple(map(parse_fault, faults))
        self.state.injected_left.clear()
        if times is not None:
            self.state.injected_left.update(dict.fromkeys((f.name for f in self.state.injected), times))

    async def start(self) -> None:
        """Listen. Raises OSError if the address is taken."""
        app = create_app(self.options, self._parts, records=self._records)
        self.state = app[STATE]
        self.state.natural = self._natural
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_S
        )
        try:
            await self._runner.setup()
            await web.TCPSite(self._runner, self._host, self._port).start()
        except BaseException:
            await self.stop()
            raise
        if self._natural is not None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._natural.load))
        port = self._runner.addresses[0][1]
        host = f"[{self._host}]" if ":" in self._host else self._host
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Close every socket and wait for the handlers; may be called twice."""
        runner, self._runner = self._runner, None
        self.url = ""
        try:
            if runner is not None:
                await runner.cleanup()
        finally:
            if self._loading is not None:
                await self._loading  # a thread that loads cannot be stopped


@web.middleware
async def _gateway(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Runs before every endpoint: CORS, the latency of a new connection, the 404 page."""
    if request.method == "OPTIONS":
        return web.json_response({"status_code": 0, "status_msg": "success"})
    await _delay_first_request(request)
    try:
        return await handler(request)
    except web.RequestPayloadError:  # a body that its Content-Encoding does not describe
        return web.Response(status=400, text="400 Bad Request")
    except ConnectionResetError:
        return web.Response()  # never sent: the client has gone, as at every interruption
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.Response(status=404, text="404 page not found")


async def _delay_first_request(request: web.Request) -> None:
    seen = request.app[_SEEN]
    if request.path.startswith("/ws/") or request.transport in seen:
        return  # a speech socket waits for its own `speech.connect_ms`
    seen.add(request.transport)
    request.app[STATE].http_connections_opened += 1
    await sleep_ms(request.app, "http.connect_ms")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the identifiers of docs/minimax/README.md 2; an answer with its own `trace-id` keeps it."""
    headers = response.headers
    headers.setdefault("trace-id", new_trace_id())
    headers["alb_request_id"] = new_trace_id() + new_trace_id()[:8]
    if response.status == 101:
        return
    headers["minimax-request-id"] = new_trace_id()
    letters = "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=6))
    headers["x-mm-request-id"] = f"{random.randrange(10**9, 10**10)}_{int(time.time())}{letters}"
    headers["x-session-id"] = new_trace_id()
    headers["alb_receive_time"] = f"{time.time():.3f}"
    headers["Access-Control-Allow-Origin"] = "*"


async def _release(app: web.Application) -> None:
    app[CLOSING].set()
