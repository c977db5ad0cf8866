"""Keeps several workers running: starts them, replaces those that end, adds up what they count, stops them together.

Knows neither sockets nor processes: `worker_process.py` starts a worker, `workers.py` puts it all together
(docs/operations.md, "Several workers").
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from realtime import deadlines
from realtime.ending import STOP_SIGNALS
from realtime.errors import ConfigError
from realtime.logs import story
from realtime.server.draining import BalancerWatch
from realtime.server.metrics_sum import MetricsSum
from realtime.server.readiness import STOPS
from realtime.server.spread import WorkerTable
from realtime.server.starting import STARTS
from realtime.server.worker_channel import (
    AskSum,
    Channel,
    Count,
    Counted,
    FromWorker,
    Hurry,
    Readiness,
    Ready,
    Refused,
    Sum,
)
from realtime.server.worker_watch import LOOK_S, WorkerWatch

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LAST_PAUSE_S = 0.1, 5.0  # before a worker that ended is started again
STEADY_S = 10.0  # a worker that ran for so long is replaced after the first pause again
START_S = 120.0  # until its process is there: the one that forks imports the server first, and may hang
CHANNEL_S = 5.0  # until there is a channel to a new worker
READY_S = 120.0  # until it accepts: a start takes seconds, also on a machine that is busy
COUNT_S = 0.5  # a worker that does not tell its metrics by then: its last ones stand
LAST_WORDS_S = 1.0  # what a worker said before it ended
EXIT_FAILED = 1
MAX_FAILED_STARTS = 10  # one after the other and with no worker left: the system cannot start any
NO_WORKER = "No worker answers; others are being started."
# Also one that was stopped before it could listen to signals
_LEFT_WELL = (0, *(-number for number in STOP_SIGNALS))


class Child(Protocol):
    """A worker's process, as its parent sees it."""

    @property
    def pid(self) -> int | None: ...

    async def channel(self) -> Channel[FromWorker]: ...

    async def ended(self) -> int:
        """Wait for its end: its exit status, or minus the signal that ended it."""
        ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...


