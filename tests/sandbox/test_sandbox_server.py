"""The sandbox as a server: unknown paths, headers, models, connections, and a clean stop."""

from __future__ import annotations

import asyncio
import re

import aiohttp
import pytest

from realtime.errors import ConfigError
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.sandbox.chat_kit import OPENAI, body, post, quick

KEY = {"Authorization": "Bearer any"}


async def test_an_unknown_path_is_the_gateways_own_404() -> None:
    async with Sandbox(quick()) as sandbox, aiohttp.ClientSession(headers=KEY) as session:
        for method, path in (("GET", "/v1/nothing"), ("POST", "/v1/audio/speech"), ("GET", OPENAI)):
            async with session.request(method, sandbox.url + path) as answer:
                assert answer.status == 404
                assert await answer.text() == "404 page not found"
                assert answer.content_type == "text/plain"


async def test_a_preflight_request_is_answered() -> None:
    async with (
        Sandbox(quick()) as sandbox,
        aiohttp.ClientSession() as session,
        session.options(sandbox.url + OPENAI) as answer,
    ):
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert await answer.json() == {"status_code": 0, "status_msg": "success"}


async def test_every_answer_has_trace_headers() -> None:
    async with Sandbox(quick()) as sandbox:
        headers = (await post(sandbox.url, OPENAI, body())).headers
    assert re.fullmatch("[0-9a-f]{32}", headers["trace-id"])
    assert re.fullmatch("[0-9a-f]{32}", headers["minimax-request-id"])
    assert re.fullmatch(r"\d+_\d+[a-z]{6}", headers["x-mm-request-id"])
    assert re.fullmatch("[0-9a-f]{40}", headers["alb_request_id"])
    assert re.fullmatch(r"\d{10}\.\d{3}", headers["alb_receive_time"])
    assert headers["x-session-id"]


async def test_models_are_listed_like_the_platform_does() -> None:
    async with Sandbox(quick("models.ms=0")) as sandbox, aiohttp.ClientSession() as session:
        async with session.get(sandbox.url + "/v1/models", headers=KEY) as answer:
            listed = await answer.json()
        async with session.get(sandbox.url + "/v1/models") as refused:
            assert refused.status == 401
    known = {"id": "MiniMax-M2.7", "object": "model", "created": 1773799200, "owned_by": "minimax"}
    assert listed["object"] == "list"
    assert known in listed["data"]
    assert "MiniMax-M3" in [model["id"] for model in listed["data"]]


async def test_only_the_first_request_of_a_connection_has_its_latency() -> None:
    async with (
        Sandbox(quick("http.connect_ms=150")) as sandbox,
        aiohttp.ClientSession(headers=KEY) as session,
    ):
        loop = asyncio.get_running_loop()
        took = []
        for _ in range(3):
            start = loop.time()
            async with session.post(sandbox.url + OPENAI, json=body()) as answer:
                await answer.read()
            took.append(loop.time() - start)
        assert took[0] >= 0.145
        assert sandbox.state.http_connections_opened == 1
        assert min(took[1:]) < took[0]


async def test_jitter_changes_latencies_and_depends_on_the_seed() -> None:
    from realtime.sandbox.context import delay_ms
    from realtime.sandbox.server import create_app

    def latencies(seed: int, *sets: str) -> list[float]:
        app = create_app(SandboxOptions.parse("mainland", sets, seed=seed))
        return [delay_ms(app, "chat.first_ms") for _ in range(50)]

    assert latencies(1) == latencies(1)
    assert latencies(1) != latencies(2)
    assert all(630 <= latency <= 770 for latency in latencies(1))
    assert max(latencies(1, "jitter.tail=0.2")) > 1200
    assert set(latencies(1, "jitter.spread=0")) == {700}


async def test_stopping_closes_every_socket_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession(headers=KEY | {"X-Sandbox-Fault": "chat.stall_mid"}) as session:
        async with Sandbox(quick()) as sandbox:
            stalled = await session.post(sandbox.url + OPENAI, json=body("Tell me a long story."))
            await stalled.content.readuntil(b"Once")
            url = sandbox.url
            start = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - start < 30
        with pytest.raises(aiohttp.ClientError):
            await session.get(url + "/v1/models")
        stalled.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before


async def test_a_stalled_request_ends_when_its_client_disconnects() -> None:
    before = asyncio.all_tasks()
    async with Sandbox(quick()) as sandbox:
        running = asyncio.all_tasks()
        with pytest.raises(TimeoutError):
            await post(sandbox.url, OPENAI, body(), fault="chat.stall", timeout_s=0.2)
        left = asyncio.all_tasks() - running
        assert not left or not (await asyncio.wait(left, timeout=10))[1]
    assert asyncio.all_tasks() == before


async def test_it_can_be_started_again_and_stopped_twice() -> None:
    sandbox = Sandbox(quick())
    for _ in range(2):
        async with sandbox:
            assert (await post(sandbox.url, OPENAI, body())).status == 200
    await sandbox.stop()
    assert sandbox.url == ""


async def test_a_taken_port_is_an_os_error_and_leaves_nothing() -> None:
    async with Sandbox(quick()) as first:
        port = int(first.url.rsplit(":", 1)[1])
        second = Sandbox(quick(), port=port)
        with pytest.raises(OSError, match="address already in use"):
            await second.start()


def test_options_are_checked_when_they_are_made() -> None:
    with pytest.raises(ConfigError):
        SandboxOptions(sets=(("chat.nothing", 1.0),))
