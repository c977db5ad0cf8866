"""Addresses of Redis, and what a server with one does: it shares its quotas, and is not ready before it has heard of it."""

from __future__ import annotations

import sys

import aiohttp
import pytest

from realtime.errors import ConfigError
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_quota import RedisQuota
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.server.runtime import open_runtime
from realtime.settings import Settings
from tests.cluster.nodes import until
from tests.cluster.redis_server import SECRET, RedisServer


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("redis://h:7000/2", {"host": "h", "port": 7000, "db": 2}),
        (f"redis://user:{SECRET}@h", {"username": "user", "password": SECRET}),
        ("unix:///run/redis.sock", {"path": "/run/redis.sock"}),
    ],
)
def test_an_address_is_read_and_no_client_tries_again_or_waits_for_long(address: str, expected: dict) -> None:
    client = open_redis(address)
    options = client.connection_pool.connection_kwargs
    assert expected.items() <= options.items()
    assert options["socket_timeout"] == 0.25
    assert options["retry"]._retries == 0


def test_sentinels_are_asked_for_the_master() -> None:
    client = open_redis(f"redis+sentinel://user:{SECRET}@a:1,b,10.0.0.1:3/mymaster")
    pool = client.connection_pool
    sentinels = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
    assert [(one["host"], one["port"]) for one in sentinels] == [("a", 1), ("b", 26_379), ("10.0.0.1", 3)]
    assert pool.service_name == "mymaster"
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("user", SECRET)
    assert pool.connection_kwargs["socket_timeout"] == 0.25
    assert SECRET not in repr(sentinels)


@pytest.mark.parametrize("address", ["redis+sentinel://[::1]:5/m?db=3", "redis+sentinel://[::1]:5/m/3"])
def test_the_database_of_a_master_and_sentinels_with_ipv6(address: str) -> None:
    pool = open_redis(address).connection_pool
    [sentinel] = [one.connection_pool.connection_kwargs for one in pool.sentinel_manager.sentinels]
    assert (sentinel["host"], sentinel["port"], sentinel.get("db", 0)) == ("::1", 5, 0)
    assert (pool.service_name, pool.connection_kwargs["db"]) == ("m", 3)


def test_a_wrong_address_is_not_quoted() -> None:
    with pytest.raises(ConfigError) as caught:
        open_redis(f"http://:{SECRET}@h")
    assert SECRET not in str(caught.value)


async def test_two_servers_with_one_account_share_it(kept_server: RedisServer) -> None:
    def settings(node: str, **more) -> Settings:
        chosen = {"transcriber": "none", "voice_detector": "none", "speech_rpm": 5, **more}
        return Settings(
            api_key="k", base_url="http://127.0.0.1:9", redis=kept_server.url, node=node, **chosen
        )

    async with (
        open_runtime(settings("one")) as one,
        open_runtime(settings("two")) as two,
        open_runtime(settings("three", redis_prefix="other:")) as apart,
    ):
        for runtime in (one, two, apart):
            of = runtime.providers.speech._quota
            await until(lambda runtime=runtime, of=of: runtime.not_ready() is None and not of.apart)
        quota = one.providers.speech._quota
        assert isinstance(quota, RedisQuota)
        for _ in range(3):
            await quota.ask(0.0).leaves()
        await two.providers.speech._quota.send("look")
        await apart.providers.speech._quota.send("look")
        assert [each.providers.speech.requests_left() for each in (two, apart)] == [2, 5]
        assert isinstance(one.providers.chat._quota, RedisQuota)
        for runtime, part in ((one, 10), (two, 10), (apart, 20)):
            pool = runtime.providers.speech._pool
            await until(lambda pool=pool, part=part: pool.limit == part)


async def test_a_server_is_not_ready_before_it_has_heard_of_redis_and_says_why(server: RedisServer) -> None:
    server.kill()
    async with Sandbox() as sandbox, aiohttp.ClientSession() as session:
        settings = Settings(
            api_key="k",
            base_url=sandbox.url,
            redis=server.url,
            port=0,
            transcriber="none",
            voice_detector="none",
        )
        async with running(settings) as running_server:

            async def get(path: str) -> tuple[int, dict]:
                async with session.get(running_server.url + path) as answer:
                    return answer.status, await answer.json()

            status, answer = await get("/readyz")
            assert (status, answer["ready"]) == (503, False)
            assert answer["reason"].startswith("Redis ")
            assert (await get("/lb"))[0] == 404
            assert (await get("/healthz"))[0] == 200, "it is alive: nobody need start it again"
            server.start()
            while (await get("/readyz"))[0] != 200:
                pass
            server.kill()
            assert (await get("/readyz"))[0] == 200, "who talks goes on talking"
            assert (await get("/lb"))[0] == 200


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(ConfigError, match=r"minimax-realtime\[redis\]"):
        open_redis("redis://h")
