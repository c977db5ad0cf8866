"""What a terminal does with keys: they are seen while a line is asked for, and never among the answers.

A terminal belongs to the foreground. In the background (`&`, or `timeout` in a script) nothing of it is touched, and
whoever is stopped (Ctrl-Z) leaves it as it was found. Knows terminals and signals; knows no conversation.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

try:
    import termios

    _HAS_TERMINALS = True
    _FAILURES: tuple[type[Exception], ...] = (OSError, ValueError, AttributeError, termios.error)
except ImportError:  # terminals are of another kind
    _HAS_TERMINALS = False
    _FAILURES = (OSError, ValueError, AttributeError)


class Keyboard:
    """The echo of the terminal of standard input, if there is one; `without_echo` gives it back at the end.

    `asks`: keys that are pressed unseen are for the line that is asked for next. Then Ctrl-D is kept among them as a
    letter is: as the end of input it would count at once, where nobody reads, and be lost.
    """

    def __init__(self, descriptor: int | None, *, asks: bool = False) -> None:
        self._descriptor = descriptor
        self._asks = asks
        self._found: list[Any] | None = None  # how the terminal was
        self._stopped: list[Any] | None = None  # and how it was for us, when Ctrl-Z stopped us
        self._silent = False

    @contextlib.contextmanager
    def seen(self) -> Iterator[None]:
        """Until the end of the block keys are shown as they are pressed."""
        before = self._silent
        self.be_silent(False)
        try:
            yield
        finally:
            self.be_silent(before)

    def be_silent(self, silent: bool = True) -> None:
        self._silent = silent
        with self._ours() as now:
            if now is not None:
                self._found = self._found or list(now)
                echo = 0 if silent else self._found[3] & termios.ECHO
                self._set([*now[:3], now[3] & ~termios.ECHO | echo, *now[4:6], self._keys(now[6], silent)])

    def _keys(self, now: list[Any], silent: bool) -> list[Any]:
        """The keys with a meaning, of which Ctrl-D has none while keys are kept for a line."""
        if not self._asks or self._found is None or self._descriptor is None:
            return now
        keys = list(now)
        keys[termios.VEOF] = self._found[6][termios.VEOF]
        if silent:
            with contextlib.suppress(*_FAILURES):
                keys[termios.VEOF] = bytes([os.fpathconf(self._descriptor, "PC_VDISABLE")])
        return keys

    def leave(self, *, stopped: bool = False) -> None:
        """Make the terminal what it was. `stopped`: until `come_back`."""
        with self._ours() as now:
            if now is not None and self._found is not None:
                self._stopped = list(now) if stopped else None
                if self._asks and not stopped:
                    self._forget_keys()
                self._set(self._found)

    def come_back(self) -> None:
        """It was somebody else's. While a line is read, only what we have left ourselves is put back."""
        with self._ours() as now:
            stopped = self._stopped if now is not None else None
            if stopped is not None:
                self._stopped = None
                self._set(stopped)
        if self._silent:
            self.be_silent()

    @contextlib.contextmanager
    def _ours(self) -> Iterator[list[Any] | None]:
        """The settings of the terminal; None if there is none, or we are in its background or it has gone."""
        try:
            ours = self._descriptor is not None and os.tcgetpgrp(self._descriptor) == os.getpgrp()
            now = termios.tcgetattr(self._descriptor) if ours and self._descriptor is not None else None
        except _FAILURES:
            now = None
        yield now

    def _forget_keys(self) -> None:
        """What was typed for a line that is not asked for any more is no command: a shell would take it for one."""
        assert self._descriptor is not None
        with contextlib.suppress(*_FAILURES):
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    def _set(self, settings: list[Any]) -> None:
        """Without being stopped for it, should the terminal have become somebody else's in this moment."""
        assert self._descriptor is not None
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        try:
            with contextlib.suppress(*_FAILURES):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, settings)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def without_echo(*, asks: bool = False) -> Iterator[Keyboard]:
    """Keys that are pressed do not appear among the answers; the terminal is afterwards as it was.

    `asks`: lines are asked for with `seen`.
    """
    keyboard = Keyboard(_terminal(), asks=asks)
    with _told_of_stops(keyboard):
        keyboard.be_silent()
        try:
            yield keyboard
        finally:
            keyboard.leave()


def _terminal() -> int | None:
    if not _HAS_TERMINALS:
        return None
    try:
        descriptor = sys.stdin.fileno()
        termios.tcgetattr(descriptor)
    except _FAILURES:
        return None
    return descriptor


@contextlib.contextmanager
def _told_of_stops(keyboard: Keyboard) -> Iterator[None]:
    """Ctrl-Z and `fg` come to the keyboard, if they have their default meaning so far."""

    def stop(number: int, frame: FrameType | None) -> None:
        keyboard.leave(stopped=True)
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)  # here we wait until somebody lets us go on
        signal.signal(signal.SIGTSTP, stop)
        keyboard.come_back()

    def go_on(number: int, frame: FrameType | None) -> None:
        keyboard.come_back()

    if keyboard._descriptor is None or threading.current_thread() is not threading.main_thread():
        yield  # no other thread may set a handler
        return
    handlers = {signal.SIGTSTP: stop, signal.SIGCONT: go_on}
    ours = {number: one for number, one in handlers.items() if signal.getsignal(number) == signal.SIG_DFL}
    for number, handler in ours.items():
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)
