"""Limits: open sessions of one key, and the rates of events and audio of one client."""

import asyncio
import base64
import itertools
import json
import urllib.error
import urllib.request

import pytest
import websockets

from realtime.server.token_bucket import TokenBucket
from tests import virtual_time
from tests.server.harness import Harness, open_harness


def test_a_burst_needs_no_wait_and_the_rest_follows_the_rate():
    bucket = TokenBucket(200.0, 2_000.0, now_s=5.0)
    assert [bucket.take(1, 5.0) for _ in range(2_000)] == [0.0] * 2_000
    assert bucket.take(1, 5.0) == pytest.approx(0.005)
    assert bucket.take(99, 5.0) == pytest.approx(0.5)
    assert bucket.take(1, 6.0) == 0.0
    assert bucket.take(0, 1_000.0) == 0.0
    assert bucket.take(2_000, 1_000.0) == 0.0, "the bucket never holds more than one burst"
    assert bucket.take(20, 1_000.0) == pytest.approx(0.1)


def test_a_debt_is_waited_for_in_parts_where_others_wait_behind_it():
    async def waited() -> list[float]:
        loop = asyncio.get_running_loop()
        bucket, times = TokenBucket(10.0, 120.0, loop.time()), [loop.time()]
        for amount in (620.0, 1.0, 350.0, 1.0):
            await bucket.throttle(amount, 5.0)
            times.append(loop.time())
        return [after - before for before, after in itertools.pairwise(times)]

    assert virtual_time.run(waited()) == pytest.approx([5.0] * 4)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def rejection(harness: Harness, key: str) -> tuple[int, str, str]:
    """HTTP status, code and Retry-After of a rejected handshake."""
    with pytest.raises(websockets.InvalidStatus) as rejected:
        async with harness.open_socket(headers=bearer(key)):
            pass
    response = rejected.value.response
    return response.status_code, json.loads(response.body)["error"]["code"], response.headers["Retry-After"]


async def test_the_session_limit_of_one_key_does_not_affect_other_keys():
    async with open_harness(api_keys=("one", "two"), sessions_per_key=2) as harness:
        async with harness.connect(headers=bearer("one")), harness.connect(headers=bearer("one")):
            assert await rejection(harness, "one") == (429, "rate_limit_exceeded", "5")
            async with harness.connect(headers=bearer("two")) as other:
                assert (await other.ask("What is two plus three?"))["status"] == "completed"
        await harness.no_sessions()
        async with harness.connect(headers=bearer("one")):
            assert harness.sessions == 1


async def test_a_detached_session_counts_and_can_be_resumed():
    async with (
        open_harness(api_keys=("one",), sessions_per_key=1) as harness,
        harness.connect("?extensions=resume", headers=bearer("one")) as before,
    ):
        session_id = before.events[0]["session"]["id"]
        before.socket.transport.abort()
        assert (await rejection(harness, "one"))[0] == 429
        query = f"?extensions=resume&resume={session_id}&last_seq=2"
        async with harness.open_socket(query, headers=bearer("one")) as after:
            await after.until("session.resumed")


async def test_client_secrets_count_for_the_key_that_created_them():
    async with open_harness(api_keys=("one",), sessions_per_key=1) as harness:
        protocols = ("realtime", f"openai-insecure-api-key.{await mint(harness, 'one')}")
        async with harness.connect(headers=bearer("one")), harness.open_socket(protocols=protocols) as page:
            assert (await page.error())["code"] == "rate_limit_exceeded"
            assert await page.closed() == (1013, "rate_limit_exceeded")


async def mint(harness: Harness, key: str) -> str:
    """A client secret."""
    url = harness.server.url + "/v1/realtime/client_secrets"
    request = urllib.request.Request(url, b"{}", bearer(key), method="POST")

    def post() -> str:
        with urllib.request.urlopen(request) as answer:
            return str(json.load(answer)["value"])

    return await asyncio.to_thread(post)


async def test_without_a_limit_for_keys_the_limit_of_the_server_applies():
    async with open_harness(max_sessions=2) as harness, harness.connect(), harness.connect():
        with pytest.raises(websockets.InvalidStatus) as rejected:
            async with harness.open_socket():
                pass
        assert rejected.value.response.status_code == 503


async def test_audio_that_comes_too_fast_is_read_later():
    """A burst of two minutes is read at once, and the rest at ten times real time."""
    async with open_harness() as harness, harness.connect("?extensions=resume") as wire:
        await wire.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        for _ in range(13):
            await wire.append(bytes(480_000))  # 10 s
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        assert loop.time() - begin_s >= 0.9
        assert not wire.of("error")


async def test_recordings_that_come_too_fast_are_read_later():
    """Sound of items counts as appended sound does."""
    async with open_harness() as harness, harness.connect("?extensions=resume") as wire:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        part = {"type": "input_audio", "audio": base64.b64encode(bytes(3_120_000)).decode()}  # 65 s
        for _ in range(2):
            item = {"type": "message", "role": "user", "content": [part]}
            await wire.send("conversation.item.create", item=item)
        await wire.send("input_audio_buffer.clear")
        await wire.until("input_audio_buffer.cleared")
        assert loop.time() - begin_s >= 0.9
        assert not wire.of("error")
