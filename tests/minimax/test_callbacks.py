"""Callbacks: challenges, pushes and everything that a stranger may send, over real sockets."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import InvalidArgument
from realtime.minimax.callbacks import (
    BODY_BYTES,
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
from tests.virtual_time import run

HOST = "https://my.host"
SECRET = "a secret of the operator"
DONE = {"status": "success"}


class Sleeper:
    """Something that waits for a task, and counts how often it is woken."""

    def __init__(self, task_id: str = "200000000000001") -> None:
        self.id = task_id
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class Sender:
    """Posts to the callbacks as the platform does."""

    def __init__(self, http: aiohttp.ClientSession, address: str, callbacks: Callbacks) -> None:
        self.http = http
        self.address = address
        self.url = callbacks.url_for("video").replace(HOST, address)

    async def post(self, body: Any, url: str | None = None, **options: Any) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or hasattr(body, "__aiter__") else json.dumps(body).encode()
        async with self.http.post(url or self.url, data=data, **options) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else text


@asynccontextmanager
async def serving(callbacks: Callbacks) -> AsyncIterator[Sender]:
    async with callbacks.serve(port=0) as port, aiohttp.ClientSession() as http:
        yield Sender(http, f"http://127.0.0.1:{port}", callbacks)


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


async def test_a_guessed_address_is_refused_and_wakes_nobody(callbacks, sender):
    task = Sleeper()
    callbacks.watch(task)
    base, token = sender.url.rsplit("/", 1)
    stranger = Callbacks(HOST, secret="another").url_for("video").replace(HOST, sender.address)
    for url in (
        f"{base}/{'0' * len(token)}",
        sender.url.replace("video", "batch"),
        stranger,
        f"{base}/%C3%A9",
    ):
        status, answer = await sender.post({"task_id": task.id, "challenge": "x"}, url)
        assert (status, answer) == (404, "")
    assert task.woken == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[1, 2]",
        b"null",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b'{"challenge": {"a": 1}}',
        b'{"challenge": null}',
        b'{"task_id": ["200000000000001"], "task": 7, "id": true}',
        json.dumps({"task_id": "1" * 5000}).encode(),
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_a_body_that_makes_no_sense_is_accepted_and_does_nothing(callbacks, sender, body):
    task = Sleeper()
    callbacks.watch(task)
    assert await sender.post(body) == (200, DONE)
    assert task.woken == 0


async def test_a_body_may_be_64_kb_long_and_not_longer(callbacks, sender):
    task = Sleeper()
    callbacks.watch(task)
    start = b'{"task_id":"200000000000001"}'
    assert await sender.post(start + b" " * (BODY_BYTES - len(start))) == (200, DONE)
    assert (await sender.post(start + b" " * (BODY_BYTES - len(start) + 1)))[0] == 413
    assert task.woken == 1


async def in_parts(part: bytes, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield part


async def test_a_megabyte_without_a_length_is_refused(sender):
    try:
        status, _ = await sender.post(in_parts(b" " * 65_536, 16))
    except aiohttp.ClientConnectionError:
        status = 413  # closed while the rest was still on its way
    assert status == 413
    assert await sender.post({"challenge": "c"}) == (200, {"challenge": "c"})


async def test_a_small_packed_body_that_is_huge_unpacked_is_refused(sender):
    packed = gzip.compress(b" " * 10_000_000)
    assert len(packed) < BODY_BYTES
    status, _ = await sender.post(packed, headers={"Content-Encoding": "gzip"})
    assert status == 413


async def test_a_body_that_is_wrongly_packed_does_no_harm(sender):
    status, _ = await sender.post(b"not packed at all", headers={"Content-Encoding": "gzip"})
    assert status == 400
    assert (await sender.post({"challenge": "c"}))[0] == 200


async def test_a_connection_that_breaks_inside_a_body_does_no_harm(sender, caplog):
    port = int(sender.address.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = sender.url.removeprefix(sender.address)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf".encode())
    await writer.drain()
    writer.transport.abort()
    del reader
    assert (await sender.post({"challenge": "c"}))[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_body_that_never_ends_is_given_up():
    async with serving(Callbacks(HOST, secret=SECRET, body_timeout_s=0.05)) as sender:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(sender.address.rsplit(":", 1)[1]))
        path = sender.url.removeprefix(sender.address)
        writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
        writer.close()
        await writer.wait_closed()


async def test_a_flood_is_refused_and_the_next_push_is_read_later():
    callbacks, task = Callbacks(HOST, secret=SECRET, pushes_per_s=0.001, burst=3), Sleeper()
    callbacks.watch(task)
    async with serving(callbacks) as sender:
        statuses = [(await sender.post({"task_id": task.id}))[0] for _ in range(5)]
        wrong = [(await sender.post({}, sender.url + "0"))[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    assert wrong == [404] * 5
    assert task.woken == 3


async def test_strangers_do_not_use_up_the_limit():
    callbacks = Callbacks(HOST, secret=SECRET, pushes_per_s=0.001, burst=1)
    async with serving(callbacks) as sender:
        for _ in range(5):
            await sender.post({}, sender.url + "0")
        assert (await sender.post({}))[0] == 200


async def test_nothing_of_a_push_is_logged(callbacks, sender, caplog):
    caplog.set_level(logging.DEBUG)
    await sender.post({"task_id": "9988776655", "file_id": "very-private"})
    await sender.post(b"very-private and broken")
    token = sender.url.rsplit("/", 1)[1]
    assert "very-private" not in caplog.text
    assert token not in caplog.text


async def test_other_methods_are_refused(sender):
    async with sender.http.get(sender.url) as response:
        assert response.status == 405


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
    async with callbacks.serve(port=0) as port:
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
