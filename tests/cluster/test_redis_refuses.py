"""Redis that answers and refuses: it is away as long as it takes no writes, and the log and the metrics say why."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from realtime.errors import ProviderUnavailable
from realtime.metrics import Metrics
from realtime.providers import redis_link
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_errors import kind_of
from realtime.providers.redis_index import INDEX
from realtime.providers.redis_journal import RedisJournal
from realtime.providers.redis_link import CONVERSATIONS, SESSIONS, RedisLink
from realtime.providers.redis_store import RedisStore
from realtime.providers.store import FIRST_EPOCH, Changes
from tests.cluster.nodes import ANSWERS_S, PROBE_S, until
from tests.cluster.redis_server import RedisServer
from tests.cluster.test_redis_bad_days import client_of, lines


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a look at Redis."""
    monkeypatch.setattr(redis_link, "LIMIT_S", 0.25)


REFUSING = {
    "memory": ("maxmemory 1", "maxmemory 0"),
    "refuses_writes": ("min-replicas-to-write 1", "min-replicas-to-write 0"),
}


@pytest.mark.parametrize("kind", REFUSING)
async def test_a_redis_that_answers_and_takes_no_writes_is_away_until_it_does(
    server: RedisServer, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """It is told once, and the metrics show it as long as it lasts."""
    metrics, client = Metrics(), client_of(server)
    link = RedisLink(partial(open_redis, server.url, ANSWERS_S), PROBE_S, SESSIONS)
    link.show(metrics.add_redis())
    store = RedisStore(link, "rt:")

    def seen(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(name, {"link": SESSIONS, **labels}) or 0.0

    await until(lambda: seen("realtime_redis_up") == 1)
    bad, good = REFUSING[kind]
    client.config_set(*bad.split())
    while link.up:
        with pytest.raises(ProviderUnavailable):
            await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    errors = seen("realtime_redis_errors_total", kind=kind)
    await until(lambda: seen("realtime_redis_errors_total", kind=kind) > errors + 3)
    assert seen("realtime_redis_up") == 0
    client.config_set(*good.split())
    await until(lambda: seen("realtime_redis_up") == 1)
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    await link.aclose()
    assert lines(caplog) == ["redis is away", "redis is back"]
    assert f"redis is away (sessions, {kind})" in caplog.text


async def test_who_may_not_do_one_thing_does_the_others(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, and the link is neither away nor back for that."""
    client_of(server).acl_setuser(
        "few", enabled=True, nopass=True, commands=["+@all", "-zremrangebyrank"], keys=["rt:*"]
    )
    link = RedisLink(partial(open_redis, f"unix://few:x@{server.path}", ANSWERS_S), PROBE_S, CONVERSATIONS)
    store = RedisStore(link, "rt:")
    for epoch in range(1, 9):
        await store.save("me", "conv", epoch, Changes(["a"], {"a": str(epoch).encode()}))
        for _ in range(4):
            await link.send(INDEX, ["rt:index"], 1000, "conv", 1, 9)
    assert link.up
    await link.aclose()
    assert lines(caplog) == ["redis refuses a script"]
    assert "forbidden" in caplog.text


async def test_a_user_that_may_not_write_what_a_link_needs_makes_it_away_from_the_start(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client_of(server).acl_setuser(
        "few", enabled=True, nopass=True, commands=["+@all", "-hset"], keys=["rt:*"]
    )
    link = RedisLink(partial(open_redis, f"unix://few:x@{server.path}", ANSWERS_S), PROBE_S, SESSIONS)
    RedisJournal(link, "rt:", 60_000)
    await until(lambda: not link.up)
    for _ in range(5):
        await asyncio.sleep(0.05)
        assert not link.up
    await link.aclose()
    assert "redis is away (sessions, forbidden)" in caplog.text


async def test_a_look_leaves_nothing(server: RedisServer) -> None:
    link = RedisLink(partial(open_redis, server.url, ANSWERS_S), PROBE_S, SESSIONS)
    RedisJournal(link, "rt:", 60_000)
    RedisStore(link, "rt:")
    await until(lambda: link.seen)
    await link.aclose()
    assert client_of(server).keys("*") == []


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ACL failure in script: User app has no permissions to run the 'hsetnx' command", "forbidden"),
        ("Error running script: @user_script: 1: -OOM command not allowed when used memory", "memory"),
        ("MISCONF Errors writing to the AOF file: No space left on device", "refuses_writes"),
        ("NOREPLICAS Not enough good replicas to write. script: 1, on @user_script:7.", "refuses_writes"),
        ("Error running script: -READONLY You can't write against a read only replica.", "replica"),
        ("user_script:3: attempt to index a nil value", "other"),
    ],
)
def test_what_redis_refuses_inside_a_script_has_its_kind(said: str, kind: str) -> None:
    from redis.exceptions import ResponseError

    assert kind_of(ResponseError(said)) == kind
