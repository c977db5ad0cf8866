"""Several servers with their Redis and HAProxy, each a process that can be killed, frozen, stopped and started again.

The balancer has the file of `deploy/`, with other addresses. A server keeps its port and its name when it is started
again. Needs Linux, redis-server and haproxy. Knows no conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bench.account_nodes import redis_over_tcp
from bench.common import now_s
from bench.processes import metrics_text, values
from tests.cluster.balancer import Balancer
from tests.cluster.redis_server import RedisServer

KEY = "sk-bench-0123456789abcdef"
HEADERS = {"Authorization": f"Bearer {KEY}"}
POLL_S = 0.05
START_TIMEOUT_S = 180.0  # on a busy machine
STOP_TIMEOUT_S = 60.0
_OURS = ("MINIMAX_", "REALTIME_", "CHAT_", "TRANSCRIBER", "SPECULATE")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@dataclass
class Node:
    """One server. `settings` are its environment."""

    name: str
    port: int
    settings: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    used_s: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    async def start(self) -> None:
        """Returns when it listens."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        loud = bool(os.environ.get("BENCH_VERBOSE"))
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "realtime", "serve", "--port", str(self.port),
            stdout=asyncio.subprocess.PIPE,
            stderr=None if loud else asyncio.subprocess.DEVNULL,
            env={**clean, **self.settings, "REALTIME_NODE": self.name},
        )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT_S):
            if not await self.process.stdout.readline():
                raise RuntimeError(f"{self.name} did not start; BENCH_VERBOSE=1 shows its errors.")

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def ended(self) -> int:
        assert self.process is not None
        async with asyncio.timeout(STOP_TIMEOUT_S):
            return await self.process.wait()

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.ended()

    async def stop(self) -> int:
        """As an orchestrator does it; returns its status when it has ended."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def metrics(self) -> str:
        async with aiohttp.ClientSession(headers=HEADERS) as http:
            return await metrics_text(http, self.url)

    async def is_ready(self) -> bool:
        try:
            async with aiohttp.ClientSession() as http, http.get(self.url + "/lb") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False


@dataclass
class Cluster:
    """`url` is that of the balancer."""

    nodes: list[Node]
    redis: RedisServer
    redis_url: str
    balancer: Balancer | None = None
    acts: list[str] = field(default_factory=list)  # what was done to it, for the report

    @property
    def url(self) -> str:
        return self.nodes[0].url if self.balancer is None else self.balancer.url

    async def all_up(self) -> None:
        """Every server is ready, and the balancer knows it."""
        async with asyncio.timeout(START_TIMEOUT_S):
            while not all(await asyncio.gather(*(node.is_ready() for node in self.nodes))):  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
            while self.balancer is not None and set(self.balancer.states().values()) != {"UP"}:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)

    async def restart(self, node: Node) -> float:
        """Stop a server and start it again; for how many seconds it was away."""
        began_s = now_s()
        status = await node.stop()
        if status:
            raise RuntimeError(f"{node.name} ended with status {status}.")
        await node.start()
        await self.all_up()
        return now_s() - began_s


async def sessions_at(node: Node) -> int:
    return int(sum(values(await node.metrics(), "realtime_sessions").values()))


def settings_for(upstream_url: str, redis_url: str, *, keys: bool = True, **more: str) -> dict[str, str]:
    """The environment of each server: one account, large enough to limit nobody."""
    return {
        "MINIMAX_API_KEY": "sandbox",
        "MINIMAX_BASE_URL": upstream_url,
        "TRANSCRIBER": f"openai:{upstream_url}",
        "MINIMAX_SPEECH_RPM": "100000",
        "MINIMAX_CHAT_RPM": "1000000",
        "MINIMAX_SPEECH_CONNECTIONS": "2000",
        "REALTIME_MAX_SESSIONS": "2000",
        "REALTIME_ADMISSION": "count",
        "REALTIME_REDIS": redis_url,
        "REALTIME_SERVER_SECRET": "0123456789abcdef" * 4,
        **({"REALTIME_API_KEYS": KEY} if keys else {}),
        **more,
    }


@asynccontextmanager
async def cluster(
    upstream_url: str,
    nodes: int = 3,
    *,
    balanced: bool = True,
    keys: bool = True,
    clients: int = 1000,
    **more: str,
) -> AsyncIterator[Cluster]:
    """So many servers that know of each other, behind a balancer for so many clients."""
    async with AsyncExitStack() as stack:
        redis, port = redis_over_tcp()
        await asyncio.to_thread(redis.start)
        stack.callback(redis.close)
        redis_url = f"redis://127.0.0.1:{port}"
        settings = settings_for(upstream_url, redis_url, keys=keys, **more)
        made = Cluster([Node(f"node{n + 1}", free_port(), settings) for n in range(nodes)], redis, redis_url)
        for node in made.nodes:
            stack.push_async_callback(_end, node)
        await asyncio.gather(*(node.start() for node in made.nodes))
        if balanced:
            made.balancer = Balancer([node.url for node in made.nodes], clients=clients)
            stack.callback(made.balancer.close)
            await asyncio.to_thread(made.balancer.start)
        await made.all_up()
        yield made


async def _end(node: Node) -> None:
    if node.process is not None and node.process.returncode is None:
        node.signal(signal.SIGCONT)
        node.signal(signal.SIGKILL)
        await node.process.wait()
