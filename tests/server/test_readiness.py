"""Whether new sessions may come, and why not: the same answer at `/readyz`, `/lb`, the admin port, of one server or many."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from types import SimpleNamespace

import aiohttp
from aiohttp import web

from realtime.server.readiness import LOOK_S, STOPS, not_ready, telling
from realtime.server.run import _AdminNode
from realtime.server.starting import STARTS, Starting
from realtime.server.state import OPENED, REGISTRY, Opened
from realtime.server.supervisor import NO_WORKER
from realtime.server.worker import Worker
from realtime.server.worker_channel import Readiness, Ready
from tests import virtual_time
from tests.server.harness import open_harness
from tests.server.test_supervisor import Bench, FakeChannel

AWAY = "Redis does not answer."
WAITS = f"{STARTS} It waits for the speech 'beeper' of the package acme."


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
        assert await says(two, Readiness(STARTS)) == STARTS
        assert await says(two, Readiness(WAITS)) == WAITS, "of those that start, the one that says for what"
        assert await says(two, Readiness(None)) == STARTS
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


def test_a_start_that_waits_for_long_says_for_what():
    app = web.Application()
    app[OPENED] = Opened(starting=Starting(tell_s=0.0))
    with app[OPENED].starting.waits_for("the speech 'beeper' of the package acme"):
        assert not_ready(app) == WAITS
        assert _AdminNode(app, SimpleNamespace(server=None)).not_ready == WAITS
    assert not_ready(app) == STARTS
    patient = Opened(starting=Starting(tell_s=3600.0))
    with patient.starting.waits_for("a moment"):
        assert patient.starting.reason == STARTS


def test_the_log_is_told_also_while_the_loop_is_blocked(caplog):
    told = threading.Event()
    caplog.handler.addFilter(lambda record: told.set() or True)
    with Starting(tell_s=0.01).waits_for("the speech 'beeper' of the package acme"):
        assert told.wait(20.0), "this call blocks as a `create` would"
    [record] = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(
        "the start waits for=\"the speech 'beeper' of the package acme\" waited_s="
    )
