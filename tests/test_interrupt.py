"""Signals before anything runs: a real process of Python that does what the entry point does first."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """
import os, sys, time
if "first" in sys.argv:
    os.getpid = lambda: 1
if "entry" in sys.argv:
    import realtime.__main__
else:
    from realtime import interrupt
    interrupt.begin()
if "begun" in sys.argv:
    interrupt.hand_over()
print("up", flush=True)
time.sleep(60)
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.mark.parametrize(
    ("words", "number", "status"),
    [
        ([], signal.SIGINT, 130),
        (["entry"], signal.SIGINT, 130),
        (["first"], signal.SIGINT, 130),
        ([], signal.SIGTERM, -signal.SIGTERM),
        (["begun"], signal.SIGTERM, -signal.SIGTERM),
        (["first"], signal.SIGTERM, 143),
        (["first", "begun"], signal.SIGTERM, 143),
    ],
)
def test_a_signal_before_anything_runs_is_quiet(words, number, status):
    """`entry`: as soon as the entry point is imported. `first`: as process number 1, for which the system ignores a signal without a handler."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert (out, err) == ("", "")
