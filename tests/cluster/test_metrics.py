"""What the metrics of a server show of an account that it shares, and of Redis."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from realtime.errors import ProviderRejected
from realtime.metrics import Metrics
from realtime.providers.quota import Tally
from realtime.providers.redis_quota import MOST_SPARE
from realtime.server.observed import observed
from realtime.server.runtime import open_runtime
from realtime.settings import Settings
from tests.cluster.nodes import all_know, nodes_at, until
from tests.cluster.redis_server import RedisServer


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """By name and the values of the labels."""
    families = text_string_to_metric_families(metrics.text().decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def settings_at(server: RedisServer, **more: int) -> Settings:
    return Settings(
        api_key="k",
        base_url="http://127.0.0.1:9",
        redis=server.url,
        transcriber="none",
        voice_detector="none",
        **more,
    )


async def test_a_server_shows_its_account_and_redis(server: RedisServer) -> None:
    settings = settings_at(server, speech_rpm=3)
    async with open_runtime(settings) as runtime:
        metrics = Metrics()
        observed(runtime.providers, metrics)
        runtime.observe(metrics)
        quota = runtime.providers.speech._quota
        await until(lambda: runtime.not_ready() is None and not quota.apart)
        for _ in range(3):
            await quota.ask(0.0).use()
        with pytest.raises(ProviderRejected):
            await quota.ask(0.0).use()
        seen = values(metrics)
        assert seen["realtime_redis_up", "account"] == 1
        await until(lambda: values(metrics)["realtime_redis_up", "sessions"] == 1)
        assert seen["realtime_redis_seconds_count",] >= 4
        assert seen["realtime_budget_requests_left", "speech"] == 0
        assert seen["realtime_budget_nodes", "speech"] == seen["realtime_budget_nodes", "chat"] == 1
        assert seen["realtime_budget_limit", "speech"] == 3
        assert seen["realtime_budget_permits_total", "speech", "granted"] == 3
        assert seen["realtime_budget_permits_total", "speech", "refused"] == 1
        await until(lambda: values(metrics)["realtime_budget_permits_total", "chat", "asked"] == MOST_SPARE)
        server.kill()
        await until(lambda: values(metrics)["realtime_redis_up", "account"] == 0)
        seen = values(metrics)
        assert seen["realtime_redis_errors_total", "unreachable", "account"] >= 3
        await until(lambda: values(metrics)["realtime_budget_limit", "speech"] < 3)


async def test_a_server_has_permits_in_hand_for_chat_and_for_speech(server: RedisServer) -> None:
    """An answer that is still to be had when Redis is lost can be heard as well."""
    async with open_runtime(settings_at(server, speech_rpm=60, chat_rpm=60)) as runtime:
        quotas = [runtime.providers.speech._quota, runtime.providers.chat._quota]
        await until(lambda: [quota.tally.asked for quota in quotas] == [MOST_SPARE, MOST_SPARE])


def test_a_server_without_redis_has_none_of_these() -> None:
    assert not [name for name, *_ in values(Metrics()) if "redis" in name or "nodes" in name]


async def test_permits_of_a_shared_account_are_counted(server: RedisServer) -> None:
    async with nodes_at(server.url, 1, limit=1) as (node,):
        await all_know([node])
        node.quota.ask(0.0).give_back()
        assert await node.take(2) == 1
        assert node.quota.tally == Tally(asked=3, granted=1, refused=1, returned=1)
