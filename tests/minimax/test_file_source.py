"""Files of a user that are opened and read beside the event loop: pipes that nobody writes into, calls that are cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
import threading
from pathlib import Path

import pytest

from realtime.errors import InvalidArgument
from realtime.minimax.file_source import in_thread, open_source, read_path
from tests.eventually import eventually

if sys.platform != "win32":

    @pytest.mark.parametrize("written", [False, True])
    async def test_who_waits_for_a_pipe_can_be_cancelled(tmp_path: Path, written) -> None:
        """Nobody opens it for writing, or somebody does and writes nothing."""
        path = tmp_path / "pipe"
        os.mkfifo(path)
        writer = os.open(path, os.O_RDWR) if written else None
        before = set(threading.enumerate())

        async def look() -> None:
            async with open_source(path):
                pass

        tasks = [
            asyncio.create_task(look()),
            asyncio.create_task(read_path(str(path), most_bytes=9, param="x")),
        ]
        await eventually(lambda: len(set(threading.enumerate()) - before) == 2)
        for task in tasks:
            task.cancel()
        async with asyncio.timeout(1):
            await asyncio.gather(*tasks, return_exceptions=True)
        waiting = set(threading.enumerate()) - before
        assert all(task.cancelled() for task in tasks)
        assert all(thread.daemon for thread in waiting)  # the end of the process does not wait either
        if writer is not None:
            os.close(writer)

        def gone() -> bool:
            with contextlib.suppress(OSError):  # nobody reads at the moment
                os.close(
                    os.open(path, os.O_WRONLY | os.O_NONBLOCK)
                )  # they go on, and close what they have opened
            return not any(thread.is_alive() for thread in waiting)

        await eventually(gone)


async def test_a_file_that_is_too_large_is_not_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"123")
    assert await read_path(str(tmp_path / "a"), most_bytes=3, param="x") == b"123"
    with pytest.raises(InvalidArgument, match="has more than 2 bytes, the most that is read"):
        await read_path(str(tmp_path / "a"), most_bytes=2, param="x")


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_file_that_was_opened_for_a_cancelled_call_is_closed(cancels) -> None:
    opened: list[io.BytesIO] = []
    began, go_on = threading.Event(), threading.Event()

    def slowly() -> io.BytesIO:
        began.set()
        go_on.wait()
        opened.append(io.BytesIO(b"x"))
        return opened[0]

    task = asyncio.ensure_future(in_thread(slowly))
    try:
        await eventually(began.is_set)
        for _ in range(cancels):
            task.cancel()
            await asyncio.sleep(0)
        assert not task.done(), "the thread still works"
    finally:
        go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert opened[0].closed


def test_the_end_of_a_loop_waits_for_a_thread_that_works_on_a_file() -> None:
    """It cancels all tasks there are: that of the caller, and none may look as if the thread had ended."""
    done: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        began.set()
        go_on.wait()
        done.append("thread")

    async def work() -> None:
        try:
            await in_thread(slowly)
        finally:
            done.append("caller")

    async def main() -> asyncio.Task[None]:
        task = asyncio.ensure_future(work())
        await eventually(began.is_set)
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        return task

    asyncio.run(main())
    assert done == ["thread", "caller"]
