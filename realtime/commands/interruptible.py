"""Run the coroutine of a command; Ctrl-C cancels it between two steps of the event loop.

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

T = TypeVar("T")
Args = TypeVarTuple("Args")


def run(command: Callable[[*Args], Coroutine[Any, Any, T]], *args: *Args) -> T:
    """What the command returns, in an event loop of its own.

    Raises what the command raises, and KeyboardInterrupt for Ctrl-C: after the command has closed what it had opened,
    or at once for a second Ctrl-C. Where the parent has Ctrl-C ignored, it stays ignored.
    """
    ctrl_c = _CtrlC()

    async def cancellable() -> T:
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in a task
        ctrl_c.cancels(task)
        return await command(*args)

    with asyncio.Runner() as runner, ctrl_c.handled():
        try:
            return runner.run(cancellable())
        except asyncio.CancelledError:
            if ctrl_c.pressed:
                raise KeyboardInterrupt from None
            raise


class _CtrlC:
    def __init__(self) -> None:
        self.pressed = False
        self._task: asyncio.Task[Any] | None = None

    @contextlib.contextmanager
    def handled(self) -> Iterator[None]:
        """Until the end of the block SIGINT comes here, if it means KeyboardInterrupt so far."""
        main = threading.current_thread() is threading.main_thread()  # no other one may set a handler
        if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGINT) == self._on_signal:
                signal.signal(signal.SIGINT, signal.default_int_handler)

    def cancels(self, task: asyncio.Task[Any]) -> None:
        """From here on Ctrl-C cancels this task, also one that has been pressed already."""
        self._task = task
        if self.pressed:
            task.cancel()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.pressed or (self._task is not None and self._task.done()):
            raise KeyboardInterrupt
        self.pressed = True
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)  # wakes a loop that waits, too
