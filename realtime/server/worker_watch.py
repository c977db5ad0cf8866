"""Finds workers that hang: they are there, and write nothing into the table any more (`spread.py`).

Pure: knows a table and times. Counts only the time in which it looks: a machine that was suspended, or a supervisor
that stood still, makes no worker silent.
"""

from __future__ import annotations

from realtime.server.spread import WorkerTable

LOOK_S = 1.0
SILENT_S = 5.0  # then the operator is told; a worker writes ten times a second
HUNG_S = 30.0  # then it is replaced: for so long nobody at it has heard anything


class WorkerWatch:
    """Looks at the table every LOOK_S."""

    def __init__(self, table: WorkerTable) -> None:
        self._table = table
        self._looked_s: float | None = None
        self._beats = [0.0] * len(table)
        self.silent_s = [0.0] * len(table)

    def __repr__(self) -> str:
        return f"<WorkerWatch {sorted(self.silent)} silent>"

    def look(self, now_s: float) -> None:
        """Look once more."""
        passed_s = 0.0 if self._looked_s is None else min(now_s - self._looked_s, 2 * LOOK_S)
        self._looked_s = now_s
        for number, before_s in enumerate(self._beats):
            beat_s = self._beats[number] = self._table[number].beat_s
            writes_nothing = beat_s != 0 and beat_s == before_s
            self.silent_s[number] = self.silent_s[number] + passed_s if writes_nothing else 0.0

    def forget(self, number: int) -> None:
        """This worker is gone: another one begins with this number."""
        self.silent_s[number] = 0.0

    @property
    def silent(self) -> frozenset[int]:
        """The numbers of the workers that do not answer."""
        return self._longer_than(SILENT_S)

    @property
    def hung(self) -> frozenset[int]:
        """Of those, the ones that nobody waits for any more."""
        return self._longer_than(HUNG_S)

    def _longer_than(self, seconds: float) -> frozenset[int]:
        return frozenset(number for number, silent_s in enumerate(self.silent_s) if silent_s >= seconds)
