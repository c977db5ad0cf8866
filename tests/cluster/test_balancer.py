"""`deploy/haproxy.cfg` in front of real nodes: who goes where, who is refused, and what a node that is lost costs."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, closing

import aiohttp
import pytest
from realtime_client import connect

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import RunningServer, running
from realtime.server.session_ids import HEADER
from realtime.server.state import DRAIN, METRICS, REGISTRY
from realtime.settings import Settings
from tests.cluster.balancer import FILE, Balancer, require
from tests.eventually import eventually
from tests.server.door_kit import KEY
from tests.server.harness import QUICK, WireClient, open_socket
from tests.server.resuming import resume_query, session_of
from tests.server.test_process import Server, serving

NEEDS_REDIS = False
HEADERS = {"Authorization": f"Bearer {KEY}"}
# Nodes of this process are late when the machine is: only the last test wants to lose one
PATIENT = {"timeout check 500ms": "timeout check 60s"}
TEXT = {"output_modalities": ["text"]}
RESUME = "?extensions=resume"


@pytest.fixture(scope="module", autouse=True)
def haproxy() -> None:
    require("haproxy")


@asynccontextmanager
async def platform() -> AsyncIterator[Sandbox]:
    """One for all nodes. Nobody asks it to speak, so it loads no voice."""
    async with Sandbox(SandboxOptions.parse("local", [*QUICK], ())) as sandbox:
        yield sandbox


@asynccontextmanager
async def node(sandbox: Sandbox, **settings: object) -> AsyncIterator[RunningServer]:
    chosen = {"transcriber": "none", "voice_detector": "none", "end_of_turn_model": "none", **settings}
    own = Settings(
        api_key="sandbox", base_url=sandbox.url, port=0, api_keys=(KEY,), speech_rpm=6000, **chosen
    )
    async with running(own) as server:
        yield server


@asynccontextmanager
async def behind(*urls: str, patient: bool = True) -> AsyncIterator[Balancer]:
    balancer = Balancer(urls, PATIENT if patient else {})
    with closing(balancer):
        await asyncio.to_thread(balancer.start)
        await balancer_sees(balancer, *["UP"] * len(urls))
        yield balancer


async def balancer_sees(balancer: Balancer, *states: str) -> None:
    """Wait until it thinks so of the nodes, in their order."""
    await eventually(lambda: tuple(balancer.states().values()) == states)


@asynccontextmanager
async def two_nodes(**settings: object) -> AsyncIterator[tuple[Balancer, RunningServer, RunningServer]]:
    async with (
        platform() as sandbox,
        node(sandbox, **settings) as one,
        node(sandbox) as other,
        behind(one.url, other.url) as balancer,
    ):
        yield balancer, one, other


@asynccontextmanager
async def talks(balancer: Balancer, number: int, query: str = RESUME) -> AsyncIterator[list[WireClient]]:
    """So many conversations through the balancer, one after the other: of two at once each of its threads may choose the
    same node, because it counts a connection a little after it has chosen."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(talk(balancer, query)) for _ in range(number)]


@asynccontextmanager
async def talk(balancer: Balancer, query: str = RESUME) -> AsyncIterator[WireClient]:
    async with open_socket(balancer.ws_url + query, headers=HEADERS) as wire:
        await eventually(lambda: wire.of("conversation.created") or wire.of("session.resumed"))
        yield wire


def home(wire: WireClient, nodes: Iterable[RunningServer]) -> int:
    """The number of the node that holds its session."""
    held = [server.app[REGISTRY].get(session_of(wire)["id"]) is not None for server in nodes]
    assert held.count(True) == 1
    return held.index(True)


async def come_back(balancer: Balancer, wire: WireClient, nodes: list[RunningServer]) -> None:
    """Lose the connection: the session is resumed, so the balancer has found its node."""
    before = home(wire, nodes)
    wire.socket.transport.abort()
    async with talk(balancer, resume_query(wire)) as again:
        assert again.of("session.resumed"), again.events
        assert home(again, nodes) == before


async def test_sessions_spread_and_a_resume_reaches_its_own_node() -> None:
    async with two_nodes() as (balancer, *nodes), talks(balancer, 12) as wires:
        assert Counter(home(wire, nodes) for wire in wires) == {0: 6, 1: 6}
        assert {wire.socket.response.headers[HEADER] for wire in wires if wire.socket.response} == {
            session_of(wire)["id"] for wire in wires
        }
        for wire in wires[:6]:
            await come_back(balancer, wire, nodes)


