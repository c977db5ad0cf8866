"""One account, several nodes, a real Redis: the limit is kept exactly, permits are asked for ahead and go back."""

from __future__ import annotations

import asyncio

import pytest

from realtime.errors import ProviderRejected
from realtime.minimax.speech import Transport
from realtime.providers import redis_link, redis_quota
from realtime.providers.base import Voice
from realtime.providers.minimax.speech import MiniMaxSpeech
from tests.cluster.nodes import ANSWERS_S, KEY, LIMIT, Node, all_know, nodes_at, until
from tests.cluster.redis_server import RedisServer
from tests.providers.minimax.scripted_speech import ScriptedClient

PLACES = f"{KEY}:speech"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine may be busy: an answer of Redis may take its time."""
    monkeypatch.setattr(redis_quota, "LIMIT_S", ANSWERS_S)
    monkeypatch.setattr(redis_link, "LIMIT_S", ANSWERS_S)


@pytest.fixture
def client(kept_server: RedisServer):
    from redis import Redis

    client = Redis(unix_socket_path=str(kept_server.path))
    client.flushall()
    yield client
    client.close()


async def test_three_nodes_send_as_many_requests_as_one_may(kept_server: RedisServer, client) -> None:
    async with nodes_at(kept_server.url, 3) as nodes:
        await all_know(nodes)
        sent = await asyncio.gather(*(node.take(LIMIT) for node in nodes))
        assert sum(sent) == LIMIT == client.zcard(PLACES)
        await nodes[0].quota.send("look")
        assert nodes[0].quota.left() == 0
        with pytest.raises(ProviderRejected, match=r"speech requests of this minute .* 6[01] s"):
            await nodes[1].quota.ask(5.0).use()


async def test_the_idle_node_leaves_everything_to_the_busy_ones(kept_server: RedisServer, client) -> None:
    async with nodes_at(kept_server.url, 3) as nodes:
        await all_know(nodes)
        assert await nodes[2].take(LIMIT + 5) == LIMIT


async def test_a_permit_that_is_not_needed_goes_back(kept_server: RedisServer, client) -> None:
    async with nodes_at(kept_server.url, 1) as (node,):
        await node.link.send(redis_quota.SCRIPT, node.quota._keys, "look", "node 0", LIMIT)
        permits = [node.quota.ask(0.0) for _ in range(3)]
        await until(lambda: client.zcard(PLACES) == 3)
        permits[0].give_back()
        permits[0].give_back()
        await permits[1].use()
        permits[1].give_back()
        await until(lambda: client.zcard(PLACES) == 2)
        permits[2].give_back()
        await until(lambda: client.zcard(PLACES) == 1)


async def test_a_permit_that_was_in_hand_for_a_while_is_dated_anew_when_it_is_used(
    kept_server: RedisServer, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_quota, "IN_HAND_MS", 50)
    async with nodes_at(kept_server.url, 1, limit=1) as (node,):
        permit = node.quota.ask(0.0)
        await until(lambda: client.zcard(PLACES) == 1)
        ((_, before),) = client.zrange(PLACES, 0, -1, withscores=True)
        await asyncio.sleep(0.1)
        await permit.use()
        await until(lambda: client.zrange(PLACES, 0, -1, withscores=True)[0][1] >= before + 50)


async def test_a_place_that_was_refused_ahead_is_asked_for_again_when_it_is_needed(
    kept_server: RedisServer, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_quota, "IN_HAND_MS", 0)
    async with nodes_at(kept_server.url, 1, limit=1) as (node,):
        first, second = node.quota.ask(0.0), node.quota.ask(0.0)
        await until(lambda: client.zcard(PLACES) == 1)
        await node.quota.send("look")
        first.give_back()
        await asyncio.sleep(0.01)
        await second.use()
        assert client.zcard(PLACES) == 1


async def test_a_refusal_on_one_node_lowers_the_limit_of_all(kept_server: RedisServer, client) -> None:
    async with nodes_at(kept_server.url, 2) as nodes:
        await all_know(nodes)
        nodes[0].quota.refused()
        nodes[0].quota.refused()
        assert await nodes[1].take(LIMIT) == LIMIT * 4 // 5


async def test_a_node_that_leaves_says_farewell_and_gives_its_spare_permit_back(kept_server, client) -> None:
    async with nodes_at(kept_server.url, 1, spare=True) as (node,):
        await until(lambda: client.zcard(PLACES) == 1)
        assert await node.take(1) == 1
        await until(lambda: client.zcard(PLACES) == 2, most_s=20)
    assert client.zcard(PLACES) == 1, "the request that was sent"
    assert client.zcard(f"{KEY}:speech:nodes") == 0


async def speaking(node: Node) -> MiniMaxSpeech:
    speech = MiniMaxSpeech(
        ScriptedClient(), transport=Transport.ORDINARY, connections=20, rpm=1000, budget_wait_s=5.0
    )
    speech.use_quota(node.quota)
    return speech


async def test_a_reply_has_its_permit_before_it_has_a_text_and_needs_none_if_it_says_nothing(
    kept_server, client
) -> None:
    async with nodes_at(kept_server.url, 1) as (node,):
        await node.quota.send("look")
        speech = await speaking(node)
        async with speech.open(Voice("v")):
            await until(lambda: client.zcard(PLACES) == 1)
        await until(lambda: client.zcard(PLACES) == 0)
        async with speech.open(Voice("v")) as utterance:
            await until(lambda: client.zcard(PLACES) == 1)
            await utterance.say("bado fel.")
            assert client.zcard(PLACES) == 1, "the first chunk uses the one in hand"
            await utterance.say("gan dor.")
            assert client.zcard(PLACES) == 2
        assert client.zcard(PLACES) == 2
        await speech.aclose()