class Supervisor:
    """Runs the workers with the numbers from 0 on. `start` starts one of them, and may raise OSError; it can be
    cancelled."""

    def __init__(
        self,
        table: WorkerTable,
        start: Callable[[int], Awaitable[Child]],
        *,
        on_ready: Callable[[str], object],
        on_stop: Callable[[], object],
        longest_stop_s: float,
    ) -> None:
        """`on_ready` is called once, when all of them accept, with what one of them has to say. A worker that has not
        ended `longest_stop_s` after the stop began is killed."""
        self._table, self._start, self._on_ready, self._on_stop = table, start, on_ready, on_stop
        self._longest_stop_s = longest_stop_s
        self._balancer = BalancerWatch(*table.asked)
        self._watch = WorkerWatch(table)
        self._failed_starts = 0  # since the last one that succeeded
        self._children: dict[int, Child] = {}
        self._starting: set[asyncio.Future[Child]] = set()
        self._channels: dict[int, Channel[FromWorker]] = {}
        self._ready: dict[int, str] = {}
        self._reasons: dict[int, str] = {}  # of the workers that should get no sessions
        self._started = self._failed = False
        self._refused: str | None = None
        self._stopping = asyncio.Event()
        self._replaced = 0
        self._sum = MetricsSum()
        self._questions = itertools.count(1)
        self._asked: dict[tuple[int, int], asyncio.Future[None]] = {}
        self._counting = asyncio.Lock()
        self._next_sum: asyncio.Task[str] | None = None  # for all who ask before it begins
        self._answers: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Supervisor of {len(self._children)} of {len(self._table)} workers>"

    async def run(self) -> int:
        """Run until all have ended after `stop`, or one could not start; the exit status. Raises ConfigError."""
        watching = asyncio.create_task(self._watch_workers(), name="watch workers")
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(len(self._table)):
                    group.create_task(self._keep(number), name=f"worker {number}")
        finally:
            watching.cancel()
            self._kill()
        if self._refused is not None:
            raise ConfigError(self._refused)
        return EXIT_FAILED if self._failed else 0

    @property
    def not_ready(self) -> str | None:
        """Why no new sessions should come: no worker may get some. None: they may."""
        if self._stopping.is_set():
            return STOPS
        if not self._started:
            told = (reason for reason in self._reasons.values() if reason.startswith(STARTS))
            return max(told, key=len, default=STARTS)  # a longer one says what is waited for
        reasons = [self._reasons.get(number) for number in self._ready if number not in self._watch.silent]
        return None if None in reasons else next(iter(reasons), NO_WORKER)

    def sessions(self) -> int:
        """Those of all workers."""
        return self._table.sessions()

    def asked(self) -> None:
        """Perhaps by a balancer: so the workers learn of it."""
        self._balancer.asked(asyncio.get_running_loop().time())

    def drain(self) -> None:
        """Begin the stop, if it has not begun."""
        if not self._stopping.is_set():
            self.stop()

    def stop(self) -> None:
        """Let all workers leave; called again: wait for no reply any more."""
        if self._stopping.is_set():
            for channel in self._channels.values():
                channel.send(Hurry())
            return
        self._stopping.set()
        self._on_stop()
        for starting in self._starting:
            starting.cancel()
        for child in self._children.values():
            child.terminate()
        asyncio.get_running_loop().call_later(self._longest_stop_s, self._kill)

    def _kill(self) -> None:
        for number, child in self._children.items():
            story(log, "worker killed", {"worker": number, "pid": child.pid}, logging.WARNING)
            child.kill()

    # -- the life of a worker ----------------------------------------------------------------------------------------

    async def _keep(self, number: int) -> None:
        """Run this worker, and another one in its place whenever it ends."""
        loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
        while not self._stopping.is_set():
            began_s = loop.time()
            status = await self._life(number)
            if self._stopping.is_set():
                self._failed |= status not in _LEFT_WELL
                return
            if not self._started:  # what does not start now would not start in a second either
                self._failed = True
                story(
                    log,
                    "worker ended before all were ready",
                    {"worker": number, "status": status},
                    logging.ERROR,
                )
                self.stop()
                return
            if (ran_s := loop.time() - began_s) >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            self._replaced += 1
            facts = {"worker": number, "status": status, "ran_s": round(ran_s, 1), "pause_s": pause_s}
            story(log, "worker ended, another one starts", facts, logging.WARNING)
            await self._pause(pause_s)
            pause_s = min(2 * pause_s, LAST_PAUSE_S)

    async def _life(self, number: int) -> int:
        """Start a worker and wait for its end: its exit status."""
        child = await self._begin(number)
        if child is None:
            return 0 if self._stopping.is_set() else EXIT_FAILED
        self._failed_starts = 0
        self._children[number] = child
        if self._stopping.is_set():
            child.terminate()  # nobody has told it
        try:
            async with deadlines.timeout(CHANNEL_S):
                channel = self._channels[number] = await child.channel()
        except (TimeoutError, OSError):
            log.error("worker %d has no channel: it is killed", number)
            child.kill()
            del self._children[number]
            return EXIT_FAILED
        late = asyncio.get_running_loop().call_later(READY_S, self._too_late, number, child)
        listening = asyncio.create_task(self._listen(number, channel), name=f"listen to worker {number}")
        status = await child.ended()
        late.cancel()
        del self._children[number], self._channels[number]
        self._table.clear(number)
        self._watch.forget(number)
        await asyncio.wait([listening], timeout=LAST_WORDS_S)
        listening.cancel()
        await channel.aclose()
        self._sum.ended(number)
        self._ready.pop(number, None)
        self._reasons.pop(number, None)
        return status

    async def _begin(self, number: int) -> Child | None:
        """The process of a new worker; None if there is none. A stop does not wait for it."""
        starting = asyncio.ensure_future(self._start(number))
        self._starting.add(starting)
        try:
            await asyncio.wait([starting], timeout=START_S)
            if starting.done():
                return starting.result()
            self._is_not_started(number, f"the process that forks hangs: {START_S:.0f} s", for_good=True)
        except asyncio.CancelledError:
            if not starting.cancelled():  # it is not the stop
                raise
        except OSError as error:
            self._is_not_started(number, error.strerror or str(error), for_good=False)
        finally:
            starting.cancel()
            self._starting.discard(starting)
        return None

    def _is_not_started(self, number: int, why: str, *, for_good: bool) -> None:
        log.error("worker %d cannot be started (%s)", number, why)
        self._failed_starts += 1
        if self._started and not self._children and (for_good or self._failed_starts >= MAX_FAILED_STARTS):
            log.error("no worker is left, and none can be started: the server ends")
            self._failed = True
            self.stop()  # only a new start of all of it can help

    def _too_late(self, number: int, child: Child) -> None:
        """Kill a worker that does not accept by now: it hangs, and nobody would start another one in its place."""
        if number not in self._ready and not self._stopping.is_set():
            log.error("worker %d does not accept after %.0f s: it is killed", number, READY_S)
            child.kill()

    async def _watch_workers(self) -> None:
        """Tell of workers that hang, and kill them in the end: another one is started in their place."""
        while True:
            await asyncio.sleep(LOOK_S)
            silent, hung = self._watch.silent, self._watch.hung
            self._watch.look(asyncio.get_running_loop().time())
            if self._stopping.is_set():
                continue
            for number, child in self._children.items():
                facts = {"worker": number, "pid": child.pid}
                if number in self._watch.hung - hung:
                    story(log, "worker hangs and is killed", facts, logging.ERROR)
                    child.kill()
                elif number in self._watch.silent - silent:
                    story(log, "worker does not answer", facts, logging.WARNING)
                elif number in silent - self._watch.silent:
                    story(log, "worker answers again", facts, logging.WARNING)

    async def _pause(self, seconds: float) -> None:
        stopping = asyncio.create_task(self._stopping.wait(), name="pause")
        await asyncio.wait([stopping], timeout=seconds)
        stopping.cancel()

    async def _listen(self, number: int, channel: Channel[FromWorker]) -> None:
        """Hear a worker until it is gone."""
        while (message := await channel.receive()) is not None:
            try:
                self._heard(number, channel, message)
            except Exception as error:  # a closed standard output, say: the rest of what it says is heard
                log.error("a message of worker %d broke", number, exc_info=error)

    def _heard(self, number: int, channel: Channel[FromWorker], message: FromWorker) -> None:
        match message:
            case Ready(text):
                self._is_ready(number, text)
            case Readiness(None):
                self._reasons.pop(number, None)
            case Readiness(str(reason)):
                self._reasons[number] = reason
            case Refused(reason):
                self._is_refused(number, reason)
            case Counted(question, text):
                self._sum.reported(number, text)
                if question is not None and (asked := self._asked.pop((number, question), None)) is not None:
                    asked.set_result(None)
            case AskSum(question):
                answer = asyncio.create_task(self._tell_sum(channel, question), name="tell metrics")
                self._answers.add(answer)
                answer.add_done_callback(self._answers.discard)

    def _is_ready(self, number: int, text: str) -> None:
        self._ready[number] = text
        if not self._started and len(self._ready) == len(self._table):
            self._started = True
            self._on_ready(self._ready[0])

    def _is_refused(self, number: int, reason: str) -> None:
        if self._started:
            log.error("worker %d cannot start: %s", number, reason)
        elif self._refused is None:
            self._refused = reason

    # -- metrics -----------------------------------------------------------------------------------------------------

    async def metrics(self) -> str:
        """The metrics of all workers, added up. Who asks while they are counted waits for the next count, which is one
        for all of them: a worker that does not answer holds everybody up once, not one after the other."""
        if self._next_sum is None:
            self._next_sum = asyncio.create_task(self._sum_of_all(), name="add up metrics")
        return await asyncio.shield(self._next_sum)

    async def _sum_of_all(self) -> str:
        async with self._counting:
            self._next_sum = None
            await self._count()
            return self._sum.text(self._own_metrics())

    async def _tell_sum(self, channel: Channel[FromWorker], question: int) -> None:
        channel.send(Sum(question, await self.metrics()))

    async def _count(self) -> None:
        """Ask every worker that is there for its metrics. What one that hangs has told last stands."""
        question, loop = next(self._questions), asyncio.get_running_loop()
        there = {number: each for number, each in self._channels.items() if number not in self._watch.silent}
        asked = {(number, question): loop.create_future() for number in there}
        self._asked |= asked
        for channel in there.values():
            channel.send(Count(question))
        if asked:
            await asyncio.wait(asked.values(), timeout=COUNT_S)
        for key in asked:
            self._asked.pop(key, None)

    def _own_metrics(self) -> Iterator[Metric]:
        accepting = len(self._ready.keys() - self._watch.silent)
        yield GaugeMetricFamily("realtime_workers", "Workers that accept connections", accepting)
        silent = "Workers that hang: what they count is missing, or as it was"
        yield GaugeMetricFamily("realtime_workers_silent", silent, len(self._watch.silent))
        replaced = "Workers that ended and were started again"
        yield CounterMetricFamily("realtime_workers_replaced", replaced, self._replaced)
        sessions = GaugeMetricFamily(
            "realtime_worker_sessions", "Open sessions of each worker", labels=["worker"]
        )
        for number in range(len(self._table)):
            sessions.add_metric([str(number)], self._table[number].sessions)
        yield sessions
