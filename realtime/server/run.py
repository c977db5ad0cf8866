"""Runs the server: the listening socket, TLS, signals, several workers. `app.py` has the application."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import logging
import os
import signal
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from realtime import ending, logs
from realtime.errors import ConfigError
from realtime.logs import handle_loop_error, story
from realtime.metrics import Metrics
from realtime.providers.base import ProviderOverrides
from realtime.server.address import cannot_listen
from realtime.server.admin_port import open_admin_port
from realtime.server.announce import announce, ready_block, start_facts, warnings_of
from realtime.server.app import drain, realtime_app
from realtime.server.draining import BALANCER_DELAY_S, BalancerWatch
from realtime.server.listener import IDLE_TIMEOUT_S, Site
from realtime.server.loop_watch import LoopWatch
from realtime.server.readiness import not_ready, starts, telling
from realtime.server.runner import Runner
from realtime.server.runtime import Runtime
from realtime.server.server_secret import with_server_secret
from realtime.server.shared_site import SharedSite
from realtime.server.signal_watch import SignalWatch
from realtime.server.spread import KeyCounts
from realtime.server.state import ACCESS, DOOR, DRAIN, FLEET, METRICS, METRICS_MOVED, REGISTRY, runtime_of
from realtime.server.tls import tls_context
from realtime.server.worker import Worker
from realtime.server.workers import serve_workers
from realtime.settings import Settings
from realtime.settings.load import check_binding, secrets_of
from realtime.tools import Toolish, as_tools

log = logging.getLogger(__name__)
T = TypeVar("T")

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
    app = realtime_app(settings, providers=providers, tools=tools, metrics=metrics)
    async with _running(settings, app, sock) as server:
        yield server


@asynccontextmanager
async def _running(
    settings: Settings, app: web.Application, sock: socket.socket | None, worker: Worker | None = None
) -> AsyncIterator[RunningServer]:
    """The application as a server; `worker`: as one of several."""
    check_binding(settings)
    tls = tls_context(settings)
    if worker is not None:
        join_workers(app, settings, worker)
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
        await _listen(_site(runner, settings, sock, tls, worker), settings)
        port = runner.addresses[0][1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield RunningServer(f"{'https' if tls else 'http'}://{host}:{port}", runtime_of(app), app)
    finally:
        await _stop(runner, app)


def join_workers(app: web.Application, settings: Settings, worker: Worker) -> None:
    """What this server shares with the other workers."""
    app[FLEET], worker.count = worker, app[METRICS].text
    app[DRAIN].balancer = BalancerWatch(*worker.slot.table.asked)
    app.cleanup_ctx.insert(0, telling(worker.tell_readiness))  # also while the providers are created
    if settings.sessions_per_key:
        app[REGISTRY].key_counts = KeyCounts(worker.slot, app[ACCESS].names)


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


def _site(
    runner: Runner,
    settings: Settings,
    sock: socket.socket | None,
    tls: ssl.SSLContext | None,
    worker: Worker | None,
) -> web.BaseSite:
    """Where to listen: on this socket, at the address of the settings, or at that of all workers."""
    if worker is None:
        return Site(runner, settings.host, settings.port, sock, tls)
    registry = runner.app[REGISTRY]
    return SharedSite(
        runner, worker.sock, tls, worker.slot, room=lambda: not registry.full, sessions=lambda: len(registry)
    )


async def _listen(site: web.BaseSite, settings: Settings) -> None:
    """Raises ConfigError."""
    try:
        await site.start()
    except OSError as error:
        raise cannot_listen(settings, error) from error


async def serve_until_signal(
    settings: Settings,
    tools: Sequence[Toolish],
    providers: ProviderOverrides | None = None,
    worker: Worker | None = None,
) -> None:
    """Serve alone, or as one of several workers, until a signal. Raises ConfigError."""
    stop = _Stop(settings, worker)
    app = realtime_app(settings, providers=providers, tools=tools)
    app[METRICS_MOVED] = settings.admin is not None
    own = settings if worker is None else dataclasses.replace(settings, admin=None)  # the supervisor has it
    with stop.listening(), LoopWatch().watching():
        async with (
            open_admin_port(own, _AdminNode(app, stop), app[DOOR]),
            _running(settings, app, None, worker) as server,
        ):
            stop.server = server
            if not stop.event.is_set():
                _announce(server, settings, worker)
                _collect_garbage_less_often()
            await stop.event.wait()
        stop.tell()


@dataclass(frozen=True, slots=True)
class _AdminNode:
    """This server, as its admin port sees it."""

    app: web.Application
    stop: _Stop

    @property
    def not_ready(self) -> str | None:
        return starts(self.app) if self.stop.server is None else not_ready(self.app)

    def asked(self) -> None:
        self.app[DRAIN].balancer.asked(asyncio.get_running_loop().time())

    def sessions(self) -> int:
        return len(self.app[REGISTRY])

    async def metrics(self) -> str:
        return self.app[METRICS].text().decode()

    def drain(self) -> None:
        self.stop.begin("drain")


class _Stop:
    """SIGTERM, SIGINT and SIGHUP: the first one begins the drain, a second one (not SIGHUP) ends it at once.

    From the first one on there is one deadline for all that follows: the drain, a start that is not over, providers and
    threads that hang, and a loop that somebody else's code blocks: so it is set in a thread, too. A worker's second one
    says nothing: whoever signals all processes reaches it twice.
    """

    def __init__(self, settings: Settings, worker: Worker | None = None) -> None:
        self.event = asyncio.Event()
        self.server: RunningServer | None = None
        self._drain_s = settings.drain_s
        self._worker = worker
        self._taken = [
            number
            for number in ending.taken_signals()
            if worker is None or number != signal.SIGINT  # a worker ignores it (`worker.py`)
        ]
        self._heard = False  # by the thread
        self._loop = asyncio.get_running_loop()
        self._began_s = self._stopping_s = self._loop.time()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take the signals in this block; after it, the loop does until it is closed."""
        self._loop.set_exception_handler(handle_loop_error)
        for number in self._taken:
            self._loop.add_signal_handler(number, self._signalled, number)
        if self._worker is not None:
            self._worker.on_hurry = self.hurry
        watch = SignalWatch(self._has_heard)
        try:
            yield
        finally:
            watch.close()

    def _has_heard(self, number: int) -> None:
        """In a thread: the loop may be blocked."""
        if number not in self._taken:
            return
        if not self._heard:
            self._heard = True
            self._ends_after(self._delay_s())
        elif self._worker is None and not ending.hangs_up(signal.Signals(number)):
            ending.OF_THIS_PROCESS.within(CLOSE_S)

    def _signalled(self, number: signal.Signals) -> None:
        if self.event.is_set():
            if self._worker is None and not ending.hangs_up(number):
                self.hurry()
            return
        self.begin(number.name)

    def begin(self, why: str) -> None:
        """The stop begins, if it has not: by this signal, or `drain`."""
        if self.event.is_set():
            return
        app = self.server.app if self.server is not None else None
        self.event.set()
        delay_s = 0.0 if app is None else app[DRAIN].begin()
        sessions = None if app is None else len(app[REGISTRY])
        self._ends_after(delay_s)
        self._stopping_s = self._loop.time()
        facts = {"signal": why, "sessions": sessions, "delay_s": delay_s, "drain_s": self._drain_s}
        story(log, "stopping", facts)

    def _delay_s(self) -> float:
        """How long a balancer has to learn of a stop that begins now. None knows a server that starts."""
        server = self.server
        return 0.0 if server is None else server.app[DRAIN].delay_at(self._loop.time())

    def _ends_after(self, delay_s: float) -> None:
        ending.OF_THIS_PROCESS.within(delay_s + self._drain_s + CLOSE_S)

    def hurry(self) -> None:
        """Wait for no reply any more."""
        if self.server is not None:
            self.server.app[DRAIN].hurry()

    def tell(self) -> None:
        """Everything is closed."""
        now_s = self._loop.time()
        story(log, "stopped", {"drained_s": now_s - self._stopping_s, "up_s": now_s - self._began_s})


