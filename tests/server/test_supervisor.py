"""The supervisor with workers that are no processes, in virtual time: replaced, stopped, refused, added up."""

import asyncio
import signal

import pytest

from realtime.errors import ConfigError
from realtime.metrics import Metrics
from realtime.server.draining import ASKED_FOR_S, ASKED_TIMES, BalancerWatch
from realtime.server.spread import WorkerTable, shared_rows
from realtime.server.supervisor import CHANNEL_S, COUNT_S, READY_S, Supervisor
from realtime.server.worker_channel import AskSum, Count, Counted, Hurry, Ready, Refused, Sum
from tests import virtual_time

STOP_S = 20.0


class FakeChannel:
    def __init__(self):
        self.incoming = asyncio.Queue()
        self.sent = []

    def send(self, message):
        self.sent.append(message)

    async def receive(self):
        return await self.incoming.get()

    async def aclose(self):
        pass


class FakeChild:
    pid = 1

    def __init__(self, number, *, obeys=True, hangs=False):
        self.hangs = hangs
        self.number, self.began_s = number, asyncio.get_running_loop().time()
        self.obeys = obeys
        self.wire = FakeChannel()
        self.status = asyncio.get_running_loop().create_future()

    async def channel(self):
        if self.hangs:
            await asyncio.Event().wait()
        return self.wire

    async def ended(self):
        return await self.status

    def end(self, status):
        if not self.status.done():
            self.wire.incoming.put_nowait(None)
            self.status.set_result(status)

    def say(self, message):
        self.wire.incoming.put_nowait(message)

    def terminate(self):
        if self.obeys:
            self.end(0)

    def kill(self):
        self.end(-signal.SIGKILL)


class Bench:
    """A supervisor, and every worker that it has started."""

    def __init__(self, workers=2):
        self.children, self.said = [], []
        self.stops = 0
        self.refused = None  # what the system says instead of starting one
        self.forks = asyncio.Event()  # the process that forks does not hang
        self.forks.set()
        self.hang = 0  # so many of the next ones give no channel
        self.table = WorkerTable([0.0] * len(shared_rows(workers)))
        self.supervisor = Supervisor(
            self.table,
            self._start,
            on_ready=self.said.append,
            on_stop=self._stopped,
            longest_stop_s=STOP_S,
        )
        self.running = asyncio.create_task(self.supervisor.run())

    async def _start(self, number):
        await self.forks.wait()
        if self.refused is not None:
            raise self.refused
        self.children.append(FakeChild(number, hangs=self.hang > 0))
        self.hang -= 1
        return self.children[-1]

    def _stopped(self):
        self.stops += 1

    async def all_ready(self):
        await asyncio.sleep(0.01)
        for child in self.children:
            child.say(Ready(f"ready {child.number}"))
        await asyncio.sleep(0.01)


def test_it_is_ready_when_all_workers_are_and_leaves_well_with_them():
    async def run():
        bench = Bench()
        await asyncio.sleep(0.01)
        bench.children[1].say(Ready("ready 1"))
        await asyncio.sleep(0.01)
        assert bench.said == []
        bench.children[0].say(Ready("ready 0"))
        await asyncio.sleep(0.01)
        assert bench.said == ["ready 0"]
        bench.supervisor.stop()
        assert await bench.running == 0
        assert (bench.stops, len(bench.children)) == (1, 2)

    virtual_time.run(run())


def test_a_worker_that_ends_is_replaced_after_a_pause_that_grows_until_it_runs_for_a_while():
    async def run():
        bench, pauses = Bench(), []
        await bench.all_ready()
        for lived_s in (60, 0, 0, 0, 0, 0, 0, 0, 60):
            await asyncio.sleep(lived_s)
            child, ended_s = bench.children[-1], asyncio.get_running_loop().time()
            child.end(-signal.SIGKILL)
            await asyncio.sleep(5.05)
            assert bench.children[-1].number == child.number
            pauses.append(round(bench.children[-1].began_s - ended_s, 3))
        bench.supervisor.stop()
        assert await bench.running == 0, "what ended before the stop was replaced"
        return pauses

    assert virtual_time.run(run()) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 0.1]


def test_a_worker_that_cannot_start_ends_the_start_with_its_reason():
    async def run():
        bench = Bench()
        await asyncio.sleep(0.01)
        bench.children[1].say(Refused("The file is not there."))
        bench.children[1].end(2)
        with pytest.raises(ConfigError, match="The file is not there"):
            await bench.running
        assert len(bench.children) == 2

    virtual_time.run(run())


def test_a_worker_that_ends_before_all_were_ready_ends_the_start(caplog):
    async def run():
        bench = Bench()
        await asyncio.sleep(0.01)
        bench.children[0].say(Ready("ready 0"))
        bench.children[1].end(1)
        assert await bench.running == 1

    virtual_time.run(run())
    (told,) = [each for each in caplog.records if "before all were ready" in each.getMessage()]
    assert told.levelname == "ERROR"


