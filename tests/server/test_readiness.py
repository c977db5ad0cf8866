"""Whether new sessions may come, and why not: the same answer at `/readyz`, `/lb`, the admin port, of one server or many."""

from __future__ import annotations

import asyncio
import dataclasses
from types import SimpleNamespace

import aiohttp
from aiohttp import web

from realtime.server.readiness import LOOK_S, STARTS, STOPS, not_ready, telling
from realtime.server.run import _AdminNode
from realtime.server.state import OPENED, REGISTRY, Opened
from realtime.server.supervisor import NO_WORKER
from realtime.server.worker import Worker
from realtime.server.worker_channel import Readiness, Ready
from tests import virtual_time
from tests.server.harness import open_harness
from tests.server.test_supervisor import Bench, FakeChannel

AWAY = "Redis does not answer."


async def test_one_server_says_the_same_at_every_address():
    async with open_harness() as harness, aiohttp.ClientSession(harness.server.url) as http:
        app = harness.server.app
        node = _AdminNode(app, SimpleNamespace(server=None))
        assert node.not_ready == STARTS
        node = _AdminNode(app, SimpleNamespace(server=harness.server))

        async def said() -> tuple[int, str | None, int, str | None]:
            async with http.get("/readyz") as ready, http.get("/lb") as balancer:
                reason = (await ready.json()).get("reason")
                return ready.status, reason, balancer.status, node.not_ready

        assert await said() == (200, None, 200, None)
        runtime = app[OPENED].runtime
        app[OPENED].runtime = dataclasses.replace(runtime, not_ready=lambda: AWAY)
        assert await said() == (503, AWAY, 404, AWAY)
        app[OPENED].runtime = runtime
        app[REGISTRY].draining = True
        assert await said() == (503, STOPS, 404, STOPS)


def test_workers_are_not_ready_while_none_of_them_is():
    async def run():
        bench = Bench()
        supervisor = bench.supervisor
        assert supervisor.not_ready == STARTS
        await asyncio.sleep(0.01)
        one, two = bench.children

        async def says(child, message):
            child.say(message)
            await asyncio.sleep(0.01)
            return supervisor.not_ready

        assert await says(one, Readiness(AWAY)) == STARTS
        assert await says(one, Ready("one")) == STARTS
        assert await says(two, Ready("two")) is None  # one of them may get sessions
        assert await says(two, Readiness(AWAY)) == AWAY
        assert await says(one, Readiness(None)) is None
        one.end(1)
        await asyncio.sleep(0.01)
        assert supervisor.not_ready == AWAY
        two.end(1)
        await asyncio.sleep(0.01)
        assert supervisor.not_ready == NO_WORKER
        await asyncio.sleep(1)
        again = bench.children[2]
        assert await says(again, Ready("again")) is None  # what it said before is forgotten
        supervisor.stop()
        assert supervisor.not_ready == STOPS
        await bench.running

    virtual_time.run(run())


def test_a_worker_tells_its_supervisor_at_once_and_then_only_of_changes():
    async def run():
        channel = FakeChannel()
        worker = Worker(SimpleNamespace(number=0, sock=None, rows=[0.0] * 9, keys=0), channel)
        reasons = [AWAY]
        app = web.Application()
        app[OPENED] = Opened(runtime=SimpleNamespace(not_ready=lambda: reasons[0]))
        app[REGISTRY] = SimpleNamespace(draining=False)
        context = telling(worker.tell_readiness)(app)
        await anext(context)
        assert channel.sent == [Readiness(AWAY)]
        await asyncio.sleep(10 * LOOK_S)
        reasons[0] = None
        await asyncio.sleep(2 * LOOK_S)
        assert channel.sent == [Readiness(AWAY), Readiness(None)]
        await anext(context, None)
        reasons[0] = AWAY
        await asyncio.sleep(2 * LOOK_S)
        assert len(channel.sent) == 2

    virtual_time.run(run())


def test_an_application_that_has_not_started_is_not_ready():
    app = web.Application()
    app[OPENED] = Opened()
    assert not_ready(app) == STARTS
