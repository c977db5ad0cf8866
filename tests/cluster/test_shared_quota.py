"""One account, several nodes, a real Redis: the limit is kept exactly, permits are asked for ahead and go back."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core.quota import HOLD_MS
from realtime.errors import ProviderRejected
from realtime.minimax.speech import Transport
from realtime.providers import redis_link, redis_permit, redis_quota
from realtime.providers.base import Voice
from realtime.providers.minimax.speech import MiniMaxSpeech
from tests.cluster.nodes import ANSWERS_S, KEY, LIMIT, Node, all_know, nodes_at, until
from tests.cluster.redis_server import RedisServer
from tests.providers.minimax.scripted_speech import ScriptedClient

PLACES = f"{KEY}:speech"


@pytest.fixture(autouse=True)
def says_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine may be busy: a node that leaves has time to say so."""
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
        await all_know([node])
        permits = [node.quota.ask(0.0) for _ in range(3)]
        await until(lambda: client.zcard(PLACES) == 3)
        permits[0].give_back()
        permits[0].give_back()
        await permits[1].use()
        await permits[1].leaves()
        permits[1].give_back()
        await permits[2].use()
        permits[2].give_back()
        await until(lambda: client.zcard(PLACES) == 1)
        assert node.quota.tally.returned == 1


async def test_a_permit_counts_as_now_until_its_request_leaves(kept_server: RedisServer, client) -> None:
    async with nodes_at(kept_server.url, 1, limit=1) as (node,):
        await all_know([node])
        permit = node.quota.ask(0.0)
        await until(lambda: client.zcard(PLACES) == 1)
        ((_, open_until),) = client.zrange(PLACES, 0, -1, withscores=True)
        await permit.use()
        seconds, _ = client.time()
        await permit.leaves()
        await until(lambda: client.zrange(PLACES, 0, -1, withscores=True)[0][1] < open_until)
        ((_, left_ms),) = client.zrange(PLACES, 0, -1, withscores=True)
        assert seconds * 1000 - 1 <= left_ms < open_until - HOLD_MS + 60_000


async def test_a_second_request_with_one_permit_is_one_more(kept_server: RedisServer, client) -> None:
    async with nodes_at(kept_server.url, 1, limit=2) as (node,):
        await all_know([node])
        permit = node.quota.ask(0.0)
        await permit.leaves()
        await permit.leaves()
        assert client.zcard(PLACES) == 2
        with pytest.raises(ProviderRejected):
            await permit.leaves()


async def test_a_place_that_was_refused_ahead_is_asked_for_again_when_it_is_needed(
    kept_server: RedisServer, client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_permit, "ASK_AGAIN_MS", 0)
    async with nodes_at(kept_server.url, 1, limit=1) as (node,):
        await all_know([node])
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
        await nodes[0].quota.send("look")  # one answer comes after the other: now Redis knows
        assert await nodes[1].take(LIMIT) == LIMIT * 4 // 5


async def test_a_node_that_leaves_says_farewell_and_gives_its_spare_permits_back(kept_server, client) -> None:
    """One is used at once, without a word to Redis; later there are as many again."""
    async with nodes_at(kept_server.url, 1, spare=True) as (node,):
        await all_know([node])
        spare = node.quota.left() // redis_quota.SPARE_PART
        await until(lambda: client.zcard(PLACES) == spare)
        assert node.quota.left() == LIMIT
        permit = node.quota.ask(0.0)
        assert permit.in_hand
        await permit.leaves()
        await until(lambda: client.zcard(PLACES) == spare + 1)
    assert client.zcard(PLACES) == 1, "the request that was sent"
    assert client.zcard(f"{KEY}:speech:nodes") == 0


async def test_spare_permits_are_for_all_when_little_is_left(kept_server, client) -> None:
    async with nodes_at(kept_server.url, 2, spare=True) as (one, two):
        await all_know([one, two])
        await until(lambda: client.zcard(PLACES) == 2 * (LIMIT // redis_quota.SPARE_PART // 2))
        sent = await one.take(LIMIT)
        await until(lambda: client.zcard(PLACES) == sent)
        await all_know([one, two])
        assert sent + await one.take(LIMIT) == LIMIT


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
        await all_know([node])
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
