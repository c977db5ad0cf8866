"""Runs the server: the listening socket, TLS, signals, several workers. `app.py` has the application."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
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

from realtime import ending, logs
from realtime.errors import ConfigError
from realtime.logs import handle_loop_error, story
from realtime.metrics import Metrics
from realtime.providers.base import ProviderOverrides
from realtime.server.announce import ready_block, start_facts, warnings_of
from realtime.server.app import drain, realtime_app
from realtime.server.listener import IDLE_TIMEOUT_S, Site
from realtime.server.runner import Runner
from realtime.server.runtime import Runtime
from realtime.server.server_secret import with_server_secret
from realtime.server.state import DRAIN, REGISTRY, runtime_of
from realtime.server.tls import tls_context
from realtime.settings import Settings
from realtime.settings.load import check_binding, secrets_of
from realtime.tools import Toolish, as_tools

log = logging.getLogger(__name__)

# From the end of the drain to that of the process: 3 s for a slow store, 1 s for a closing handshake (`registry.py`).
# With a drain of 5 s the whole stop is shorter than the 10 s after which `docker stop` kills.
CLOSE_S = 4.3

# For requests that still run after the drain: a slow download of the page. It must not be the time after which our own
# connections give up (1.0 s): aiohttp fails where a request ends in the same moment as its wait for it.
SHUTDOWN_S = 1.5


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
    tls = tls_context(settings)
    app = realtime_app(settings, providers=providers, tools=tools, metrics=metrics)
    runner = Runner(
        app,
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_TIMEOUT_S,
    )
    try:
        await runner.setup()
        await _listen(runner, settings, sock, tls)
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield RunningServer(f"{'https' if tls else 'http'}://{host}:{port}", runtime_of(app), app)
    finally:
        await _stop(runner, app)


async def _stop(runner: web.AppRunner, app: web.Application) -> None:
    """Let sessions leave, close the port, then take the server down.

    The port stays open until the last session has left: balancers learn late, and lost sessions are resumed meanwhile.
    aiohttp's own cleanup stops reading from every connection before it calls anything of ours: nobody could interrupt a
    last reply, and no closing handshake would ever be answered. So the sessions are drained before it.
    """
    try:
        await drain(app, app[DRAIN].begin())
        for site in list(runner.sites):
            await site.stop()
    finally:
        await runner.cleanup()


async def _listen(
    runner: web.AppRunner, settings: Settings, sock: socket.socket | None, tls: ssl.SSLContext | None
) -> None:
    """Listen on this socket, or on the address of the settings. Raises ConfigError."""
    try:
        await Site(runner, settings.host, settings.port, sock, tls).start()
    except OSError as error:
        raise _cannot_listen(settings, error) from error


class CannotListen(ConfigError):
    """The address cannot be listened on. `port_taken`: something else listens there."""

    def __init__(self, message: str, *, port_taken: bool) -> None:
        super().__init__(message)
        self.port_taken = port_taken


def _cannot_listen(settings: Settings, error: OSError) -> CannotListen:
    """One sentence with the reason, and the flag that helps."""
    unknown_name = isinstance(error, socket.gaierror)  # its number is not one of `errno`
    reason = error.strerror if unknown_name or error.errno is None else os.strerror(error.errno)
    flag = "--port" if error.errno in (errno.EADDRINUSE, errno.EACCES) else "--host"
    message = f"Cannot listen on {settings.host}:{settings.port} ({reason}): choose another {flag}."
    return CannotListen(message, port_taken=error.errno == errno.EADDRINUSE)


async def _serve_until_signal(
    settings: Settings,
    sock: socket.socket | None,
    tools: Sequence[Toolish],
    providers: ProviderOverrides | None,
    *,
    announce: bool,
) -> None:
    stop = _Stop(settings.drain_s)
    stop.listen()
    async with running(settings, providers=providers, tools=tools, sock=sock) as server:
        stop.server = server
        if not stop.event.is_set():
            _announce(server, settings, announce=announce)
            _collect_garbage_less_often()
        await stop.event.wait()
    stop.tell()


class _Stop:
    """SIGTERM and SIGINT: the first one begins the drain, a second one ends it at once.

    From the first one on there is one deadline for all that follows: the drain, a start that is not over, providers and
    threads that hang.
    """

    def __init__(self, drain_s: float) -> None:
        self.event = asyncio.Event()
        self.server: RunningServer | None = None
        self._drain_s = drain_s
        self._loop = asyncio.get_running_loop()
        self._began_s = self._stopping_s = self._loop.time()

    def listen(self) -> None:
        """Take the signals from now on."""
        self._loop.set_exception_handler(handle_loop_error)
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._signalled, number)

    def _signalled(self, number: signal.Signals) -> None:
        app = self.server.app if self.server is not None else None
        if self.event.is_set():
            if app is not None:
                app[DRAIN].hurry()
            return
        self.event.set()
        delay_s = 0.0 if app is None else app[DRAIN].begin()
        sessions = None if app is None else len(app[REGISTRY])
        ending.OF_THIS_PROCESS.within(delay_s + self._drain_s + CLOSE_S)
        self._stopping_s = self._loop.time()
        facts = {"signal": number.name, "sessions": sessions, "delay_s": delay_s, "drain_s": self._drain_s}
        story(log, "stopping", facts)

    def tell(self) -> None:
        """Everything is closed."""
        now_s = self._loop.time()
        story(log, "stopped", {"drained_s": now_s - self._stopping_s, "up_s": now_s - self._began_s})


def _announce(server: RunningServer, settings: Settings, *, announce: bool) -> None:
    """Say that the server is ready: a block on standard output (one object with `json`), and the log's first line."""
    runtime = server.runtime
    if announce and settings.log_format == "json":
        print(json.dumps({"level": "info", "message": "Ready", "url": server.url}), flush=True)
    elif announce:
        print(ready_block(server.url, runtime), flush=True)
    story(log, "started", start_facts(server.url, runtime))
    for warning in warnings_of(runtime):
        log.warning(warning)


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
    logs.configure(settings.log_level, settings.log_format, secrets_of(settings))
    ending.OF_THIS_PROCESS.reset()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve_until_signal(settings, sock, tools, providers, announce=announce))
    finally:
        ending.OF_THIS_PROCESS.disarm()  # what follows `serve` in a program of somebody else is not ours to end


def _run_worker(*arguments: Any, announce: bool) -> None:
    """`_run` as a whole process."""
    _run(*arguments, announce=announce)
    ending.OF_THIS_PROCESS.end(0)


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
    settings = with_server_secret(settings)
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
            context.Process(
                target=_run_worker, args=(settings, sock, tools), kwargs={"announce": number == 0}
            )
            for number in range(workers)
        ]
        # A terminal sends it to all: workers that begin are not for it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
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
    clean = (0, -signal.SIGTERM)  # stopped before it could listen to signals
    return max(0 if process.exitcode in clean else abs(process.exitcode or 0) for process in processes)
