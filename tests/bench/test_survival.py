"""The benchmarks of survival, each for a moment against a server in this process: they run, count and judge."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

import aiohttp
import pytest

from bench import overload, soak, survive
from bench.common import now_s
from bench.processes import metric, values
from tests.eventually import eventually
from tests.server.harness import open_harness

HELD = soak.Held(1.0, 10, 100.0, 50.0, 30, 20, 15, 0)


async def test_a_conversation_of_the_soak_has_six_answers_and_needs_no_listener():
    told = soak.Told()
    async with open_harness() as harness:
        for number in range(len(soak.SPOKEN) + len(soak.WRITTEN)):
            await soak.conversation(harness.server.url, random.Random(number), told)
        await harness.no_sessions()
    assert told.conversations == len(soak.SPOKEN) + len(soak.WRITTEN)
    assert told.turns >= soak.TURNS


async def test_what_fails_just_after_a_kill_is_no_error_and_everything_else_is():
    told = soak.Told()
    stop = asyncio.Event()
    told.kill_s = now_s()
    talking = asyncio.create_task(soak.talk("http://127.0.0.1:1", 1, told, stop))
    await eventually(lambda: told.cut_by_kills)
    assert not told.errors
    told.kill_s = float("-inf")
    await eventually(lambda: told.errors)
    stop.set()
    await talking
    for _ in range(2 * soak.MOST_ERRORS):
        told.failed(OSError("gone"), now_s())
    assert len(told.first_errors) == soak.MOST_ERRORS
    assert told.errors.total() > soak.MOST_ERRORS


@pytest.mark.parametrize(
    ("change", "grown"),
    [
        ({}, []),
        ({"worker_mb": 104.0, "worker_files": 32, "tasks": 20}, []),
        ({"worker_mb": 106.0}, ["memory of the worker"]),
        (
            {"supervisor_mb": 60.0, "supervisor_files": 60},
            ["memory of the supervisor", "descriptors of the supervisor"],
        ),
        ({"worker_files": 60, "tasks": 60}, ["descriptors of the worker", "tasks"]),
        ({"sessions": 1}, ["sessions"]),
    ],
)
def test_the_soak_says_what_grew(change: dict[str, float], grown: list[str]):
    last = replace(HELD, **change)
    result = soak.Result(15.0, soak.Told(conversations=7), [HELD, HELD, last], [], 1.0)
    assert result.grown() == grown
    text = soak.markdown(result)
    assert f"Grew after the first tenth: {', '.join(grown) or 'nothing'}." in text
    assert "7 conversations" in text


async def test_of_a_crowd_some_are_in_and_the_others_are_refused_and_come_again():
    async with open_harness(max_sessions=2) as harness:
        crowd = overload.Crowd(harness.server.url)
        coming = asyncio.create_task(crowd.come(4, within_s=0.01))
        await eventually(lambda: len(crowd.conversations) == 2 and len(crowd.refusals.after_ms) >= 2)
        assert crowd.refusals.strange == []
        for one, _, _ in crowd.conversations:
            one.transport.abort()
        await eventually(lambda: len(crowd.conversations) == 4)
        await coming
        crowd.close()
        await harness.no_sessions()


def test_a_refusal_that_is_none_of_ours_is_told():
    refusals = overload.Refusals()
    assert refusals.add(3.0, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 4\r\n") == 4.0
    assert refusals.add(3.0, "HTTP/1.1 500 Internal Server Error\r\n") == overload.DEFAULT_RETRY_S
    assert len(refusals.strange) == 1


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, "yes"),
        ({"admitted": [90]}, "yes"),
        ({"admitted": [200, 200, 89]}, "**no**"),
        ({"delays_ms": [3.0, 12.0]}, "**no**"),
        ({"refused_ms": [3.0, 60.0]}, "**no**"),
        ({"lost": 1}, "**no**"),
    ],
)
def test_the_overload_is_judged(change: dict[str, object], met: str):
    measured = {
        "fits": 100, "offered": 200, "admitted": [100], "delays_ms": [3.0], "generator_late_p99": 1.0,
        "refused_ms": [2.0], "strange": [], "lost": 0, "answered": 1.0, "core_share": 0.8, "load": 1.0,
    }  # fmt: skip
    text = overload.markdown([overload.Result(**measured | change)])
    assert text.endswith(f"| {met} |")


async def test_clients_of_the_restart_ask_and_are_answered():
    told = survive.Told()
    async with open_harness() as harness, survive.talking(harness.server.url, 2, told, ("asks", "silent")):
        await eventually(lambda: told.answered)
    assert (told.cut, told.errors) == ([], [])
    assert str(told.sentences) in map(str, survive.restart_row(2, told, 1.0))


def test_an_answer_that_is_not_whole_was_cut():
    told = survive.Told()
    assert told.see_answer({"status": "completed"})
    assert not told.see_answer({"status": "failed", "status_details": {"type": "failed"}})
    assert len(told.cut) == 1


def test_metrics_are_read_by_name_and_labels():
    text = '# HELP a b\nrealtime_a 3.0\nrealtime_ab 4.0\nrealtime_a{worker="1"} 2.0\n'
    assert values(text, "realtime_a") == {"": 3.0, '{worker="1"}': 2.0}


async def test_a_server_tells_how_many_tasks_it_has():
    async with open_harness() as harness, aiohttp.ClientSession() as http:
        before = await metric(http, harness.server.url, "realtime_tasks")
        async with harness.connect():
            assert await metric(http, harness.server.url, "realtime_tasks") > before > 0
