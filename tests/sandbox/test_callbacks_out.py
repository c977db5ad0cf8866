"""Callbacks: challenges and pushes that the sandbox really sends."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.sandbox.jobs_kit import make, platform, status


class Receiver:
    """Takes challenges and pushes; `answers` makes the answer to a challenge."""

    def __init__(self) -> None:
        self.url = ""
        self.got: list[dict[str, Any]] = []
        self.came = asyncio.Event()
        self.wrong = False
        self.slow_s = 0.0

    async def handle(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        self.got.append(body)
        self.came.set()
        await asyncio.sleep(self.slow_s)
        return web.json_response({"challenge": "other"} if self.wrong else body)

    async def until(self, count: int) -> list[Any]:
        """The statuses of the pushes ("challenge" for a challenge) once there are `count` of them."""
        async with asyncio.timeout(60):
            while len(self.got) < count:
                self.came.clear()
                await self.came.wait()
        return ["challenge" if "challenge" in body else body["status"] for body in self.got]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield found
    finally:
        await runner.cleanup()


PUSHES = ["challenge", "preparing", "queueing", "processing", "success"]


async def test_the_challenge_comes_first_and_a_push_at_every_change() -> None:
    async with receiver() as hook, platform() as client:
        id = await make(client, callback_url=hook.url)
        assert list(hook.got[0]) == ["challenge"]
        client.sandbox.forward(minutes=2)
        assert await hook.until(5) == PUSHES
        assert hook.got[-1] == {"task_id": id, "status": "success", "file_id": "A CAT"}


@pytest.mark.parametrize("url", ["{hook}", "http://127.0.0.1:9/hook", "not a url", "/hook"])
async def test_a_failed_challenge_makes_no_task(url: str) -> None:
    async with receiver() as hook, platform() as client:
        hook.wrong = True
        body = {"prompt": "a cat", "callback_url": url.format(hook=hook.url)}
        assert await client.code("POST", "/test/make", json=body) == 2013
        assert client.sandbox.state.jobs.all() == []


async def test_an_answer_after_the_limit_is_a_failed_challenge() -> None:
    async with receiver() as hook, platform("callback.limit_s=0.05") as client:
        hook.slow_s = 0.5
        body = {"prompt": "a cat", "callback_url": hook.url}
        assert await client.code("POST", "/test/make", json=body) == 2013


async def test_a_lenient_platform_makes_the_task_and_sends_no_push() -> None:
    async with receiver() as hook, platform("callback.lenient=1") as client:
        hook.wrong = True
        id = await make(client, callback_url=hook.url)
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"
        assert await hook.until(1) == ["challenge"]


async def test_faults_of_callbacks() -> None:
    async with receiver() as hook, platform("callback.late_s=0.01") as client:

        async def run(fault: str, count: int) -> list[Any]:
            hook.got.clear()
            id = await make(client, fault=fault, callback_url=hook.url)
            client.sandbox.forward(minutes=2)
            assert (await status(client, id))["status"] == "Success"
            return await hook.until(count)

        assert await run("callback.twice", 10) == [word for word in PUSHES for _ in range(2)]
        assert await run("callback.late", 5) == PUSHES
        assert await run("callback.lost", 1) == ["challenge"]
        hook.wrong = True
        assert await run("callback.wrong_challenge_ok", 5) == PUSHES


async def test_a_push_that_fails_is_not_repeated_and_the_next_one_comes() -> None:
    async with receiver() as hook, platform("callback.limit_s=0.2") as client:
        await make(client, callback_url=hook.url)
        hook.slow_s = 1
        client.sandbox.forward(seconds=10)
        await hook.until(3)
        hook.slow_s = 0
        client.sandbox.forward(minutes=2)
        assert await hook.until(5) == PUSHES


async def test_stopping_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with receiver() as hook, platform() as client:
        await make(client, callback_url=hook.url)
        await make(client, fault="job.never")
        client.sandbox.forward(seconds=30)
    await asyncio.sleep(0)
    assert not {task for task in asyncio.all_tasks() - before if "sandbox" in task.get_name()}
