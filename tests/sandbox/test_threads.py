"""Work on a file in a thread, and a caller that is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import threading

import pytest

from realtime.sandbox.threads import to_the_end
from tests.eventually import eventually


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancelled_caller_stops_the_thread_and_waits_for_it(cancels: int, tmp_path) -> None:
    began, go_on, stopped = threading.Event(), threading.Event(), threading.Event()
    file = (tmp_path / "made").open("wb")

    def write() -> int:
        began.set()
        go_on.wait()
        return file.write(b"the last sentence")

    async def made() -> None:
        try:
            await to_the_end(write, stop=stopped.set)
        finally:
            file.close()

    task = asyncio.create_task(made())
    try:
        await eventually(began.is_set)
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0)
        assert stopped.is_set()
        assert not task.done(), "the thread still writes"
    finally:
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (tmp_path / "made").read_bytes() == b"the last sentence"


async def test_it_gives_the_result_and_raises_what_the_work_raises() -> None:
    assert await to_the_end(max, 1, 2) == 2
    with pytest.raises(ZeroDivisionError):
        await to_the_end(divmod, 1, 0)
