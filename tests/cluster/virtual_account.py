"""An account and its nodes in virtual time: the real link, quota and permits, and a Redis that is the pure model.

Redis can die, come back empty, lose its last second to a replica with another clock, and be slow; the line of a node can
be cut, swallow answers, and be mended. Requests are counted when they leave.
"""

from __future__ import annotations

import asyncio
import math
import random
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from redis import exceptions

from realtime.errors import ProviderRejected
from realtime.providers.memory_quota import now_ms
from realtime.providers.quota import Permit
from realtime.providers.redis_link import RedisLink
from realtime.providers.redis_quota import RedisQuota
from tests.cluster.account_model import AccountModel

BEGAN_MS = 1_790_000_000_000
ANSWER_S = 0.25
ALMOST_60_S = 60.9  # the second more is for what is late on its way, except for what is rounded


def most(times_s: list[float], window_s: float = ALMOST_60_S) -> int:
    """The most of them in any window."""
    times_s = sorted(times_s)
    ends = enumerate(times_s)
    return max((index + 1 - bisect_left(times_s, at_s - window_s + 1e-6) for index, at_s in ends), default=0)


class Server:
    """Redis. `clock_ms` is how far its clock is ahead."""

    def __init__(self) -> None:
        self.model = AccountModel()
        self.clock_ms = BEGAN_MS
        self.up = True
        self.life = 0  # connections belong to one
        self._before: list[tuple[int, AccountModel]] = []

    def run(self, *arguments: Any) -> list[int]:
        return self.model.run(now_ms() + self.clock_ms, *arguments)

    def remember(self) -> None:
        """What the replica has got by now."""
        self._before = [*self._before[-3:], (now_ms(), deepcopy(self.model))]

    def die(self) -> None:
        self.up = False
        self.life += 1

    def come_back(self, *, empty: bool, clock_ms: int = 0) -> None:
        """As the same server, or as its replica, which lacks the last second."""
        old = [model for at_ms, model in self._before if at_ms <= now_ms() - 1000]
        self.model = AccountModel() if empty or not old else deepcopy(old[-1])
        self.clock_ms += clock_ms
        self.up = True


class Line:
    """Between one node and Redis. `delays_s` of each direction are drawn from these."""

    def __init__(self, server: Server, dice: random.Random) -> None:
        self.server = server
        self.dice = dice
        self.cut = False
        self.deaf = False  # what the node says arrives, and no answer comes
        self.stuck = False  # what was sent stays on its way, and nobody can connect
        self._on_its_way: list[tuple[int, list[tuple[Any, ...]]]] = []
        self.may_ask_info = True
        self.delays_s = (0.0002, 0.001)

    async def carry(self, life: int, calls: list[tuple[Any, ...]]) -> list[list[int]]:
        """Raises the errors of the library."""
        there_s, back_s = self.dice.uniform(*self.delays_s), self.dice.uniform(*self.delays_s)
        if self.cut or not self.server.up or life != self.server.life:
            await asyncio.sleep(min(there_s, ANSWER_S))
            raise exceptions.ConnectionError("no connection")
        if self.stuck:
            self._on_its_way.append((life, calls))
            await asyncio.sleep(ANSWER_S)
            raise exceptions.TimeoutError("no answer")
        work = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(there_s, self._arrive, life, calls, work)
        await asyncio.sleep(min(there_s + back_s, ANSWER_S))
        if there_s + back_s >= ANSWER_S or self.deaf or not work.done():
            raise exceptions.TimeoutError("no answer")
        if work.result() is None:
            raise exceptions.ConnectionError("lost")
        return work.result()

    def arrive_late(self) -> None:
        """What was on its way arrives now, though its connection was closed long ago: TCP sends it again and again."""
        while self._on_its_way:
            self._arrive(*self._on_its_way.pop(0), asyncio.get_running_loop().create_future())

    def _arrive(self, life: int, calls: list[tuple[Any, ...]], work: asyncio.Future[Any]) -> None:
        there = self.server.up and life == self.server.life
        work.set_result([self.server.run(*call) for call in calls] if there else None)


