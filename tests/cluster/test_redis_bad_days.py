"""Redis on a bad day: whoever talks goes on, the account is never overdrawn, and the log says it once."""

from __future__ import annotations

import asyncio
import logging

import pytest

from realtime.core.quota import SILENT_MS, share_of
from realtime.providers import redis_link, redis_quota
from tests.cluster.nodes import ANSWERS_S, KEY, LIMIT, Node, all_know, nodes_at, until
from tests.cluster.redis_server import SECRET, RedisServer

PLACES = f"{KEY}:speech"


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine has time to answer; and nobody waits long for a node to trust Redis again."""
    monkeypatch.setattr(redis_quota, "LIMIT_S", ANSWERS_S)
    monkeypatch.setattr(redis_quota, "APART_MS", 300)
    monkeypatch.setattr(redis_link, "LIMIT_S", 0.25)


def client_of(server: RedisServer, **more):
    from redis import Redis

    return Redis(unix_socket_path=str(server.path), **more)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage().partition(" (")[0]
        for record in caplog.records
        if record.name == redis_link.__name__
    ]


async def away(*nodes: Node) -> None:
    """It takes three losses: the look of every second would take its time."""

    def lost() -> bool:
        for node in nodes:
            node.quota.send("look")
        return not any(node.link.up for node in nodes)

    await until(lost)


async def back(*nodes: Node) -> None:
    await until(lambda: all(node.link.up and not node.quota.apart for node in nodes))


async def take_all(nodes: list[Node]) -> int:
    return sum(await asyncio.gather(*(node.take(LIMIT) for node in nodes)))


async def test_redis_that_was_never_there(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    server.kill()
    async with nodes_at(server.url, 1) as (node,):
        await away(node)
        assert not node.link.seen
        assert "ConnectionError" in str(node.link.problem)
        alone = await node.take(LIMIT)
        assert alone == share_of(LIMIT, redis_quota.UNKNOWN_NODES), "there may be others"
        server.start()
        await back(node)
        assert node.link.problem is None
        await until(lambda: client_of(server).zcard(PLACES) == alone)
        assert alone + await node.take(LIMIT) == LIMIT
    assert lines(caplog) == ["redis is away", "redis is back"]


async def test_redis_that_dies_and_comes_back_empty(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with nodes_at(server.url, 3) as nodes:
        await all_know(nodes)
        sent = await nodes[0].take(4) + await nodes[1].take(2)
        await all_know(nodes)
        server.kill()
        await away(*nodes)
        sent += await take_all(nodes)
        assert 0.6 * LIMIT <= sent <= LIMIT
        assert await take_all(nodes) == 0
        server.start()
        await back(*nodes)
        await until(lambda: client_of(server).zcard(PLACES) == sent)
        assert sent + await take_all(nodes) == LIMIT
    assert sorted(lines(caplog)) == ["redis is away"] * 3 + ["redis is back"] * 3


async def test_a_full_account_stays_full_when_redis_dies(server: RedisServer) -> None:
    """Also for a node that had less than its share: what was left is all that can be shared."""
    async with nodes_at(server.url, 3) as nodes:
        await all_know(nodes)
        assert await nodes[0].take(LIMIT) == LIMIT
        await all_know(nodes)
        server.kill()
        await away(*nodes)
        assert await take_all(nodes) == 0


async def test_frozen_redis_is_not_waited_for(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_quota, "LIMIT_S", 0.25)
    async with nodes_at(server.url, 1, limit_s=0.25) as (node,):
        await until(lambda: node.link.seen)
        await node.quota.send("look")
        server.freeze()
        assert await node.take(3) == 3, "by its own log"
        await away(node)
        assert await node.take(3) == 3
        server.wake()
        await until(lambda: node.link.up)
        await until(lambda: client_of(server).zcard(PLACES) == 6)


async def test_slow_redis_is_not_waited_for(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer takes half a second, for as long as somebody holds it up."""
    monkeypatch.setattr(redis_quota, "LIMIT_S", 0.25)
    client = client_of(server)
    async with nodes_at(server.url, 1, limit_s=0.25) as (node,):
        await until(lambda: node.link.seen)
        await node.quota.send("look")
        client.execute_command("CLIENT", "PAUSE", 60_000, "ALL")
        assert await node.take(2) == 2
        await away(node)
        assert await node.take(2) == 2
    client.close()


