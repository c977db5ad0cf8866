"""Which of several workers takes the next connection: the one with the fewest.

Every worker sees a table in shared memory with one row for each of them, and writes its own row alone. Below the rows
is room for what all of them write, the supervisor too: when a balancer asked one of them. Knows numbers and times;
`shared_site.py` has the socket. Times are of `time.monotonic`, the same clock in every process of a machine
(docs/operations.md, "Several workers").
"""

from __future__ import annotations

import multiprocessing
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass

STALE_S = 0.5  # a worker that wrote nothing for so long is dead, frozen or far behind: nobody waits for it
OTHERS_S = 0.2  # nor longer than this for those that should take a connection and do not

# The columns of a row
_BEAT_S, _ROOM, _LOAD, _SESSIONS, _TAKEN = range(5)
_WIDTH = 5
ASKED_CELLS = 3  # below the rows: what a BalancerWatch remembers (`draining.py`)


def shared_rows(workers: int, keys: int = 0) -> MutableSequence[float]:
    """Memory for a table of so many workers and API keys; it can be given to processes when they start."""
    cells = workers * (_WIDTH + keys) + ASKED_CELLS
    rows: MutableSequence[float] = multiprocessing.get_context("forkserver").RawArray("d", cells)
    return rows


@dataclass(frozen=True, slots=True)
class Row:
    """What a worker says of itself."""

    beat_s: float  # when it said so; 0: it is not there
    room: bool  # it may begin sessions
    load: float  # connections
    sessions: float
    taken: float  # connections since the start


class WorkerTable:
    """The table, as everybody may read it."""

    def __init__(self, rows: MutableSequence[float], keys: int = 0) -> None:
        """`keys`: for how many API keys sessions are counted, after the columns of a row."""
        self._rows = rows
        self._width = _WIDTH + keys

    def __len__(self) -> int:
        return (len(self._rows) - ASKED_CELLS) // self._width

    @property
    def asked(self) -> tuple[MutableSequence[float], int]:
        """The memory of what balancers asked, and where in it that begins. It stays when a worker leaves."""
        return self._rows, len(self._rows) - ASKED_CELLS

    def __getitem__(self, number: int) -> Row:
        at = number * self._width
        beat_s, room, load, sessions, taken = self._rows[at : at + _WIDTH]
        return Row(beat_s, bool(room), load, sessions, taken)

    def write(self, number: int, column: int, value: float) -> None:
        self._rows[number * self._width + column] = value

    def read(self, number: int, column: int) -> float:
        return self._rows[number * self._width + column]

    def clear(self, number: int) -> None:
        """This worker is not there any more."""
        for column in range(self._width):
            self.write(number, column, 0.0)

    def sessions(self) -> int:
        """Those of all workers."""
        return int(sum(self[number].sessions for number in range(len(self))))


class Slot:
    """The row of one worker: it writes it, and learns whether the next connection is for it."""

    def __init__(self, table: WorkerTable, number: int) -> None:
        self.table = table
        self.number = number
        self._waits_since_s: float | None = None
        self._taken_then = 0.0

    def __repr__(self) -> str:
        return f"<Slot {self.number} of {len(self.table)}>"

    def say(self, now_s: float, *, room: bool, load: int, sessions: int) -> None:
        """Write the row."""
        for column, value in ((_ROOM, float(room)), (_LOAD, load), (_SESSIONS, sessions), (_BEAT_S, now_s)):
            self.table.write(self.number, column, value)

    def took(self) -> None:
        """This worker accepted a connection."""
        self.table.write(self.number, _TAKEN, self.table[self.number].taken + 1)
        self._waits_since_s = None

    def leave(self) -> None:
        """This worker accepts no more."""
        self.table.clear(self.number)

    def takes(self, now_s: float) -> bool:
        """Whether this worker takes the connection that waits: it has the fewest, or those who have fewer do not."""
        if self._is_next(now_s):
            return True
        taken = sum(row.taken for row in self._others())
        if self._waits_since_s is None or taken != self._taken_then:
            self._waits_since_s, self._taken_then = now_s, taken
        return now_s - self._waits_since_s >= OTHERS_S

    def _is_next(self, now_s: float) -> bool:
        own = self.table[self.number]
        loads = [row.load for row in self._others() if row.room and now_s - row.beat_s < STALE_S]
        return not loads or (own.room and own.load <= min(loads))

    def _others(self) -> list[Row]:
        return [self.table[number] for number in range(len(self.table)) if number != self.number]


class KeyCounts:
    """The sessions of each API key at all workers; each writes its own. A worker that is gone has none."""

    def __init__(self, slot: Slot, keys: Sequence[str]) -> None:
        """`keys`: the names of all keys, in the same order at every worker."""
        self._slot = slot
        self._columns = {key: _WIDTH + number for number, key in enumerate(keys)}

    def __repr__(self) -> str:
        return f"<KeyCounts of {len(self._columns)} keys>"

    def write(self, key: str, sessions: int) -> None:
        """So many are at this worker."""
        self._slot.table.write(self._slot.number, self._columns[key], sessions)

    def elsewhere(self, key: str) -> int:
        """Those at the other workers."""
        table, own = self._slot.table, self._slot.number
        return int(sum(table.read(n, self._columns[key]) for n in range(len(table)) if n != own))
