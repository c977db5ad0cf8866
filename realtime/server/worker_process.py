"""Starts the process of a worker, and watches its end. Knows nothing of what workers do."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
import threading
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.process import BaseProcess
from multiprocessing.util import get_temp_dir
from queue import SimpleQueue

from realtime.server.worker import HELD_SIGNALS, Post, run_worker
from realtime.server.worker_channel import Channel, FromWorker, of_supervisor


class WorkerProcess:
    """A worker's process."""

    def __init__(self, process: BaseProcess, end: socket.socket) -> None:
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


class Starter:
    """Starts workers one after the other in a thread: nobody waits for a process that forks and hangs.

    One thread for all of them, which never ends: on Linux the process that forks ends with the thread that started it.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[WorkerProcess], Callable[[], WorkerProcess]]] = SimpleQueue()
        threading.Thread(target=self._run, name="start workers", daemon=True).start()

    async def start(self, job: Callable[[], WorkerProcess]) -> WorkerProcess:
        """What `job` starts; what starts after this was cancelled is killed. Raises OSError."""
        future: Future[WorkerProcess] = Future()
        self._jobs.put((future, job))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(_kill_late)
            raise

    def _run(self) -> None:
        while True:
            future, job = self._jobs.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)


def _kill_late(started: Future[WorkerProcess]) -> None:
    if not started.cancelled() and started.exception() is None:
        started.result().kill()


def start_worker(
    number: int,
    sock: socket.socket,
    rows: MutableSequence[float],
    work: bytes,
    preload: Sequence[str] = (),
    keys: int = 0,
) -> WorkerProcess:
    """Start the worker with this number. Raises OSError where the system cannot.

    It is forked from a process that has imported the server and these modules: that is fast, and none of our threads
    and sockets is in it.
    """
    ours, theirs = socket.socketpair()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["realtime.server.preloaded", *preload])
    try:
        process = context.Process(target=run_worker, args=(Post(number, sock, theirs, rows, keys), work))
        with _signals_held():
            process.start()
    except EOFError as error:
        # The process that forks has just ended; the next one is started with the next worker
        ours.close()
        raise OSError("no process to fork from") from error
    except (FileNotFoundError, ConnectionRefusedError) as error:
        # With another one, nobody would learn any more how the workers of this one end
        ours.close()
        raise OSError(f"the socket in {get_temp_dir()} was removed: restart the server") from error
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
    return WorkerProcess(process, ours)


@contextmanager
def _signals_held() -> Iterator[None]:
    """Processes that begin here hold signals back: the one that forks for ever, a worker until it listens to them.

    So neither the Ctrl-C of a terminal nor a service manager that signals all processes at once cuts anybody off.
    """
    resource_tracker.ensure_running()  # where it starts, it would let them through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HELD_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
