"""What C code prints does not stand among our sentences, and ours are printed all the same."""

import subprocess
import sys
from pathlib import Path

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


def test_only_our_own_sentences_are_on_standard_error():
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=root, capture_output=True, text=True, timeout=60, check=True
    )
    assert ran.stderr == "ours é\nafter\nlater\n"
