"""A thousand clients of a dead server come back at once: how soon all have their session, and what others hear: row 11.

The clients are bare sockets that are silent; the others talk as in `load.py`, and each of their speech frames has the
time at which it was sent.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.cluster import KEY, Cluster, Node
from bench.common import cpu_s, now_s
from bench.load import Clients
from bench.load_client import Conversation, Counters

FIRST_TRY_S, SECOND_TRY_S, LAST_TRY_S = 0.3, 0.5, 8.0  # as our clients do it: at random, at most so long
TIMEOUT_S = 60.0
EXTENSIONS = "extensions=resume"
AUTHORIZED = f"Authorization: Bearer {KEY}\r\n"
_ID = re.compile(rb'"id":"(sess_[^"]+)"')
_SEQ = re.compile(rb'"seq":(\d+)')


class Silent(Conversation):
    """A client that says nothing. `session_id` and `seq`, as the server last told them; `first` its first message."""

    def __init__(self, path: str, host: str) -> None:
        super().__init__(Counters(), path, host, AUTHORIZED)
        self.session_id = ""
        self.seq = 0
        self.first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def _receive(self, at_s: float, message: bytes) -> None:
        if not self.session_id and (found := _ID.search(message)):
            self.session_id = found[1].decode()
        for number in _SEQ.findall(message):
            self.seq = max(self.seq, int(number))
        if not self.first.done():
            self.first.set_result(message)


@dataclass
class Returns:
    """What became of those who came back. Seconds after the server had died."""

    resumed_s: list[float] = field(default_factory=list)
    refused: int = 0  # tries
    rebuilt: int = 0
    never: int = 0


async def opened(url: str, query: str) -> Silent:
    """A client with its first message. Raises OSError, which ConnectionError and TimeoutError are."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 80
    _, one = await asyncio.get_running_loop().create_connection(
        lambda: Silent(f"/v1/realtime?{query}", f"{host}:{port}"), host, port
    )
    try:
        async with asyncio.timeout(4.0):
            await one.ready
            await one.first
    except BaseException:
        one.transport.abort()
        raise
    return one


async def crowd(url: str, count: int) -> list[Silent]:
    """So many clients of one server, as soon as it lets them in."""
    found: list[Silent] = []
    while len(found) < count:
        coming = [opened(url, EXTENSIONS) for _ in range(min(40, count - len(found)))]
        came = await asyncio.gather(*coming, return_exceptions=True)
        found += [one for one in came if isinstance(one, Silent)]
        await asyncio.sleep(0.5)
    return found


async def come_back(
    url: str, one: Silent, died_s: float, chance: random.Random, told: Returns
) -> Silent | None:
    """Resume the session of this client, as ours do it."""
    tries, longest_s = 0, FIRST_TRY_S
    while now_s() - died_s < TIMEOUT_S:
        await asyncio.sleep(chance.random() * longest_s)
        try:
            again = await opened(url, f"{EXTENSIONS}&resume={one.session_id}&last_seq={one.seq}")
        except OSError:
            told.refused += 1
            longest_s = min(LAST_TRY_S, SECOND_TRY_S * 2.0**tries)
            tries += 1
            continue
        if b'"session.resumed"' in again.first.result()[:200]:
            told.resumed_s.append(now_s() - died_s)
        else:
            told.rebuilt += 1
        return again
    told.never += 1
    return None


@dataclass
class Result:
    """Delays are of speech frames of the others, from the voice to the client, before and after the death."""

    clients: int
    others: int
    returns: Returns
    before_ms: list[float]
    after_ms: list[float]
    late_ms: list[float]  # of the generator itself
    cost_ms: float  # processor time of the others' servers for each return


async def herd(cluster: Cluster, clients: int, others: int, seconds: float) -> Result:
    """Fill one server, let the others of the cluster talk with `others`, kill it, and wait for everybody."""
    dying, *alive = cluster.nodes
    talking = [Clients(node.url, "resume", headers=AUTHORIZED) for node in alive]
    jobs = [asyncio.create_task(each.run()) for each in talking]
    silent: list[Silent] = []
    try:
        for each in talking:
            await each.grow(others // len(alive))
        silent = await crowd(dying.url, clients)
        used_s = [_cpu_s(alive)]
        before = await _measured(talking, asyncio.sleep(seconds))
        used_s.append(_cpu_s(alive))
        told, chance = Returns(), random.Random(1)

        async def everybody() -> None:
            await dying.kill()
            died_s = now_s()
            backs = [come_back(cluster.url, one, died_s, chance, told) for one in silent]
            silent[:] = [one for one in await asyncio.gather(*backs) if one is not None]
            await asyncio.sleep(max(0.0, died_s + seconds - now_s()))

        began_s = now_s()
        after = await _measured(talking, everybody())
        usual_s = (used_s[1] - used_s[0]) / seconds * (now_s() - began_s)
        cost_ms = (_cpu_s(alive) - used_s[1] - usual_s) * 1000 / max(1, len(told.resumed_s))
        return Result(clients, others, told, before[0], after[0], after[1], cost_ms)
    finally:
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)
        for one in silent:
            one.transport.abort()
        for each in talking:
            each.close()


def _cpu_s(nodes: Sequence[Node]) -> float:
    return sum(cpu_s(node.pid) for node in nodes)


async def _measured(talking: list[Clients], meanwhile: Awaitable[None]) -> tuple[list[float], list[float]]:
    """Delays of frames, and how late the generator was, while this goes on."""
    for each in talking:
        each.counters.delays_ms.clear()
        each.counters.late_ms.clear()
        each.counters.counting = True
    await meanwhile
    for each in talking:
        each.counters.counting = False
    return (
        [ms for each in talking for ms in each.counters.delays_ms],
        [ms for each in talking for ms in each.counters.late_ms],
    )
