"""A master, its replica and three sentinels, on free ports of this machine: the master can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis import Redis, RedisError

from tests.cluster.nodes import until
from tests.cluster.redis_server import PROGRAM
from tests.ports import free_ports

NAME = "shared"
DOWN_AFTER_MS = 1000


class Sentinels:
    """`address` is what `REALTIME_REDIS` would be."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.master, self.replica, *self._watching = free_ports(5)
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def address(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{port}' for port in self._watching)}/{NAME}"

    def start(self) -> None:
        self._server(self.master)
        self._server(
            self.replica, "--replicaof", f"127.0.0.1 {self.master}", "--repl-diskless-sync-delay", "0"
        )
        for port in self._watching:
            lines = [
                f"sentinel monitor {NAME} 127.0.0.1 {self.master} 2",
                f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
                f"sentinel failover-timeout {NAME} 5000",
            ]
            file = self._folder / f"sentinel-{port}.conf"
            file.write_text("\n".join(lines) + "\n")  # the sentinel writes what it learns into it
            self._start(port, str(file), "--sentinel")

    def is_ready(self) -> bool:
        """The replica follows, and every sentinel knows of it and of the other two."""
        try:
            known = [self._told(port) for port in self._watching]
            follows = self.client(self.replica).info("replication")["master_link_status"] == "up"
        except (RedisError, IndexError):
            return False
        return follows and all(told == {"slaves": 1, "sentinels": 3} for told in known)

    def kill_master(self) -> None:
        self._processes[self.master].kill()
        self._processes.pop(self.master).wait()

    def client(self, port: int) -> Redis:
        return Redis(port=port)

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _told(self, port: int) -> dict[str, int]:
        with contextlib.closing(self.client(port)) as client:
            master = client.info("sentinel")["master0"]
        return {name: int(master[name]) for name in ("slaves", "sentinels")}

    def _server(self, port: int, *more: str) -> None:
        self._start(port, "--save", "", "--appendonly", "no", *more)

    def _start(self, port: int, *words: str) -> None:
        folder = self._folder / str(port)
        folder.mkdir()
        first = [words[0]] if words[0].endswith(".conf") else []
        plain = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command = [PROGRAM, *first, *plain, *words[len(first) :]]
        self._processes[port] = subprocess.Popen(command, stdout=subprocess.DEVNULL)


@asynccontextmanager
async def sentinels() -> AsyncIterator[Sentinels]:
    """Until the end of the block; ready for a fail-over."""
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="sentinels-"))
    made = Sentinels(folder)
    try:
        made.start()
        await until(made.is_ready)
        yield made
    finally:
        made.close()
        shutil.rmtree(folder, ignore_errors=True)
