"""All sessions of one server, detached ones included: finds them, and enforces limits. `draining.py` ends them.

A place is taken in the moment in which the limits are checked: between that and the session are the handshake and
perhaps a slow store, and many clients may be there at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from realtime.core.account import NEW_S, Limit, exhausted
from realtime.core.admission import Admission

if TYPE_CHECKING:
    from realtime.server.accounts import Seat
    from realtime.server.live_session import LiveSession
    from realtime.server.spread import KeyCounts


class Place:
    """Room for one session. Once taken it counts, until the handshake fails or the session that began in it ends."""

    def __init__(
        self, places: dict[Place, str], changed: Callable[[str], object], admission: Admission | None = None
    ) -> None:
        """`changed` is called with the key whose places became more or fewer."""
        self._places = places
        self._changed = changed
        self._admission = admission
        self.since_s = 0.0  # when it was taken, by the loop's clock
        self.used = False  # a session began in it
        self.instead_of: LiveSession | None = None  # that will end for the one that begins here
        self.seat: Seat | None = None  # at one of several accounts

    def __repr__(self) -> str:
        return f"<Place {'used' if self.used else 'taken' if self.taken else 'free'}>"

    @property
    def taken(self) -> bool:
        return self in self._places

    def take(self, key: str, seat: Seat | None = None) -> None:
        """For a session of this key, whose limits were looked at just now, without an `await` since."""
        self._places[self] = key
        self.seat = seat
        if seat is not None:
            seat.take()
        self._changed(key)
        self.since_s = asyncio.get_running_loop().time()
        if self._admission is not None:
            self._admission.admitted(self.since_s)

    def free(self) -> None:
        """Nobody needs it any more."""
        key = self._places.pop(self, None)
        if key is None:
            return
        if self.seat is not None:
            self.seat.leave()
        self._changed(key)
        if self._admission is not None:
            self._admission.gone(self.since_s)


class Registry:
    """Finds sessions by id and counts them for the limits."""

    def __init__(
        self, max_sessions: int, sessions_per_key: int = 0, admission: Admission | None = None
    ) -> None:
        """`admission` None: only the numbers of sessions count."""
        self._admission = admission
        self._max_sessions = max_sessions
        self._per_key = sessions_per_key
        self._sessions: dict[str, LiveSession] = {}
        # With their keys, of all sessions, and of those that are about to begin
        self._places: dict[Place, str] = {}
        self._sockets = 0
        self._changed = asyncio.Event()
        self.draining = False  # a stop has begun
        self.key_counts: KeyCounts | None = None  # of all workers, if there are several and keys have a limit

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[LiveSession]:
        return iter(list(self._sessions.values()))

    def __repr__(self) -> str:
        draining = " draining" if self.draining else ""
        return f"<Registry {len(self._sessions)} of {self._max_sessions}{draining}>"

    @property
    def full(self) -> bool:
        """Whether no session can begin now."""
        if self.draining or self.no_place:
            return True
        return self._admission is not None and not self._admission.admits(asyncio.get_running_loop().time())

    @property
    def no_place(self) -> bool:
        """Whether there are as many sessions as may be."""
        return len(self._places) >= self._max_sessions

    def full_instead_of(self, older: LiveSession) -> bool:
        """Whether none can begin now that ends this one. It brings no load, and one of them at a time has room."""
        return (
            self.draining
            or len(self._places) > self._max_sessions
            or (self._per_key > 0 and self._of_key(older.key) > self._per_key)
        )

    def leaves_too_little(self, limits: Iterable[Limit]) -> bool:
        """Whether one more session would leave less than a turn a minute for each, by the account's limits."""
        young_since_s = asyncio.get_running_loop().time() - NEW_S
        young = sum(place.since_s > young_since_s for place in self._places)
        return exhausted(limits, len(self._places), young)

    @property
    def measures_load(self) -> bool:
        return self._admission is not None

    def careful(self) -> bool:
        """Whether there is no room for work that may be in vain."""
        return self._admission is not None and self._admission.careful

    def full_for(self, key: str) -> bool:
        """Whether this key has reached its limit of sessions. A limit of 0 means none."""
        if not self._per_key:
            return False
        return self._of_key(key) >= self._per_key

    def over_for(self, key: str) -> bool:
        """Whether this key has more than its limit: another worker gave it a place in the same moment."""
        return self._per_key > 0 and self._of_key(key) > self._per_key

    def _of_key(self, key: str) -> int:
        elsewhere = 0 if self.key_counts is None else self.key_counts.elsewhere(key)
        return self._here(key) + elsewhere

    def _here(self, key: str) -> int:
        return sum(each == key for each in self._places.values())

    def _tell(self, key: str) -> None:
        if self.key_counts is not None:
            self.key_counts.write(key, self._here(key))

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place that one handshake may take; it is free at the end of the block if no session began in it."""
        place = Place(self._places, self._tell, self._admission)
        try:
            yield place
        finally:
            if not place.used:
                place.free()

    def get(self, session_id: str) -> LiveSession | None:
        return self._sessions.get(session_id)

    def of_conversation(self, key: str, conversation_id: str) -> LiveSession | None:
        """The session that has this conversation of this key."""
        found = (live for live in self if live.has_conversation(key, conversation_id))
        return next(found, None)

    def start(self, live: LiveSession, place: Place) -> None:
        """Start a session in this place; it is removed, and the place free, when it has ended."""
        place.used = True
        self._sessions[live.id] = live
        live.start(partial(self._remove, place))
        if self.draining:  # that began during the handshake
            live.leave()

    def _remove(self, place: Place, live: LiveSession) -> None:
        self._sessions.pop(live.id, None)
        place.free()
        self._changed.set()

    @contextmanager
    def connected(self) -> Iterator[None]:
        """The block in which one socket is served, its closing handshake included."""
        self._sockets += 1
        try:
            yield
        finally:
            self._sockets -= 1
            self._changed.set()

    @property
    def closed(self) -> bool:
        """Whether no session is left, and no socket."""
        return not self._sessions and not self._sockets

    def wake(self) -> None:
        """Let who waits for a change look again."""
        self._changed.set()

    async def change(self, timeout_s: float) -> None:
        """Wait for the end of a session or a socket, or for so long."""
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
