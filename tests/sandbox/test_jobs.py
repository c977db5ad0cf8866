"""Tasks and their callbacks, shown by a small endpoint of the test's own."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from realtime.sandbox import server
from realtime.sandbox.callbacks_out import start_job
from realtime.sandbox.faults import Faults
from realtime.sandbox.fields import text
from realtime.sandbox.jobs import NEW_WORD, Job, JobKind
from realtime.sandbox.native import OPENAI, Call, Endpoint, add_endpoint
from realtime.sandbox.refusal import Refusal
from tests.sandbox.platform_kit import Client, platform

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


class Part:
    """The endpoint of this test."""

    @staticmethod
    def add_routes(app: web.Application) -> None:
        add_endpoint(app, "POST", "/test/make", Endpoint("video", create, "video", refused={"task_id": ""}))
        add_endpoint(app, "GET", "/test/query", Endpoint("query", query, gateway="query.502"))
        add_endpoint(app, "POST", "/test/v2", Endpoint("video_v2", create, envelope=OPENAI))


@pytest.fixture(autouse=True)
def _part(monkeypatch: pytest.MonkeyPatch) -> None:
    made.clear()
    monkeypatch.setattr(server, "PARTS", (*server.PARTS, Part))


async def make(client: Client, prompt: str = "a cat", fault: str = "", **fields: Any) -> str:
    body = {"prompt": prompt, **fields}
    return str((await client.json("POST", "/test/make", json=body, fault=fault))["task_id"])


async def status(client: Client, id: str) -> dict[str, Any]:
    found = await client.json("GET", f"/test/query?task_id={id}")
    del found["base_resp"]
    return found


async def test_states_follow_from_the_clock_and_the_work_is_done_once() -> None:
    async with platform(*LONG) as client:
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
    async with platform(*LONG) as client:
        id = await make(client)
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"


async def test_a_task_ends_by_itself_in_a_share_of_a_minute() -> None:
    async with platform("video.prepare_s=0.02", "video.queue_s=0.02", "video.process_s=0.02") as client:
        id = await make(client)
        async with asyncio.timeout(5):
            (job,) = client.sandbox.state.jobs.all()
            while not job.finished:
                await job.changed.wait()
        assert (await status(client, id))["status"] == "Success"


@pytest.mark.parametrize(
    ("prompt", "fault", "code"),
    [("sensitive", "", 1027), ("a cat", "video.fail=1026", 1026), ("broken", "", 1000)],
)
async def test_a_failed_task_says_its_code(prompt: str, fault: str, code: int) -> None:
    async with platform(*LONG) as client:
        id = await make(client, prompt, fault)
        client.sandbox.forward(minutes=2)
        assert await status(client, id) == {"task_id": id, "status": "Fail", "file_id": "", "code": code}


async def test_a_task_that_never_ends() -> None:
    async with platform(*LONG) as client:
        id = await make(client, fault="job.never")
        client.sandbox.forward(hours=200)
        assert (await status(client, id))["status"] == "Processing"


async def test_a_task_that_expires() -> None:
    async with platform(*LONG, "task.expire_s=500") as client:
        id = await make(client, fault="job.expire")
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Processing"
        client.sandbox.forward(seconds=500)
        assert (await status(client, id))["status"] == "Expired"
        assert made == []


async def test_a_running_task_with_a_word_that_nobody_knows() -> None:
    async with platform(*LONG) as client:
        id = await make(client, fault="job.new_word")
        client.sandbox.forward(seconds=30)
        assert (await status(client, id))["status"] == NEW_WORD
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"


async def test_tasks_are_kept_for_seven_days() -> None:
    async with platform(*LONG) as client:
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
    async with platform(*LONG, "store.max_tasks=2") as client:
        first = await make(client)
        client.sandbox.forward(minutes=2)
        assert (await status(client, first))["status"] == "Success"
        running = [await make(client) for _ in range(3)]
        assert await client.code("GET", f"/test/query?task_id={first}") == 2013
        assert [(await status(client, id))["status"] for id in running] == ["Preparing"] * 3


async def test_tasks_in_flight_are_limited() -> None:
    async with platform(*LONG, "limit.video_in_flight=2") as client:
        await make(client)
        await make(client)
        body = {"prompt": "a cat"}
        refused = await client.json("POST", "/test/make", json=body)
        assert (refused["task_id"], refused["base_resp"]["status_code"]) == ("", 1041)
        client.sandbox.forward(minutes=2)
        assert await client.code("POST", "/test/make", json=body) == 0


async def test_requests_are_refused_in_the_native_envelope() -> None:
    async with platform(*LONG, "limit.video_rpm=1") as client:

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
    async with platform(*LONG) as client:
        path = f"/test/query?task_id={await make(client)}"
        page = await client.call("GET", path, fault="query.502")
        assert (page.status, b"502 Bad Gateway" in page.raw) == (502, True)
        assert await client.code("GET", path, fault="query.error=1002") == 1002


async def test_a_lost_answer_leaves_its_task() -> None:
    async with platform(*LONG) as client:
        with pytest.raises(aiohttp.ClientError):
            await make(client, fault="video.lost")
        (job,) = client.sandbox.state.jobs.all("video")
        client.sandbox.forward(minutes=2)
        assert (await status(client, str(job.id)))["status"] == "Success"


async def test_the_other_envelope_has_a_real_status_and_no_base_resp() -> None:
    async with platform(*LONG) as client:
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
    async with platform(*LONG, "batch.cancel_s=10") as client:
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
    async with platform(*LONG) as client:
        state = client.sandbox.state
        kind = JobKind("video", STAGES, work, works_at=1)
        job = state.jobs.create(kind, {"prompt": "a"}, Faults([], random.Random()), scale=5)
        for seconds, word in ((10, "Queueing"), (45, "Queueing"), (6, "Processing"), (100, "Success")):
            client.sandbox.forward(seconds=seconds)
            assert (await state.jobs.current(job.id)).word == word
            assert made == [job.id] or word == "Queueing"
        assert job.result == "A"


async def test_big_strings_are_not_kept_in_records_or_finished_tasks() -> None:
    async with platform(*LONG) as client:
        id = await make(client, first_frame_image="x" * 200_000, last_frame_image="y" * 100)
        (request,) = client.sandbox.state.requests
        assert len(request.body["first_frame_image"]) < 200
        assert request.body["last_frame_image"] == "y" * 100
        client.sandbox.forward(minutes=2)
        job = await client.sandbox.state.jobs.current(id)
        assert job.body == {}


# Callbacks


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
        async with asyncio.timeout(5):
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
    async with receiver() as hook, platform(*LONG) as client:
        id = await make(client, callback_url=hook.url)
        assert list(hook.got[0]) == ["challenge"]
        client.sandbox.forward(minutes=2)
        assert await hook.until(5) == PUSHES
        assert hook.got[-1] == {"task_id": id, "status": "success", "file_id": "A CAT"}


@pytest.mark.parametrize("url", ["{hook}", "http://127.0.0.1:9/hook", "not a url", "/hook"])
async def test_a_failed_challenge_makes_no_task(url: str) -> None:
    async with receiver() as hook, platform(*LONG) as client:
        hook.wrong = True
        body = {"prompt": "a cat", "callback_url": url.format(hook=hook.url)}
        assert await client.code("POST", "/test/make", json=body) == 2013
        assert client.sandbox.state.jobs.all() == []


async def test_an_answer_after_the_limit_is_a_failed_challenge() -> None:
    async with receiver() as hook, platform(*LONG, "callback.limit_s=0.05") as client:
        hook.slow_s = 0.5
        body = {"prompt": "a cat", "callback_url": hook.url}
        assert await client.code("POST", "/test/make", json=body) == 2013


async def test_a_lenient_platform_makes_the_task_and_sends_no_push() -> None:
    async with receiver() as hook, platform(*LONG, "callback.lenient=1") as client:
        hook.wrong = True
        id = await make(client, callback_url=hook.url)
        client.sandbox.forward(minutes=2)
        assert (await status(client, id))["status"] == "Success"
        assert await hook.until(1) == ["challenge"]


async def test_faults_of_callbacks() -> None:
    async with receiver() as hook, platform(*LONG, "callback.late_s=0.01") as client:

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
    async with receiver() as hook, platform(*LONG, "callback.limit_s=0.2") as client:
        await make(client, callback_url=hook.url)
        hook.slow_s = 1
        client.sandbox.forward(seconds=10)
        await hook.until(3)
        hook.slow_s = 0
        client.sandbox.forward(minutes=2)
        assert await hook.until(5) == PUSHES


async def test_stopping_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with receiver() as hook, platform(*LONG) as client:
        await make(client, callback_url=hook.url)
        await make(client, fault="job.never")
        client.sandbox.forward(seconds=30)
    await asyncio.sleep(0)
    assert not {task for task in asyncio.all_tasks() - before if "sandbox" in task.get_name()}
