"""Paces those who arrive: connections, new sessions and resumed ones begin in order, so many a second.

What begins costs the event loop time at once, and a crowd that begins together would hold up the frames of everybody
else. The time between two of them counts from when the first one really began: a loop that is late does not begin all
who are due together. Whoever would wait too long is told so. Knows no load and no limits of sessions: `registry.py` has
those (docs/operations.md, "Full").
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from realtime.errors import ProtocolError
from realtime.server.token_bucket import TokenBucket


@dataclass(frozen=True, slots=True)
class Pace:
    """So many a second, and `at_once` of them together if few came before. As many wait as have their turn in this
    time; if the loop is late, they are told after one and a half of it."""

    per_s: float
    at_once: int
    longest_wait_s: float


# A client of ours gives up 4 s after it began to connect: both waits together are shorter
CONNECTIONS = Pace(per_s=300.0, at_once=20, longest_wait_s=1.5)
NEW, RESUMED = Pace(per_s=50.0, at_once=5, longest_wait_s=2.0), Pace(200.0, 10, 2.0)
# Sessions of another server cost more than own ones that resume, and their clients were in the middle of something
MOVED = Pace(per_s=150.0, at_once=10, longest_wait_s=2.0)

AT_ONCE = Pace(per_s=1.0, at_once=1_000_000_000, longest_wait_s=0.0)  # nobody waits


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """One that waits. `called`: with True when it may begin, with False if it waited too long."""

    since_s: float
    called: Callable[[bool], object]


class Queue:
    """First come, first served. For one event loop."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._gap_s = 1 / pace.per_s
        self._most = int(pace.per_s * pace.longest_wait_s)
        self._bucket: TokenBucket | None = None
        self._waiting: deque[Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Queue of {len(self._waiting)}>"

    def enter(self, called: Callable[[bool], object]) -> Waiting | None:
        """Call it when its turn is there: now, if nobody waits, else later. None: it was called already."""
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        if self._bucket is None:
            self._bucket = TokenBucket(self._pace.per_s, self._pace.at_once, now_s)
        if self._timer is None and self._bucket.try_take(1.0, now_s):
            called(True)
            return None
        if len(self._waiting) >= self._most:
            called(False)
            return None
        if self._timer is None:
            self._timer = loop.call_later(self._gap_s, self._next)
        waiting = Waiting(now_s, called)
        self._waiting.append(waiting)
        return waiting

    def leave(self, waiting: Waiting) -> None:
        """It waits no longer."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)

    def call_all(self) -> None:
        """Nobody has to wait any more."""
        while self._waiting:
            self._waiting.popleft().called(True)

    def _next(self) -> None:
        loop, self._timer = asyncio.get_running_loop(), None
        if self._waiting:
            self._timer = loop.call_later(self._gap_s, self._next)
            first = self._waiting.popleft()
            first.called(loop.time() - first.since_s <= 1.5 * self._pace.longest_wait_s)
        else:  # while some waited, no room was saved up for others
            self._bucket = TokenBucket(self._pace.per_s, self._pace.at_once, loop.time())
            self._bucket.take(self._pace.at_once - 1, loop.time())


class Arrivals:
    """The sessions that are about to begin in one process. One that goes on never waits for new ones."""

    def __init__(self, *, paced: bool = True) -> None:
        paces = (NEW, RESUMED, MOVED) if paced else (AT_ONCE,) * 3
        self._new, self._resumed, self._moved = map(Queue, paces)
        self._ended = False

    def __repr__(self) -> str:
        return f"<Arrivals {self._new} {self._resumed} {self._moved}>"

    async def turn(self, *, resumed: bool, moved: bool = False) -> None:
        """Wait for the turn of this one: a new one, one of ours that is `resumed`, or one that was `moved` from another
        server. Raises ProtocolError `server_overloaded` if that takes too long."""
        if self._ended:
            return
        queue = self._resumed if resumed else self._moved if moved else self._new
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def called(begins: bool) -> None:
            if not turn.done():  # cancelled in this moment
                turn.set_result(begins)

        waiting = queue.enter(called)
        try:
            begins = await turn
        finally:
            if waiting is not None:
                queue.leave(waiting)
        if not begins:
            message = "Too many connect at once: try again in a few seconds."
            raise ProtocolError(message, code="server_overloaded", type="server_error")

    def end(self) -> None:
        """The server stops: nobody waits any more."""
        self._ended = True
        self._new.call_all()
        self._resumed.call_all()
        self._moved.call_all()
