"""The sandbox as a process of its own whose memory can be read: which requests came, when, over which connection.

    python -m bench.platform [--profile local] [--set chat.first_ms=300 ...]

Two addresses on the ready line: the platform, and `/state` of this module. Its times are those of the monotonic clock,
which all processes of one machine share, so the measuring process can lay them beside its own.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

WATCH_S, MOMENT_S = 0.004, 0.008


@dataclass(frozen=True)
class Said:
    """One text that reached the voice."""

    text: str
    fresh: bool  # it left as soon as its connection was open: somebody had waited for the connection
    at_s: float


@dataclass(frozen=True)
class Traffic:
    """What the platform has seen so far."""

    speech: tuple[Said, ...]
    chat_s: tuple[float, ...]  # when each chat request was there
    http_connections: int

    def speech_after(self, moment_s: float) -> list[Said]:
        return [said for said in self.speech if said.at_s >= moment_s]


@dataclass(frozen=True)
class Platform:
    """A running platform, seen from the measuring process."""

    url: str
    control_url: str
    http: aiohttp.ClientSession

    async def traffic(self) -> Traffic:
        async with self.http.get(self.control_url + "/state") as answer:
            state = await answer.json()
        return Traffic(
            tuple(Said(**said) for said in state["speech"]),
            tuple(state["chat_s"]),
            state["http_connections"],
        )


@asynccontextmanager
async def platform(*sets: str, profile: str = "local") -> AsyncIterator[Platform]:
    """The platform with these times, in its own process."""
    from bench.rig import started

    words = ["--profile", profile, *(word for value in sets for word in ("--set", value))]
    async with started("bench.platform", *words) as (line, _), aiohttp.ClientSession() as http:
        url, control_url = line.split()[-2:]
        yield Platform(url, control_url, http)


class Memory:
    """What the sandbox remembers, and when its speech connections were opened."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._state = sandbox.state
        options = sandbox.options
        waits = ("speech.connected_ms", "speech.start_ms")  # it counts a connection after `speech.connect_ms`
        self._handshake_s = sum(options[name] for name in waits) / 1000
        self._opened_s: dict[int, float] = {}

    async def watch(self) -> None:
        """Note each new connection within a few milliseconds."""
        while True:
            for number in range(len(self._opened_s) + 1, self._state.connections_opened + 1):
                self._opened_s[number] = asyncio.get_running_loop().time()
            await asyncio.sleep(WATCH_S)

    def told(self) -> dict[str, Any]:
        state = self._state
        return {
            "speech": [
                {"text": said.text, "fresh": self._fresh(said.connection, said.at_s), "at_s": said.at_s}
                for said in state.speech_requests
            ],
            "chat_s": [request.at_s for request in state.requests if "chat" in request.path],
            "http_connections": state.http_connections_opened,
        }

    def _fresh(self, connection: int, at_s: float) -> bool:
        opened_s = self._opened_s.get(connection, float("-inf"))
        return at_s - opened_s < self._handshake_s + WATCH_S + MOMENT_S


async def _serve(options: SandboxOptions) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Sandbox(options) as sandbox:
        app = web.Application()

        memory = Memory(sandbox)
        watching = asyncio.create_task(memory.watch())

        async def answer(_: web.Request) -> web.Response:
            return web.json_response(memory.told())

        app.router.add_get("/state", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"Ready: {sandbox.url} http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await stop.wait()
        watching.cancel()
        await runner.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.platform")
    parser.add_argument("--profile", default="local")
    parser.add_argument("--set", action="append", default=[], dest="sets")
    options = parser.parse_args()
    asyncio.run(_serve(SandboxOptions.parse(options.profile, options.sets)))


if __name__ == "__main__":
    main()
