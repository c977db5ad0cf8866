"""A restart under conversations, sixty clients at once over two workers, a worker and a supervisor that are killed.

    python -m bench.survive [--conversations 60] [--runs 3] [--only restart,workers]

Rows 4 (one server), 9 and 10 of "A node that survives" in bench/README.md. The clients are those of `clients/`, which
come back by themselves. A third of them speaks, a third listens to answers, a third is silent. Upstream and clients are
one process, the servers others. Needs Linux.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from realtime_client import Conversation, connect
from websockets.asyncio.client import connect as open_socket

from bench.common import RATE, load_average, machine, now_s, percentile, server, started, table, today
from bench.load_upstream import Upstream
from bench.processes import everybody_of, metrics_text, parents, values, workers_of
from bench.talker import KINDS, Talker, many, spoken

PAUSE_S = 1.0  # between the end of the sound of an answer and the next question
ANSWER_TIMEOUT_S = 90.0  # a client looks for its server for a minute
BEFORE_S, AFTER_S = 8.0, 15.0  # of talk, before the stop and after the new start
DRAIN_S = "20"  # a sentence, and the answer to it, may end: with the default of 5 s some are cut
START_S = 0.2  # between the end of the old server and the start of the new one, as an orchestrator takes
POLL_S = 0.02
WAIT_S = 30.0


@dataclass
class Told:
    """What all clients saw together."""

    sentences: int = 0  # asked or said
    answered: int = 0
    lost: int = 0  # sentences without an answer
    cut: list[str] = field(default_factory=list)  # answers that ended before their time
    errors: list[str] = field(default_factory=list)
    reconnected: int = 0
    silences_s: list[float] = field(default_factory=list)  # from a lost line to the next event

    def see_answer(self, response: dict[str, object]) -> bool:
        """An answer has ended; whether it is whole."""
        if response["status"] == "completed":
            return True
        self.cut.append(f"{response['status']}: {response.get('status_details')}")
        return False


class Counting(Talker):
    """A client that counts its answers. `kind`: see `KINDS`; one that is silent only listens."""

    def __init__(self, conversation: Conversation, kind: str, sound: bytes, told: Told) -> None:
        super().__init__(conversation, kind, sound, told.errors)
        self._told = told
        self._answered = asyncio.Event()
        self._away_s: float | None = None
        self._sounds_until_s = 0.0  # in the client's ears

    async def _talk(self) -> None:
        while not self._stop.is_set():
            if self.kind != "silent":
                await self._one_turn()
            await self._pause(PAUSE_S + max(0.0, self._sounds_until_s - now_s()))

    async def _one_turn(self) -> None:
        self._told.sentences += 1
        self._answered.clear()
        if self.kind == "speaks":
            await self._speak()
        else:
            await self._conversation.say("What shall we do next?")
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._answered.wait()
            self._told.answered += 1
        except TimeoutError:
            self._told.lost += 1

    def _see(self, event: dict[str, Any]) -> None:
        if self._away_s is not None and event["type"] in ("session.created", "session.resumed"):
            self._told.silences_s.append(now_s() - self._away_s)
            self._away_s = None
        match event:
            case {"type": "response.output_audio.delta", "pcm": bytes(pcm)}:
                self._sounds_until_s = max(self._sounds_until_s, now_s()) + len(pcm) / 2 / RATE
            case {"type": "response.done", "response": dict(response)}:
                if self._told.see_answer(response):
                    self._answered.set()
            case {"type": "error", "error": dict(error)} if error.get("code") != "session_not_resumable":
                self._told.errors.append(str(error.get("message")))

    def _lost(self) -> None:
        self._told.reconnected += 1
        self._away_s = now_s()


@asynccontextmanager
async def talking(url: str, count: int, told: Told, kinds: Sequence[str] = KINDS) -> AsyncIterator[None]:
    """So many clients talk inside the block; at its end each may end its turn."""
    sound = spoken()

    @asynccontextmanager
    async def opened(number: int) -> AsyncIterator[Counting]:
        async with connect(url) as conversation:
            yield Counting(conversation, kinds[number % len(kinds)], sound, told)

    async with many(count, opened):
        yield


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def environment(upstream: Upstream) -> dict[str, str]:
    return {
        "MINIMAX_BASE_URL": upstream.url,
        "TRANSCRIBER": f"openai:{upstream.url}",
        "MINIMAX_SPEECH_RPM": "100000",
        "MINIMAX_CHAT_RPM": "1000000",
        "MINIMAX_SPEECH_CONNECTIONS": "2000",
        "REALTIME_ADMISSION": "count",
    }


async def restart(count: int, before_s: float = BEFORE_S, after_s: float = AFTER_S) -> tuple[Told, float]:
    """Stop the server while people talk, and start it again at the same port; and for how long there was none."""
    told, port = Told(), free_port()
    async with Upstream().running() as upstream, AsyncExitStack() as stack:
        command = ("realtime", "serve", "--port", str(port))
        settings = environment(upstream) | {"REALTIME_DRAIN_S": DRAIN_S}
        first = await stack.enter_async_context(AsyncExitStack())
        line, pid = await first.enter_async_context(started(*command, env=settings))
        async with talking(line.rsplit(" ", 1)[-1], count, told):
            await asyncio.sleep(before_s)
            os.kill(pid, signal.SIGTERM)
            await first.aclose()  # until it has ended
            gone_s = now_s()
            await asyncio.sleep(START_S)
            await stack.enter_async_context(started(*command, env=settings))
            away_s = now_s() - gone_s
            await asyncio.sleep(after_s)
    return told, away_s


async def until(what: Callable[[], Awaitable[bool]]) -> float:
    """Wait for it; after how many seconds it was so."""
    began_s = now_s()
    async with asyncio.timeout(WAIT_S):
        while not await what():  # noqa: ASYNC110  it asks other processes
            await asyncio.sleep(POLL_S)
    return now_s() - began_s


async def spread(url: str, count: int) -> tuple[float, float]:
    """So many clients at once; the sessions of the worker with the most, and with the fewest."""
    address = url.replace("http", "ws", 1) + "/v1/realtime"
    sockets = await asyncio.gather(*(open_socket(address, compression=None) for _ in range(count)))
    each: list[float] = []

    async def counted() -> bool:
        async with aiohttp.ClientSession() as http:
            each[:] = values(await metrics_text(http, url), "realtime_worker_sessions").values()
        return sum(each) == count

    try:
        await until(counted)
    finally:
        await asyncio.gather(*(one.close() for one in sockets))
    return max(each), min(each)


async def killed_worker(url: str, supervisor: int) -> float:
    """Kill one; after how many seconds another one accepts in its place."""
    os.kill(max(workers_of(supervisor)), signal.SIGKILL)

    async def replaced() -> bool:
        async with aiohttp.ClientSession() as http:
            try:
                text = await metrics_text(http, url)
            except aiohttp.ClientError:  # the dead one had just accepted this
                return False
        return (
            sum(values(text, "realtime_workers_replaced_total").values()) == 1
            and sum(values(text, "realtime_workers").values()) == 2
        )

    return await until(replaced)


async def killed_supervisor(supervisor: int) -> float:
    """Kill it; after how many seconds none of its processes is there."""
    everybody = everybody_of(supervisor)
    os.kill(supervisor, signal.SIGKILL)

    async def gone() -> bool:
        return not everybody & set(parents())

    return await until(gone)


@dataclass(frozen=True)
class Workers:
    """One run with two workers."""

    most: float
    fewest: float
    replaced_s: float
    gone_s: float


async def two_workers(count: int) -> Workers:
    async with Upstream().running() as upstream:
        settings = environment(upstream) | {"TRANSCRIBER": "none"}
        async with server(upstream.url, "--workers", "2", cores=None, **settings) as product:
            most, fewest = await spread(product.url, count)
            replaced_s = await killed_worker(product.url, product.pid)
            return Workers(most, fewest, replaced_s, await killed_supervisor(product.pid))


RESTARTS = (
    "restart of a server",
    "conversations",
    "sentences",
    "answered",
    "answers cut",
    "sentences lost",
    "errors",
    "without a server, s",
    "line lost → session, p50 / p95 s",
    "machine load",
)
WORKERS = (
    "two workers",
    "clients at once, most / fewest",
    "killed worker replaced, s",
    "supervisor killed: workers gone, s",
)


def restart_row(count: int, told: Told, away_s: float) -> list[object]:
    silences = told.silences_s or [0.0]
    return [
        "",
        count,
        told.sentences,
        told.answered,
        len(told.cut),
        told.lost,
        len(told.errors),
        f"{away_s:.1f}",
        f"{percentile(silences, 0.5):.1f} / {percentile(silences, 0.95):.1f}",
        f"{load_average():.1f}",
    ]


def workers_row(one: Workers) -> list[object]:
    return ["", f"{one.most:g} / {one.fewest:g}", f"{one.replaced_s:.2f}", f"{one.gone_s:.2f}"]


async def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="bench.survive", description="Restarts and dead workers.")
    parser.add_argument("--conversations", type=int, default=60)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="restart,workers")
    options = parser.parse_args(arguments)
    print(f"{today()}, {machine()}", flush=True)
    if "restart" in options.only:
        rows = []
        for _ in range(options.runs):
            told, away_s = await restart(options.conversations)
            rows.append(restart_row(options.conversations, told, away_s))
            print(f"  {rows[-1]} {told.errors[:5]} {told.cut[:5]}", flush=True)
        print("\n" + table(RESTARTS, rows))
    if "workers" in options.only:
        found = [await two_workers(options.conversations) for _ in range(options.runs)]
        print("\n" + table(WORKERS, [workers_row(one) for one in found]))


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
