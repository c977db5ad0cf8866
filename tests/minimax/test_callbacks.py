"""Callbacks: challenges, pushes, addresses, and the tasks that they wake, over real sockets."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument
from realtime.minimax import MiniMax
from realtime.minimax.callbacks import (
    EARLY_PUSHES,
    EARLY_S,
    Callbacks,
    Waiting,
    callback_url,
    pushed_ids,
    watch,
)
from realtime.minimax.job import Job, JobKind, Schedule
from realtime.minimax.job_schedule import QueryPace
from tests.minimax.callbacks_fake import DONE, HOST, SECRET, Sender, Sleeper, serving
from tests.ports import free_port
from tests.virtual_time import run


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks(HOST, secret=SECRET)


@pytest.fixture
async def sender(callbacks: Callbacks) -> AsyncIterator[Sender]:
    async with serving(callbacks) as sender:
        yield sender


@pytest.mark.parametrize("challenge", ["c81e72", "", "挑战", 17])
async def test_a_challenge_is_answered_with_the_same(sender, challenge):
    assert await sender.post({"challenge": challenge}) == (200, {"challenge": challenge})


@pytest.mark.parametrize(
    "body",
    [
        {"task_id": "200000000000001", "status": "processing", "file_id": ""},
        {"task_id": 200000000000001, "status": "success"},
        {"task": {"id": "200000000000001", "status": "succeeded"}},
        {"task": {"id": 200000000000001}},
        {"id": "200000000000001", "object": "batch", "status": "completed"},
    ],
    ids=["V1", "V1 number", "V2", "V2 number", "batch"],
)
async def test_a_push_of_every_kind_wakes_its_task_only(callbacks, sender, body):
    mine, twin, other = Sleeper(), Sleeper(), Sleeper("200000000000002")
    for task in (mine, twin, other):
        callbacks.watch(task)
    assert await sender.post(body) == (200, DONE)
    assert (mine.woken, twin.woken, other.woken) == (1, 1, 0)


async def test_an_id_beyond_2_to_the_53_is_found(callbacks, sender):
    task = Sleeper("9223372036854775807")
    callbacks.watch(task)
    await sender.post(b'{"task_id":9223372036854775807}')
    assert task.woken == 1


async def test_a_push_before_the_create_call_returned_is_not_lost(callbacks, sender):
    task, later = Sleeper(), Sleeper()
    await sender.post({"task_id": task.id})
    callbacks.watch(task)
    callbacks.watch(later)
    assert (task.woken, later.woken) == (1, 0)


async def test_a_push_that_woke_its_task_is_not_remembered(callbacks, sender):
    task, later = Sleeper(), Sleeper()
    callbacks.watch(task)
    await sender.post({"task_id": task.id})
    callbacks.watch(later)
    assert (task.woken, later.woken) == (1, 0)


def test_a_push_is_remembered_for_a_minute_only():
    async def woken_after(wait_s: float) -> int:
        waiting, task = Waiting(), Sleeper()
        waiting.wake(task.id)
        await asyncio.sleep(wait_s)
        waiting.add(task)
        return task.woken

    assert run(woken_after(EARLY_S - 1)) == 1
    assert run(woken_after(EARLY_S + 1)) == 0


async def test_few_pushes_for_strangers_are_remembered():
    waiting = Waiting()
    for number in range(EARLY_PUSHES + 1):
        waiting.wake(str(number))
    first, second = Sleeper("0"), Sleeper("1")
    waiting.add(first)
    waiting.add(second)
    assert (first.woken, second.woken) == (0, 1)


async def test_a_task_is_not_kept_alive(callbacks, sender):
    task, other = Sleeper(), Sleeper()
    callbacks.watch(task)
    callbacks.watch(other)
    del task
    gc.collect()
    await sender.post({"task_id": other.id})
    assert other.woken == 1
    del other
    gc.collect()
    assert repr(callbacks) == "<Callbacks https://my.host, 0 tasks wait>"


async def test_the_routes_join_an_application_of_somebody_else(callbacks):
    async def mine(_: web.Request) -> web.Response:
        return web.Response(text="mine")

    app = web.Application()
    app.add_routes(callbacks.routes())
    app.add_routes([web.get("/", mine)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with aiohttp.ClientSession() as http:
            sender = Sender(http, address, callbacks)
            assert await sender.post({"challenge": "c"}) == (200, {"challenge": "c"})
            async with http.get(address) as response:
                assert await response.text() == "mine"
    finally:
        await runner.cleanup()


async def test_the_server_is_gone_after_its_block(callbacks):
    async with callbacks.serve(port=free_port()) as port:
        pass
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_is_taken_is_named(callbacks):
    async with callbacks.serve(port=0) as port:
        with pytest.raises(OSError, match=str(port)):
            async with callbacks.serve(port=port):
                pass


def test_addresses_survive_a_restart_with_the_same_secret_only():
    assert Callbacks(HOST, secret=SECRET).url_for("video") == Callbacks(
        HOST + "/", secret=SECRET.encode()
    ).url_for("video")
    assert Callbacks(HOST, secret=SECRET).url_for("video") != Callbacks(HOST, secret="b").url_for("video")
    assert Callbacks(HOST).url_for("video") != Callbacks(HOST).url_for("video")


def test_addresses_say_their_kind_and_cannot_be_guessed(callbacks):
    video, batch = callbacks.url_for("video"), callbacks.url_for("batch")
    assert video.startswith("https://my.host/minimax-callbacks/video/")
    assert len(video.rsplit("/", 1)[1]) == 40
    assert video.rsplit("/", 1)[1] != batch.rsplit("/", 1)[1]
    assert SECRET not in video + repr(callbacks)
    assert video.rsplit("/", 1)[1] not in repr(callbacks)


@pytest.mark.parametrize("url", ["", "my.host", "ftp://my.host", "https://", "https://my.host/?a=1"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(InvalidArgument) as caught:
        Callbacks(url)
    assert caught.value.param == "base_url"


def test_an_empty_secret_is_refused():
    with pytest.raises(InvalidArgument) as caught:
        Callbacks(HOST, secret="")
    assert caught.value.param == "secret"


@pytest.mark.parametrize("kind", ["", "a/b", "视频", "a b"])
def test_a_kind_that_is_no_word_is_refused(callbacks, kind):
    with pytest.raises(InvalidArgument):
        callbacks.url_for(kind)


def test_a_create_call_takes_callbacks_or_an_address_or_nothing(callbacks):
    assert callback_url(callbacks, "video") == callbacks.url_for("video")
    assert callback_url("https://other.host/x", "video") == "https://other.host/x"
    assert callback_url(None, "video") is None
    task = Sleeper()
    for target in (callbacks, "https://other.host/x", None):
        watch(target, task)
    assert "1 tasks wait" in repr(callbacks)


@pytest.mark.parametrize("value", [True, None, 1.5, "", " ", "1" * 129, ["1"]])
def test_what_is_no_id_is_not_taken_for_one(value):
    assert pushed_ids({"task_id": value, "id": value, "task": {"id": value}}) == set()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.fixed_dictionaries({}, optional={"task_id": JSON, "id": JSON, "task": JSON}))
def test_the_ids_of_any_push_are_short_texts(payload):
    assert all(isinstance(task_id, str) and 0 < len(task_id) <= 128 for task_id in pushed_ids(payload))


class Films:
    """A platform whose task is done when the test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.done = False

    async def query(self, task_id: str) -> dict[str, str]:
        self.asked += 1
        return {"status": "Success" if self.done else "Processing", "file_id": "the true one"}

    async def result(self, answer: Mapping[str, Any]) -> str:
        return str(answer["file_id"])

    def job(self) -> Job[str]:
        """A job that would ask again in an hour, were it not for the pushes."""
        kind = JobKind(
            "video", "mm.video.task", self.query, self.result, 3600.0, 36000.0, 3600.0, QueryPace(1e6)
        )
        return Job(kind, "200000000000001", age_s=0.0, schedule=Schedule(early_s=(), least_gap_s=0.0))


