"""The programs that tests fork from a Python with the package are what `python -c` and `python -m realtime` would be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems start ordinary processes")

FACTS = """
import json, os, signal, sys, threading, warnings
print(json.dumps({
    "words": sys.argv, "folder": os.getcwd(), "environ": dict(os.environ), "first": sys.path[0] in ("", os.getcwd()),
    "leader": os.getsid(0) == os.getpid(), "sigint": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "sigterm": int(signal.getsignal(signal.SIGTERM)), "streams": sorted(map(int, os.listdir("/proc/self/fd")))[:4],
    "threads": threading.active_count(), "main": __name__, "module": sys.modules["__main__"].__dict__ is globals(),
    "strict": any(action == "error" and kind is ResourceWarning for action, _, kind, *_ in warnings.filters),
    "input": sys.stdin.read(), "interactive": sys.stdout.line_buffering,
}))
"""


@pytest.mark.parametrize("session", [True, False])
def test_it_is_like_a_process_that_python_starts(tmp_path: Path, session: bool) -> None:
    environ = {"PYTHONPATH": programs.PATH, "PYTHONWARNINGS": "error::ResourceWarning", "A": "b"}
    options = {"cwd": tmp_path, "env": environ, "start_new_session": session, "text": True}
    pipe = subprocess.PIPE
    started = (
        subprocess.Popen([sys.executable, "-c", FACTS, "x", "-y"], stdin=pipe, stdout=pipe, **options),
        programs.Popen(["x", "-y"], code=FACTS, stdin=pipe, stdout=pipe, **options),
    )
    real, forked = (json.loads(process.communicate("said")[0]) for process in started)
    for facts in (real, forked):
        facts["environ"].pop("LC_CTYPE", None)  # Python may set it
    assert forked == real
    assert [process.returncode for process in started] == [0, 0]


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [("import sys; sys.exit(3)", 3, ""), ("raise ValueError('no')", 1, "ValueError: no"), ("import sys; sys.exit('why')", 1, "why")],
)  # fmt: skip
def test_its_status_and_its_last_words(code: str, status: int, said: str) -> None:
    ran = programs.run(code=code)
    assert ran.returncode == status
    assert ran.stderr.strip().endswith(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_signal_reaches_it(number: signal.Signals) -> None:
    code = "import time; print('up', flush=True); time.sleep(3600)"
    process = await programs.start(code=code, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"up\n"
    process.send_signal(number)
    assert await process.wait() == -number


def test_an_ignored_ctrl_c_stays_ignored_and_it_is_a_child_of_the_test() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = "import os, signal; print(os.getppid(), signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
        ran = programs.run(code=code)
    finally:
        signal.signal(signal.SIGINT, before)
    assert ran.stdout.split() == [str(os.getpid()), "True"]


def test_the_command_line_is_the_program_without_code() -> None:
    ran = programs.run("serv")
    assert ran.returncode == 2
    assert "realtime serve" in ran.stderr
