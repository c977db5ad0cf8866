"""How a server leaves: each session at its best moment, the rest at the end (docs/operations.md, "Stopping").

Between two sessions that leave there is some time, so that the next server is not met by all clients at once. Knows
sessions as far as they tell whether somebody speaks or listens; knows no socket, and no signal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, MutableSequence
from typing import Protocol

from realtime.logs import story
from realtime.metrics import Metrics

log = logging.getLogger(__name__)

POLL_S = 0.05  # nobody tells when a reply has been heard
QUIET_S = 0.3  # a player is a little behind what we know
ANSWER_S = 2.0  # a client that asks for its answers itself has so long
AWAY_S = 2.0  # a client that has lost its connection comes back within this time, or is not waited for
END_TIMEOUT_S = 5.0  # a slow store has 3 s, a closing handshake 1 s
LEAST_PER_S, MOST_PER_S = 10.0, 50.0  # sessions that leave; between these a tenth of all

BALANCER_DELAY_S = 5.0  # a balancer learns from its next questions that it should send nobody any more
ASKED_TIMES, ASKED_FOR_S, ASKED_WITHIN_S = 3, 5.0, 30.0


class LeavingSession(Protocol):
    """What is asked of a session. `away_s`: for how long it has had no client, None with one. `can_move`: another
    server can go on with it, whatever is said in it."""

    @property
    def id(self) -> str: ...
    @property
    def engaged(self) -> bool: ...
    @property
    def answer_due(self) -> bool: ...
    @property
    def away_s(self) -> float | None: ...
    @property
    def can_move(self) -> bool: ...
    def leave(self) -> None: ...


class Sessions(Protocol):
    """The sessions of a server (`registry.py`)."""

    draining: bool

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[LeavingSession]: ...
    @property
    def closed(self) -> bool: ...
    async def change(self, timeout_s: float) -> None: ...
    def wake(self) -> None: ...


class BalancerWatch:
    """Whether a balancer asks this server how it is: one that does so again and again. Times are loop seconds.

    Several workers have one memory (`spread.py`): a balancer that keeps its connection asks only one of them, and each
    has to know. Two that write in the same moment may count one question, which changes nothing.
    """

    def __init__(self, memory: MutableSequence[float] | None = None, at: int = 0) -> None:
        """`memory` holds, from `at` on, how often it was asked, the first time and the last one; at first zeros."""
        self._memory = [0.0, 0.0, 0.0] if memory is None else memory
        self._times, self._first, self._last = at, at + 1, at + 2

    def __repr__(self) -> str:
        return f"<BalancerWatch asked {self._memory[self._times]:.0f} times>"

    def asked(self, now_s: float) -> None:
        """Somebody has asked."""
        memory = self._memory
        if not memory[self._times] or now_s - memory[self._last] > ASKED_WITHIN_S:
            memory[self._times], memory[self._first] = 0.0, now_s
        memory[self._times] += 1
        memory[self._last] = now_s

    def there(self, now_s: float) -> bool:
        """Whether it asks often, and has asked lately."""
        first_s, last_s = self._memory[self._first], self._memory[self._last]
        regular = self._memory[self._times] >= ASKED_TIMES and last_s - first_s >= ASKED_FOR_S
        return regular and now_s - last_s <= ASKED_WITHIN_S


class Drain:
    """The stop of one server. `delay_s` None: BALANCER_DELAY_S if a balancer asks, else none."""

    def __init__(
        self, sessions: Sessions, metrics: Metrics, *, delay_s: float | None, drain_s: float
    ) -> None:
        self._sessions = sessions
        self._metrics = metrics
        self._chosen_s = delay_s
        self._delay_s: float | None = None  # once it has begun
        self._drain_s = drain_s
        self._hurried = asyncio.Event()
        self._left = Counter[str]()  # by how
        self.balancer = BalancerWatch()

    def __repr__(self) -> str:
        return f"<Drain {len(self._sessions)} to go, {self._hurried.is_set()=}>"

    def begin(self) -> float:
        """From now on nobody new is let in. Returns how many seconds later sessions may leave."""
        if self._delay_s is None:
            self._sessions.draining = True
            self._metrics.draining_sessions.set_function(lambda: len(self._sessions))
            self._delay_s = self.delay_at(_now())
        return self._delay_s

    def delay_at(self, now_s: float) -> float:
        """What `begin` would return for a stop that begins now. For any thread."""
        if self._chosen_s is not None:
            return self._chosen_s
        return BALANCER_DELAY_S if self.balancer.there(now_s) else 0.0

    def hurry(self) -> None:
        """Wait for nobody any more."""
        self._hurried.set()
        self._sessions.wake()

    async def run(self, delay_s: float) -> None:
        """End every session, after this delay. Returns when their sockets are closed, too."""
        self.begin()
        total = len(self._sessions)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._hurried.wait()
        await self._all_leave()
        if total:
            story(log, "drained", {"sessions": total, **self._left})
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                while not self._sessions.closed:
                    await self._sessions.change(END_TIMEOUT_S)

    async def _all_leave(self) -> None:
        deadline_s = _now() + self._drain_s
        departures = Departures(len(self._sessions), _now())
        while len(self._sessions):
            if self._hurried.is_set() or _now() >= deadline_s:
                for session in departures.rest(self._sessions):
                    self._leave(session, "cut" if session.engaged else "quiet")
                return
            for session in self._sessions:
                if how := departures.may_leave(session, _now()):
                    self._leave(session, how)
            await self._sessions.change(POLL_S)

    def _leave(self, session: LeavingSession, how: str) -> None:
        self._left[how] += 1
        self._metrics.drained_sessions.labels(how).inc()
        session.leave()


class Departures:
    """Who may leave when. Times are seconds of any clock that only goes forward."""

    def __init__(self, total: int, now_s: float) -> None:
        self._gap_s = 1 / min(MOST_PER_S, max(LEAST_PER_S, total / 10))
        self._next_s = now_s
        self._quiet_since_s: dict[str, float] = {}
        self._gone: set[str] = set()

    def __repr__(self) -> str:
        return f"<Departures {len(self._gone)} gone>"

    def may_leave(self, session: LeavingSession, now_s: float) -> str:
        """How this session leaves now, "" if it stays: `moved`, `quiet` or `away`. Who may leave has left."""
        how = "" if session.id in self._gone else self._reason(session, now_s)
        if how in ("quiet", "moved"):  # this client comes back at once
            if now_s < self._next_s:
                return ""
            self._next_s = max(self._next_s, now_s - POLL_S) + self._gap_s
        if how:
            self._gone.add(session.id)
        return how

    def rest(self, sessions: Iterable[LeavingSession]) -> list[LeavingSession]:
        """Those of them that have not left."""
        return [session for session in sessions if session.id not in self._gone]

    def _reason(self, session: LeavingSession, now_s: float) -> str:
        if session.can_move:
            return "moved"
        if (away_s := session.away_s) is not None:
            return "away" if away_s >= AWAY_S else ""
        if session.engaged:
            self._quiet_since_s.pop(session.id, None)
            return ""
        quiet_s = now_s - self._quiet_since_s.setdefault(session.id, now_s)
        return "quiet" if quiet_s >= (ANSWER_S if session.answer_due else QUIET_S) else ""


def _now() -> float:
    return asyncio.get_running_loop().time()
