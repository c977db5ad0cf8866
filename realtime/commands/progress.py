"""Progress on stderr: bars on a terminal that has rich, plain lines now and then otherwise, nothing with `--quiet`.

Knows what is shown and when; not what is transferred, waited for or paid. stdout stays free for results.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO

from realtime.errors import as_typed

OnProgress = Callable[[int, int | None], None]  # bytes done, bytes in all (None: unknown)
PLAIN_EVERY_S = 10.0


class TaskProgress(Protocol):
    """What is known of a task that the platform works on."""

    @property
    def state(self) -> object: ...  # its `str` is the word that is shown
    @property
    def elapsed_s(self) -> float: ...
    @property
    def typical_s(self) -> float | None: ...
    @property
    def share(self) -> float | None: ...  # done of the whole, 0 to 1
    @property
    def trouble(self) -> str | None: ...  # why the last look failed; the task itself goes on


class Progress(Protocol):
    """Where a command shows what it is doing. Each method returns a callback for one thing, named by `label`."""

    def transfer(self, label: str) -> OnProgress:
        """For bytes that go up or come down, like "uploading me.m4a"."""
        ...

    def task(self, label: str) -> Callable[[TaskProgress], None]:
        """For a task of the platform, like "video"."""
        ...

    def say(self, sentence: str) -> None:
        """One line, for waits and changes of plan."""
        ...

    def clear(self) -> None:
        """Take away what moves, before something else is printed. Callbacks from before show nothing any more."""
        ...


@contextmanager
def open_progress(*, quiet: bool = False, stream: TextIO | None = None) -> Iterator[Progress]:
    """The progress of one command, until the end of the block. `stream` is stderr unless given."""
    stream = stream or sys.stderr
    if quiet:
        yield NoProgress()
    elif stream.isatty() and importlib.util.find_spec("rich") is not None:
        bars = _Bars(stream)
        try:
            yield bars
        finally:
            bars.clear()
    else:
        yield PlainProgress(stream)


class NoProgress:
    """Shows nothing."""

    def transfer(self, label: str) -> OnProgress:
        return lambda done, total: None

    def task(self, label: str) -> Callable[[TaskProgress], None]:
        return lambda progress: None

    def say(self, sentence: str) -> None:
        return

    def clear(self) -> None:
        return


class PlainProgress:
    """Lines for logs: one at each change of state, one every 10 s in between, one at the end of a transfer."""

    def __init__(
        self, stream: TextIO, every_s: float = PLAIN_EVERY_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._every_s = every_s
        self._now = now

    def transfer(self, label: str) -> OnProgress:
        due = _Due(self._every_s, self._now)

        def show(done: int, total: int | None) -> None:
            if due.is_due("complete" if done == total else "running"):
                self.say(f"{label}: {transferred(done, total)}")

        return show

    def task(self, label: str) -> Callable[[TaskProgress], None]:
        due = _Due(self._every_s, self._now, first=True)

        def show(progress: TaskProgress) -> None:
            if due.is_due((str(progress.state), progress.trouble)):
                self.say(f"{label}: {waited(progress)}")

        return show

    def say(self, sentence: str) -> None:
        print(as_typed(sentence), file=self._stream, flush=True)

    def clear(self) -> None:
        return


class _Due:
    """When the next plain line is due: at a change, else after a while. The start counts as a change with `first`."""

    def __init__(self, every_s: float, now: Callable[[], float], *, first: bool = False) -> None:
        self._every_s, self._now = every_s, now
        self._last_s = now()
        self._state: object = None if first else "running"

    def is_due(self, state: object) -> bool:
        now_s = self._now()
        if state == self._state and now_s - self._last_s < self._every_s:
            return False
        self._state, self._last_s = state, now_s
        return True


class _Bars:
    """Bars of rich: one for each transfer and task, from the first of them until `clear`."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
        )
        self._bars = Progress(
            *columns,
            console=Console(file=stream),
            transient=True,
            redirect_stdout=False,  # results belong on stdout, not among the bars
            redirect_stderr=False,
        )

    def transfer(self, label: str) -> OnProgress:
        bar = self._add(label)

        def show(done: int, total: int | None) -> None:
            self._update(bar, done, total, transferred(done, total))

        return show

    def task(self, label: str) -> Callable[[TaskProgress], None]:
        bar = self._add(label)

        def show(progress: TaskProgress) -> None:
            share = _share(progress)
            total = None if share is None else 1.0
            self._update(bar, share or 0.0, total, waited(progress))

        return show

    def say(self, sentence: str) -> None:
        self._bars.console.print(as_typed(sentence), markup=False, highlight=False, soft_wrap=True)

    def clear(self) -> None:
        self._bars.stop()
        for bar in self._bars.task_ids:
            self._bars.remove_task(bar)

    def _add(self, label: str) -> Any:
        self._bars.start()
        return self._bars.add_task(label, total=None, detail="")

    def _update(self, bar: Any, done: float, total: float | None, detail: str) -> None:
        if bar in self._bars.task_ids:  # not after `clear`
            self._bars.update(bar, completed=done, total=total, detail=detail)


def transferred(done: int, total: int | None) -> str:
    """Like "3.1 of 12.0 MB (26%)", in kB where all of it is less than a tenth of a MB."""
    size, unit, digits = (1e3, "kB", 0) if (total or done) < 100_000 else (1e6, "MB", 1)
    if not total:
        return f"{done / size:.{digits}f} {unit}"
    return f"{done / size:.{digits}f} of {total / size:.{digits}f} {unit} ({100 * done // total}%)"


def waited(progress: TaskProgress) -> str:
    """Like "running, 40 s of usually 2 min": state, time, share where there is one, trouble where there is some."""
    text = f"{progress.state}, {spoken_s(progress.elapsed_s)}"
    if progress.typical_s:
        text += f" of usually {spoken_s(progress.typical_s)}"
    if progress.share is not None:
        text += f", {100 * progress.share:.0f}%"
    if progress.trouble:
        text += f" (asking again: {progress.trouble})"
    return text


def spoken_s(seconds: float) -> str:
    """Like "40 s", "2 min", "2 min 5 s" or "3 h 10 min"; less than nothing is 0 s."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    small, unit, small_unit = (whole, 60, "s") if whole < 3600 else (whole // 60, 60, "min")
    big, rest = divmod(small, unit)
    name = "min" if small_unit == "s" else "h"
    return f"{big} {name} {rest} {small_unit}" if rest else f"{big} {name}"


def _share(progress: TaskProgress) -> float | None:
    """How full the bar is: the platform's own share, else elapsed of typical, never quite full before the end."""
    if progress.share is not None:
        return progress.share
    if progress.typical_s:
        return min(0.95, progress.elapsed_s / progress.typical_s)
    return None
