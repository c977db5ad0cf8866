"""A Python that has imported the package, and forks a program for each request: for `tests/programs.py`, and run by it.

Each program is a process of its own, with its arguments, environment, folder, streams and session. It becomes a child of
the process that has asked, so that signals and exit statuses are as always: it is forked by a process between, which ends
at once, and the system gives orphans to the next ancestor that wants them. Needs Linux.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import sys
import time
import types
import warnings
from typing import Any

REQUEST_BYTES = 1 << 20
ADOPTED_S = 60.0  # a moment, but this machine may be busy


def preload() -> None:
    """Import all of the package, as far as this machine has what it needs. It starts no thread and opens nothing."""
    import realtime

    for module in pkgutil.walk_packages(realtime.__path__, "realtime."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):  # an extra that is not installed
                importlib.import_module(module.name)


def serve(asked: socket.socket) -> dict[str, Any]:
    """Fork a program for each request; ends the process when nobody asks any more. Returns in each new program."""
    while True:
        data, fds, _, _ = socket.recv_fds(asked, REQUEST_BYTES, 3)
        if not data:
            os._exit(0)
        told, tell = os.pipe()
        between = os.fork()
        if not between:
            if pid := os.fork():
                os.write(tell, str(pid).encode())
                os._exit(0)
            for fd in (told, tell, asked.detach()):
                os.close(fd)
            request: dict[str, Any] = json.loads(data)
            _become(request, fds)
            return request
        os.waitpid(between, 0)
        asked.send(os.read(told, 16))
        for fd in (told, tell, *fds):
            os.close(fd)


def _become(request: dict[str, Any], fds: list[int]) -> None:
    """This process is that program from now on."""
    deadline_s = time.monotonic() + ADOPTED_S
    while os.getppid() != request["parent"]:
        assert time.monotonic() < deadline_s, "nobody wants the orphan"
        time.sleep(0.001)
    signal.signal(signal.SIGINT, signal.SIG_IGN if request["ignores_sigint"] else signal.default_int_handler)
    if request["session"]:
        os.setsid()
    for standard, fd in enumerate(fds):
        os.dup2(fd, standard)
    for fd in fds:
        os.close(fd)
    os.environ.clear()
    os.environ.update(request["environ"])
    os.chdir(request["folder"])
    _as_python_starts(request["folder"])


def _as_python_starts(folder: str) -> None:
    """What Python itself reads from the environment, and where it looks for modules first."""
    sys.path[0] = folder
    unbuffered = bool(os.environ.get("PYTHONUNBUFFERED"))
    for fd, name in (
        (1, "stdout"),
        (2, "stderr"),
    ):  # those of before believe they are files with places in them
        old = getattr(sys, name)
        stream = open(fd, "w", encoding=old.encoding, errors=old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
    sys.stderr.reconfigure(line_buffering=True)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty(), write_through=unbuffered)
    sys.warnoptions[:] = filter(None, os.environ.get("PYTHONWARNINGS", "").split(","))
    warnings._processoptions(sys.warnoptions)


def run(request: dict[str, Any]) -> None:
    """The program itself, as `python -m realtime` or `python -c CODE`."""
    sys.argv[1:] = request["words"]
    if request["code"] is None:
        runpy.run_module("realtime", run_name="__main__", alter_sys=True)
        return
    sys.argv[0] = "-c"
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(compile(request["code"], "<string>", "exec"), main.__dict__)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the tests; they end this one, too
    preload()
    gc.collect()
    gc.freeze()  # or each program would copy what a collection touches
    run(serve(socket.socket(fileno=int(sys.argv[1]))))
