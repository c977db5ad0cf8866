"""Tasks: states that follow from the clock, work that is done once, ids, and who is told of a change.

Knows one table row per kind (`JobKind`). Does not know HTTP, and nothing of what a task makes.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .clock import Clock
from .faults import Faults
from .options import VALUES, SandboxOptions
from .refusal import Refusal
from .store import Artefact, Store

MOST_WAIT_S = 20.0  # a question waits for late work at most, seconds
NEW_WORD = "Reviewing"  # of the fault job.new_word
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobKind:
    """One row: how tasks of one endpoint live.

    `stages` are the words of the states on the way, each with the option that says how long it lasts (seconds).
    `work` makes the result; it starts with stage number `works_at` (counted from the end: -1, the last one) and the
    stage after it waits for it. It may raise Refusal, which becomes the task's error. CPU work belongs into
    `asyncio.to_thread`; what it makes goes into `job.store`. `push` is the body of a callback at the present state,
    None: nothing new to say. `check` runs in the first stage, before the work: a Refusal ends the task there. A task
    that has not ended after `longest_s` is expired.
    """

    name: str  # the area: its faults are `<name>.fail`, its limit is `limit.<name>_in_flight`
    stages: tuple[tuple[str, str], ...]
    work: Callable[[Job], Awaitable[Any]]
    push: Callable[[Job], Mapping[str, Any] | None] | None = None
    success: str = "Success"
    fail: str = "Fail"
    expired: str = "Expired"
    works_at: int = -1
    check: Callable[[Job], Awaitable[Any]] | None = None
    longest_s: float = math.inf


@dataclass(slots=True, eq=False)
class Job:
    """One task. Times ending in `_s` are times of the sandbox's clock."""

    id: int
    kind: JobKind
    # The request; empty once the task is finished, because it may hold whole pictures
    body: Mapping[str, Any]
    faults: Faults  # those of the request that made it
    base_url: str  # scheme and host of that request
    store: Store
    created_s: float
    due_s: float  # when it ends; infinity: never
    next_s: float  # when its state changes next
    word: str = ""  # the present state
    extra: dict[str, Any] = field(default_factory=dict)  # what the kind keeps for itself
    inputs: Any = None  # the media that the request named; gone once the task is finished
    callback_url: str = ""  # where pushes go
    times: dict[str, int] = field(default_factory=dict)  # Unix time of the start of each state
    changed_unix_s: int = 0
    finished: bool = False
    result: Any = None  # what `work` returned
    error: Refusal | None = None
    runner: asyncio.Task[None] | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)  # set, and replaced, at every change

    def link(self, artefact: Artefact, life: str = "") -> str:
        """A new URL of an artefact; it lives for the hours of the option `life` (default: the artefact's)."""
        return self.base_url + self.store.link(artefact, life)