async def test_a_node_that_stops_gets_no_new_ones_and_its_talks_go_on() -> None:
    async with two_nodes() as (balancer, *nodes), talks(balancer, 4) as wires:
        leaving, *_ = nodes
        leaving.app[DRAIN].begin()
        await balancer_sees(balancer, "NOLB", "UP")
        stays = [wire for wire in wires if home(wire, nodes) == 0]
        assert len(stays) == 2
        async with talks(balancer, 5) as late:
            assert {home(wire, nodes) for wire in late} == {1}
        assert (await stays[0].ask("What is two plus two?", output_modalities=["text"]))[
            "status"
        ] == "completed"
        await come_back(balancer, stays[1], nodes)
        assert leaving.app[REGISTRY].draining


async def test_the_refusal_of_a_full_node_is_never_seen() -> None:
    """The balancer does not know yet that the node is full: soon it does, and then it does not even ask."""
    async with two_nodes(max_sessions=1) as (balancer, *nodes):
        balancer.look_no_more()
        async with talks(balancer, 2) as wires:
            for number in range(2, 6):  # the full node has the fewest connections, so it is asked first
                async with talks(balancer, number - 1) as more:
                    assert Counter(home(wire, nodes) for wire in [*wires, *more]) == {0: 1, 1: number}
        refused = 'realtime_refused_total{reason="server_overloaded"}'
        assert refused in nodes[0].app[METRICS].text().decode(), "the balancer asked it in vain"


async def test_what_is_for_the_operator_stays_inside_and_without_nodes_the_balancer_says_so() -> None:
    async with (
        platform() as sandbox,
        node(sandbox) as one,
        behind(one.url) as balancer,
        aiohttp.ClientSession() as http,
    ):
        for path, status in {"/lb": 404, "/metrics": 404, "/readyz": 200, "/": 200}.items():
            async with http.get(balancer.url + path) as answer:
                assert answer.status == status, path
        async with http.get(balancer.url + "/readyz") as answer:
            assert "voice" not in await answer.json(), (
                "details are for this machine, not for who comes through here"
            )
    with closing(Balancer([])) as alone:
        await asyncio.to_thread(alone.start)
        async with aiohttp.ClientSession() as http, http.get(alone.url + "/") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            error = (await answer.json())["error"]
            assert error["code"] == "server_overloaded"
            assert set(error) == {"message", "type", "param", "code"}


def test_a_node_that_does_not_answer_is_let_go_within_about_a_second() -> None:
    text = FILE.read_text()
    (every_ms, fall), (limit_ms,) = (
        map(int, re.search(pattern, text).groups())  # type: ignore[union-attr]
        for pattern in (r"inter (\d+)ms fall (\d+)", r"timeout check (\d+)ms")
    )
    assert fall * limit_ms + (fall - 1) * every_ms <= 1500
    assert "on-marked-down shutdown-sessions" in text


async def sessions_of(server: Server) -> int:
    async with aiohttp.ClientSession() as http, http.get(server.url + "/healthz") as answer:
        return int((await answer.json())["sessions"])


@asynccontextmanager
async def two_processes(tmp_path) -> AsyncIterator[tuple[Server, Server]]:
    more = {"REALTIME_API_KEYS": KEY, "VOICE_DETECTOR": "none", "END_OF_TURN_MODEL": "none"}
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(platform())
        more |= {"MINIMAX_API_KEY": "sandbox", "MINIMAX_BASE_URL": sandbox.url}
        starts = [stack.enter_async_context(serving(tmp_path, **more)) for _ in range(2)]
        one, other = await asyncio.gather(*starts)
        yield one, other


async def test_clients_of_a_frozen_and_of_a_killed_node_come_back_at_the_other_one(tmp_path) -> None:
    async with (
        two_processes(tmp_path) as servers,
        behind(*(server.url for server in servers), patient=False) as balancer,
        connect(balancer.url, KEY, session=TEXT, silence_timeout_s=3600) as talk,  # the balancer lets it go
    ):
        events = aiter(talk)

        async def answered(question: str) -> None:
            await talk.say(question)
            async with asyncio.timeout(60):
                async for event in events:
                    if event["type"] == "response.done" and event["response"]["status"] == "completed":
                        return

        await answered("My name is Ada.")
        first = 0 if await sessions_of(servers[0]) else 1
        frozen, other = servers[first], servers[1 - first]
        frozen.process.send_signal(signal.SIGSTOP)
        await answered("What is two plus two?")
        assert await sessions_of(other) == 1
        frozen.process.send_signal(signal.SIGCONT)
        await eventually(lambda: set(balancer.states().values()) == {"UP"})
        other.process.kill()
        await answered("And three plus three?")
        assert await sessions_of(frozen) >= 1
