"""Whether one more session fits: from measured load, with hysteresis. Knows no clock, no server and no session.

A server that takes everybody makes everybody late. The measurements of half a second (`Load`) move between three
states; between two of them every new session reserves the share of a core that the others need, because its cost shows
only later. The limits and what follows from each state are in `docs/operations.md`, "Full".
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

RESERVED_S = 10.0  # a session costs before it shows: its share is reserved for so long
LEAST_SHARE = 1 / 250  # of a core, for one session: what a core carried (bench/README.md)
MOST_SHARE = 1 / 20  # a few sessions say little about the next one
CAREFUL_GAP_S = 1.0  # between two new sessions
OWN_SHARE = 0.5  # of a core, all threads: who uses less is late because of others, and to refuse helps nobody
# Of a core, the thread of the event loop: beyond it the sessions make the loop late, and each more than the last one.
# Then new ones begin slowly, within RESERVED_S so many, or this share of those that are there.
BUSY_SHARE, BUSY_NEW, BUSY_NEW_SHARE = 0.5, 2, 0.05
BEYOND = 2  # measurements in a row beyond a limit: one late moment is no load
CALM = 6  # measurements in a row below
CALM_SHARE = 0.8  # of a limit, to be below it


class AdmissionState(IntEnum):
    """`CAREFUL`: no guesses, and new sessions one after the other. `FULL`: no new sessions."""

    OPEN = 0
    CAREFUL = 1
    FULL = 2


@dataclass(frozen=True, slots=True)
class Load:
    """What was measured."""

    lag_s: float = 0.0  # how late the loop wakes, 99th percentile; 0 if others are to blame: see `OWN_SHARE`
    busy: bool = False  # its thread has used more than `BUSY_SHARE` while the lag was measured
    cpu: float = 0.0  # share of one core that its thread uses
    memory: float = 0.0  # share of what the process may use
    sessions: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a server is in a state."""

    lag_s: float  # late for whatever reason, as while a transcriber of this process needs the cores
    busy_lag_s: float  # late because of the sessions
    cpu: float
    memory: float

    def exceeded(self, load: Load, share: float = 1.0) -> bool:
        """Whether one of the measurements is beyond this share of its limit."""
        return (
            load.lag_s > (self.busy_lag_s if load.busy else self.lag_s) * share
            or load.cpu > self.cpu * share
            or load.memory > self.memory * share
        )


LIMITS = {
    AdmissionState.CAREFUL: Limits(lag_s=0.010, busy_lag_s=0.0026, cpu=0.75, memory=0.85),
    AdmissionState.FULL: Limits(lag_s=0.025, busy_lag_s=0.0033, cpu=0.88, memory=0.92),
}


class Admission:
    """Takes measurements and answers for the next session. Times are seconds of any clock that only goes forward."""

    def __init__(self) -> None:
        self.state = AdmissionState.OPEN
        self.load = Load()
        self._beyond = dict.fromkeys(LIMITS, 0)  # measurements in a row
        self._calm = 0
        self._admitted: deque[float] = deque()  # the times of the last RESERVED_S, of who is still there
        self._last_s = float("-inf")  # when the last one was admitted

    def __repr__(self) -> str:
        return f"<Admission {self.state.name.lower()}, {self.load}>"

    @property
    def careful(self) -> bool:
        """Whether there is no room for work that may be in vain."""
        return self.state >= AdmissionState.CAREFUL

    def measured(self, load: Load) -> None:
        """The load of the last half second."""
        self.load = load
        for state, limits in LIMITS.items():
            self._beyond[state] = self._beyond[state] + 1 if limits.exceeded(load) else 0
        reached = max(
            (state for state, count in self._beyond.items() if count >= BEYOND), default=AdmissionState.OPEN
        )
        if reached >= self.state:
            self.state, self._calm = reached, 0
            return
        self._calm = 0 if LIMITS[self.state].exceeded(load, CALM_SHARE) else self._calm + 1
        if self._calm >= CALM:
            self.state, self._calm = AdmissionState(self.state - 1), 0

    def admits(self, now_s: float) -> bool:
        """Whether one more session may begin now."""
        self._forget(now_s)
        if not self.load.sessions and not self._admitted:
            return True  # whatever keeps this machine busy, it is not the sessions
        if self.state is AdmissionState.FULL:
            return False
        if self.state is AdmissionState.CAREFUL and now_s - self._last_s < CAREFUL_GAP_S:
            return False
        if self.load.busy and len(self._admitted) >= self._most_new:
            return False
        reserved = self._share * (len(self._admitted) + 1)
        return self.load.cpu + reserved <= LIMITS[AdmissionState.FULL].cpu

    def admitted(self, now_s: float) -> None:
        """One has begun."""
        self._forget(now_s)
        self._admitted.append(now_s)
        self._last_s = now_s

    def gone(self, admitted_s: float) -> None:
        """The one that was admitted at this time has ended, or did not come about: it reserves nothing."""
        if admitted_s in self._admitted:
            self._admitted.remove(admitted_s)

    @property
    def _most_new(self) -> float:
        return max(BUSY_NEW, BUSY_NEW_SHARE * self.load.sessions)

    @property
    def _share(self) -> float:
        """Of a core, that one session is expected to need."""
        if not self.load.sessions:
            return LEAST_SHARE
        return min(MOST_SHARE, max(LEAST_SHARE, self.load.cpu / self.load.sessions))

    def _forget(self, now_s: float) -> None:
        while self._admitted and now_s - self._admitted[0] > RESERVED_S:
            self._admitted.popleft()
