"""Callbacks end to end: the sandbox really asks and really pushes, whatever else comes to the address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from realtime.errors import InvalidArgument, ProviderError, TaskFailed
from realtime.minimax import Callbacks, MiniMax
from realtime.minimax.callbacks import CallbackTarget, callback_url, watch
from realtime.minimax.job import Job, JobKind, Schedule
from realtime.minimax.job_schedule import QueryPace
from realtime.minimax.job_states import State
from realtime.minimax.operations import OPERATIONS
from realtime.sandbox.callbacks_out import SENDER
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.minimax.scripted import until
from tests.ports import free_port

ONLY_PUSHES = Schedule(early_s=(), interval_s=3600.0, least_gap_s=0.0)  # nothing but a push makes it ask
NO_FILM = "job.expire"  # the task expires, so nothing has to be drawn
PUSHED = ["processing", "expired"]  # when it is made, and when it has ended
OFTEN = Schedule(early_s=(), interval_s=0.05, jitter=0.0)


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """Its clock alone moves the tasks: 100 s for each of their states."""
    stages = ("video.prepare_s", "video.queue_s", "video.process_s")
    sets = [
        "task.expire_s=100",
        "callback.limit_s=2",
        "callback.late_s=0.05",
        "task.ms=0",
        *(f"{name}=100" for name in stages),
    ]
    async with Sandbox(SandboxOptions.parse("local", sets)) as running:
        running.inject(NO_FILM)
        yield running


@pytest.fixture
async def mm(sandbox: Sandbox) -> AsyncIterator[MiniMax]:
    async with MiniMax("key", sandbox.url) as client:
        yield client


@pytest.fixture
async def callbacks() -> AsyncIterator[Callbacks]:
    port = free_port()
    receiver = Callbacks(f"http://127.0.0.1:{port}", secret="a secret of the operator")
    async with receiver.serve(port=port):
        yield receiver


class Videos:
    """A video through the door, with the waiting of every task; `asked` counts the queries, `told` their answers."""

    def __init__(self, mm: MiniMax) -> None:
        self.door = mm.door
        self.asked = 0
        self.told = 0

    async def create(self, target: CallbackTarget | None, schedule: Schedule = ONLY_PUSHES) -> Job[Any]:
        body = {"model": "MiniMax-Hailuo-2.3", "prompt": "a cat", "duration": 6, "resolution": "768P"}
        address = callback_url(target, "video")
        answer = await self.door.call(
            OPERATIONS["video.create"], body=body | ({"callback_url": address} if address else {})
        )
        job = Job(self.kind(), answer["task_id"], age_s=0.0, schedule=schedule)
        watch(target, job)
        return job

    def kind(self) -> JobKind[Any]:
        return JobKind(
            name="video",
            handle="mm.video.task",
            query=self.query,
            result=self.result,
            typical_s=100.0,
            longest_s=60.0,
            interval_s=10.0,
            pace=QueryPace(100.0),
        )

    async def query(self, task_id: str) -> Mapping[str, Any]:
        self.asked += 1
        answer = await self.door.call(OPERATIONS["video.task"], query={"task_id": task_id})
        self.told += 1
        return answer

    async def result(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        return answer


@pytest.fixture
def videos(mm: MiniMax) -> Videos:
    return Videos(mm)


@asynccontextmanager
async def receiver(answer: Any = None, *, slow_s: float = 0.0) -> AsyncIterator[str]:
    """An address that answers everything with the same."""

    async def receive(_: web.Request) -> web.Response:
        await asyncio.sleep(slow_s)
        return web.json_response(answer)

    app = web.Application()
    app.router.add_post("/hook", receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    finally:
        await runner.cleanup()


async def post(url: str, body: Any) -> int:
    async with aiohttp.ClientSession() as http, http.post(url, json=body) as response:
        return response.status


def pushed(sandbox: Sandbox) -> list[tuple[str, int | None]]:
    """What its pushes said, and with which status each was taken."""
    sent = sandbox._runner.app[SENDER].sent
    return [(push.body["status"], push.status) for push in sent if "challenge" not in push.body]


async def ended(job: Job[Any]) -> None:
    with pytest.raises(TaskFailed) as caught:
        await job.wait(timeout_s=60)
    assert (caught.value.task_id, job.state) == (job.id, State.EXPIRED)


@pytest.mark.operation("video.create", "video.task")
async def test_a_push_alone_makes_the_end_known(sandbox, videos, callbacks):
    job = await videos.create(callbacks)
    waiting = asyncio.create_task(ended(job))
    await asyncio.sleep(0)
    sandbox.forward(hours=1)
    await waiting
    assert videos.asked <= 2


async def test_every_push_is_followed_by_a_question(sandbox, videos, callbacks):
    """A video is pushed when it is made and when it has ended: its other states have the same word."""
    job = await videos.create(callbacks)
    waiting = asyncio.create_task(ended(job))
    await until(lambda: videos.told == 1)
    sandbox.forward(hours=1)
    await waiting
    assert videos.asked == 2


@pytest.mark.parametrize("answer", [{"challenge": "another"}, {}, None, "c81e72"])
async def test_a_wrong_answer_to_the_challenge_makes_no_task(sandbox, videos, answer):
    async with receiver(answer) as url:
        with pytest.raises(InvalidArgument) as caught:
            await videos.create(url)
    assert caught.value.upstream_code == 2013
    assert sandbox.state.jobs.all() == []


async def test_an_answer_that_comes_too_late_makes_no_task(sandbox, videos):
    async with receiver({"challenge": "x"}, slow_s=30.0) as url:
        with pytest.raises(ProviderError):
            await videos.create(url)
    assert sandbox.state.jobs.all() == []


async def test_an_address_that_nobody_can_reach_makes_no_task(sandbox, videos):
    with pytest.raises(InvalidArgument):
        await videos.create(Callbacks("http://127.0.0.1:9"))
    assert sandbox.state.jobs.all() == []


@pytest.mark.parametrize("fault", ["callback.twice", "callback.late"])
async def test_pushes_that_come_twice_or_late_do_no_harm(sandbox, videos, callbacks, fault):
    """Also those that come when nobody waits any more are taken, and nobody asks because of them."""
    sandbox.inject(NO_FILM, fault)
    job = await videos.create(callbacks)
    waiting = asyncio.create_task(ended(job))
    await asyncio.sleep(0)
    sandbox.forward(hours=1)
    await waiting
    asked, times = videos.asked, 2 if fault == "callback.twice" else 1
    await until(lambda: pushed(sandbox) == [(word, 200) for word in PUSHED for _ in range(times)])
    assert videos.asked == asked


async def test_lost_pushes_cost_time_only(sandbox, videos, callbacks):
    sandbox.inject(NO_FILM, "callback.lost")
    job = await videos.create(callbacks, OFTEN)
    sandbox.forward(hours=1)
    await ended(job)
    assert pushed(sandbox) == []


async def test_a_forged_push_makes_it_ask_and_changes_nothing(sandbox, videos, callbacks):
    job = await videos.create(callbacks)
    waiting = asyncio.create_task(ended(job))
    await until(lambda: videos.told == 1)  # pushed when it was made
    forged = {"task_id": job.id, "status": "success", "file_id": "1", "base_resp": {"status_code": 0}}
    assert await post(callbacks.url_for("video"), forged) == 200
    await until(lambda: videos.told == 2)
    assert (job.state.final, waiting.done()) == (False, False)
    sandbox.forward(hours=1)
    await waiting


async def test_what_is_not_for_this_task_wakes_nobody(sandbox, videos, callbacks):
    job = await videos.create(callbacks)
    waiting = asyncio.create_task(ended(job))
    await until(lambda: videos.told == 1)  # pushed when it was made
    url, push = callbacks.url_for("video"), {"task_id": job.id, "status": "success"}
    assert await post(url, {"task_id": "200000000000001", "status": "success"}) == 200  # for a stranger
    assert await post(url[:-1] + ("0" if url[-1] != "0" else "1"), push) == 404
    assert await post(url, push | {"padding": "x" * 1_000_000}) == 413
    await asyncio.sleep(0.05)
    assert videos.asked == 1
    sandbox.forward(hours=1)
    await waiting


async def test_two_tasks_have_one_receiver(sandbox, videos, callbacks):
    jobs = [await videos.create(callbacks) for _ in range(2)]
    waiting = asyncio.gather(*(ended(job) for job in jobs))
    await asyncio.sleep(0)
    sandbox.forward(hours=1)
    await waiting
