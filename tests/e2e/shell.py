"""A user's terminal: commands of `realtime` as processes, in a folder and with records of their own.

Knows how to run them, to interrupt them, and to start `realtime sandbox`. Does not know any command.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests import programs

ROOT = Path(__file__).parents[2]
ENDS_S = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended. A signal is a negative status."""

    status: int
    out: str
    err: str


class Running:
    """A command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    async def end(self, number: signal.Signals | None = None) -> Ended:
        """Wait for its end, after this signal if there is one."""
        if number is not None and not self.has_ended:
            self._process.send_signal(number)
        async with asyncio.timeout(ENDS_S):
            out, err = await self._process.communicate()
        assert self._process.returncode is not None
        return Ended(self._process.returncode, out.decode(), err.decode())


class Terminal:
    """Commands in `folder`, against the platform at `url` with a key, so that they behave as if everything costs.

    `through` is a program that starts them.
    """

    def __init__(self, folder: Path, url: str, through: Sequence[str] = ()) -> None:
        self.folder = folder
        self._through = through
        self._environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join((str(ROOT / "clients"), str(ROOT))),
            "HOME": str(folder),
            "XDG_STATE_HOME": str(folder / "state"),
            "MINIMAX_BASE_URL": url,
            "MINIMAX_API_KEY": "a-key-that-nobody-checks",
        }

    async def start(self, *words: str) -> Running:
        """Begin a command; nothing can be typed into it."""
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        options: dict[str, Any] = {"cwd": self.folder, "env": self._environ}
        options |= {"stdin": nothing, "stdout": pipe, "stderr": pipe}
        if self._through:
            command = (*self._through, sys.executable, "-m", "realtime", *words)
            return Running(await asyncio.create_subprocess_exec(*command, **options))
        return Running(await programs.start(*words, **options))

    async def run(self, *words: str) -> Ended:
        """Run a command to its end."""
        return await (await self.start(*words)).end()

    async def out(self, *words: str) -> str:
        """What a command that succeeds writes to stdout. Raises AssertionError."""
        ended = await self.run(*words)
        assert ended.status == 0, ended.err
        return ended.out.rstrip("\n")


@asynccontextmanager
async def sandbox_process(*sets: str) -> AsyncIterator[str]:
    """`realtime sandbox` with these settings; its URL."""
    process = await programs.start(
        *("sandbox", "--port", "0"),
        *(word for each in sets for word in ("--set", each)),
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "clients"), str(ROOT)))},
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        async with asyncio.timeout(ENDS_S):
            line = (await process.stdout.readline()).decode().split()
        assert line, "the sandbox did not start"
        yield line[-1]
    finally:
        process.terminate()
        await process.communicate()


async def forward(url: str, hours: float) -> None:
    """Move the clock of a sandbox from outside."""
    body = {"forward_s": hours * 3600}
    async with (
        aiohttp.ClientSession(raise_for_status=True) as http,
        http.post(f"{url}/sandbox/clock", json=body),
    ):
        pass
