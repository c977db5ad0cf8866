"""`python -m realtime` and `python -c CODE` as processes that start quickly: forked from a Python that has imported the package.

To import it takes one to two seconds of CPU time, more than most tests do with the program. Everything else is as always:
see `tests/preloaded.py`. Not for a test of the start itself, of imports, or of what Python reads from the environment
before the first line of a program (`PYTHONIOENCODING`, `PYTHONDEVMODE`). Where there is no Linux: an ordinary process.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import functools
import json
import os
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[1]
PATH = os.pathsep.join((str(ROOT), str(ROOT / "clients")))
PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
REPLY_BYTES = 16


class Popen(subprocess.Popen):
    """A program as subprocess.Popen has it. `words` are arguments of `realtime`, or of this `code`."""

    def __init__(
        self,
        words: list[str] | tuple[str, ...],
        *,
        code: str | None = None,
        start_new_session: bool = False,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        self._environ = {**os.environ, "PYTHONPATH": PATH} if env is None else dict(env)
        self._program = {"words": list(words), "code": code, "session": start_new_session}
        begin = ["-m", "realtime"] if code is None else ["-c", code]
        options |= {"env": self._environ, "start_new_session": start_new_session}
        super().__init__([sys.executable, *begin, *words], **options)

    def _execute_child(self, *given: Any) -> None:
        if sys.platform != "linux":
            super()._execute_child(*given)
            return
        folder, pipes = given[5], given[10:16]
        child_ends = pipes[0], pipes[3], pipes[5]
        request = {
            **self._program,
            "folder": os.path.abspath(folder or os.curdir),
            "environ": self._environ,
            "parent": os.getpid(),
            "ignores_sigint": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        }
        try:
            streams = [standard if fd == -1 else fd for standard, fd in enumerate(child_ends)]
            self.pid = _preloaded().fork(request, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)


async def start(*words: str, code: str | None = None, **options: Any) -> Process:
    """The same as a process of asyncio."""
    _preloaded()
    with contextlib.ExitStack() as patched:

        def popen(args: list[str], **more: Any) -> Popen:
            patched.close()  # only this one: other tasks start other programs
            return Popen(words, code=code, **more)

        patched.enter_context(mock.patch.object(subprocess, "Popen", popen))
        return await asyncio.create_subprocess_exec(sys.executable, **options)


def run(
    *words: str, input: str | None = None, timeout_s: float = 60.0, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; what it has written, as text."""
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    streams = {"stdin": stdin, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(words, text=True, **{**streams, **options}) as process:
        try:
            out, err = process.communicate(input, timeout=timeout_s)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(words, process.returncode, out, err)


class _Preloaded:
    """The Python that forks them: one for all tests of this process."""

    def __init__(self) -> None:
        self._socket, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("MINIMAX_", "REALTIME_", "CHAT_", "PYTHON"))
        }
        with asked:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.preloaded", str(asked.fileno())],
                cwd=ROOT, env={**kept, "PYTHONPATH": PATH}, pass_fds=[asked.fileno()], stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )  # fmt: skip
        atexit.register(self._end)

    def fork(self, request: dict[str, Any], streams: list[int]) -> int:
        """The process number of a new program; it is a child of this process."""
        with _adopting_orphans():
            socket.send_fds(self._socket, [json.dumps(request).encode()], streams)
            return int(self._socket.recv(REPLY_BYTES))

    def _end(self) -> None:
        self._socket.close()
        self._process.wait()


@functools.cache
def _preloaded() -> _Preloaded:
    return _Preloaded()


@contextlib.contextmanager
def _adopting_orphans() -> Iterator[None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