class Connection:
    """What the link and its greetings need of a connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.answers: list[Any] = []

    async def on_connect(self) -> None:
        if self.client.line.stuck:
            await asyncio.sleep(ANSWER_S)
            raise exceptions.TimeoutError("no connection")
        self.client.life = self.client.line.server.life

    async def send_command(self, name: str, text: str, number: int = 0, *words: Any) -> None:
        if name == "INFO":
            if not self.client.line.may_ask_info:
                self.answers.append(exceptions.NoPermissionError())
                return
            self.answers.append(b"run_id:%d\r\n" % self.client.line.server.life)
        else:
            self.answers += await self.client.line.carry(self.client.life, [tuple(words[number:])])

    def pack_commands(self, commands: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return commands

    async def send_packed_command(self, commands: list[tuple[Any, ...]]) -> None:
        scripts = [command for command in commands if command[0] != "PING"]
        calls = [tuple(words[number:]) for _, _, number, *words in scripts]
        answers = iter(await self.client.line.carry(self.client.life or 0, calls))
        self.answers += [b"PONG" if name == "PING" else next(answers) for name, *_ in commands]

    async def disconnect(self, nowait: bool = False) -> None:
        self.client.life = None

    async def read_response(self) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Client:
    """What the link needs of the library's client: a pool with one connection."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.life: int | None = None
        self.connection_pool = self
        self.connection_kwargs: dict[str, Any] = {}

    async def get_connection(self) -> Connection:
        connection = Connection(self)
        if self.life is None or self.life != self.line.server.life:
            await self.connection_kwargs["redis_connect_func"](connection)
        return connection

    async def release(self, connection: Connection) -> None:
        return

    async def disconnect(self) -> None:
        self.life = None

    async def aclose(self) -> None:
        self.life = None


@dataclass
class VirtualNode:
    name: str
    line: Line
    link: RedisLink
    quota: RedisQuota
    alive: bool = True
    busy: bool = True


@dataclass
class VirtualAccount:
    limit: int
    dice: random.Random
    server: Server = field(default_factory=Server)
    nodes: list[VirtualNode] = field(default_factory=list)
    left_s: list[float] = field(default_factory=list)
    asked: int = 0
    forgot_s: float = -math.inf  # when Redis lost something the last time ...
    lost_node_s: float = -math.inf  # ... and when a node ended
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def add(self, name: str, limit: int | None = None, *, spare: bool = True) -> VirtualNode:
        line = Line(self.server, self.dice)
        link = RedisLink(lambda: Client(line))  # type: ignore[arg-type,return-value]
        quota = RedisQuota(link, "k", "speech", limit or self.limit, name, spare=spare)
        self.nodes.append(VirtualNode(name, line, link, quota))
        return self.nodes[-1]

    async def send(self, node: VirtualNode, number: int) -> None:
        """So many requests at once, without a wait."""
        await asyncio.gather(*(self.leave(node.quota.ask(0.0)) for _ in range(number)))

    async def leave(self, permit: Permit) -> None:
        with suppress(ProviderRejected):
            await permit.leaves()
            self.left_s.append(asyncio.get_running_loop().time())

    async def live(self, seconds: float, per_minute: float) -> None:
        """So many requests a minute, at random times and nodes."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + seconds
        while (pause_s := self.dice.expovariate(per_minute / 60)) < end_s - loop.time():
            await asyncio.sleep(pause_s)
            if nodes := [node for node in self.nodes if node.alive and node.busy]:
                task = asyncio.create_task(self._request(self.dice.choice(nodes)))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        await asyncio.sleep(max(0.0, end_s - loop.time()))

    async def replicate(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            self.server.remember()

    async def _request(self, node: VirtualNode) -> None:
        """Asked for ahead, used some time later, and leaving later still; some never do, or are given up."""
        dice = self.dice
        self.asked += 1
        permit = node.quota.ask(5.0)
        await asyncio.sleep(dice.choice([0, 0, 0.3, 2, 20]) * dice.random())
        if dice.random() < 0.1:
            permit.give_back()
            return
        try:
            async with asyncio.timeout(dice.choice([2.0, 100.0, 100.0])):
                await permit.use()
            await asyncio.sleep(dice.choice([0, 0, 0, 0.3, 5, 45]) * dice.random())
            await permit.leaves()
        except (ProviderRejected, TimeoutError):
            return
        finally:
            permit.give_back()
        if node.alive:
            self.left_s.append(asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for node in self.nodes:
            await node.quota.aclose()
            await node.link.aclose()


async def sent(account: VirtualAccount, node: VirtualNode, *, longest_wait_s: float) -> float | None:
    """The time that a request took to leave; None if it was refused."""
    began_s = asyncio.get_running_loop().time()
    before = len(account.left_s)
    await account.leave(node.quota.ask(longest_wait_s))
    return account.left_s[-1] - began_s if len(account.left_s) > before else None


@asynccontextmanager
async def virtual_account(
    limit: int, nodes: int, seed: int, *, spare: bool = True
) -> AsyncIterator[VirtualAccount]:
    """So many nodes that know of each other."""
    account = VirtualAccount(limit, random.Random(seed))
    replica = asyncio.create_task(account.replicate())
    try:
        for number in range(nodes):
            account.add(f"node {number}", spare=spare)
        await asyncio.sleep(6.0)
        yield account
    finally:
        replica.cancel()
        await asyncio.gather(replica, return_exceptions=True)
        await account.aclose()
