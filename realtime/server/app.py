"""The aiohttp application: addresses, the page, health, start and graceful stop.

What happens inside a conversation is `connection.py` and `session.py`; who may come in is `access.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.resources
import logging
import multiprocessing
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from realtime.errors import ConfigError
from realtime.metrics import Metrics
from realtime.providers.base import ProviderOverrides
from realtime.server import realtime_endpoint, secrets_endpoint
from realtime.server.access import Access
from realtime.server.registry import Registry
from realtime.server.runtime import Runtime, open_runtime
from realtime.server.state import ACCESS, METRICS, REGISTRY, RUNTIME
from realtime.settings import Settings
from realtime.settings.load import check_binding
from realtime.tools import Toolish, as_tools

log = logging.getLogger(__name__)

LAG_PROBE_S = 0.1
MAX_BODY_BYTES = 256 * 1024
CONTENT_SECURITY = (
    "default-src 'self'; connect-src 'self' ws: wss:; img-src 'self' data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; frame-ancestors 'self'; base-uri 'none'; object-src 'none'"
)


def web_root() -> Path:
    """Where the page's files are: inside the wheel, or beside the package in a checkout."""
    packaged = Path(str(importlib.resources.files("realtime"))) / "_web"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "web"


def build_app(runtime: Runtime, metrics: Metrics | None = None) -> web.Application:
    """The application of one server over a running cast of providers."""
    app = web.Application(middlewares=[_secure_headers], client_max_size=MAX_BODY_BYTES)
    app[RUNTIME] = runtime
    app[METRICS] = metrics or Metrics()
    app[ACCESS] = Access(runtime.settings.api_keys)
    app[REGISTRY] = Registry(runtime.settings.max_sessions, runtime.settings.sessions_per_key)
    realtime_endpoint.add_routes(app)
    secrets_endpoint.add_routes(app)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    root = web_root()
    if (root / "index.html").is_file():
        app.router.add_get("/", _page)
        app.router.add_static("/", root, append_version=False)
    app.cleanup_ctx.append(_watch_loop)
    app.on_shutdown.append(_drain)
    return app


@web.middleware
async def _secure_headers(request: web.Request, handler: Any) -> web.StreamResponse:
    response: web.StreamResponse = await handler(request)
    if not response.prepared:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        if request.method in ("GET", "HEAD") and not request.path.startswith("/v1/"):
            response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY)
            response.headers.setdefault("Cache-Control", "no-cache")
    return response


async def _page(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(web_root() / "index.html")


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"status": "ok", "sessions": len(request.app[REGISTRY])})


async def _readyz(request: web.Request) -> web.Response:
    runtime, registry = request.app[RUNTIME], request.app[REGISTRY]
    settings = runtime.settings
    ready = not registry.draining
    return web.json_response(
        {
            "ready": ready,
            "sandbox": runtime.sandbox,
            "key_required": request.app[ACCESS].required,
            "transcriber": runtime.transcriber_name,
            "chat_model": runtime.providers.chat.name,
            "voice": settings.voice_id,
            "missing": [{"part": missing.part, "message": missing.message} for missing in runtime.missing],
        },
        status=200 if ready else 503,
    )


async def _metrics(request: web.Request) -> web.Response:
    return web.Response(body=request.app[METRICS].text(), content_type="text/plain", charset="utf-8")