def longest_stop_s(settings: Settings) -> float:
    """How long a stop takes at most."""
    delay_s = BALANCER_DELAY_S if settings.drain_delay_s is None else settings.drain_delay_s
    return delay_s + settings.drain_s + CLOSE_S


def _announce(server: RunningServer, settings: Settings, worker: Worker | None) -> None:
    """Say that the server is ready: a block on standard output (one object with `json`), and the log's first line."""
    runtime = server.runtime
    ready = json.dumps({"level": "info", "message": "Ready", "url": server.url})
    text = ready if settings.log_format == "json" else ready_block(server.url, runtime)
    if worker is None:
        announce(text)
    else:
        worker.tell_readiness(not_ready(server.app))  # else the start would stand there a moment longer
        worker.ready(text)
    number = None if worker is None else worker.number
    pid = None if worker is None else os.getpid()
    story(log, "started", {**start_facts(server.url, runtime), "worker": number, "pid": pid})
    if not number:  # they all have the same to say
        for warning in warnings_of(runtime):
            log.warning(warning)


def _collect_garbage_less_often() -> None:
    """Run full garbage collections less often: with 200 conversations one blocks the loop for 20 to 40 ms and finds
    almost nothing.
    """
    gc.collect()
    gc.freeze()  # what exists now lives as long as the process
    gc.set_threshold(700, 10, 50)  # 50 instead of 10: a full collection about every minute under such a load


