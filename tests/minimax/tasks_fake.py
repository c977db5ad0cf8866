"""A platform with one task, in virtual time: it answers by the task's age, and counts what it is asked."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from realtime.minimax.job import Job, JobKind, Schedule
from realtime.minimax.job_schedule import QueryPace
from realtime.minimax.job_states import State
from tests.virtual_time import run

EVEN = Schedule(jitter=0.0)
STORY = {0.0: "Preparing", 3.0: "Processing", 30.0: "Success"}


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the test in virtual time; a task of asyncio that is left at its end fails it."""

    @functools.wraps(test)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return wrapped


def now() -> float:
    return asyncio.get_running_loop().time()


class Platform:
    """`story` maps ages in seconds to what the platform says from then on: a word, an answer or an exception."""

    def __init__(
        self, story: Mapping[float, Any], *, answer_s: float = 0.0, cancellable: bool = False
    ) -> None:
        self.story = story
        self.answer_s = answer_s
        self.began: float | None = None
        self.asked: list[float] = []
        self.results = 0
        self.result_errors: list[Exception] = []
        self.cancelled: list[str] = []
        self.cancellable = cancellable

    def age(self) -> float:
        if self.began is None:
            self.began = now()
        return now() - self.began

    async def query(self, task_id: str) -> dict[str, Any]:
        self.asked.append(self.age())
        said = self.story[max(at for at in self.story if at <= self.age() + 1e-6)]
        if self.answer_s:
            await asyncio.sleep(self.answer_s)
        if isinstance(said, Exception):
            raise said
        return {"task_id": task_id, **({"status": said} if isinstance(said, str) else said)}

    async def result(self, answer: Mapping[str, Any]) -> list[str]:
        self.results += 1
        if self.result_errors:
            raise self.result_errors.pop(0)
        return ["film", str(answer["task_id"])]

    async def cancel(self, task_id: str) -> None:
        self.cancelled.append(task_id)
        self.story = {0.0: "cancelled"}

    def kind(self, **changes: Any) -> JobKind[list[str]]:
        self.age()
        row: dict[str, Any] = {
            "name": "video",
            "handle": "mm.video.task",
            "query": self.query,
            "result": self.result,
            "typical_s": 100.0,
            "longest_s": 3600.0,
            "interval_s": 10.0,
            "pace": QueryPace(10.0),
            "cancel": self.cancel if self.cancellable else None,
            "cancellable": frozenset({State.QUEUED}),
        }
        return JobKind(**{**row, **changes})


def new(platform: Platform, schedule: Schedule = EVEN, **changes: Any) -> Job[list[str]]:
    """The job of a task that was just made."""
    return Job(platform.kind(**changes), "106916112212032", age_s=0.0, schedule=schedule)
