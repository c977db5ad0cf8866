"""Tasks: states on the clock, work, faults, limits and ids, shown by a small endpoint of the tests' own."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from realtime.sandbox.context import SandboxState
from realtime.sandbox.faults import Faults
from realtime.sandbox.jobs import MOST_WAIT_S, NEW_WORD, Job, JobKind
from realtime.sandbox.native import Endpoint, add_endpoint
from realtime.sandbox.options import SandboxOptions
from tests import virtual_time
from tests.sandbox.jobs_kit import LONG, STAGES, create, made, make, platform, status, work


async def test_states_follow_from_the_clock_and_the_work_is_done_once() -> None:
    async with platform() as client:
        id = await make(client)
        assert len(id) == 18
        assert int(float(id)) != int(id)
        words = [(await status(client, id))["status"]]
        for seconds in (10, 10, 80, 21):
            assert words[-1] == "Processing" or not made
            client.sandbox.forward(seconds=seconds)
            words.append((await status(client, id))["status"])
        assert words == ["Preparing", "Queueing", "Processing", "Processing", "Success"]
        assert await status(client, id) == {"task_id": id, "status": "Success", "file_id": "A CAT"}
        assert made == [int(id)]


async def test_one_move_over_all_states_needs_one_question() -> None:
    async with platform() as client:
        id = await make(client)
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"


async def test_a_task_ends_by_itself_in_a_share_of_a_minute() -> None:
    async with platform("video.prepare_s=0.02", "video.queue_s=0.02", "video.process_s=0.02") as client:
        id = await make(client)
        async with asyncio.timeout(60):
            (job,) = client.sandbox.state.jobs.all()
            while not job.finished:
                await job.changed.wait()
        assert (await status(client, id))["status"] == "Success"


@pytest.mark.parametrize(
    ("prompt", "fault", "code"),
    [("sensitive", "", 1027), ("a cat", "video.fail=1026", 1026), ("broken", "", 1000)],
)
async def test_a_failed_task_says_its_code(prompt: str, fault: str, code: int) -> None:
    async with platform() as client:
        id = await make(client, prompt, fault)
        client.sandbox.forward(minutes=2)
        assert await status(client, id) == {"task_id": id, "status": "Fail", "file_id": "", "code": code}


async def test_why_a_task_failed_is_told_only_when_it_has_ended() -> None:
    async with platform(*LONG) as client:
        id = await make(client, fault="video.fail=1026")
        client.sandbox.forward(seconds=50)
        assert await status(client, id) == {"task_id": id, "status": "Processing", "file_id": ""}
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["code"] == 1026


async def test_a_task_that_never_ends() -> None:
    async with platform() as client:
        id = await make(client, fault="job.never")
        client.sandbox.forward(hours=200)
        assert (await status(client, id))["status"] == "Processing"


async def test_a_task_that_expires() -> None:
    async with platform("task.expire_s=500") as client:
        id = await make(client, fault="job.expire")
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Processing"
        client.sandbox.forward(seconds=500)
        assert (await status(client, id))["status"] == "Expired"
        assert made == []


async def test_a_running_task_with_a_word_that_nobody_knows() -> None:
    async with platform() as client:
        id = await make(client, fault="job.new_word")
        client.sandbox.forward(seconds=30)
        assert (await status(client, id))["status"] == NEW_WORD
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"


async def test_tasks_are_kept_for_seven_days() -> None:
    async with platform() as client:
        id = await make(client)
        client.sandbox.forward(hours=167)
        assert (await status(client, id))["status"] == "Success"
        client.sandbox.forward(hours=1, seconds=1)
        assert await client.code("GET", f"/test/query?task_id={id}") == 2013


@pytest.mark.parametrize("id", ["", "7", "x", "9" * 40])
async def test_an_unknown_task_is_2013(id: str) -> None:
    async with platform() as client:
        assert await client.code("GET", "/test/query", params={"task_id": id}) == 2013


async def test_the_oldest_finished_tasks_go_first() -> None:
    async with platform("store.max_tasks=2") as client:
        first = await make(client)
        client.sandbox.forward(minutes=2)
        assert (await status(client, first))["status"] == "Success"
        running = [await make(client) for _ in range(2)]
        assert await client.code("GET", f"/test/query?task_id={first}") == 2013
        assert [(await status(client, id))["status"] for id in running] == ["Preparing"] * 2
        newest = await make(client)  # then also one that runs
        assert await client.code("GET", f"/test/query?task_id={running[0]}") == 2013
        assert [(await status(client, id))["status"] for id in (running[1], newest)] == ["Preparing"] * 2


async def test_tasks_in_flight_are_limited() -> None:
    async with platform("limit.video_in_flight=2") as client:
        await make(client)
        await make(client)
        body = {"prompt": "a cat"}
        refused = await client.json("POST", "/test/make", json=body)
        assert (refused["task_id"], refused["base_resp"]["status_code"]) == ("", 1041)
        client.sandbox.forward(minutes=2)
        assert await client.code("POST", "/test/make", json=body) == 0


async def test_requests_are_refused_in_the_native_envelope() -> None:
    async with platform("limit.video_rpm=1") as client:

        async def code(fault: str = "", key: str | None = "any", **rest: Any) -> int:
            return await client.code("POST", "/test/make", fault=fault, key=key, **rest)

        good: Any = {"json": {"prompt": "a cat"}}
        assert await code(**good, key=None) == 1004
        assert await code(**good, key="sk-bad") == 2049
        assert await code(data=b"{") == 2013
        assert await code(data=b"[]") == 2013
        assert await code(**good, fault="video.error=1008") == 1008
        assert [await code(**good), await code(**good)] == [0, 1002]
        assert client.sandbox.state.requests[-1].body == good["json"]
        assert all("Authorization" not in r.headers for r in client.sandbox.state.requests)


async def test_a_question_may_be_answered_by_a_gateway_or_refused() -> None:
    async with platform() as client:
        path = f"/test/query?task_id={await make(client)}"
        page = await client.call("GET", path, fault="query.502")
        assert (page.status, b"502 Bad Gateway" in page.raw) == (502, True)
        assert await client.code("GET", path, fault="query.error=1002") == 1002


async def test_a_lost_answer_leaves_its_task() -> None:
    async with platform() as client:
        with pytest.raises(aiohttp.ClientError):
            await make(client, fault="video.lost")
        (job,) = client.sandbox.state.jobs.all("video")
        client.sandbox.forward(minutes=2)
        assert (await status(client, str(job.id)))["status"] == "Success"


async def test_the_other_envelope_has_a_real_status_and_no_base_resp() -> None:
    async with platform() as client:
        good = await client.call("POST", "/test/v2", json={"prompt": "a cat"})
        assert (good.status, list(good.json)) == (200, ["task_id"])
        refused = await client.call("POST", "/test/v2", json={"prompt": ""})
        assert refused.status == 400
        assert refused.json["error"]["message"].endswith("(2013)")
        assert refused.json["request_id"] == refused.headers["trace-id"]
        assert (await client.call("POST", "/test/v2", json={}, fault="video_v2.error=1026")).status == 422


def test_a_misspelt_row_is_found_when_the_route_is_added() -> None:
    for wrong in (
        Endpoint("vidoe", create),
        Endpoint("video", create, "vidoe"),
        Endpoint("video", create, wait="x"),
    ):
        with pytest.raises(KeyError):
            add_endpoint(web.Application(), "POST", "/x", wrong)


async def test_a_cancelled_task_may_have_a_state_on_the_way() -> None:
    async with platform("batch.cancel_s=10") as client:
        jobs = client.sandbox.state.jobs
        one, two = [jobs.all()[-1] for _ in range(2) if await make(client)]
        client.sandbox.forward(seconds=30)
        assert (await status(client, str(one.id)))["status"] == "Processing"
        jobs.cancel(one, "cancelled")
        jobs.cancel(two, "cancelled", ("cancelling", "batch.cancel_s"))
        assert [(await status(client, str(job.id)))["status"] for job in (one, two)] == [
            "cancelled",
            "cancelling",
        ]
        client.sandbox.forward(seconds=10)
        assert (await status(client, str(two.id)))["status"] == "cancelled"
        jobs.cancel(two, "again")
        assert two.word == "cancelled"


async def test_the_work_may_come_before_the_last_stage_and_take_longer_for_more() -> None:
    async with platform() as client:
        state = client.sandbox.state
        kind = JobKind("video", STAGES, work, works_at=1)
        job = state.jobs.create(kind, {"prompt": "a"}, Faults([], random.Random()), scale=5)
        for seconds, word in ((10, "Queueing"), (45, "Queueing"), (6, "Processing"), (100, "Success")):
            client.sandbox.forward(seconds=seconds)
            assert (await state.jobs.current(job.id)).word == word
            assert made == [job.id] or word == "Queueing"
        assert job.result == "A"


async def test_a_push_that_breaks_does_not_stop_its_task() -> None:
    async with platform() as client:
        jobs = client.sandbox.state.jobs
        jobs.listeners.insert(0, lambda job: {}["missing"])
        id = await make(client)
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"


async def test_big_strings_are_not_kept_in_records_or_finished_tasks() -> None:
    async with platform() as client:
        id = await make(client, first_frame_image="x" * 200_000, last_frame_image="y" * 100)
        (request,) = client.sandbox.state.requests
        assert len(request.body["first_frame_image"]) < 200
        assert request.body["last_frame_image"] == "y" * 100
        client.sandbox.forward(minutes=2)
        job = await client.sandbox.state.jobs.current(id)
        assert job.body == {}


def test_a_question_does_not_wait_for_ever_for_late_work() -> None:
    async def endless(job: Job) -> None:
        await asyncio.Event().wait()

    async def question() -> None:
        state = SandboxState(SandboxOptions())
        kind = JobKind("video", (("Processing", "video.process_s"),), endless)
        job = state.jobs.create(kind, {}, Faults((), random.Random(0)))
        await state.clock.sleep_until(job.due_s)
        asked_s = state.clock.now_s()
        assert (await state.jobs.current(job.id, "video")).word == "Processing"
        assert state.clock.now_s() - asked_s == pytest.approx(MOST_WAIT_S)
        await state.jobs.close()

    virtual_time.run(question())
