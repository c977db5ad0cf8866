"""One client in several event loops, one after the other, as a script or a notebook uses it."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
from aiohttp import web

from realtime.minimax.door import Door
from realtime.minimax.http import HttpClient
from realtime.minimax.job_schedule import QueryPace
from realtime.minimax.loops import PerLoop, lock
from realtime.minimax.operations import OPERATIONS, Limit
from realtime.minimax.spares import SpareConnections
from tests.minimax.local_server import serving


@pytest.fixture
def url() -> Iterator[str]:
    """A server in a loop of its own, which outlives those of the test."""
    address: Future[str] = Future()
    ending: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"path": request.path})

    async def serve() -> None:
        end = asyncio.Event()
        ending.set_result((asyncio.get_running_loop(), end))
        async with serving(answer) as found:
            address.set_result(found)
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    yield address.result(10)
    loop, end = ending.result(10)
    loop.call_soon_threadsafe(end.set)
    thread.join(10)


def test_a_client_is_used_in_one_loop_after_the_other(url: str) -> None:
    http = HttpClient(url, "key")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for number in range(3):
            assert asyncio.run(http.json("GET", f"/{number}")) == {"path": f"/{number}"}
        asyncio.run(http.aclose())
        gc.collect()
    assert not told, "what was open was closed with its loop"


def test_a_loop_that_was_closed_without_a_word_costs_nothing(url: str) -> None:
    http = HttpClient(url, "key")
    loop = asyncio.new_event_loop()
    loop.run_until_complete(http.json("GET", "/first"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the library's, of sockets that nobody could close
        loop.close()
        assert asyncio.run(http.json("GET", "/second")) == {"path": "/second"}
        assert len(http._sessions._values) == 1
        asyncio.run(http.aclose())
        del loop
        gc.collect()


def test_spare_connections_are_opened_in_each_loop(url: str) -> None:
    http = HttpClient(url, "key")
    spares = SpareConnections(http, "/models")

    async def warm() -> int:
        await spares.prewarm()
        return http.idle_connections()

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(warm()) > 0  # its keeper stands still in this loop
    assert asyncio.run(warm()) > 0
    loop.run_until_complete(spares.aclose())
    loop.run_until_complete(http.aclose())
    loop.run_until_complete(loop.shutdown_asyncgens())
    for task in asyncio.all_tasks(loop):
        task.cancel()
        loop.run_until_complete(asyncio.wait([task]))
    loop.close()


async def at_once(count: int, step) -> None:
    await asyncio.gather(*(step() for _ in range(count)))


def test_locks_and_places_that_were_waited_for_work_in_the_next_loop() -> None:
    guard, pace = lock(), QueryPace(1000.0)
    door = Door(HttpClient("http://127.0.0.1:9", "key"), limits={"image": Limit(None, 1)})
    image = next(row for row in OPERATIONS.values() if row.limit == "image")

    async def hold() -> None:
        async with guard.here():
            await asyncio.sleep(0)

    async def ask() -> None:
        await door.attempts(image, lambda host: asyncio.sleep(0))

    for _ in range(2):
        asyncio.run(at_once(3, hold))
        asyncio.run(at_once(3, pace.turn))
        asyncio.run(at_once(3, ask))


def test_what_belonged_to_a_closed_loop_is_given_back_once() -> None:
    values = PerLoop(list)

    async def here() -> list[object]:
        return values.here()

    first = asyncio.run(here())
    assert [taken is first for taken in values.take_closed()] == [True]
    assert values.take_closed() == values.all() == []


def test_what_nobody_has_to_close_is_dropped_with_its_loop():
    values, pace = PerLoop(list), QueryPace(1e6)
    door = Door(HttpClient("http://127.0.0.1:9", "key"), limits={"image": Limit(None, 1)})
    image = next(row for row in OPERATIONS.values() if row.limit == "image")

    async def ask() -> None:
        values.here()
        await pace.turn()
        await door.attempts(image, lambda host: asyncio.sleep(0))

    for _ in range(3):
        asyncio.run(ask())
    assert [len(each._values) for each in (values, pace._lock, door._rooms["image"])] == [1, 1, 1]


def test_connections_of_a_loop_that_stands_still_are_left_to_it(url: str) -> None:
    http = HttpClient(url, "key")
    still = asyncio.new_event_loop()
    still.run_until_complete(http.json("GET", "/still"))

    async def here() -> None:
        await http.json("GET", "/here")
        await http.aclose()
        assert not http._sessions.take_here()

    asyncio.run(here())
    assert still.run_until_complete(http.aclose()) is None
    assert not http._sessions.all()
    still.run_until_complete(still.shutdown_asyncgens())
    still.close()