async def test_a_replica_that_takes_no_writes_is_away(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(server)
    async with nodes_at(server.url, 1) as (node,):
        await until(lambda: node.link.seen)
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        await away(node)
        await asyncio.sleep(0.3)  # several looks
        assert await node.take(1) == 1
        client.execute_command("REPLICAOF", "NO", "ONE")
        await back(node)
        await until(lambda: client.zcard(PLACES) == 1)
    assert lines(caplog) == ["redis is away", "redis is back"], "a replica answers, and is not back for that"
    client.close()


async def test_redis_without_memory_still_counts(server: RedisServer) -> None:
    """What the script deletes first makes room, so Redis lets it write."""
    client = client_of(server)
    async with nodes_at(server.url, 1) as (node,):
        await until(lambda: node.link.seen)
        client.config_set("maxmemory", 1)
        assert await node.take(LIMIT + 1) == LIMIT == client.zcard(PLACES)
        assert node.link.up
        client.config_set("maxmemory", 0)
    client.close()


async def test_a_wrong_password_is_told_and_no_password_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = RedisServer("requirepass right").start()
    try:
        async with nodes_at(f"unix://:{SECRET}@{server.path}", 1) as (node,):
            await away(node)
            assert "AuthenticationError" in str(node.link.problem)
            assert await node.take(1) == 1
            shown = repr(node.link) + repr(node.quota) + str(node.link.problem) + caplog.text
            assert SECRET not in shown
        async with nodes_at(f"unix://:right@{server.path}", 1) as (node,):
            await until(lambda: node.link.seen)
    finally:
        server.close()


async def test_forgotten_scripts_are_sent_again(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(server)
    async with nodes_at(server.url, 1) as (node,):
        await until(lambda: node.link.seen)
        for _ in range(3):
            client.script_flush()
            assert await node.take(1) == 1
        assert client.zcard(PLACES) == 3
    assert lines(caplog) == []
    client.close()


async def test_a_caller_that_is_cancelled_mixes_up_no_answers(server: RedisServer) -> None:
    """The script runs to its end; its place goes back, and the next answer belongs to the next question."""
    client = client_of(server)
    async with nodes_at(server.url, 1) as (node,):
        await until(lambda: node.link.seen)
        server.freeze()
        waiting = [asyncio.create_task(node.take(1)) for _ in range(3)]
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        server.wake()
        assert (await node.quota.send("take", "mine", 0))[:2] == [0, LIMIT - 1]
        assert client.zrange(PLACES, 0, -1) == [b"mine"]
    client.close()


async def test_what_waits_for_redis_is_bounded(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_link, "LONGEST_QUEUE", 5)
    async with nodes_at(server.url, 1) as (node,):
        await until(lambda: node.link.seen)
        server.freeze()
        results = [node.quota.send("look") for _ in range(20)]
        lost = sum(result.done() and result.result() is None for result in results)
        assert lost == 15
        server.wake()
        assert await results[0] is not None


async def test_one_node_that_is_cut_off_has_its_share_and_the_others_keep_it_aside(
    server: RedisServer,
) -> None:
    """Also if it was idle before: then it has its part of what was left."""
    client, line = client_of(server), server.folder / "line.sock"
    line.symlink_to(server.path)
    async with nodes_at(server.url, 2) as (one, two), nodes_at(f"unix://{line}", 1, name="far") as (far,):
        await all_know([one, two, far])
        sent = await one.take(3)
        await all_know([one, two, far])
        line.unlink()
        for connection in client.client_list():
            if connection["id"] != str(client.client_id()):
                client.client_kill_filter(_id=connection["id"])
        await away(far)
        sent += await far.take(LIMIT)
        assert sent == 3 + (LIMIT - 3) // 3
        client.zadd(f"{KEY}:speech:nodes", {"far 0": client.time()[0] * 1000 - SILENT_MS})
        await one.quota.send("look")
        sent += await take_all([one, two])
        assert sent <= LIMIT
        assert client.zcard(PLACES) == LIMIT - share_of(LIMIT, 3)
        line.symlink_to(server.path)
        await back(far)
        await until(lambda: client.zcard(PLACES) == sent)
        assert await take_all([one, two, far]) == LIMIT - sent
    client.close()
