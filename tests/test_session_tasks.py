"""The background tasks of a session end with it, also beside one that does not let itself be cancelled."""

import asyncio
import contextlib
import gc

import pytest

from realtime.tasks import CANCEL_S, Tasks, cancel
from tests import virtual_time


async def stubborn(stop: asyncio.Event) -> None:
    """As code of somebody else that catches too much."""
    while not stop.is_set():
        with contextlib.suppress(asyncio.CancelledError):
            await stop.wait()


async def waits(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(CANCEL_S / 2)  # honest work at its end
        ended.append("waits")


def test_a_task_that_refuses_is_told_and_left(caplog):
    async def run():
        tasks, ended, stop = Tasks("sess_1"), [], asyncio.Event()
        left = tasks.spawn(stubborn(stop), "tool")
        tasks.spawn(waits(ended), "reply")
        await asyncio.sleep(0)
        began_s = asyncio.get_running_loop().time()
        await tasks.aclose()
        assert asyncio.get_running_loop().time() - began_s == CANCEL_S
        assert ended == ["waits"]
        assert not left.done()
        stop.set()
        await left

    virtual_time.run(run())
    [record] = caplog.records
    assert record.getMessage().startswith("sess_1 tool does not end although it is cancelled")


async def fails_late(stop: asyncio.Event) -> None:
    await stubborn(stop)
    raise RuntimeError("too late")


@pytest.mark.parametrize("of_a_session", [True, False])
def test_a_task_that_was_left_and_fails_later_is_one_line_of_the_log(caplog, of_a_session):
    async def run():
        tasks, stop = Tasks("sess_1"), asyncio.Event()
        if of_a_session:
            left = tasks.spawn(fails_late(stop), "tool")
            await asyncio.sleep(0)
            await tasks.aclose()
        else:
            left = asyncio.create_task(fails_late(stop), name="sess_1 tool")
            await asyncio.sleep(0)
            assert await cancel([left]) == {left}
        stop.set()
        await asyncio.wait([left])
        del left, tasks
        await asyncio.sleep(0)
        gc.collect()  # asyncio tells of an error that nobody has read
        await asyncio.sleep(0)

    virtual_time.run(run())
    assert [record.getMessage() for record in caplog.records][1:] == [
        "sess_1 tool, which did not end when it was cancelled, failed: RuntimeError"
    ]
    assert not any(record.exc_info for record in caplog.records)


def test_a_callback_that_fails_after_the_end_is_one_line_of_the_log(caplog):
    async def run():
        tasks = Tasks("sess_1")
        await tasks.aclose()
        tasks.guarded(lambda: [].pop())()
        del tasks
        gc.collect()

    virtual_time.run(run())
    [record] = caplog.records
    assert record.getMessage() == "sess_1: IndexError after its end"


def test_nothing_to_cancel_is_not_waited_for():
    async def run():
        assert await cancel([]) == set()
        task = asyncio.create_task(asyncio.Event().wait())
        assert await cancel([task]) == set()
        assert task.cancelled()

    virtual_time.run(run())
