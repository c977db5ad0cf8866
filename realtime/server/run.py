"""Runs the server: the listening socket, TLS, signals, several workers. `app.py` has the application."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import multiprocessing
import os
import signal
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from realtime.errors import ConfigError
from realtime.metrics import Metrics
from realtime.providers.base import ProviderOverrides
from realtime.server.app import realtime_app
from realtime.server.runtime import Runtime
from realtime.server.state import runtime_of
from realtime.settings import Settings
from realtime.settings.load import check_binding
from realtime.tools import Toolish, as_tools

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that listens at `url`, its runtime and its application."""

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
    """A server on `settings.host:port` (0 selects a free port), drained and stopped when the block ends.

    `providers` replace those of the settings, by role; the server does not close them (`realtime.providers` has the
    type). `tools` are functions with type hints that the server runs for the model (`realtime.tool`).
    Raises ConfigError.
    """
    check_binding(settings)
    tls = _tls(settings)
    app = realtime_app(settings, providers=providers, tools=tools, metrics=metrics)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
    try:
        await runner.setup()
        await _listen(runner, settings, sock, tls)
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield RunningServer(f"{'https' if tls else 'http'}://{host}:{port}", runtime_of(app), app)
    finally:
        await runner.cleanup()


async def _listen(
    runner: web.AppRunner, settings: Settings, sock: socket.socket | None, tls: ssl.SSLContext | None
) -> None:
    """Listen on this socket, or on the address of the settings. Raises ConfigError."""
    site: web.BaseSite
    if sock is not None:
        site = web.SockSite(runner, sock, ssl_context=tls)
    else:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=tls)
    try:
        await site.start()
    except OSError as error:
        raise _cannot_listen(settings, error) from error


def _cannot_listen(settings: Settings, error: OSError) -> ConfigError:
    """One sentence with the reason, and the flag that helps."""
    unknown_name = isinstance(error, socket.gaierror)  # its number is not one of `errno`
    reason = error.strerror if unknown_name or error.errno is None else os.strerror(error.errno)
    flag = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
    return ConfigError(f"Cannot listen on {settings.host}:{settings.port} ({reason}): choose another {flag}.")


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
        _collect_garbage_less_often()
        await stop.wait()
        log.info("stopping: no new sessions, running replies may finish")


def _collect_garbage_less_often() -> None:
    """Run full garbage collections less often: with 200 conversations one blocks the loop for 20 to 40 ms and finds
    almost nothing.
    """
    gc.collect()
    gc.freeze()  # what exists now lives as long as the process
    gc.set_threshold(700, 10, 50)  # 50 instead of 10: a full collection about every minute under such a load


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
    """Serve until SIGTERM or SIGINT and return the exit status. Several workers (processes) share one port.

    `providers` and `tools` are those of `running`. Create the providers outside of an event loop. They cannot be sent
    to other processes: for several workers install them as a package (`docs/extending.md`). Raises ConfigError.
    """
    tools = as_tools(tools)
    check_binding(settings)
    if workers <= 1:
        _run(settings, None, tools, providers, announce=True)
        return 0
    if providers:
        raise ConfigError("Providers cannot be sent to other processes: use one worker, or an entry point.")
    started = time.monotonic()
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((settings.host, settings.port))
            sock.listen(1024)
        except OSError as error:
            raise _cannot_listen(settings, error) from error
        context = multiprocessing.get_context("spawn")
        processes = [
            context.Process(target=_run, args=(settings, sock, tools), kwargs={"announce": number == 0})
            for number in range(workers)
        ]
        for process in processes:
            process.start()

        def stop(*_: Any) -> None:
            for process in processes:
                process.terminate()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        for process in processes:
            process.join()
    log.info("stopped after %.0f s", time.monotonic() - started)
    return max(abs(process.exitcode or 0) for process in processes)
