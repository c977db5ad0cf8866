"""Several accounts and Redis: each has a budget of its own there, on one connection."""

from __future__ import annotations

import re

from realtime.commands.redis_check import redis_findings
from realtime.errors import ProviderRejected
from realtime.metrics import Metrics
from realtime.server.runtime import open_runtime
from realtime.server.state import runtime_of
from realtime.settings import Settings
from realtime.settings.accounts import with_default
from realtime.settings.model import Account
from tests.cluster.moving import QUERY, lose, open_nodes, query_of, recorded
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer
from tests.cluster.test_metrics import values

KEYS = ("sk-platform-one-12345", "sk-platform-two-12345")
NOWHERE = "http://127.0.0.1:9"


def settings_at(url: str, **more) -> Settings:
    accounts = Account("one", KEYS[0], NOWHERE, speech_rpm=3), Account("two", KEYS[1], NOWHERE, speech_rpm=5)
    quiet = {"transcriber": "none", "voice_detector": "none"}
    return Settings(accounts=accounts, redis=url, **quiet, **more)


async def test_what_one_account_uses_is_left_at_the_other(server: RedisServer) -> None:
    async with open_runtime(settings_at(server.url)) as runtime:
        metrics = Metrics()
        one, two = runtime.accounts.of("key")
        runtime = runtime.seen_by(metrics)
        await until(lambda: runtime.not_ready() is None)
        for _ in range(3):
            await one.providers.speech._quota.ask(0.0).use()
        await until(lambda: values(metrics)["realtime_budget_requests_left", "one", "speech"] == 0)
        seen = values(metrics)
        assert seen["realtime_budget_limit", "one", "speech"] == 3
        assert seen["realtime_budget_limit", "two", "speech"] == 5
        assert seen["realtime_budget_requests_left", "two", "speech"] == 5
        assert runtime.accounts.seat_for("key").account is two
        await until(lambda: two.providers.speech._quota.tally.asked == 1)  # the one that it keeps in hand
        found = await redis_findings(with_default(settings_at(server.url)))
        rows = {each.part: re.sub(r"^.*, (\d+ of \d+).*", r"\1", each.text) for each in found}
        assert (rows["one, speech"], rows["two, speech"]) == ("0 of 3", "4 of 5")
        assert not [key for key in KEYS if any(key in f"{each.text} {each.advice}" for each in found)]


async def test_a_chat_of_another_service_is_one_budget(server: RedisServer) -> None:
    settings = settings_at(server.url, chat_base_url=NOWHERE, chat_model="m", chat_api_key="k")
    async with open_runtime(settings) as runtime:
        metrics = Metrics()
        runtime = runtime.seen_by(metrics)
        await until(lambda: runtime.not_ready() is None)
        limits = {key[1:] for key in values(metrics) if key[0] == "realtime_budget_limit"}
        assert limits == {("", "chat"), ("one", "speech"), ("two", "speech")}
        found = [each.part for each in await redis_findings(with_default(settings))]
        assert found[-3:] == ["account, chat", "one, speech", "two, speech"]


async def test_a_session_gets_its_account_anew_at_another_server(kept_server: RedisServer) -> None:
    more = (Account("second", KEYS[1], speech_rpm=600, chat_rpm=600),)
    async with open_nodes(kept_server, accounts=more) as (one, two), one.connect(QUERY) as old:
        assert runtime_of(one.server.app).accounts.of("open")[0].use.sessions == 1
        await old.ask("My name is Ada.", output_modalities=["text"])
        await recorded(one, old)
        dry = runtime_of(two.server.app).accounts.of("open")[0]
        dry.failed("chat", ProviderRejected("Top it up.", code="insufficient_quota", upstream_code=1008))
        lose(old)
        async with two.open_socket(query_of(old)) as new:
            await new.until("session.resumed")
            assert runtime_of(two.server.app).accounts.of("open")[1].use.sessions == 1
            assert (await new.ask("What is two plus two?"))["status"] == "completed"