def test_a_closed_standard_output_costs_the_ready_line_alone(caplog):
    async def run():
        bench = Bench(1)

        def broken(text):
            raise BrokenPipeError

        bench.supervisor._on_ready = broken
        await bench.all_ready()
        bench.children[0].say(Counted(None, "not a metric {"))
        bench.children[0].say(AskSum(7))
        await asyncio.sleep(1)
        assert [type(message) for message in bench.children[0].wire.sent] == [Count, Sum]
        bench.supervisor.stop()
        assert await bench.running == 0

    virtual_time.run(run())
    assert len([each for each in caplog.records if "worker 0 broke" in each.getMessage()]) == 2


def test_what_asks_the_admin_port_is_a_balancer_to_every_worker():
    async def run():
        bench = Bench()
        for _ in range(ASKED_TIMES):
            bench.supervisor.asked()
            await asyncio.sleep(ASKED_FOR_S)
        assert BalancerWatch(*bench.table.asked).there(asyncio.get_running_loop().time())
        bench.supervisor.stop()
        await bench.running

    virtual_time.run(run())


def test_what_the_system_refuses_without_a_number_is_told_too(caplog):
    async def run():
        async def start(number):
            raise OSError("AF_UNIX path too long")

        table = WorkerTable([0.0] * len(shared_rows(1)))
        nothing = lambda *_: None  # noqa: E731
        supervisor = Supervisor(table, start, on_ready=nothing, on_stop=nothing, longest_stop_s=STOP_S)
        assert await supervisor.run() == 1

    virtual_time.run(run())
    assert "path too long" in caplog.text


def test_a_frozen_worker_does_not_hold_a_stop_for_ever():
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.children[0].obeys = False
        bench.supervisor.stop()
        bench.supervisor.stop()
        assert bench.children[0].wire.sent == [Hurry()]
        began_s = asyncio.get_running_loop().time()
        assert await bench.running == 1
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(STOP_S)

    virtual_time.run(run())


def test_a_stop_in_the_pause_before_a_new_worker_starts_none():
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.children[1].end(1)
        await asyncio.sleep(0.05)
        bench.supervisor.stop()
        assert await bench.running == 0
        assert len(bench.children) == 2

    virtual_time.run(run())


def test_whoever_asks_gets_the_sum_also_while_one_worker_does_not_answer():
    async def run():
        bench, metrics = Bench(), Metrics()
        await bench.all_ready()
        metrics.sessions_total.inc(3)
        for child in bench.children:
            child.say(Counted(None, metrics.text().decode()))
        asking, silent = bench.children
        metrics.sessions_total.inc()
        asking.say(AskSum(7))
        await asyncio.sleep(0.01)
        (asked,) = silent.wire.sent
        assert isinstance(asked, Count)
        asking.say(Counted(asked.question, metrics.text().decode()))
        await asyncio.sleep(1)
        answer = asking.wire.sent[-1]
        assert isinstance(answer, Sum)
        assert answer.question == 7
        assert "realtime_sessions_opened_total 7.0" in answer.text
        assert "realtime_workers 2.0" in answer.text
        bench.supervisor.stop()
        await bench.running

    virtual_time.run(run())


def test_many_who_ask_at_once_wait_for_a_silent_worker_once():
    async def run():
        bench, began_s = Bench(), asyncio.get_running_loop().time()
        await bench.all_ready()
        asking, silent = bench.children
        asking.say(AskSum(0))
        await asyncio.sleep(0.01)
        for question in range(1, 10):  # they come while the first one's count runs: they share the next one
            asking.say(AskSum(question))
        await asyncio.sleep(3 * COUNT_S)
        answered = [message for message in asking.wire.sent if isinstance(message, Sum)]
        assert [message.question for message in answered] == list(range(10))
        assert sum(isinstance(message, Count) for message in silent.wire.sent) == 2
        assert asyncio.get_running_loop().time() - began_s < 2, "a worker waits so long for the sum"
        bench.supervisor.stop()
        await bench.running

    virtual_time.run(run())


def test_a_worker_without_a_channel_is_killed_and_replaced():
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.hang = 1
        bench.children[1].end(1)
        await asyncio.sleep(CHANNEL_S + 1)
        stuck, fresh = bench.children[2:]
        assert (stuck.number, fresh.number) == (1, 1)
        assert stuck.status.result() == -signal.SIGKILL
        bench.supervisor.stop()
        assert await bench.running == 0

    virtual_time.run(run())


def test_a_replaced_worker_that_never_accepts_is_killed_and_replaced_again():
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.children[0].end(1)
        await asyncio.sleep(1)
        bench.children[2].say(Ready("ready"))
        bench.children[1].end(1)
        await asyncio.sleep(READY_S + 1)
        working, stuck, fresh = bench.children[2:]
        assert not working.status.done()
        assert stuck.status.result() == -signal.SIGKILL
        assert fresh.number == stuck.number == 1
        bench.supervisor.stop()
        assert await bench.running == 0

    virtual_time.run(run())
