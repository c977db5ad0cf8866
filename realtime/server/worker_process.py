"""Starts the process of a worker, and watches its end. Knows nothing of what workers do."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
from collections.abc import Iterator, MutableSequence
from contextlib import contextmanager
from multiprocessing.context import SpawnProcess

from realtime.server.worker import Post, run_worker
from realtime.server.worker_channel import Channel, FromWorker, of_supervisor


class WorkerProcess:
    """A worker's process."""

    def __init__(self, process: SpawnProcess, end: socket.socket) -> None:
        self._process = process
        self._end = end
        self.pid = process.pid

    def __repr__(self) -> str:
        return f"<WorkerProcess {self.pid}>"

    async def channel(self) -> Channel[FromWorker]:
        """The channel to it; to be asked for once."""
        return await of_supervisor(self._end)

    async def ended(self) -> int:
        """Wait for its end: its exit status, or minus the signal that ended it."""
        loop, gone = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._process.sentinel, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(self._process.sentinel)
        self._process.join()
        return self._process.exitcode or 0

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()


def start_worker(
    number: int, sock: socket.socket, rows: MutableSequence[float], work: bytes
) -> WorkerProcess:
    """Start the worker with this number. Raises OSError where the system cannot."""
    ours, theirs = socket.socketpair()
    context = multiprocessing.get_context("spawn")
    try:
        process = context.Process(target=run_worker, args=(Post(number, sock, theirs, rows), work))
        with _interrupts_held():
            process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return WorkerProcess(process, ours)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A process that begins here does not get the Ctrl-C of the terminal before it says what it means to it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
