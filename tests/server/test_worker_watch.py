"""A worker that hangs is told of, then replaced; a machine that stood still costs no worker. In virtual time."""

import asyncio

import pytest

from realtime.server.spread import Slot, WorkerTable, shared_rows
from realtime.server.supervisor import MAX_FAILED_STARTS
from realtime.server.worker_channel import Count, Ready
from realtime.server.worker_watch import HUNG_S, LOOK_S, SILENT_S, WorkerWatch
from tests import virtual_time
from tests.server.test_supervisor import Bench


def says(table: WorkerTable, number: int) -> None:
    Slot(table, number).say(asyncio.get_running_loop().time(), room=True, load=0, sessions=3)


async def writing(table: WorkerTable, number: int) -> None:
    while True:
        says(table, number)
        await asyncio.sleep(0.1)


async def begun(bench: Bench) -> list[asyncio.Task[None]]:
    await bench.all_ready()
    return [asyncio.create_task(writing(bench.table, number)) for number in range(len(bench.table))]


def test_a_worker_that_hangs_is_told_of_and_then_replaced(caplog):
    async def run():
        bench = Bench()
        first, writes = await begun(bench)
        await asyncio.sleep(60)
        assert len(bench.children) == 2
        writes.cancel()
        await asyncio.sleep(SILENT_S + 2 * LOOK_S)
        bench.children[1].wire.sent.clear()
        began_s = asyncio.get_running_loop().time()
        seen = await bench.supervisor.metrics()
        assert "realtime_workers 1.0" in seen
        assert "realtime_workers_silent 1.0" in seen
        assert not [each for each in bench.children[1].wire.sent if isinstance(each, Count)]
        assert bench.supervisor.not_ready is None
        assert "worker does not answer worker=1" in caplog.text
        await asyncio.sleep(HUNG_S - SILENT_S + 1)
        assert len(bench.children) == 3
        bench.children[2].say(Ready("ready"))
        await asyncio.sleep(1)
        assert "realtime_workers 2.0" in await bench.supervisor.metrics()
        assert asyncio.get_running_loop().time() - began_s < HUNG_S + 5
        assert caplog.text.count("worker hangs and is killed") == 1
        assert "answers again" not in caplog.text
        first.cancel()
        bench.supervisor.stop()
        await bench.running

    virtual_time.run(run())


def test_one_that_answers_again_stays():
    async def run():
        bench = Bench()
        writes, second = await begun(bench)
        writes.cancel()
        await asyncio.sleep(HUNG_S - 5)
        again = asyncio.create_task(writing(bench.table, 0))
        await asyncio.sleep(2 * HUNG_S)
        assert len(bench.children) == 2
        assert "realtime_workers_silent 0.0" in await bench.supervisor.metrics()
        again.cancel()
        second.cancel()
        bench.supervisor.stop()
        await bench.running

    virtual_time.run(run())


@pytest.mark.parametrize("stood_s", [60.0, 1e6])
def test_time_in_which_nobody_looked_makes_no_worker_silent(stood_s: float):
    table = WorkerTable(shared_rows(1))
    Slot(table, 0).say(5.0, room=True, load=0, sessions=0)
    watch = WorkerWatch(table)
    for now_s in (10.0, 10.0 + LOOK_S, 11.0 + stood_s):
        watch.look(now_s)
    assert watch.silent_s[0] <= 3 * LOOK_S
    assert not watch.silent
    Slot(table, 0).leave()
    for second in range(100):
        watch.look(12.0 + stood_s + second)
    assert not watch.silent, "one that has left is not silent"


@pytest.mark.parametrize("left", [0, 1])
def test_where_the_system_starts_no_worker_and_none_is_left_all_of_it_ends(left: int, caplog):
    async def run():
        bench = Bench()
        await bench.all_ready()
        bench.refused = OSError("the socket in /tmp was removed")
        for child in bench.children[left:]:
            child.end(1)
        await asyncio.sleep(10 * MAX_FAILED_STARTS)
        assert bench.running.done() is (left == 0)
        assert "cannot be started (the socket in /tmp was removed)" in caplog.text
        if left:
            bench.refused = None
            await asyncio.sleep(10)
            assert len(bench.children) == 3
            bench.supervisor.stop()
        assert await bench.running == (left == 0)

    virtual_time.run(run())
