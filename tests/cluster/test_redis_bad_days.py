"""Redis on a bad day: whoever talks goes on, the account is never overdrawn, and the log says it once."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest

from realtime.core.own_part import UNKNOWN_NODES
from realtime.core.quota import SILENT_MS, share_of
from realtime.providers import redis_link, redis_permit
from tests.cluster.nodes import KEY, LIMIT, Node, all_know, nodes_at, until
from tests.cluster.redis_server import SECRET, RedisServer

PLACES = f"{KEY}:speech"
NODES = f"{KEY}:speech:nodes"


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a node to trust Redis again."""
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


async def take_the_rest(nodes: list[Node]) -> int:
    """Also what other nodes had in hand until they saw that little is left."""
    sent = 0
    for _ in range(3):
        sent += await take_all(nodes)
        for node in nodes:
            node.quota._keep_spares()
        await all_know(nodes)
    return sent


async def spares_of(nodes: list[Node], each: int) -> None:
    """Wait until each node has so many permits in hand."""
    await until(
        lambda: [sum(spare.in_hand for spare in node.quota._spares) for node in nodes] == [each] * len(nodes)
    )


def left_already(server: RedisServer) -> int:
    """How many requests have left, as Redis knows; the other places are open."""
    client = client_of(server)
    seconds, _ = client.time()
    left = client.zcount(PLACES, 0, seconds * 1000 + 1000)
    client.close()
    return int(left)


