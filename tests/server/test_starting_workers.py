"""The process that forks workers hangs: nobody waits for it without end, and what it starts too late is killed."""

import asyncio
import threading

import pytest

from realtime.server.supervisor import START_S
from realtime.server.worker_channel import Ready
from realtime.server.worker_process import Starter
from tests import virtual_time
from tests.eventually import eventually
from tests.server.test_supervisor import Bench


def test_the_others_go_on_while_a_start_hangs_and_a_later_one_succeeds():
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.forks.clear()
        bench.children[1].end(1)
        await asyncio.sleep(1.5 * START_S)
        assert len(bench.children) == 2
        assert "realtime_workers 1.0" in await bench.supervisor.metrics()
        bench.forks.set()
        await asyncio.sleep(10)
        bench.children[2].say(Ready("ready"))
        await asyncio.sleep(1)
        assert "realtime_workers 2.0" in await bench.supervisor.metrics()
        bench.supervisor.stop()
        assert await bench.running == 0

    virtual_time.run(run())


@pytest.mark.parametrize("left", [0, 1])
def test_without_any_worker_left_all_of_it_ends(left):
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.forks.clear()
        for child in bench.children[left:]:
            child.end(1)
        await asyncio.sleep(2 * START_S)
        assert bench.running.done() is (left == 0)
        bench.supervisor.stop()
        assert await bench.running == (left == 0)

    virtual_time.run(run())


def test_a_start_that_hangs_from_the_beginning_ends_it():
    async def run():
        bench = Bench()
        bench.forks.clear()
        await asyncio.sleep(START_S + 1)
        assert await bench.running == 1

    virtual_time.run(run())


def test_a_stop_does_not_wait_for_a_start_that_hangs():
    async def run():
        bench, loop = Bench(), asyncio.get_running_loop()
        await bench.all_ready()
        bench.forks.clear()
        bench.children[1].end(1)
        await asyncio.sleep(1)
        stopped_s = loop.time()
        bench.supervisor.stop()
        assert await bench.running == 0
        assert loop.time() - stopped_s < 2

    virtual_time.run(run())


class Process:
    killed = False

    def kill(self):
        self.killed = True


async def test_what_starts_after_everybody_has_given_up_is_killed_and_what_waits_is_not_started():
    starter, goes_on, late, never = Starter(), threading.Event(), Process(), []
    hanging = asyncio.create_task(starter.start(lambda: goes_on.wait(60) and late))
    behind = asyncio.create_task(starter.start(lambda: never.append(1) or Process()))
    await asyncio.sleep(0.05)
    hanging.cancel()
    behind.cancel()
    await asyncio.gather(hanging, behind, return_exceptions=True)
    goes_on.set()
    await eventually(lambda: late.killed)
    good = Process()
    assert await starter.start(lambda: good) is good
    assert not never


async def test_an_error_of_the_system_is_told():
    def refuse():
        raise OSError("no more processes")

    with pytest.raises(OSError, match="no more"):
        await Starter().start(refuse)
