"""A small endpoint that makes tasks, for the tests of tasks and callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from realtime.sandbox.callbacks_out import start_job
from realtime.sandbox.fields import text
from realtime.sandbox.jobs import Job, JobKind
from realtime.sandbox.native import OPENAI, Call, Endpoint, add_endpoint
from realtime.sandbox.refusal import Refusal
from tests.sandbox import platform_kit
from tests.sandbox.platform_kit import Client

STAGES = (("Preparing", "video.prepare_s"), ("Queueing", "video.queue_s"), ("Processing", "video.process_s"))
LONG = ("video.prepare_s=10", "video.queue_s=10", "video.process_s=100")
made: list[int] = []  # the tasks whose work was done


async def work(job: Job) -> str:
    made.append(job.id)
    if job.body["prompt"] == "sensitive":
        raise Refusal(1027)
    if job.body["prompt"] == "broken":
        raise RuntimeError("the maker broke")
    return await asyncio.to_thread(str.upper, job.body["prompt"])


def answer(job: Job) -> dict[str, Any]:
    found = {"task_id": str(job.id), "status": job.word, "file_id": job.result or ""}
    return found | ({"code": job.error.code} if job.error else {})


KIND = JobKind("video", STAGES, work, push=lambda job: answer(job) | {"status": job.word.lower()})


async def create(call: Call) -> dict[str, Any]:
    text(call.body, "prompt", most=20)
    return {"task_id": str((await start_job(call, KIND)).id)}


async def query(call: Call) -> dict[str, Any]:
    return answer(await call.state.jobs.current(call.body.get("task_id", ""), "video"))


class Tasks:
    """The endpoints."""

    @staticmethod
    def add_routes(app: web.Application) -> None:
        add_endpoint(app, "POST", "/test/make", Endpoint("video", create, "video", refused={"task_id": ""}))
        add_endpoint(app, "GET", "/test/query", Endpoint("query", query, gateway="query.502"))
        add_endpoint(app, "POST", "/test/v2", Endpoint("video_v2", create, envelope=OPENAI))


async def make(client: Client, prompt: str = "a cat", fault: str = "", **fields: Any) -> str:
    body = {"prompt": prompt, **fields}
    return str((await client.json("POST", "/test/make", json=body, fault=fault))["task_id"])


async def status(client: Client, id: str) -> dict[str, Any]:
    found = await client.json("GET", f"/test/query?task_id={id}")
    del found["base_resp"]
    return found


@asynccontextmanager
async def platform(*sets: str) -> AsyncIterator[Client]:
    """A sandbox with this endpoint, whose tasks take two minutes of its clock."""
    made.clear()
    async with platform_kit.platform(*LONG, *sets, parts=(Tasks,)) as client:
        yield client
