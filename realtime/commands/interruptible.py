"""Run the coroutine of a command; Ctrl-C cancels it between two steps of the event loop, and so do SIGTERM and SIGHUP.

`asyncio.run` cancels in the handler of the signal, that is in the middle of whatever runs at that moment. A future that
is about to get its result is then cancelled first, and "Exception in callback ... InvalidStateError" is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar, TypeVarTuple

from realtime import interrupt

T = TypeVar("T")
Args = TypeVarTuple("Args")


# Windows has no SIGHUP
_ENDS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Terminated(KeyboardInterrupt):
    """Another program has ended this one, or its terminal was closed. `status` is what a shell reports of that."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number


def run(command: Callable[[*Args], Coroutine[Any, Any, T]], *args: *Args) -> T:
    """What the command returns, in an event loop of its own.

    Raises what the command raises, and KeyboardInterrupt for Ctrl-C: after the command has closed what it had opened,
    or at once for a second Ctrl-C. For SIGTERM and SIGHUP it is Terminated, once: who ends a program, or closes a
    window, often sends several. Where the parent has a signal ignored, it stays ignored.
    """
    signals = _Signals()

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in a task
        signals.cancels(task)
        return await command(*args)

    with asyncio.Runner() as runner, signals.handled():
        try:
            return runner.run(cancellable())
        except asyncio.CancelledError:
            if signals.came is not None:
                raise signals.came from None
            raise
        except OSError:
            if isinstance(signals.came, Terminated):  # a terminal that was closed takes no last words
                raise signals.came from None
            raise


class _Signals:
    def __init__(self) -> None:
        self.came: KeyboardInterrupt | None = None
        self._task: asyncio.Task[Any] | None = None

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Until the end of the block the signals come here, if they have their usual meaning so far."""
        if threading.current_thread() is not threading.main_thread():  # no other one may set a handler
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDS) if _usual(number)}
        for number in before:
            signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                if signal.getsignal(number) == self._on_signal:
                    signal.signal(number, handler)

    def cancels(self, task: asyncio.Task[Any]) -> None:
        """From here on a signal cancels this task, also one that has come already."""
        self._task = task
        if self.came is not None:
            task.cancel()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        came = KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)
        if isinstance(came, Terminated) and isinstance(self.came, Terminated):
            return
        if self.came is not None or (self._task is not None and self._task.done()):
            raise came
        self.came = came
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)  # wakes a loop that waits, too


def _usual(number: int) -> bool:
    """Whether a signal ends this process as it is, and nobody else has taken it."""
    usual = (signal.default_int_handler,) if number == signal.SIGINT else (signal.SIG_DFL, interrupt.leave)
    return signal.getsignal(number) in usual
