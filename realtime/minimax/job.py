"""A task of the platform that takes minutes or hours: ask for its state, show its progress, wait for its result.

Knows how to wait. What to ask, how often and what the result is stand in a `JobKind`, one for each kind of task.
There is no task of asyncio in the background: whoever waits asks, and all who wait for one job share the answers. So
nothing goes on when nobody waits any more. A job belongs to one event loop and is not for several threads.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Generator, Mapping
from contextlib import suppress
from typing import Any, Generic, TypeVar

from realtime.errors import InvalidArgument, NotFinished, ProviderError, ProviderRejected, TaskFailed
from realtime.minimax.errors import error_for_code, trace_of
from realtime.minimax.fields import check_seconds
from realtime.minimax.job_kind import JobKind, JobProgress, OnJobProgress
from realtime.minimax.job_schedule import Schedule
from realtime.minimax.job_states import Reading, State
from realtime.minimax.loops import PerLoop, lock

__all__ = ["Job", "JobKind", "JobProgress", "OnJobProgress", "Schedule", "State"]

T = TypeVar("T")
V = TypeVar("V")

_LONGEST_HOLD_S = 60.0  # a wait that the platform asks for is believed up to this
_OUR_PREFIX = "MiniMax: "  # how the messages of our errors begin
_OTHER_ENDS = {
    State.FAILED: "failed",
    State.EXPIRED: "expired before it was done",
    State.CANCELLED: "was cancelled",
}


class Job(Generic[T]):
    """One task of the platform. `await job` gives its result, as often as you like; `async for` shows its progress.

    `age_s` is the task's age where it is known (0 for a new task). A task of unknown age is asked about at once.
    """

    def __init__(
        self,
        kind: JobKind[T],
        task_id: str | int,
        *,
        age_s: float | None = None,
        schedule: Schedule | None = None,
    ) -> None:
        self.kind = kind
        self.id = str(task_id).strip()
        if not self.id:
            raise InvalidArgument(f"MiniMax: the id of a {kind.name} task is empty.", param="task_id")
        self._schedule = schedule or kind.schedule
        self._age_s = None if age_s is None else max(0.0, age_s)
        self._began: float | None = None  # in the event loop's time, as all times here
        self._ended = 0.0
        self._planned = 0.0  # when to ask next
        self._asked = float("-inf")
        self._hinted = False
        self._reading = Reading(State.QUEUED)
        self._trouble: str | None = None
        self._answer: Mapping[str, Any] = {}
        self._refusal: ProviderError | None = None
        self._failure: TaskFailed | None = None
        self._result: list[T] = []  # empty until it was made
        self._looks = 0  # how often something new was heard: waiters compare it with what they have seen
        self._news = PerLoop(asyncio.Event)  # set and replaced at each change
        self._asking = lock()
        with suppress(RuntimeError):  # made outside a loop: its time begins with its first use
            self._now()

    def __repr__(self) -> str:
        return f"<Job {self.kind.name} {self.id} {self.state}>"

    def __await__(self) -> Generator[Any, None, T]:
        return self.wait().__await__()

    def __aiter__(self) -> AsyncIterator[JobProgress]:
        return self._steps()

    @property
    def state(self) -> State:
        """The state at the last look."""
        return self._reading.state

    @property
    def progress(self) -> JobProgress:
        """What is known now. Asks nobody."""
        age_s = self._age() if self._began is not None else self._age_s or 0.0
        return JobProgress(self.state, age_s, self.kind.typical_s, self._reading.share, self._trouble)

    async def wait(self, *, timeout_s: float | None = None, on_progress: OnJobProgress | None = None) -> T:
        """Wait for the result. `on_progress` is called after every look.

        Raises TaskFailed when the task failed, expired or was cancelled; NotFinished after `timeout_s` (or the kind's
        longest time), while the task goes on; ProviderError at once when the platform refuses the query. A network
        failure or an overloaded platform is waited out. Cancelling this wait leaves the task alone.
        """
        check_seconds("timeout_s", timeout_s)
        limit_s = self.kind.longest_s if timeout_s is None else timeout_s
        return await self._limited(self._finish(on_progress), self._now() + limit_s, limit_s)

    async def look(self) -> JobProgress:
        """Ask once, and say what is known then. Raises ProviderError when the platform refuses the query."""
        self._now()
        async with self._asking.here():
            if not self.state.final:
                await self._ask()
        self._raise_refusal()
        return self.progress

    async def cancel(self) -> JobProgress:
        """Cancel the task on the platform, and say what is known then; a task that has ended stays as it is.

        Raises ProviderRejected where the platform cannot cancel it, and ProviderError when it does not.
        """
        if self.kind.cancel is None:
            raise ProviderRejected(
                f"MiniMax: a {self.kind.name} task cannot be cancelled; {self.id} goes on."
            )
        progress = await self.look()  # what has ended must not be cancelled: for V2 that call would delete it
        if progress.state.final:
            return progress
        if progress.trouble is not None:
            raise ProviderRejected(
                f"MiniMax: {self._name()} was not cancelled, because its state is not known: {progress.trouble}",
                retryable=True,
            )
        if progress.state not in self.kind.cancellable:
            raise ProviderRejected(
                f"MiniMax: {self._name()} is {progress.state} and cannot be cancelled any more; it goes on."
            )
        await self.kind.cancel(self.id)
        return await self.look()

    def wake(self) -> None:
        """Ask soon, because something may have changed. Many calls cause few queries."""
        if not self.state.final:
            self._hinted = True
            self._tell()

    async def _finish(self, on_progress: OnJobProgress | None) -> T:
        while not self.state.final:
            await self._advance(self._looks)
            if on_progress is not None:
                on_progress(self.progress)
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        async with self._asking.here():
            while not self._result:
                await self._make_result(on_progress)
        return self._result[0]

    async def _make_result(self, on_progress: OnJobProgress | None) -> None:
        try:
            self._result.append(await self.kind.result(self._answer))
            self._trouble = None
        except ProviderError as error:
            if not error.retryable:
                raise
            self._trouble = str(error)
            if on_progress is not None:
                on_progress(self.progress)
            await asyncio.sleep(self._schedule.interval_s or self.kind.interval_s)

    async def _steps(self) -> AsyncIterator[JobProgress]:
        limit_s = self.kind.longest_s
        deadline = self._now() + limit_s
        seen = self._looks
        if seen or self._age_s is not None:
            yield self.progress
        while not self.state.final or seen != self._looks:
            await self._limited(self._advance(seen), deadline, limit_s)
            seen = self._looks
            yield self.progress

    async def _advance(self, seen: int) -> None:
        """Return after a look that the waiter has not seen; ask when it is time and nobody else does."""
        while self._looks == seen:
            if (wait_s := self._due() - self._now()) > 0:
                await self._wait_for_news(wait_s)
                continue
            async with self._asking.here():
                if self._looks == seen:  # else somebody else has asked meanwhile
                    await self._ask()
        self._raise_refusal()

    async def _wait_for_news(self, at_most_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._news.here().wait()

    async def _ask(self) -> None:
        """One query. The caller holds the lock."""
        await self.kind.pace.turn()
        self._asked = self._now()
        self._planned = self._asked + self._schedule.least_gap_s  # holds when this query is cancelled
        self._hinted = False
        self._refusal = None
        try:
            answer = await self.kind.query(self.id)
        except ProviderError as error:
            self._note_refused(error)
        else:
            self._note(answer)
        self._looks += 1
        self._tell()

    def _note(self, answer: Mapping[str, Any]) -> None:
        self._trouble = None
        self._reading = self.kind.read(answer)
        if not self.state.final:
            self._plan()
            return
        self._answer = answer
        self._end(trace_of(answer))

    def _note_refused(self, error: ProviderError) -> None:
        if error.retryable:
            self._trouble = str(error)
            self._plan()
            if error.retry_after_s:
                self.kind.pace.hold(min(error.retry_after_s, _LONGEST_HOLD_S))
        elif error.upstream_code in self.kind.failure_codes:
            self._trouble = None
            self._reading = Reading(State.FAILED, code=error.upstream_code, reason=str(error))
            self._end(error.trace_id)
        else:
            self._refusal = error

    def _end(self, trace_id: str | None) -> None:
        self._ended = self._now()
        if self.state in self.kind.with_result:
            return
        reading = self._reading
        reason = reading.reason or "the platform gave no reason."
        if reading.code and not reason.startswith(_OUR_PREFIX):
            reason = str(error_for_code(reading.code, reading.reason))
        self._failure = TaskFailed(
            f"MiniMax: {self._name()} {_OTHER_ENDS.get(reading.state, 'ended')}: {reason.removeprefix(_OUR_PREFIX)}",
            task_id=self.id,
            upstream_code=reading.code,
            trace_id=trace_id,
        )

    def _plan(self) -> None:
        kind = self.kind
        luck = random.uniform(-1.0, 1.0)
        self._planned = self._now() + self._schedule.delay_s(
            self._age(), interval_s=kind.interval_s, typical_s=kind.typical_s, luck=luck
        )

    def _due(self) -> float:
        hinted = self._asked + self._schedule.least_gap_s
        return min(self._planned, hinted) if self._hinted else self._planned

    def _now(self) -> float:
        """The event loop's time. The job's own time begins with its first use inside a loop."""
        now = asyncio.get_running_loop().time()
        if self._began is None:
            self._began = self._planned = now
            if self._age_s is not None:
                self._plan()
        return now

    def _age(self) -> float:
        until = self._ended if self.state.final else self._now()
        return until - (self._began or 0.0) + (self._age_s or 0.0)

    def _tell(self) -> None:
        """Let everybody who waits look at the state again."""
        for news in self._news.all():
            news.set()
        self._news = PerLoop(asyncio.Event)

    def _raise_refusal(self) -> None:
        if self._refusal is not None:
            raise self._refusal.with_traceback(None)

    async def _limited(self, step: Coroutine[Any, Any, V], deadline: float, limit_s: float) -> V:
        scope = asyncio.timeout_at(deadline)
        try:
            async with scope:
                return await step
        except TimeoutError:
            if not scope.expired():
                raise
        trouble = f" The last query failed: {self._trouble}" if self._trouble else ""
        raise NotFinished(
            f"MiniMax: {self._name()} was not finished after {limit_s:.0f} s of waiting. It goes on on the platform; "
            f'wait again later with {self.kind.handle}("{self.id}").{trouble}',
            task_id=self.id,
        )

    def _name(self) -> str:
        return f"the {self.kind.name} task {self.id}"
