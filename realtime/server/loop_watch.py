"""Tells the log that the event loop is blocked, and by what: a thread looks whether it still runs.

A tool or a provider that sleeps in the loop holds everybody up, and nothing that runs in the loop could say so. Several
workers are watched by their supervisor as well (`worker_watch.py`). Counts only the time in which it looks: a machine
that was suspended has blocked nothing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from realtime.ending import standing
from realtime.logs import story

LOOK_S = 1.0
BLOCKED_S = 5.0  # then the operator is told

log = logging.getLogger(__name__)


class LoopWatch:
    """Watches the loop of the main thread."""

    def __init__(self, look_s: float = LOOK_S, blocked_s: float = BLOCKED_S) -> None:
        self._look_s, self._blocked_s = look_s, blocked_s
        self._beats = 0
        self._over = threading.Event()

    def __repr__(self) -> str:
        return f"<LoopWatch {self._beats} beats>"

    @contextmanager
    def watching(self) -> Iterator[None]:
        """A block in which it looks."""
        self._beat(asyncio.get_running_loop())
        threading.Thread(target=self._run, name="loop watch", daemon=True).start()
        try:
            yield
        finally:
            self._over.set()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._over.is_set():
            self._beats += 1
            loop.call_later(self._look_s / 2, self._beat, loop)

    def _run(self) -> None:
        beats, blocked_s, told = -1, 0.0, False
        while not self._over.wait(self._look_s):
            blocked_s = blocked_s + self._look_s if beats == self._beats else 0.0
            beats = self._beats
            if told and not blocked_s:
                story(log, "the event loop runs again", {}, logging.WARNING)
                told = False
            elif not told and blocked_s >= self._blocked_s:
                facts = {"blocked_s": blocked_s, "main_thread": standing()}
                story(log, "the event loop is blocked", facts, logging.WARNING)
                told = True
