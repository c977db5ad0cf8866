"""Several workers on one port: what each of them may use, and the supervisor that runs them.

The numbers of the account and of sessions are divided: together the workers use what one server would
(docs/operations.md, "Several workers").
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import pickle
import time
from collections.abc import Sequence
from typing import Any

from realtime import ending
from realtime.errors import ConfigError
from realtime.logs import story
from realtime.providers import catalog
from realtime.providers.nodes import node_of
from realtime.server.address import listening_socket
from realtime.server.admin_port import open_admin_port
from realtime.server.announce import announce
from realtime.server.spread import WorkerTable, shared_rows
from realtime.server.supervisor import Supervisor
from realtime.server.worker_process import Starter, WorkerProcess, start_worker
from realtime.settings import Settings
from realtime.settings.accounts import every_account
from realtime.settings.model import Account
from realtime.tools import Toolish

log = logging.getLogger(__name__)

KILL_S = 3.0  # after the time in which a worker should have ended by itself
NO_RESUME = (
    "a client that comes back may reach another worker: without REALTIME_REDIS `resume` is not offered"
)
OWN_MEMORY = "each worker remembers its own conversations only: set REALTIME_STORE=sqlite:PATH to share them"


def serve_workers(settings: Settings, tools: Sequence[Toolish], workers: int, *, stop_s: float) -> int:
    """Serve with so many processes until SIGTERM, SIGINT or SIGHUP, and return the exit status.

    A worker ends within `stop_s` of the stop. Raises ConfigError.
    """
    with asyncio.Runner() as runner:
        return runner.run(_supervise(settings, tools, workers, stop_s))


async def _supervise(settings: Settings, tools: Sequence[Toolish], workers: int, stop_s: float) -> int:
    began_s, keys = time.monotonic(), max(1, len(settings.api_keys)) if settings.sessions_per_key else 0
    rows = shared_rows(workers, keys)
    work = [pickle.dumps((settings_of(settings, number, workers), tuple(tools))) for number in range(workers)]
    notes = notes_of(settings)
    preload, starter = preloaded_for(settings), Starter()
    with listening_socket(settings) as sock:

        async def start(number: int) -> WorkerProcess:
            return await starter.start(lambda: start_worker(number, sock, rows, work[number], preload, keys))

        def ready(text: str) -> None:
            announce(text if settings.log_format == "json" else with_workers(text, workers, notes))

        for note in notes:
            log.warning("with several workers %s", note)
        supervisor = Supervisor(
            WorkerTable(rows, keys),
            start,
            on_ready=ready,
            on_stop=sock.close,
            longest_stop_s=stop_s + KILL_S,
        )
        for number in ending.taken_signals():
            stop = supervisor.drain if ending.hangs_up(number) else supervisor.stop
            asyncio.get_running_loop().add_signal_handler(number, stop)
        async with open_admin_port(settings, supervisor):
            status = await supervisor.run()
    story(log, "all workers stopped", {"workers": workers, "up_s": time.monotonic() - began_s})
    return status


def preloaded_for(settings: Settings) -> list[str]:
    """What workers with these settings would import at their start: a second of CPU, which a worker that is replaced
    does not have. Packages of others stay out: importing them may start threads, which a fork would not have."""
    sandbox = ["realtime.sandbox.server"] if settings.use_sandbox else []
    try:
        return [*catalog.modules_of(settings), *sandbox]
    except ConfigError:  # the workers say what is wrong
        return sandbox


def settings_of(settings: Settings, number: int, workers: int) -> Settings:
    """The settings of one of so many workers."""
    shares: dict[str, Any] = {"max_sessions": share(settings.max_sessions, number, workers)}
    if not settings.use_sandbox:  # each worker has a sandbox of its own, but the account is one
        # Where Redis counts, it counts for all workers together, and they are nodes that share the connections
        for name in () if settings.redis else ("speech_rpm", "chat_rpm", "speech_connections"):
            shares[name] = max(1, share(getattr(settings, name), number, workers))
        if settings.accounts and not settings.redis:
            shares["accounts"] = tuple(_share_of(each, number, workers) for each in every_account(settings))
    node = f"{node_of(settings)}/{number}" if settings.redis else settings.node
    window_s = settings.resume_window_s if settings.redis else 0.0  # with Redis each can go on with it
    return dataclasses.replace(settings, resume_window_s=window_s, node=node, **shares)


def _share_of(account: Account, number: int, workers: int) -> Account:
    """What one of so many workers may use of the account. What it does not say is divided with the settings."""

    def part(whole: int | None) -> int | None:
        return None if whole is None else max(1, share(whole, number, workers))

    return dataclasses.replace(
        account,
        speech_rpm=part(account.speech_rpm),
        chat_rpm=part(account.chat_rpm),
        speech_connections=part(account.speech_connections),
    )


def share(whole: int, number: int, workers: int) -> int:
    """The share of one of so many; together they are the whole."""
    return whole // workers + (number < whole % workers)


def notes_of(settings: Settings) -> list[str]:
    """What several workers do not have, each with its reason."""
    found = [(NO_RESUME, not settings.redis), (OWN_MEMORY, settings.store == "memory")]
    return [note for note, holds in found if holds]


def with_workers(block: str, workers: int, notes: Sequence[str]) -> str:
    """The block on standard output, with what there is to say of several workers."""
    said = f"{workers}: {'; '.join(notes)}" if notes else str(workers)
    return "\n".join([block, f"  {'workers':<14} {said}"])
