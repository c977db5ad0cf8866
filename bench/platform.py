"""The sandbox as a separate process that reports its requests, with their times and connections.

    python -m bench.platform [--profile local] [--set chat.first_ms=300 ...]

Its ready line has two URLs: the platform, and that of `/state`. Times are of the monotonic clock, which all processes
of a machine share.
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

POLL_S, TOLERANCE_S = 0.004, 0.008


@dataclass(frozen=True)
class SpeechRequest:
    """One text that was sent to the voice."""

    text: str
    waited: bool  # it was sent as soon as its connection was open, so the turn had waited for the connection
    at_s: float


@dataclass(frozen=True)
class Traffic:
    """The requests so far."""

    speech: tuple[SpeechRequest, ...]
    chat_s: tuple[float, ...]  # the times of the chat requests
    http_connections: int

    def speech_after(self, start_s: float) -> list[SpeechRequest]:
        return [request for request in self.speech if request.at_s >= start_s]


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
            tuple(SpeechRequest(**request) for request in state["speech"]),
            tuple(state["chat_s"]),
            state["http_connections"],
        )


@asynccontextmanager
async def platform(*sets: str, profile: str = "local", records: bool = True) -> AsyncIterator[Platform]:
    """Run the platform with these options in its own process. Without `records` it reports no traffic: for hours."""
    from bench.common import started

    words = ["--profile", profile, *(word for value in sets for word in ("--set", value))]
    words += [] if records else ["--no-records"]
    async with started("bench.platform", *words) as (line, _), aiohttp.ClientSession() as http:
        url, control_url = line.split()[-2:]
        yield Platform(url, control_url, http)


class TrafficLog:
    """The requests that the sandbox recorded, and the opening times of its speech connections."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._state = sandbox.state
        options = sandbox.options
        # the sandbox counts a connection after `speech.connect_ms`
        delays = ("speech.connected_ms", "speech.start_ms")
        self._handshake_s = sum(options[name] for name in delays) / 1000
        self._opened_s: dict[int, float] = {}

    async def watch(self) -> None:
        """Record the opening time of each new connection, to a few milliseconds."""
        while True:
            for number in range(len(self._opened_s) + 1, self._state.connections_opened + 1):
                self._opened_s[number] = asyncio.get_running_loop().time()
            await asyncio.sleep(POLL_S)

    def to_json(self) -> dict[str, Any]:
        state = self._state
        return {
            "speech": [
                {
                    "text": request.text,
                    "waited": self._waited(request.connection, request.at_s),
                    "at_s": request.at_s,
                }
                for request in state.speech_requests
            ],
            "chat_s": [request.at_s for request in state.requests if "chat" in request.path],
            "http_connections": state.http_connections_opened,
        }

    def _waited(self, connection: int, at_s: float) -> bool:
        opened_s = self._opened_s.get(connection, float("-inf"))
        return at_s - opened_s < self._handshake_s + POLL_S + TOLERANCE_S


async def _serve(options: SandboxOptions, records: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Sandbox(options, records=records) as sandbox:
        app = web.Application()

        log = TrafficLog(sandbox)
        watching = asyncio.create_task(log.watch() if records else asyncio.sleep(0))

        async def answer(_: web.Request) -> web.Response:
            return web.json_response(log.to_json())

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
    parser.add_argument("--no-records", action="store_true", help="report no traffic: for hours of it")
    options = parser.parse_args()
    asyncio.run(_serve(SandboxOptions.parse(options.profile, options.sets), not options.no_records))


if __name__ == "__main__":
    main()
