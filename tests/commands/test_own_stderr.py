"""What C code prints does not stand among our sentences, and ours are printed all the same."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import os, sys
from realtime.commands.own_stderr import own_stderr
with own_stderr(True):
    os.write(2, b"Expression 'ret' failed in 'pa_linux_alsa.c'\\n")
    print("ours \\u00e9", file=sys.stderr)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # as the package of PortAudio does
print("after", file=sys.stderr)
os.write(2, b"later\\n")
"""


def run(script):
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )


def test_only_our_own_sentences_are_on_standard_error():
    ran = run(SCRIPT)
    assert ran.returncode == 0
    assert ran.stderr == "ours é\nafter\nlater\n"


LOGGING = """
import logging
from realtime import logs
from realtime.commands.own_stderr import own_stderr
log = logging.getLogger("realtime.x")
{before}
with own_stderr(True):
    {within}
    log.error("in the block")
log.error("after the block")
raise ZeroDivisionError
"""
CONFIGURE = 'logs.configure("info", "text")'


@pytest.mark.parametrize(("before", "within"), [(CONFIGURE, ""), ("", CONFIGURE)], ids=["before", "within"])
def test_the_log_goes_there_wherever_it_was_configured(before, within):
    ran = run(LOGGING.format(before=before, within=within))
    lines = [line for line in ran.stderr.splitlines() if " realtime." in line]
    assert [line.split(" ", 1)[1] for line in lines[:2]] == [
        "ERROR realtime.x: in the block",
        "ERROR realtime.x: after the block",
    ]
    assert "CRITICAL realtime.logs: an error that nobody handled" in lines[2]
    assert "ZeroDivisionError" in ran.stderr
    assert "Logging error" not in ran.stderr