async def test_redis_that_was_never_there(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    server.kill()
    async with nodes_at(server.url, 1) as (node,):
        await away(node)
        assert not node.link.seen
        assert "ConnectionError" in str(node.link.problem)
        alone = await node.take(LIMIT)
        assert alone == share_of(LIMIT, UNKNOWN_NODES), "there may be others"
        server.start()
        await back(node)
        assert node.link.problem is None
        await until(lambda: client_of(server).zcard(PLACES) == alone)
        assert alone + await node.take(LIMIT) == LIMIT
    assert lines(caplog) == ["redis is away", "redis is back"]


async def test_redis_that_dies_and_comes_back_empty(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """What is in hand can be sent at once; beyond it, nobody has more than before until a minute has passed."""
    async with nodes_at(server.url, 3, spare=True) as nodes:
        await all_know(nodes)
        await spares_of(nodes, 2)
        sent = await nodes[0].take(2) + await nodes[1].take(1)
        await spares_of(nodes, 2)
        server.kill()
        await away(*nodes)
        assert await take_all(nodes) == 6
        sent += 6
        assert await take_all(nodes) == 0
        server.start()
        await back(*nodes)
        await until(lambda: left_already(server) == sent)
        assert sent + await take_the_rest(nodes) == LIMIT == left_already(server)
    assert sorted(lines(caplog)) == ["redis is away"] * 3 + ["redis is back"] * 3


async def test_a_full_account_stays_full_when_redis_dies_and_when_it_is_back_empty(
    server: RedisServer,
) -> None:
    """Also for a node that had less than its share, and before the one that had everything is back."""
    line = server.folder / "line.sock"
    line.symlink_to(server.path)
    async with nodes_at(f"unix://{line}", 1, name="full") as full, nodes_at(server.url, 2) as others:
        await all_know([*full, *others])
        assert await full[0].take(LIMIT) == LIMIT
        await all_know([*full, *others])
        line.unlink()
        server.kill()
        await away(*full, *others)
        assert await take_all(others) == 0
        server.start()
        await until(lambda: all(node.link.up for node in others))
        for _ in range(5):
            assert await take_all(others) == 0
            await asyncio.sleep(0.05)
        line.symlink_to(server.path)
        await back(*full, *others)
        assert left_already(server) == LIMIT
        assert await take_all(others) == 0


async def test_a_server_that_forgets_everything_while_it_runs_is_told_again(server: RedisServer) -> None:
    """No connection is lost, so nobody else says that something is missing."""
    client = client_of(server)
    async with nodes_at(server.url, 2) as nodes:
        await all_know(nodes)
        assert await nodes[0].take(LIMIT) == LIMIT
        await all_know(nodes)
        client.flushall()
        assert await nodes[1].take(LIMIT) == 0
        await until(lambda: left_already(server) == LIMIT)
        await back(*nodes)
        assert await take_all(nodes) == 0
    client.close()


@pytest.mark.parametrize("part", ["speech", "speech:nodes", "speech:known"])
async def test_a_server_that_evicts_a_part_is_told_again(server: RedisServer, part: str) -> None:
    """All keys have an expiry, so most policies for a full memory may choose any of them."""
    client = client_of(server)
    async with nodes_at(server.url, 2) as nodes:
        await all_know(nodes)
        assert await nodes[0].take(LIMIT) == LIMIT
        await all_know(nodes)
        client.delete(f"{KEY}:{part}")
        assert await nodes[1].take(LIMIT) == 0
        await until(lambda: left_already(server) == LIMIT)
        await back(*nodes)
        assert await take_all(nodes) == 0
    client.close()


async def test_the_first_words_on_a_connection_are_the_own_last_minute(server: RedisServer) -> None:
    """The library opens one by itself where the server has closed it, before it sends what was asked."""
    client = client_of(server)
    async with nodes_at(server.url, 1) as (node,):
        await all_know([node])
        assert await node.take(LIMIT) == LIMIT
        client.flushall()
        for connection in client.client_list():
            if connection["id"] != str(client.client_id()):
                client.client_kill_filter(_id=connection["id"])
        results = [node.quota.send("take", "one more", 0), node.quota.send("look")]
        assert (await results[0] or [1])[0] > 0
        await until(lambda: left_already(server) == LIMIT)
    client.close()


async def test_frozen_redis_is_not_waited_for(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_permit, "LIMIT_S", 0.25)
    async with nodes_at(server.url, 1, limit_s=0.25, spare=True) as (node,):
        await all_know([node])
        await spares_of([node], 7)
        server.freeze()
        assert await node.take(3) == 3, "what is in hand"
        await away(node)
        assert await node.take(3) == 3
        server.wake()
        await until(lambda: node.link.up)
        await until(lambda: left_already(server) == 6)


async def test_slow_redis_is_not_waited_for(server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer comes, for as long as somebody holds it up."""
    monkeypatch.setattr(redis_permit, "LIMIT_S", 0.25)
    client = client_of(server)
    async with nodes_at(server.url, 1, limit_s=0.25, spare=True) as (node,):
        await all_know([node])
        await spares_of([node], 7)
        client.execute_command("CLIENT", "PAUSE", 60_000, "ALL")
        assert await node.take(2) == 2
        await away(node)
        assert await node.take(2) == 2
    client.close()


async def test_who_has_nothing_in_hand_waits_until_the_others_leave_its_part_alone(
    server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it has as much as it had before."""
    monkeypatch.setattr(redis_permit, "LIMIT_S", 0.25)
    async with nodes_at(server.url, 1, limit_s=0.25) as (node,):
        await all_know([node])
        held = [node.quota.ask(0.0) for _ in range(2)]
        await node.quota.send("look")
        server.kill()
        await away(node)
        for permit in held:
            permit.give_back()
        began_s = asyncio.get_running_loop().time()
        assert await node.take(1, wait_s=5.0) == 0, "it had nothing"
        assert await node.take(1) == 0
        assert asyncio.get_running_loop().time() - began_s < 5.0


async def test_a_replica_that_takes_no_writes_is_away(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    client = client_of(server)
    async with nodes_at(server.url, 1, spare=True) as (node,):
        await all_know([node])
        await spares_of([node], 7)
        client.execute_command("REPLICAOF", "127.0.0.1", "1")
        await away(node)
        await asyncio.sleep(0.3)  # several looks
        assert await node.take(1) == 1
        client.execute_command("REPLICAOF", "NO", "ONE")
        await back(node)
        await until(lambda: left_already(server) == 1)
    assert lines(caplog) == ["redis is away", "redis is back"], "a replica answers, and is not back for that"
    client.close()


async def test_redis_without_memory_still_counts(server: RedisServer) -> None:
    """What the script deletes first makes room, so Redis lets it write."""
    client = client_of(server)
    async with nodes_at(server.url, 1) as (node,):
        await until(lambda: node.link.seen)
        await all_know([node])
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
    client, line = client_of(server), server.folder / "line.sock"
    line.symlink_to(server.path)
    async with AsyncExitStack() as stack:
        (far,) = await stack.enter_async_context(nodes_at(f"unix://{line}", 1, name="far", spare=True))
        await all_know([far])
        of_far = {connection["id"] for connection in client.client_list()} - {str(client.client_id())}
        one, two = await stack.enter_async_context(nodes_at(server.url, 2))
        await all_know([one, two, far])
        await spares_of([far], 2)
        sent = await one.take(3)
        await all_know([one, two, far])
        line.unlink()
        for connection in of_far:
            client.client_kill_filter(_id=connection)
        await away(far)
        (known,) = [name for name in client.zrange(NODES, 0, -1) if name.endswith(b" far 0")]
        client.zadd(NODES, {known: client.time()[0] * 1000 - SILENT_MS})
        await one.quota.send("look")
        sent += await take_all([one, two])
        aside = share_of(LIMIT, 3) - 2  # far has places for two of its share
        assert client.zcard(PLACES) == LIMIT - aside
        sent += await far.take(LIMIT)
        assert sent == LIMIT - aside, "it sent what it had in hand"
        line.symlink_to(server.path)
        await back(one, two, far)
        await until(lambda: left_already(server) == sent)
        assert sent + await take_the_rest([one, two, far]) == LIMIT
    client.close()