def run_until_done(settings: Settings, serving: Coroutine[Any, Any, T]) -> T:
    """Run this in a loop of its own, with the log of the settings. Raises what it raises."""
    logs.configure(settings.log_level, settings.log_format, secrets_of(settings))
    ending.OF_THIS_PROCESS.reset()
    try:
        with ending.handlers_given_back(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(serving)
    finally:
        ending.OF_THIS_PROCESS.disarm()  # what follows `serve` in a program of somebody else is not ours to end
        logs.flush()


def _loop_factory() -> Any:
    try:
        import uvloop
    except ModuleNotFoundError:  # Windows
        return None
    return uvloop.new_event_loop


def _check_caller() -> None:
    """Whether the signals of the process and a loop of its own can be had. Raises RuntimeError."""
    if asyncio._get_running_loop() is not None:
        raise RuntimeError(
            "serve() has an event loop of its own, and one runs here: use `async with running(settings)`."
        )
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(
            "serve() takes the signals of the process, which only the main thread can: in this thread use `running`, "
            "which takes none (docs/extending.md)."
        )


def serve(
    settings: Settings,
    *,
    providers: ProviderOverrides | None = None,
    tools: Iterable[Toolish] = (),
    workers: int = 1,
) -> int:
    """Serve until SIGTERM, SIGINT or SIGHUP and return the exit status. Several workers (processes) share one port.

    `providers` and `tools` are those of `running`. Create the providers outside of an event loop. They cannot be sent
    to other processes: for several workers install them as a package (`docs/extending.md`). Raises ConfigError, and
    RuntimeError where it cannot work: outside of the main thread, and where a loop runs. `running` works there.
    """
    _check_caller()
    tools = as_tools(tools)
    check_binding(settings)
    settings = with_server_secret(settings)
    if workers <= 1:
        run_until_done(settings, serve_until_signal(settings, tools, providers))
        return 0
    if providers:
        raise ConfigError("Providers cannot be sent to other processes: use one worker, or an entry point.")
    logs.configure(settings.log_level, settings.log_format, secrets_of(settings))
    try:
        return serve_workers(settings, tools, workers, stop_s=longest_stop_s(settings))
    finally:
        logs.flush()
