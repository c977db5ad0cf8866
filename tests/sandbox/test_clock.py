"""The sandbox's clock: moves, waits, and its own address."""

from __future__ import annotations

import asyncio
import time

import pytest

from realtime.sandbox.clock import Clock
from tests.sandbox.platform_kit import platform


async def test_a_move_ends_the_waits_that_it_reaches_and_no_other() -> None:
    clock = Clock()
    start_s = clock.now_s()
    near = asyncio.create_task(clock.sleep_until(start_s + 3600))
    far = asyncio.create_task(clock.sleep_until(start_s + 7200))
    await asyncio.sleep(0)
    clock.forward(3601)
    async with asyncio.timeout(60):
        await near
    await asyncio.sleep(0)
    assert not far.done()
    clock.forward(3600)
    async with asyncio.timeout(60):
        await far
    assert clock.now_s() - start_s >= 7201


async def test_a_wait_ends_by_itself() -> None:
    clock = Clock()
    at_s = clock.now_s() + 0.02
    await clock.sleep_until(at_s)
    assert clock.now_s() >= at_s
    assert clock.ahead_s == 0


async def test_unix_time_moves_with_the_clock() -> None:
    clock = Clock()
    before = clock.unix_s()
    assert before == pytest.approx(time.time(), abs=2)
    clock.forward(86_400)
    assert clock.unix_s() - before == pytest.approx(86_400, abs=1)
    assert clock.unix_s(clock.now_s() + 10) - clock.unix_s() == pytest.approx(10, abs=1)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_the_clock_only_moves_forward(seconds: float) -> None:
    clock = Clock()
    with pytest.raises(ValueError, match="only moves forward"):
        clock.forward(seconds)
    assert clock.ahead_s == 0


async def test_the_clock_can_be_read_and_moved_from_outside_without_a_key() -> None:
    async with platform() as client:
        before = await client.json("GET", "/sandbox/clock", key=None)
        after = await client.json("POST", "/sandbox/clock", key=None, json={"forward_s": 90_000})
        assert before["ahead_s"] == 0
        assert after["ahead_s"] == client.sandbox.state.clock.ahead_s == 90_000
        assert after["unix_s"] - before["unix_s"] == pytest.approx(90_000, abs=5)
        client.sandbox.forward(hours=1, minutes=1, seconds=1)
        assert client.sandbox.state.clock.ahead_s == 90_000 + 3661


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"forward_s": "soon"}', b'{"forward_s": -1}', b'{"hours": 1}']
)
async def test_a_wrong_move_is_explained(body: bytes) -> None:
    async with platform() as client:
        answer = await client.call("POST", "/sandbox/clock", data=body)
        assert answer.status == 400
        assert b"forward_s" in answer.raw
        assert client.sandbox.state.clock.ahead_s == 0


async def test_a_limit_of_requests_a_minute_runs_on_the_clock() -> None:
    async with platform("limit.files_rpm=1") as client:
        assert await client.code("GET", "/v1/files/list") == 0
        assert await client.code("GET", "/v1/files/list") == 1002
        client.sandbox.forward(seconds=61)
        assert await client.code("GET", "/v1/files/list") == 0
