"""The background tasks of a session end with it, also beside one that does not let itself be cancelled."""

import asyncio
import contextlib

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


def test_nothing_to_cancel_is_not_waited_for():
    async def run():
        assert await cancel([]) == set()
        task = asyncio.create_task(asyncio.Event().wait())
        assert await cancel([task]) == set()
        assert task.cancelled()

    virtual_time.run(run())
