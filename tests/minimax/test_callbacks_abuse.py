"""Everything that a stranger or a broken network may send to the address for callbacks, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest

from realtime.minimax.callbacks import (
    BODY_BYTES,
    Callbacks,
)
from tests.minimax.callbacks_fake import DONE, HOST, SECRET, Sender, Sleeper, serving


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks(HOST, secret=SECRET)


@pytest.fixture
async def sender(callbacks: Callbacks) -> AsyncIterator[Sender]:
    async with serving(callbacks) as sender:
        yield sender


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


async def test_a_body_that_says_it_is_too_long_is_not_waited_for(sender):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sender.address.rsplit(":", 1)[1]))
    path = sender.url.removeprefix(sender.address)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {BODY_BYTES + 1}\r\n\r\n".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
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
