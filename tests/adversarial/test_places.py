"""The limits of sessions hold whoever comes at once, and a place is free again after every ending."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.admission import Admission
from realtime.providers.memory_store import MemoryStore
from realtime.providers.store import Taken
from realtime.sandbox.server import Sandbox
from realtime.server.registry import Registry
from realtime.server.run import running
from realtime.settings import Settings
from tests.server.harness import Harness, eventually, open_harness

LIMIT = 5


class Live:
    """A session, as far as the registry knows one."""

    def __init__(self, number: int, key: str) -> None:
        self.id, self.key = f"sess_{number}", key
        self.asked_to_leave = 0

    def start(self, on_ended: Callable[["Live"], None]) -> None:
        self._on_ended = on_ended

    def leave(self) -> None:
        self.asked_to_leave += 1

    def end(self) -> None:
        self._on_ended(self)


def has_room(registry: Registry, key: str) -> bool:
    return not registry.full and not registry.full_for(key)


# What one client does: its key, how many steps its handshake takes, whether a session comes of it, how long that lives.
CLIENTS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 4), st.booleans(), st.integers(0, 4), st.integers(0, 6)),
    max_size=30,
)


@given(CLIENTS, st.integers(1, 6), st.integers(0, 3))
async def test_never_more_sessions_than_allowed_and_no_place_is_lost(clients: list, most: int, per_key: int):
    async def client(number: int, key: str, shakes: int, fine: bool, lives: int, comes: int) -> None:
        for _ in range(comes):
            await asyncio.sleep(0)
        with contextlib.suppress(ConnectionError), registry.place() as place:
            if not has_room(registry, key):
                return
            place.take(key)
            for _ in range(shakes):
                await asyncio.sleep(0)
            if not fine:
                raise ConnectionError
            live = Live(number, key)
            registry.start(live, place)  # type: ignore[arg-type]
            open_by[key] = open_by.get(key, 0) + 1
            seen.append(len(registry))
            assert len(registry) <= most
            assert not per_key or open_by[key] <= per_key
            for _ in range(lives):
                await asyncio.sleep(0)
            open_by[key] -= 1
            live.end()

    registry, open_by, seen = Registry(most, per_key), {}, []  # type: ignore[var-annotated]
    await asyncio.gather(*(client(number, *each) for number, each in enumerate(clients)))
    assert len(registry) == 0
    assert has_room(registry, "a")
    for _ in range(most):  # every place is there again
        assert not registry.full
        registry.place().__enter__().take("b")
    assert registry.full


async def test_a_session_that_begins_while_the_server_stops_is_ended():
    registry = Registry(LIMIT)
    with registry.place() as place:
        place.take("a")
        registry.draining = True
        live = Live(1, "a")
        registry.start(live, place)  # type: ignore[arg-type]
    assert live.asked_to_leave == 1


async def crowd(harness: Harness, query: str, size: int = 60) -> tuple[int, set[int]]:
    """So many clients connect at once and stay: how many sessions they got, and the HTTP statuses of the others."""
    came, stay = 0, asyncio.Event()
    statuses: list[int] = []

    async def client() -> None:
        nonlocal came
        try:
            async with harness.connect(query):
                came += 1
                await stay.wait()
        except websockets.InvalidStatus as refused:
            statuses.append(refused.response.status_code)

    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(client())
        await eventually(lambda: came + len(statuses) == size)
        sessions = harness.sessions
        stay.set()
    assert sessions == came
    return came, set(statuses)


class SlowStore(MemoryStore):
    """Loading takes so long that the whole crowd is in its handshakes."""

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        await asyncio.sleep(0.1)
        return await super().take(owner, conversation_id)


async def test_sixty_clients_at_once_who_wait_for_a_slow_store():
    settings = Settings(port=0, transcriber="none", max_sessions=LIMIT)
    async with Sandbox() as sandbox:
        settings = replace(settings, api_key="sandbox", base_url=sandbox.url)
        async with running(settings, providers={"store": SlowStore()}) as server:
            assert await crowd(Harness(server, sandbox), "?conversation=conv_none") == (LIMIT, {503})


@pytest.mark.parametrize("query", ["", "?conversation=conv_none"], ids=["new", "stored"])
async def test_sixty_clients_at_once_get_no_more_sessions_than_there_are(query: str):
    async with open_harness(max_sessions=LIMIT, store="memory") as harness:
        for _ in range(2):
            assert await crowd(harness, query) == (LIMIT, {503})
            await harness.no_sessions()


async def test_nor_more_than_one_key_may_have():
    async with open_harness(max_sessions=100, sessions_per_key=LIMIT, store="memory") as harness:
        assert await crowd(harness, "?conversation=conv_none") == (LIMIT, {429})


async def test_a_handshake_that_fails_gives_its_place_back():
    async with open_harness(max_sessions=2) as harness:
        host, port = harness.server.url.removeprefix("http://").split(":")
        head = f"GET /v1/realtime HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        for rest in ("\r\n", "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: x\r\n\r\n") * 3:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write((head + rest).encode())
            assert (await reader.readline()).split()[1] == b"400"
            writer.close()
        fine = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        for _ in range(5):  # a client that is gone before it has an answer
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write((head + fine).encode())
            await writer.drain()
            writer.transport.abort()
        await asyncio.sleep(0.1)
        await harness.no_sessions()
        async with harness.connect() as one, harness.connect() as two:
            assert one.types[0] == two.types[0] == "session.created"


async def test_who_resumes_a_session_that_ends_meanwhile_takes_its_place():
    async with open_harness(max_sessions=1, sessions_per_key=1) as harness:
        async with harness.connect("?extensions=resume") as before:
            session = before.events[0]["session"]["id"]
            query = f"?extensions=resume&resume={session}&last_seq=2"

            async def resume() -> str:
                try:
                    async with harness.open_socket(query) as wire:
                        return (await wire.until("session.created" if not wire.events else "error"))["type"]
                except (websockets.InvalidStatus, AssertionError) as error:
                    return type(error).__name__

            tries = [asyncio.create_task(resume()) for _ in range(10)]
            await before.socket.close()
            await asyncio.gather(*tries)
            assert harness.sessions <= 1
        await harness.no_sessions()
        async with harness.connect() as after:
            assert after.types[0] == "session.created"


async def test_who_has_gone_again_keeps_nobody_out():
    """Neither handshakes that fail nor sessions that end reserve a share of the core for those they would have been."""
    registry = Registry(10_000, admission=Admission())
    for number in range(1_000):
        assert not registry.full
        with registry.place() as place:
            place.take("a")
            if number % 2:
                live = Live(number, "a")
                registry.start(live, place)  # type: ignore[arg-type]
                live.end()
    stay = 0
    while not registry.full:  # a crowd that stays is held back, as before
        registry.place().__enter__().take("b")
        stay += 1
    assert 100 < stay < 1_000
