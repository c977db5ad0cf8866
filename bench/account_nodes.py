"""Servers of one account for `bench.account`: each has its own link to Redis, through a line that can be cut.

Each node is the shared budget and the speech provider of a server, without the rest of it; they run in this process.
The platform is the sandbox with its own limit: what it refuses is counted there.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field

from bench.common import now_s
from realtime.errors import ProviderError
from realtime.metrics import Metrics
from realtime.providers.base import Voice
from realtime.providers.minimax.speech import MiniMaxSpeech, create
from realtime.providers.shared_quotas import shared_quotas
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings
from realtime.upstream import Upstream
from tests.cluster.redis_server import RedisServer
from tests.proxy import Proxy, proxy_to

TEXT = "Yes."
VOICE = Voice("English_Graceful_Lady")
QUICK = (
    "speech.connect_ms=0",
    "speech.connected_ms=0",
    "speech.start_ms=0",
    "speech.first_ms=5",
    "speech.factor=500",
)
RATE_LIMIT = "1002"


@dataclass
class Node:
    """One server."""

    speech: MiniMaxSpeech
    line: Proxy | None  # to Redis; None: it counts for itself
    metrics: Metrics
    alive: bool = True

    def refused(self) -> float:
        """Requests that the platform refused."""
        samples = next(iter(self.metrics.upstream_errors.collect())).samples
        return sum(
            sample.value
            for sample in samples
            if sample.name.endswith("_total") and sample.labels["upstream_code"] == RATE_LIMIT
        )

    def cut(self) -> None:
        """Nothing passes to Redis any more."""
        if self.line is not None:
            self.line.refusing = True
            self.line.reset()

    def mend(self) -> None:
        if self.line is not None:
            self.line.refusing = False

    def kill(self) -> None:
        """It asks nothing more, and says no farewell."""
        self.alive = False
        self.cut()


@dataclass
class Account:
    """The nodes, their Redis, and what the platform was asked."""

    limit: int
    sandbox: Sandbox
    redis: RedisServer | None
    nodes: list[Node] = field(default_factory=list)
    began_s: float = field(default_factory=now_s)
    _callers: set[asyncio.Task[None]] = field(default_factory=set)

    def asked_s(self) -> list[float]:
        """The times of all requests that the platform saw, refused ones included, in seconds from the start."""
        return [request.at_s - self.began_s for request in self.sandbox.state.speech_requests]

    def refused(self) -> int:
        return int(sum(node.refused() for node in self.nodes))

    async def demand(self, per_minute: float, busy: int, until_s: float, seed: int) -> None:
        """So many one-chunk replies a minute, at random times and nodes (of the first `busy` ones)."""
        dice = random.Random(seed)
        while now_s() - self.began_s < until_s:
            node = dice.choice(self.nodes[:busy])
            if node.alive:
                caller = asyncio.create_task(_reply(node.speech))
                self._callers.add(caller)
                caller.add_done_callback(self._callers.discard)
            await asyncio.sleep(dice.expovariate(per_minute / 60))

    async def aclose(self) -> None:
        for caller in self._callers:
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)


async def _reply(speech: MiniMaxSpeech) -> None:
    """One chunk. If the account has no place in time, it fails, as a reply would."""
    with contextlib.suppress(ProviderError):
        async with speech.open(VOICE) as utterance:
            await utterance.say(TEXT)
            utterance.finish()
            async with aclosing(utterance.events()) as events:
                async for _ in events:
                    pass


def redis_over_tcp() -> tuple[RedisServer, int]:
    """A Redis that also listens on a port of this machine; not started yet."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return RedisServer(f"port {port}", "bind 127.0.0.1"), port


@asynccontextmanager
async def account(limit: int, nodes: int = 3, *, shared: bool = True) -> AsyncIterator[Account]:
    """So many nodes of one account. `shared` False: each counts for itself, with the whole limit."""
    async with AsyncExitStack() as stack:
        options = SandboxOptions.parse(sets=(*QUICK, f"limit.speech_rpm={limit}"))
        sandbox = await stack.enter_async_context(Sandbox(options))
        redis, port = redis_over_tcp() if shared else (None, 0)
        if redis is not None:
            await asyncio.to_thread(redis.start)
            stack.callback(redis.close)
        made = Account(limit, sandbox, redis)
        for number in range(nodes):
            made.nodes.append(await _node(stack, f"node {number}", sandbox.url, limit, port))
        await asyncio.sleep(3.0)  # all have heard of each other
        made.began_s = now_s()
        stack.push_async_callback(made.aclose)
        yield made


async def _node(stack: AsyncExitStack, name: str, url: str, limit: int, redis_port: int) -> Node:
    line = await stack.enter_async_context(proxy_to(redis_port)) if redis_port else None
    address = f"redis://127.0.0.1:{line.port}" if line is not None else None
    settings = Settings(api_key="k", base_url=url, speech_rpm=limit, redis=address, node=name)
    speech, metrics = create(settings), Metrics()
    speech.observe(Upstream(metrics))
    stack.push_async_callback(speech.aclose)
    if line is not None:
        quotas = await stack.enter_async_context(shared_quotas(settings))
        quotas.give_to("speech", speech)
    return Node(speech, line, metrics)
