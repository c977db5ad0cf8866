"""A server that is full says no at once, and keeps the sessions that it has."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from realtime.core.admission import BEYOND, Admission, AdmissionState, Load
from realtime.metrics import Metrics
from realtime.server.load_probe import memory_limit_bytes, probe_load, resident_bytes
from realtime.server.state import ADMISSION, REGISTRY
from tests import virtual_time
from tests.eventually import eventually
from tests.server.door_kit import error_of, rejection
from tests.server.harness import Harness, open_harness
from tests.server.resuming import disconnect, resume_query
from tests.virtual_time import VirtualLoop

# The probe of the server measures an idle machine meanwhile: it needs three seconds to believe it, see CALM.
LATE = Load(lag_s=1.0, sessions=1)


def fill(harness: Harness) -> None:
    for _ in range(BEYOND):
        harness.server.app[ADMISSION].measured(LATE)


async def status(harness: Harness, path: str) -> int:
    fill(harness)
    async with aiohttp.ClientSession() as http, http.get(harness.server.url + path) as answer:
        return answer.status


async def test_a_full_server_refuses_new_sessions_and_serves_its_own():
    async with open_harness(admission="load") as harness, harness.connect("?extensions=resume") as before:
        fill(harness)
        response = await rejection(harness)
        assert response.status_code == 503
        assert 1 <= int(response.headers["Retry-After"]) <= 5
        assert error_of(response)["code"] == "server_overloaded"
        assert await status(harness, "/lb") == 404
        assert await status(harness, "/readyz") == 200, "a full cluster answers instead of vanishing"
        await disconnect(harness, before)
        fill(harness)
        async with harness.open_socket(resume_query(before)) as after:
            await after.until("session.resumed")


async def test_only_numbers_count_where_nothing_else_was_asked_for():
    async with open_harness() as harness:
        fill(harness)
        async with harness.connect():
            assert await status(harness, "/lb") == 200


@pytest.mark.parametrize("admission", ["load", "count"])
async def test_a_balancer_sends_nobody_where_there_are_as_many_sessions_as_may_be(admission):
    async with open_harness(admission=admission, max_sessions=1) as harness:
        lb = harness.server.url + "/lb"
        async with aiohttp.ClientSession() as http:
            async with harness.connect():
                assert (await http.get(lb)).status == 404
                assert (await rejection(harness)).status_code == 503
            await eventually(lambda: not len(harness.server.app[REGISTRY]))
            assert (await http.get(lb)).status == 200


def test_a_blocked_loop_is_measured_and_shown():
    """Something takes 60 ms of the loop again and again, and as much CPU time."""
    metrics, admission, used = Metrics(), Admission(), [0.0]
    loop = VirtualLoop()

    def block() -> None:
        loop.skip(0.06)
        used[0] += 0.06
        loop.call_later(0.005, block)

    async def measured() -> None:
        probe = asyncio.create_task(probe_load(metrics, admission, lambda: 7, lambda: used[0]))
        loop.call_soon(block)
        await eventually(lambda: admission.state is AdmissionState.FULL)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)

    loop.run_until_complete(measured())
    loop.close()
    assert admission.load.sessions == 7
    assert admission.load.lag_s > 0.025
    assert "realtime_admission_state 2.0" in metrics.text().decode()


def test_several_workers_share_the_memory_and_each_measures_its_part():
    async def share_of(processes: int) -> float:
        admission = Admission()
        probe = asyncio.create_task(probe_load(Metrics(), admission, lambda: 0, processes=processes))
        await asyncio.sleep(0.6)
        probe.cancel()
        return admission.load.memory

    alone, one_of_many = virtual_time.run(share_of(1)), virtual_time.run(share_of(1000))
    assert one_of_many == pytest.approx(1000 * alone, rel=0.2)
    assert alone > 0 or not memory_limit_bytes()


def test_memory_is_measured_where_the_system_tells():
    assert 0 <= resident_bytes() <= (memory_limit_bytes() or resident_bytes())


@pytest.mark.parametrize(("sessions", "late"), [(0, 40), (1, 2)], ids=["at the start", "once"])
def test_what_no_session_waited_for_and_one_late_moment_are_no_load(sessions, late):
    """Models are loaded then; the next guests are let in all the same."""
    metrics, admission, used, there = Metrics(), Admission(), [0.0], [sessions]
    loop, states = VirtualLoop(), set[AdmissionState]()

    async def measured() -> None:
        probe = asyncio.create_task(probe_load(metrics, admission, lambda: there[0], lambda: used[0]))
        await asyncio.sleep(0.1)
        for _ in range(late):
            loop.skip(0.06)
            await asyncio.sleep(0.001)
        await asyncio.sleep(1.0)
        there[0] = 1
        for _ in range(100):
            used[0] += 0.1  # other threads go on
            await asyncio.sleep(0.1)
            states.add(admission.state)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)

    loop.run_until_complete(measured())
    loop.close()
    assert states == {AdmissionState.OPEN}
