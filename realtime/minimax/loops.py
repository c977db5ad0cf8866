"""What belongs to one event loop: made when it is first needed there, and dropped when the loop is closed.

A client may live longer than a loop: `asyncio.run` twice in a script, a notebook, a worker of a task queue. Its sockets
and locks may not. A client is used by one loop at a time; two threads need two clients.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A value for each event loop. Those of closed loops are dropped when there is a new loop.

    Not where `keep_closed` is True: there the owner has to end them, and gets them from `take_closed`.
    """

    def __init__(self, make: Callable[[], T], *, keep_closed: bool = False) -> None:
        self._make = make
        self._keep_closed = keep_closed
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def __repr__(self) -> str:
        return f"<PerLoop {len(self._values)}>"

    def here(self) -> T:
        """The value for the running loop."""
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            if not self._keep_closed:
                self.take_closed()
            self._values[loop] = self._make()
        return self._values[loop]

    def all(self) -> list[T]:
        """The values of all loops that are not closed."""
        return [value for loop, value in self._values.items() if not loop.is_closed()]

    def take_here(self) -> list[T]:
        """Forget the running loop. Returns its value, if it has one."""
        loop = asyncio.get_running_loop()
        return [self._values.pop(loop)] if loop in self._values else []

    def take_closed(self) -> list[T]:
        """Forget the loops that are closed. Returns their values."""
        return [self._values.pop(loop) for loop in list(self._values) if loop.is_closed()]


def lock() -> PerLoop[asyncio.Lock]:
    """A lock that several loops can use, one after the other."""
    return PerLoop(asyncio.Lock)