class Jobs:
    """All tasks of one sandbox."""

    def __init__(
        self,
        options: SandboxOptions,
        clock: Clock,
        store: Store,
        new_id: Callable[[], int],
        delay: Callable[[str], float],
    ) -> None:
        self.listeners: list[Callable[[Job], None]] = []  # called at every change of state
        self._options = options
        self._clock = clock
        self._store = store
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
        inputs: Any = None,
    ) -> Job:
        """Begin a task. `scale` multiplies the time of the stage with the work.

        Raises Refusal 1041 over `limit.<kind>_in_flight`.
        """
        allowed = f"limit.{kind.name}_in_flight"
        if allowed in VALUES and 0 < self._options[allowed] <= self.in_flight(kind.name):
            raise Refusal(1041)
        now_s = self._clock.now_s()
        ends_s = self._ends(kind, faults, now_s, scale)
        job = Job(
            self._new_id(), kind, body, faults, base_url, self._store, now_s, ends_s[-1], ends_s[0],
            extra=dict(extra or {}), inputs=inputs, callback_url=callback_url,
        )  # fmt: skip
        self._kept[job.id] = job
        self._drop_oldest()
        self._change(job, self._word(job, 0))
        job.runner = asyncio.create_task(self._run(job, ends_s), name=f"sandbox task {job.id}")
        return job

    def _ends(self, kind: JobKind, faults: Faults, now_s: float, scale: float) -> list[float]:
        """When each stage ends, on the clock."""
        worked = kind.works_at % len(kind.stages)
        ends_s: list[float] = []
        until_s = now_s + kind.longest_s
        for place, (_, option) in enumerate(kind.stages):
            length_s = self._delay(option)
            if place == worked:
                length_s *= scale
                if faults.has("job.never"):
                    length_s = math.inf
                elif faults.has("job.expire"):
                    return [*ends_s, now_s + self._options["task.expire_s"]]
            now_s += length_s
            if now_s >= until_s:
                return [*ends_s, until_s]
            ends_s.append(now_s)
        return ends_s

    def in_flight(self, name: str) -> int:
        """How many tasks of a kind have not ended."""
        now_s = self._clock.now_s()
        jobs = [job for job in self._kept.values() if job.kind.name == name]
        return sum(not job.finished and job.due_s > now_s for job in jobs)

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

        When the clock says that its state has changed, this waits for the change and for the work before it, so
        a test that has moved the clock needs to ask only once. Work that takes very long is not waited for.
        """
        job = self._named(id, *names)
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_WAIT_S):
                while not job.finished and job.next_s <= self._clock.now_s():
                    await job.changed.wait()
        return self._named(id, *names)  # its lifetime may have passed while it was late

    def _named(self, id: int | str, *names: str) -> Job:
        text = str(id)
        known = text.isascii() and text.isdigit() and len(text) <= 19
        job = self.get(int(text), *names) if known else None
        if job is None:
            raise Refusal(2013, "invalid params, invalid task_id")
        return job

    def cancel(self, job: Job, word: str, on_the_way: tuple[str, str] | None = None) -> None:
        """End a task with this word; its work is cancelled. Does nothing to a finished one.

        `on_the_way` is a state before that, with its option: `("cancelling", "batch.cancel_s")`.
        """
        if job.finished:
            return
        if job.runner is not None:
            job.runner.cancel()
        if on_the_way is None:
            self._end(job, word)
            return
        job.next_s = job.due_s = self._clock.now_s() + self._delay(on_the_way[1])
        self._change(job, on_the_way[0])
        job.runner = asyncio.create_task(self._cancelled(job, word), name=f"sandbox task {job.id}")

    async def _cancelled(self, job: Job, word: str) -> None:
        await self._clock.sleep_until(job.due_s)
        self._end(job, word)

    def remove(self, id: int) -> None:
        """Forget a task."""
        job = self._kept.pop(id, None)
        if job is not None and not job.finished:
            if job.runner is not None:
                job.runner.cancel()
            job.finished = True
            job.changed.set()

    async def close(self) -> None:
        """Stop every task and wait until its coroutine has ended."""
        runners = [job.runner for job in self._kept.values() if job.runner is not None]
        for runner in runners:
            runner.cancel()
        await asyncio.gather(*runners, return_exceptions=True)
        self._kept.clear()

    async def _run(self, job: Job, ends_s: list[float]) -> None:
        kind = job.kind
        for place, end_s in enumerate(ends_s):
            job.next_s = end_s
            if (word := self._word(job, place)) != job.word:
                self._change(job, word)
            if (failure := await self._failure(job, place)) is not None:
                await self._clock.sleep_until(end_s)
                job.error = failure  # not told before the task has ended
                self._end(job, kind.fail)
                return
            await self._clock.sleep_until(end_s)
        expired = job.faults.has("job.expire") or ends_s[-1] >= job.created_s + kind.longest_s
        self._end(job, kind.expired if expired else kind.success)

    async def _failure(self, job: Job, place: int) -> Refusal | None:
        """Do what belongs to a stage; why the task fails at the stage's end."""
        kind = job.kind
        if place == 0 and kind.check is not None and (refusal := await _tried(job, kind.check)):
            return refusal
        if place != kind.works_at % len(kind.stages):
            return None
        if job.faults.has("job.expire") or job.faults.has("job.never"):
            return None
        if (code := job.faults.number(f"{kind.name}.fail")) is not None:
            return Refusal(code)

        async def make(job: Job) -> None:
            job.result = await kind.work(job)

        return await _tried(job, make)

    def _word(self, job: Job, place: int) -> str:
        worked = job.kind.works_at % len(job.kind.stages)
        new = place == worked and job.faults.has("job.new_word")
        return NEW_WORD if new else job.kind.stages[place][0]

    def _change(self, job: Job, word: str) -> None:
        job.word = word
        job.changed_unix_s = self._clock.unix_s()
        job.times[word] = job.changed_unix_s
        for listener in self.listeners:
            try:
                listener(job)
            except Exception:
                _log.exception("a push of the sandbox broke")  # the task itself goes on
        changed, job.changed = job.changed, asyncio.Event()
        changed.set()

    def _end(self, job: Job, word: str) -> None:
        job.finished = True
        self._change(job, word)
        job.body, job.inputs = {}, None

    def _drop_oldest(self) -> None:
        self.all()  # drops what is older than its lifetime
        most = self._options["store.max_tasks"]
        *others, _ = self._kept.values()  # the newest stays; those that run go last
        for job in sorted(others, key=lambda job: not job.finished):
            if len(self._kept) <= most:
                return
            self.remove(job.id)


async def _tried(job: Job, work: Callable[[Job], Awaitable[Any]]) -> Refusal | None:
    """Run a function of the kind; why it failed. A bug in it becomes code 1000."""
    try:
        await work(job)
    except Refusal as refusal:
        return refusal
    except Exception as error:
        _log.exception("a task of the sandbox broke")
        return Refusal(1000, str(error) or repr(error))
    return None
