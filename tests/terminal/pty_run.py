"""One command in a pseudo terminal of its own, as a person has it."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("MINIMAX_", "REALTIME_"))}


# What `python -m realtime` does, and a word when our own code has begun: before that Python itself starts.
UP = "--- up ---\r\n"
LAUNCH = """
from realtime import interrupt
interrupt.begin()
print("--- up ---", flush=True)
import sys
from realtime.__main__ import main
sys.exit(main())
"""


class Person:
    """What stands on the screen of `realtime WORDS`, and keys for it."""

    def __init__(self, *words, width=60, cwd=None, **env):
        self.screen = ""
        self.pid, self._fd = pty.fork()
        if not self.pid:
            os.chdir(cwd or ROOT)
            path = os.pathsep.join(
                [str(ROOT), str(ROOT / "clients"), *filter(None, [CLEAN.get("PYTHONPATH")])]
            )
            os.execve(
                sys.executable,
                [sys.executable, "-c", LAUNCH, *words],
                {**CLEAN, "TERM": "xterm", "PYTHONPATH": path, **env},
            )
        self.until(UP)
        self.screen = ""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def press(self, keys):
        os.write(self._fd, keys.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self._fd)[3] & termios.ECHO)

    def until(self, *words, timeout_s=60):
        """Read until all of these have been shown, in this order."""
        deadline_s = time.monotonic() + timeout_s
        while not self._has(words):
            assert time.monotonic() < deadline_s, self.screen
            assert self._read(0.2) is not None, self.screen

    def ends(self, timeout_s=60):
        """The exit status."""
        deadline_s = time.monotonic() + timeout_s
        while self._read(0.2) is not None:
            assert time.monotonic() < deadline_s, self.screen
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._fd)
        return status

    def _read(self, wait_s):
        if not select.select([self._fd], [], [], wait_s)[0]:
            return ""
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # Linux: the other side has closed
            return None
        self.screen += data.decode(errors="replace")
        return data or None

    def _has(self, words):
        at = 0
        for word in words:
            at = self.screen.find(word, at)
            if at < 0:
                return False
            at += len(word)
        return True
