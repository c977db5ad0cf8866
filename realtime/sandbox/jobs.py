"""Tasks: states that follow from the clock, work that is done once, ids, and who is told of a change.

Knows one table row per kind (`JobKind`). Does not know HTTP, and nothing of what a task makes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .faults import Faults
from .options import VALUES, SandboxOptions
from .refusal import Refusal

NEW_WORD = "Reviewing"  # of the fault job.new_word
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobKind:
    """One row: how tasks of one endpoint live.

    `stages` are the words of the states on the way, each with the option that says how long it lasts (seconds).
    `work` makes the result; it starts with stage number `works_at` (counted from the end: -1, the last one) and the
    stage after it waits for it. It may raise Refusal, which becomes the task's error. CPU work belongs into
    `asyncio.to_thread`. `push` is the body of a callback at the task's present state.
    """

    name: str  # the area: its faults are `<name>.fail`, its limit is `limit.<name>_in_flight`
    stages: tuple[tuple[str, str], ...]
    work: Callable[[Job], Awaitable[Any]]
    push: Callable[[Job], Mapping[str, Any]] | None = None
    success: str = "Success"
    fail: str = "Fail"
    expired: str = "Expired"
    works_at: int = -1


@dataclass(slots=True, eq=False)
class Job:
    """One task. Times ending in `_s` are times of the sandbox's clock."""

    id: int
    kind: JobKind
    body: Mapping[str, Any]  # the request
    faults: Faults  # those of the request that made it
    base_url: str  # scheme and host of that request
    created_s: float
    due_s: float  # when it ends
    word: str  # the present state
    extra: dict[str, Any] = field(default_factory=dict)  # what the kind keeps for itself
    callback_url: str = ""  # where pushes go
    times: dict[str, int] = field(default_factory=dict)  # Unix time of the start of each state
    changed_unix_s: int = 0
    finished: bool = False
    result: Any = None  # what `work` returned
    error: Refusal | None = None
    runner: asyncio.Task[None] | None = None


