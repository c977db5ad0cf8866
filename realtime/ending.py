"""The end of a process: what stops a server, by when it has ended at the latest, which threads nobody waits for.

Python waits for every thread before it ends, and no thread can be killed: one that loads a model, or a function of
somebody else that hangs, would hold the process longer than an orchestrator waits before it kills. Knows threads and
time; does not know what they do.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

EXIT_LATE = 1  # something had not ended in time
LAST_WORDS_S = 0.3  # a full pipe that nobody reads would hold the process for ever
# A service manager, Ctrl-C, a terminal that closes. Windows has no SIGHUP.
STOP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)
)

log = logging.getLogger(__name__)


def taken_signals() -> tuple[signal.Signals, ...]:
    """The signals that a server takes as its stop. `nohup` has SIGHUP ignored: it stays so."""
    return tuple(
        each for each in STOP_SIGNALS if not hangs_up(each) or signal.getsignal(each) != signal.SIG_IGN
    )


@contextmanager
def handlers_given_back() -> Iterator[None]:
    """After this block the stop signals mean what they meant before: uvloop leaves the handlers of a loop that it has
    closed, and these swallow each signal, so that Ctrl-C would do nothing in what a program does after `serve`."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)


def hangs_up(number: signal.Signals) -> bool:
    """Whether it is SIGHUP. It often comes twice, from the terminal and from the shell: a second one means no hurry."""
    return number.name == "SIGHUP"


class Ending:
    """The end of one process. `leave` ends it at once, with this status."""

    def __init__(self, leave: Callable[[int], object]) -> None:
        self._leave = leave
        self._lock = threading.RLock()  # a thread that hears signals has a say, too
        self._by_s: float | None = None
        self._status = EXIT_LATE
        self._timer: threading.Timer | None = None
        self._unwaited: list[threading.Thread] = []

    def within(self, seconds: float) -> None:
        """The process ends in this time at the latest. Of several such times the earliest counts."""
        by_s = time.monotonic() + seconds
        with self._lock:
            if self._by_s is None or by_s < self._by_s:
                self._by_s = by_s
                self._arm()

    def disarm(self) -> None:
        """What had to end has ended: the rest of the program takes its time, until `end`."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def reset(self) -> None:
        """No deadline: something begins."""
        with self._lock:
            self.disarm()
            self._by_s = None

    def abandon(self, thread: threading.Thread) -> None:
        """Nobody waits for this thread at the end: it holds nothing of anybody."""
        self._unwaited = [*filter(threading.Thread.is_alive, self._unwaited), thread]

    def end(self, status: int) -> int:
        """The status to exit with; ends the process itself if only Python would wait for a thread that is abandoned.

        Python goes on to wait for all other threads, but not beyond the deadline.
        """
        if any(thread.is_alive() for thread in self._unwaited):
            self._leave(status)
        with self._lock:
            self._status = status
            if self._by_s is not None:
                self._arm()
        return status

    def _arm(self) -> None:
        assert self._by_s is not None
        self.disarm()
        self._timer = threading.Timer(max(0.0, self._by_s - time.monotonic()), self._late)
        self._timer.daemon = True
        self._timer.name = "end of the process"
        self._timer.start()

    def _late(self) -> None:
        told = "something had not ended in time: the process ends without it (the main thread is in %s)"
        where = standing()
        _briefly(lambda: log.warning(told, where))
        self._leave(self._status)


def standing() -> str:
    """Where the main thread is, for the log: what blocks it is mostly there."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    if frame is None:
        return "no Python code"
    return f"{frame.f_code.co_qualname}, {frame.f_code.co_filename}:{frame.f_lineno}"


def leave(status: int) -> None:
    """End the process at once: no thread is waited for, no destructor runs beside a model that still works."""
    _briefly(_flush_log)
    _briefly(_flush)
    os._exit(status)


def _flush_log() -> None:
    for handler in logging.getLogger().handlers:
        handler.flush()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # a reader that is gone, or a stream in the middle of a write
            continue


def _briefly(function: Callable[[], object]) -> None:
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(LAST_WORDS_S)


OF_THIS_PROCESS = Ending(leave)
