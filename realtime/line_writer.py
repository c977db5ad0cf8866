"""Lines for an output, written by a thread: whoever has a line to say never waits for who reads it.

A reader that stands still (a pipe that is full, a terminal after Ctrl-S, a disk that hangs) costs lines, and no time of
who says them. Lines keep their order; those that have no room are counted, and the count stands where they are missing.
Knows streams and threads; does not know what the lines say.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TextIO

MOST_WAITING = 1_000_000  # characters of the lines that wait: some 5,000 lines
# Until an output is tried again that takes nothing at the moment, and says so instead of blocking
PAUSE_S = 0.05
PRINT_S = 1.0  # for a standard output that takes nothing


class LineWriter:
    """`lost(n)` makes the line that says how many are missing. `output` is for lines whose own stream is closed."""

    def __init__(self, output: Callable[[], TextIO | None], lost: Callable[[int], str]) -> None:
        self._output, self._lost = output, lost
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._changed = threading.Condition()  # never held while the thread writes
        # A number: so many lines are missing here
        self._waiting: deque[tuple[TextIO | None, str | int]] = deque()
        self._size = 0  # characters of what waits, and of what the thread writes
        self._writing = self._ended = False
        self._missing = 0  # lines that are missing, and nothing says so yet
        self._thread: threading.Thread | None = None

    def put(self, stream: TextIO | None, line: str) -> None:
        """Write this line, with its line break, to the stream soon."""
        self._begin_in_a_fork()
        with self._changed:
            if self._size and self._size + len(line) > MOST_WAITING:
                self._miss(stream)
                return
            self._size += len(line)
            self._waiting.append((stream, line))
            if (self._ended and not self._writing) or not self._has_thread():
                while self._waiting:
                    self._write(*self._take())
                self._size = 0
            self._changed.notify_all()

    def flush(self, within_s: float) -> None:
        """Wait until all lines are written, but only so long."""
        self._begin_in_a_fork()
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._writing, within_s)

    def end(self) -> None:
        """Python shuts down, and soon no thread runs: what still comes is written at once, if nothing is stuck."""
        self._ended = True

    def _begin_in_a_fork(self) -> None:
        """What waits is of the process that forked: its thread is not here, and its lock may be held."""
        if self._pid != os.getpid():
            self._begin()

    def _miss(self, stream: TextIO | None) -> None:
        """One more line is missing behind the last one."""
        before = self._waiting[-1][1] if self._waiting else ""
        if isinstance(before, int):
            self._waiting[-1] = (stream, before + 1)
        else:
            self._waiting.append((stream, 1))

    def _has_thread(self) -> bool:
        """It begins with the first line: a process that only forks others has none."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="log", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system gives no more threads
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                stream, line = self._take()
                self._writing = True
            self._write(stream, line)
            with self._changed:
                self._writing = False
                self._size -= len(line) if isinstance(line, str) else 0
                self._changed.notify_all()

    def _take(self) -> tuple[TextIO | None, str | int]:
        stream, line = self._waiting.popleft()
        return self._output() if stream is None or _is_closed(stream) else stream, line

    def _write(self, stream: TextIO | None, line: str | int) -> None:
        if isinstance(line, int):
            self._missing += line
        if self._missing and _is_written(stream, self._lost(self._missing)):
            self._missing = 0
        if isinstance(line, str) and not _is_written(stream, line):
            self._missing += 1


def printed(text: str) -> bool:
    """Print on standard output; False where it takes nothing: it is closed, its disk full, its reader gone or still."""
    done: list[bool] = []
    thread = threading.Thread(target=_print, args=(text, done), name="print", daemon=True)
    thread.start()
    thread.join(PRINT_S)
    return bool(done)


def _print(text: str, done: list[bool]) -> None:
    if sys.stdout is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()  # what the program has printed before
    if _is_written(sys.stdout, text + "\n"):
        done.append(True)


def _is_closed(stream: TextIO) -> bool:
    """A stream of a program may not know it; one that was detached raises ValueError."""
    try:
        return bool(getattr(stream, "closed", False))
    except ValueError:
        return True


def _is_written(stream: TextIO | None, text: str) -> bool:
    """Whether the stream took the text: it may be closed, its disk full, its reader gone."""
    try:
        if isinstance(stream, io.TextIOWrapper):
            _write_raw(stream, text)
        elif stream is not None:  # one of a program: it may lead anywhere
            stream.write(text)
            stream.flush()
    except Exception:
        return False
    return stream is not None


def _write_raw(stream: io.TextIOWrapper, text: str) -> None:
    """Write beside Python's buffer, whose lock the rest of the program would wait for: also Python itself at its end,
    which then aborts. And what could not be written is not in it: Python would try again at its end, and fail."""
    raw: Any = getattr(stream.buffer, "raw", stream.buffer)
    data = text.encode(stream.encoding, stream.errors or "strict")
    while data:
        count: int | None = raw.write(data)
        if count is None:
            time.sleep(PAUSE_S)
        data = data[count or 0 :]