class Jobs:
    """All tasks of one sandbox."""

    def __init__(
        self,
        options: SandboxOptions,
        clock: Clock,
        new_id: Callable[[], int],
        delay: Callable[[str], float],
    ) -> None:
        self.listeners: list[Callable[[Job], None]] = []  # called at every change of state
        self._options = options
        self._clock = clock
        self._new_id = new_id
        self._delay = delay
        self._kept: dict[int, Job] = {}

    def create(
        self,
        kind: JobKind,
        body: Mapping[str, Any],
        faults: Faults,
        *,
        base_url: str = "",
        callback_url: str = "",
        scale: float = 1.0,
        extra: Mapping[str, Any] | None = None,
    ) -> Job:
        """Begin a task. `scale` multiplies the time of the stage with the work.

        Raises Refusal 1041 over `limit.<kind>_in_flight`.
        """
        allowed = f"limit.{kind.name}_in_flight"
        if allowed in VALUES and 0 < self._options[allowed] <= self.in_flight(kind.name):
            raise Refusal(1041)
        now_s = self._clock.now_s()
        ends_s = self._ends(kind, now_s, scale)
        job = Job(
            self._new_id(),
            kind,
            body,
            faults,
            base_url,
            now_s,
            ends_s[-1],
            "",
            dict(extra or {}),
            callback_url,
        )
        self._kept[job.id] = job
        self._drop_oldest()
        self._change(job, kind.stages[0][0])
        job.runner = asyncio.create_task(self._run(job, ends_s), name=f"sandbox task {job.id}")
        return job

    def _ends(self, kind: JobKind, now_s: float, scale: float) -> list[float]:
        worked = kind.works_at % len(kind.stages)
        ends_s: list[float] = []
        for place, (_, option) in enumerate(kind.stages):
            now_s += self._delay(option) * (scale if place == worked else 1.0)
            ends_s.append(now_s)
        return ends_s

    def in_flight(self, name: str) -> int:
        """How many tasks of a kind are not finished."""
        return sum(job.kind.name == name and not job.finished for job in self._kept.values())

    def get(self, id: int, *names: str) -> Job | None:
        """The task, if it is kept and of one of these kinds (none named: any)."""
        job = self._kept.get(id)
        if job is None or (names and job.kind.name not in names):
            return None
        if job.finished and self._clock.now_s() - job.created_s > self._options["life.task_h"] * 3600:
            del self._kept[id]
            return None
        return job

    def all(self, *names: str) -> list[Job]:
        """The kept tasks of these kinds, oldest first."""
        return [job for id in list(self._kept) if (job := self.get(id, *names)) is not None]

    async def current(self, id: int | str, *names: str) -> Job:
        """The task, at the state of this moment. Raises Refusal 2013 if there is none.

        When the clock says that it has ended, this waits for its work, so a test that has moved the clock needs to
        ask only once.
        """
        text = str(id)
        known = text.isascii() and text.isdigit() and len(text) <= 19
        job = self.get(int(text), *names) if known else None
        if job is None:
            raise Refusal(2013, "invalid params, invalid task_id")
        stuck = job.faults.has("job.never")
        if job.runner is not None and not job.finished and not stuck and job.due_s <= self._clock.now_s():
            await asyncio.wait([job.runner])
        return job

    def cancel(self, job: Job, word: str) -> None:
        """End a task now with this word; its work is dropped. Does nothing to a finished one."""
        if not job.finished:
            if job.runner is not None:
                job.runner.cancel()
            self._end(job, word)

    def remove(self, id: int) -> None:
        """Forget a task."""
        job = self._kept.pop(id, None)
        if job is not None and job.runner is not None:
            job.runner.cancel()

    def change(self, job: Job, word: str) -> None:
        """Give a task another running state now, for a kind that needs one outside its stages (`cancelling`)."""
        if not job.finished:
            self._change(job, word)

    async def close(self) -> None:
        """Stop every task and wait until its coroutine has ended."""
        runners = [job.runner for job in self._kept.values() if job.runner is not None]
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        self._kept.clear()

    async def _run(self, job: Job, ends_s: list[float]) -> None:
        kind, faults = job.kind, job.faults
        worked = kind.works_at % len(ends_s)
        for place, ((word, _), end_s) in enumerate(zip(kind.stages, ends_s, strict=True)):
            if place == worked and faults.has("job.new_word"):
                word = NEW_WORD
            if word != job.word:
                self._change(job, word)
            if place == worked:
                if faults.has("job.never"):
                    await asyncio.Event().wait()
                if faults.has("job.expire"):
                    job.due_s = self._clock.now_s() + self._options["task.expire_s"]
                    await self._clock.sleep_until(job.due_s)
                    return self._end(job, kind.expired)
                if not await self._worked(job):
                    await self._clock.sleep_until(end_s)
                    return self._end(job, kind.fail)
            await self._clock.sleep_until(end_s)
        return self._end(job, kind.success)

    async def _worked(self, job: Job) -> bool:
        if (code := job.faults.number(f"{job.kind.name}.fail")) is not None:
            job.error = Refusal(code)
            return False
        try:
            job.result = await job.kind.work(job)
        except Refusal as refusal:
            job.error = refusal
        except Exception as error:
            _log.exception("a task of the sandbox broke")
            job.error = Refusal(1000, str(error) or repr(error))
        return job.error is None

    def _change(self, job: Job, word: str) -> None:
        job.word = word
        job.changed_unix_s = self._clock.unix_s()
        job.times[word] = job.changed_unix_s
        for listener in self.listeners:
            listener(job)

    def _end(self, job: Job, word: str) -> None:
        job.finished = True
        self._change(job, word)

    def _drop_oldest(self) -> None:
        self.all()  # drops what is older than its lifetime
        most = self._options["store.max_tasks"]
        for job in [job for job in self._kept.values() if job.finished]:
            if len(self._kept) <= most:
                return
            self.remove(job.id)
