"""A real HAProxy for one test, with the file of `deploy/`: only addresses are replaced, and what a test names.

The socket for clients is opened here and inherited, so no port is chosen twice, and who connects early waits.
"""

from __future__ import annotations

import contextlib
import csv
import io
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.ports import free_port

FILE = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
NODE = re.compile(r"^    server (node\d) node\d:8000\n", re.MULTILINE)


def require(program: str) -> None:
    """Skip without this program, or fail if REQUIRE names it."""
    if shutil.which(program) is not None:
        return
    reason = f"this test needs {program}: apt-get install {program.replace('promtool', 'prometheus')}"
    if program in os.environ.get("REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


def replaced(text: str, old: str, new: str) -> str:
    """The text with the one place changed; fails if it is not there exactly once."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)


class Balancer:
    """In front of the nodes at these URLs. `changes` are other values for lines of the file."""

    def __init__(
        self, nodes: Iterable[str], changes: dict[str, str] | None = None, *, clients: int = 1000
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haproxy-"))  # short: the path of a socket has 107 bytes
        self.process: subprocess.Popen[bytes] | None = None
        self._clients = self._socket()
        self.url = f"http://127.0.0.1:{self._clients.getsockname()[1]}"
        text = FILE.read_text()
        for old, new in (changes or {}).items():
            text = replaced(text, old, new)
        text = replaced(text, "maxconn 20000", f"maxconn {clients}")  # a test has fewer descriptors
        text = replaced(text, "    bind :8080\n", f"    bind fd@{self._clients.fileno()}\n")
        # this one must be its own: an old process calls the new one there
        text = replaced(text, "127.0.0.1:10000", f"127.0.0.1:{free_port()}")
        text = replaced(text, "/var/lib/haproxy/admin.sock", str(self.folder / "admin.sock"))
        names = NODE.findall(text)
        for name, url in zip(names, nodes, strict=False):
            text = replaced(text, f" {name} {name}:8000", f" {name} {url.removeprefix('http://')}")
        (self.folder / "haproxy.cfg").write_text(NODE.sub("", text))

    @staticmethod
    def _socket() -> socket.socket:
        listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listening.set_inheritable(True)
        return listening

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1) + "/v1/realtime"

    def start(self) -> Balancer:
        """Returns when it answers on its own socket."""
        log = (self.folder / "log").open("w")
        with log:
            self.process = subprocess.Popen(
                ["haproxy", "-db", "-f", str(self.folder / "haproxy.cfg")],
                pass_fds=[self._clients.fileno()], stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        while "Uptime" not in self._command("show info"):
            assert self.process.poll() is None, (self.folder / "log").read_text()
        return self

    def states(self) -> dict[str, str]:
        """What it thinks of each node: UP, NOLB (no new sessions), DOWN, with a count while it changes its mind."""
        rows = csv.DictReader(io.StringIO(self._command("show stat").removeprefix("# ")))
        return {row["svname"]: row["status"] for row in rows if row["svname"].startswith("node")}

    def look_no_more(self) -> None:
        """It believes of every node what it knows now, and asks none how it is."""
        for name in self.states():
            self._command(f"disable health nodes/{name}")

    def _command(self, text: str) -> str:
        with socket.socket(socket.AF_UNIX) as admin:
            admin.settimeout(60)
            try:
                admin.connect(str(self.folder / "admin.sock"))
                admin.sendall(text.encode() + b"\n")
                return b"".join(iter(lambda: admin.recv(65536), b"")).decode()
            except OSError:
                return ""

    def close(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self._clients.close()
        shutil.rmtree(self.folder, ignore_errors=True)
