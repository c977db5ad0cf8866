"""What messages tell the client, with their numbers, as long as it may not have got them.

A message that waits has no number yet. One that was sent may be lost with its connection, which is noticed after 30 s
at the latest; then the client is away, comes back, and gets it again on a connection that may be dead as well.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

UNSENT = 2**53 - 1  # instead of the number of a message that still waits: no client has had it
# After a message was sent, while others are sent: by then a client has it, or comes back without it
ARRIVES_S = 90.0
MOST = 4_000  # messages: the items of the longest conversation, which have two each


class ToldMessages(Generic[T]):
    """What some messages of one session tell, in their order. They are sent in the order in which they have waited."""

    def __init__(self) -> None:
        self._waiting: deque[T] = deque(maxlen=MOST)
        self._sent: deque[tuple[float, T]] = deque(maxlen=MOST)  # with the time, in loop seconds

    def __repr__(self) -> str:
        return f"<ToldMessages {len(self._sent)} sent, {len(self._waiting)} waiting>"

    def queued(self, told: T) -> None:
        """It waits for the client."""
        self._waiting.append(told)

    def sent(self, waited: T, told: T) -> None:
        """The message that waited as `waited` has its number now; from now on it is kept as `told`."""
        if waited in self._waiting:
            self._waiting.remove(waited)
        now_s = asyncio.get_running_loop().time()
        while self._sent and self._sent[0][0] < now_s - ARRIVES_S:
            self._sent.popleft()
        self._sent.append((now_s, told))

    def now(self) -> tuple[T, ...]:
        """All that the client may not have."""
        return *(told for _, told in self._sent), *self._waiting
