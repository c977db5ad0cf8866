"""What the waiting for a task needs to know of its kind, and what it tells while it waits.

Values only; the waiting itself is in job.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from realtime.minimax.job_schedule import QueryPace, Schedule
from realtime.minimax.job_states import Reading, State, read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What is known of a task at one time.

    `elapsed_s` is its age, `typical_s` the usual time of such a task, `share` between 0 and 1 where the platform tells
    it, `trouble` why the last query brought no answer (the task itself goes on).
    """

    state: State
    elapsed_s: float
    typical_s: float
    share: float | None = None
    trouble: str | None = None

    def __str__(self) -> str:
        parts = [str(self.state), f"{self.elapsed_s:.0f} s"]
        if not self.state.final:
            parts[1] += f" of about {self.typical_s:.0f} s"
        if self.share is not None:
            parts.append(f"{self.share:.0%}")
        if self.trouble:
            parts.append(f"cannot ask now: {self.trouble}")
        return ", ".join(parts)


OnJobProgress = Callable[[JobProgress], object]


@dataclass(frozen=True, slots=True)
class JobKind(Generic[T]):
    """One kind of task.

    `name` is the word for it in messages, `handle` the call that gives the job of an id. `query` asks for the state,
    `result` makes the result from the last answer; both raise ProviderError. A wait ends after `longest_s`.
    `interval_s` is the documented time between two queries, `schedule` the times of one job, `pace` the bound that all
    jobs of the kind share.
    `cancel` is None where the platform has no such call; `cancellable` are the states in which it may be sent.
    `with_result` are the states that have a result: a batch that expired still has lines. A query that is refused with
    one of `failure_codes` says that the task failed (docs/minimax/video.md 2).
    """

    name: str
    handle: str
    query: Callable[[str], Awaitable[Mapping[str, Any]]]
    result: Callable[[Mapping[str, Any]], Awaitable[T]]
    typical_s: float
    longest_s: float
    interval_s: float
    pace: QueryPace
    cancel: Callable[[str], Awaitable[object]] | None = None
    cancellable: frozenset[State] = frozenset({State.QUEUED, State.RUNNING})
    with_result: frozenset[State] = frozenset({State.DONE})
    failure_codes: frozenset[int] = frozenset({1026, 1027})
    read: Callable[[Mapping[str, Any]], Reading] = read
    schedule: Schedule = field(default_factory=Schedule)