async def test_a_push_makes_a_waiting_task_ask_and_only_the_answer_counts(callbacks, sender):
    films = Films()
    task = films.job()
    callbacks.watch(task)
    progress = aiter(task)
    assert (await anext(progress)).state == "queued"
    forged = {"task_id": task.id, "status": "success", "file_id": "forged"}
    assert await sender.post(forged) == (200, DONE)
    assert (await anext(progress)).state == "running"  # it has asked, and believed nothing of the push
    films.done = True
    wait = asyncio.create_task(task.wait())
    await sender.post({"task_id": task.id, "status": "failed"})
    assert await wait == "the true one"
    asked = films.asked
    for _ in range(3):  # late and repeated
        assert await sender.post(forged) == (200, DONE)
    assert await task == "the true one"
    assert films.asked == asked


async def test_a_push_that_is_lost_costs_time_only():
    films = Films()
    films.done = True
    task = films.job()
    assert (await task.look()).state == "done"


async def test_a_push_wakes_the_looked_up_task_of_every_namespace():
    callbacks = Callbacks("https://my.host", secret="s")
    async with MiniMax("key", "http://127.0.0.1:9") as mm:
        spaces = (mm.batches, mm.video, mm.templates, mm.video_v2)
        jobs = [space.task(f"id{number}", callback=callbacks) for number, space in enumerate(spaces)]
        for job in jobs:
            callbacks._waiting.wake(job.id)
        assert [job._hinted for job in jobs] == [True] * 4