async def _watch_loop(app: web.Application) -> AsyncIterator[None]:
    """Measures how late the event loop wakes: the number that says whether anything blocks it."""

    async def probe() -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_PROBE_S
            await asyncio.sleep(LAG_PROBE_S)
            app[METRICS].loop_lag.observe(max(0.0, loop.time() - due))

    task = asyncio.create_task(probe(), name="loop lag probe")
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def _drain(app: web.Application) -> None:
    await app[REGISTRY].drain(app[RUNTIME].settings.drain_s)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that answers, and the cast behind it."""

    url: str
    runtime: Runtime
    app: web.Application


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    providers: ProviderOverrides | None = None,
    tools: Iterable[Toolish] = (),
    sock: socket.socket | None = None,
    metrics: Metrics | None = None,
) -> AsyncIterator[RunningServer]:
    """A server on `settings.host:port` (0 picks a port), stopped and drained when the block ends.

    `providers` are your own, by role, and stay yours to close (`realtime.providers.ProviderOverrides`); `tools` are
    functions with type hints that the server runs for the model (`realtime.tool`). Raises ConfigError.
    """
    check_binding(settings)
    tls = _tls(settings)
    async with open_runtime(settings, tools, providers) as runtime:
        app = build_app(runtime, metrics)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site: web.BaseSite
            if sock is not None:
                site = web.SockSite(runner, sock, ssl_context=tls)
            else:
                site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls)
            try:
                await site.start()
            except OSError as error:
                raise ConfigError(
                    f"Cannot listen on {settings.host}:{settings.port} ({error.strerror}): choose another --port."
                ) from error
            port = runner.addresses[0][1]
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            yield RunningServer(f"{'https' if tls else 'http'}://{host}:{port}", runtime, app)
        finally:
            await runner.cleanup()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        raise ConfigError("TLS needs both --tls-cert and --tls-key.")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"Cannot use {settings.tls_cert} and {settings.tls_key} for TLS: {error}"
        ) from error
    return context


async def _serve_until_signal(
    settings: Settings,
    sock: socket.socket | None,
    tools: Sequence[Toolish],
    providers: ProviderOverrides | None,
    *,
    announce: bool,
) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, providers=providers, tools=tools, sock=sock) as server:
        if announce:
            print(f"Ready: {server.url}", flush=True)
        for missing in server.runtime.missing:
            log.warning("%s is off: %s", missing.part, missing.message)
        _calm_collector()
        await stop.wait()
        log.info("stopping: no new sessions, running replies may finish")


def _calm_collector() -> None:
    """Search everything that is alive less often: with 200 conversations a full search holds the loop up for 20 to
    40 ms, and finds next to nothing.
    """
    gc.collect()
    gc.freeze()  # what is there by now lives as long as the process
    gc.set_threshold(700, 10, 50)  # the defaults, but for the last: every minute or so under such a load


def _run(
    settings: Settings,
    sock: socket.socket | None,
    tools: Sequence[Toolish],
    providers: ProviderOverrides | None = None,
    *,
    announce: bool,
) -> None:
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve_until_signal(settings, sock, tools, providers, announce=announce))


def _loop_factory() -> Any:
    try:
        import uvloop
    except ModuleNotFoundError:  # Windows
        return None
    return uvloop.new_event_loop


def serve(
    settings: Settings,
    *,
    providers: ProviderOverrides | None = None,
    tools: Iterable[Toolish] = (),
    workers: int = 1,
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. Several workers, each a process, share one port.

    `providers` and `tools` are those of `running`. Providers must not have been used on another event loop, and go to
    no other process: with several workers bring them as an installed package (`docs/extending.md`).
    Raises ConfigError.
    """
    tools = as_tools(tools)
    check_binding(settings)
    if workers <= 1:
        _run(settings, None, tools, providers, announce=True)
        return 0
    if providers:
        raise ConfigError("Providers cannot go to other processes: use one worker, or an entry point.")
    started = time.monotonic()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((settings.host, settings.port))
        sock.listen(1024)
        context = multiprocessing.get_context("spawn")
        crew = [
            context.Process(target=_run, args=(settings, sock, tools), kwargs={"announce": number == 0})
            for number in range(workers)
        ]
        for worker in crew:
            worker.start()

        def stop(*_: Any) -> None:
            for worker in crew:
                worker.terminate()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        for worker in crew:
            worker.join()
    log.info("stopped after %.0f s", time.monotonic() - started)
    return max(abs(worker.exitcode or 0) for worker in crew)
