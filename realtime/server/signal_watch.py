"""Hears signals in a thread of its own, so that a stop has a deadline also while the event loop is blocked.

The handlers of an event loop run in the loop: code of somebody else that blocks it (a tool that sleeps, a provider that
computes) holds them back, too. But the system writes the number of each signal into the process' "wakeup" socket at
once, whatever the main thread does. Here a thread reads it, and passes the numbers on to who had the socket before: the
loop. Knows signals and sockets; does not know what a signal means.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable

NUMBERS = 64  # read at once
JOIN_S = 1.0


class SignalWatch:
    """Calls `heard` with the number of each signal that the process takes, in a thread, until `close`.

    For the main thread, and after the handlers of its loop are set.
    """

    def __init__(self, heard: Callable[[int], object]) -> None:
        self._heard = heard
        self._reading, self._writing = socket.socketpair()
        self._writing.setblocking(False)
        self._before = -1
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
        self._thread.start()  # before it gets anything: who reads nothing would keep it from the loop
        self._before = signal.set_wakeup_fd(self._writing.fileno(), warn_on_full_buffer=False)

    def __repr__(self) -> str:
        return f"<SignalWatch {'hears' if self._thread.is_alive() else 'closed'}>"

    def close(self) -> None:
        """From now on `heard` is not called."""
        with contextlib.suppress(ValueError, OSError):
            now = signal.set_wakeup_fd(self._before)
            if now != self._writing.fileno():  # somebody has taken it since
                signal.set_wakeup_fd(now)
        self._writing.close()
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        with self._reading:
            while numbers := self._reading.recv(NUMBERS):
                if self._before != -1:
                    with contextlib.suppress(OSError):  # it is full, so the loop wakes up all the same
                        os.write(self._before, numbers)
                for number in numbers:
                    self._heard(number)
