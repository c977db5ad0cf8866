"""What `realtime doctor` says of a Redis, good or bad, and that it shows no password."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from realtime.commands import redis_check
from realtime.commands.checks import Finding, Verdict
from realtime.commands.redis_check import PROBLEMS, redis_findings
from realtime.errors import ConfigError
from realtime.providers.redis_errors import KINDS, kind_of
from realtime.settings import Settings
from tests.cluster.nodes import all_know, nodes_at
from tests.cluster.redis_server import SECRET, RedisServer


def settings_at(url: str, **more) -> Settings:
    return Settings(api_key="k", redis=url, speech_rpm=30, **more)


def shown(found: list[Finding]) -> str:
    return " ".join(f"{one.part} {one.text} {one.advice}" for one in found)


def client_of(server: RedisServer):
    from redis import Redis

    return Redis(unix_socket_path=str(server.path))


async def only(url: str) -> Finding:
    [found] = await redis_findings(settings_at(url))
    return found


async def test_without_redis_nothing_is_said() -> None:
    assert await redis_findings(Settings(api_key="k")) == []


async def test_a_good_one_tells_version_speed_clock_and_what_is_left(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from realtime.providers import redis_report

    monkeypatch.setattr(redis_check, "SLOW_MS", 1e9)  # this machine may be busy
    monkeypatch.setattr(redis_check, "TOO_SLOW_MS", 1e9)
    monkeypatch.setattr(
        redis_report, "accounts_of", lambda settings: [("rt:{test}", "speech", settings.speech_rpm)]
    )
    async with nodes_at(server.url, 2) as nodes:
        await all_know(nodes)
        await nodes[0].take(4)
        before = _everything(server)
        found = await redis_findings(settings_at(server.url))
        assert {one.verdict for one in found} == {Verdict.GOOD}
        assert re.match(r"(Redis|Valkey) \d+\.\d+\S*, answers in \d+\.\d ms", found[0].text)
        assert re.match(r"its clock is 0\.\d+ s (ahead of|behind) ours", found[1].text)
        assert (found[2].part, found[2].text) == (
            "account, speech",
            "2 servers share it, 26 of 30 requests of this minute are left",
        )
        assert _everything(server) == before, "who looks is no node"
        assert await nodes[0].take(26, wait_s=20.0) == 26
        found = await redis_findings(settings_at(server.url))
        assert (found[2].verdict, found[2].text) == (
            Verdict.NOTE,
            "2 servers share it, 0 of 30 requests of this minute are left",
        )


def _everything(server: RedisServer) -> set[tuple[bytes, bytes]]:
    client = client_of(server)
    return {
        (key, member)
        for key in client.keys("*")
        for member in (client.hkeys(key) if client.type(key) == b"hash" else client.zrange(key, 0, -1))
    }


@pytest.mark.parametrize(
    ("latency_ms", "verdict"), [(1.0, Verdict.GOOD), (60.0, Verdict.NOTE), (300.0, Verdict.BAD)]
)
def test_a_slow_one_is_told(latency_ms: float, verdict: Verdict) -> None:
    assert redis_check._answers("Redis", "7.0.15", latency_ms).verdict is verdict


def test_an_old_one_is_told_and_valkey_counts_by_itself() -> None:
    assert redis_check._answers("Redis", "4.0.9", 1.0).verdict is Verdict.BAD
    assert redis_check._answers("Valkey", "4.0.9", 1.0).verdict is Verdict.GOOD
    assert redis_check._answers("Redis", None, 1.0).verdict is Verdict.GOOD


@pytest.mark.parametrize(("ahead_s", "word"), [(9.0, "9.000 s ahead of"), (-9.0, "9.000 s behind")])
def test_a_clock_that_is_far_off_is_told(ahead_s: float, word: str) -> None:
    [found] = redis_check._clock(ahead_s)
    assert (found.verdict, word in found.text) == (Verdict.NOTE, True)


async def test_nobody_there(tmp_path: Path) -> None:
    found = await only(f"unix://:{SECRET}@{tmp_path}/none.sock")
    assert (found.verdict, found.text) == (Verdict.BAD, "nobody answers")
    assert SECRET not in shown([found])


async def test_a_wrong_address_and_a_wrong_password() -> None:
    with pytest.raises(ConfigError, match="redis must be redis://"):
        settings_at("http://h")
    server = RedisServer("requirepass right").start()
    try:
        for url in (f"unix://:{SECRET}@{server.path}", server.url):
            found = await only(url)
            assert found.text == PROBLEMS["password"][0]
            assert SECRET not in shown([found])
            assert str(server.path) not in shown([found])
    finally:
        server.close()


async def test_a_user_that_may_do_too_little_and_one_that_may_do_just_enough(server: RedisServer) -> None:
    client = client_of(server)
    needed = "+ping +eval +evalsha +time +zadd +zrem +zcard +zcount +zrange +zremrangebyscore"
    needed += " +zrangebyscore +pexpire +hset +hget +hdel"
    client.acl_setuser("few", enabled=True, passwords=["+x"], commands=["+ping", "+time"], keys=["rt:*"])
    client.acl_setuser("enough", enabled=True, passwords=["+x"], commands=needed.split(), keys=["rt:*"])
    assert (await only(f"unix://few:x@{server.path}")).text == PROBLEMS["forbidden"][0]
    found = await redis_findings(settings_at(f"unix://enough:x@{server.path}"))
    assert "does not tell its version" in found[0].text
    assert found[-1].text == "no server uses it now, 30 of 30 requests of this minute are left"
    told = shown(found)
    assert "no session can go on at another server" in told, "these need more rights"
    client.execute_command("ACL", "SETUSER", "enough", "+hsetnx", "+hexists", "+del", "+pttl")
    url, more = f"unix://enough:x@{server.path}", "conversations are not kept"
    assert shown(await redis_findings(settings_at(url))).count("may not") == 0
    assert more in shown(await redis_findings(settings_at(url, store="redis")))
    client.execute_command("ACL", "SETUSER", "enough", "+zremrangebyrank")
    assert more not in shown(await redis_findings(settings_at(url, store="redis")))


@pytest.mark.parametrize(
    ("option", "value", "kind"), [("maxmemory", 1, "memory"), ("min-replicas-to-write", 1, "refuses_writes")]
)
async def test_one_that_answers_and_takes_no_writes(
    server: RedisServer, option: str, value: int, kind: str
) -> None:
    client_of(server).config_set(option, value)
    found = await redis_findings(settings_at(server.url, store="redis"))
    bad = [one.text for one in found if one.verdict is Verdict.BAD]
    assert bad
    assert all(text.startswith(PROBLEMS[kind][0]) for text in bad)


async def test_a_replica_and_one_that_may_forget(server: RedisServer) -> None:
    client = client_of(server)
    client.config_set("maxmemory", 100_000_000)
    client.config_set("maxmemory-policy", "allkeys-lru")
    found = await redis_findings(settings_at(server.url))
    assert [one.text for one in found if one.verdict is Verdict.NOTE] == ["may forget requests (allkeys-lru)"]
    client.execute_command("REPLICAOF", "127.0.0.1", "1")
    assert (await only(server.url)).text == PROBLEMS["replica"][0]


async def test_with_the_sandbox_the_account_is_not_shared_and_that_is_said(server: RedisServer) -> None:
    settings = dataclasses.replace(settings_at(server.url), api_key=None)
    assert settings.use_sandbox
    assert "not used" in (await redis_findings(settings))[-1].text


def test_every_kind_of_error_has_a_sentence() -> None:
    import ssl

    from redis import exceptions
    from redis.asyncio.sentinel import MasterNotFoundError

    assert set(PROBLEMS) == set(KINDS)
    tls = exceptions.ConnectionError()
    tls.__context__ = ssl.SSLError()
    for error, kind in [
        (tls, "tls"),
        (MasterNotFoundError(), "no_master"),
        (exceptions.BusyLoadingError(), "loading"),
        (exceptions.TimeoutError(), "timeout"),
        (TimeoutError(), "timeout"),
        (exceptions.OutOfMemoryError(), "memory"),
        (exceptions.MovedError("1 h:1"), "cluster"),
        (OSError(), "unreachable"),
        (exceptions.ResponseError(), "other"),
    ]:
        assert kind_of(error) == kind
