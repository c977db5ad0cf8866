"""The store on a Redis that forgets, dies and comes back: what a session has said is there again, and nobody waits."""

from __future__ import annotations

import asyncio

import pytest

from realtime.core.conversation import Conversation, Message, Text
from realtime.errors import ConfigError, ConversationForgotten, ProviderUnavailable
from realtime.providers import redis_link, redis_store
from realtime.providers.redis_store import RedisStore
from realtime.providers.store import FIRST_EPOCH, Changes, LateItem
from realtime.server import persistence
from realtime.server.persistence import Persistence
from realtime.settings import Settings
from tests.cluster.nodes import until
from tests.cluster.redis_server import RedisServer


def said(conversation: Conversation, item_id: str) -> None:
    conversation.add(Message(item_id, "user", (Text(item_id),)))


@pytest.fixture
async def store(server: RedisServer):
    made = RedisStore(redis_store.open_link(server.url, "conversations"), "rt:", own=True)
    made._link._probe_s = (0.02, 0.05)
    yield made
    await made.aclose()


def keys_of(server: RedisServer) -> dict[bytes, int]:
    """With the ms that each has to live."""
    from redis import Redis

    with Redis(unix_socket_path=str(server.path)) as client:
        return {key: client.pttl(key) for key in client.scan_iter()}


async def test_every_key_has_a_tag_and_an_end_and_names_nobody(
    server: RedisServer, store: RedisStore
) -> None:
    await store.save("ada", "conv_1", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    await store.take("ada", "conv_1")
    await store.save("ada", "conv_2", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    await store.forget("ada", "conv_2")
    assert [each.id for each in await store.listing("ada", 9)] == ["conv_1"]
    keys = keys_of(server)
    assert len(keys) == 3  # one of them says that it was deleted
    assert all(key.startswith(b"rt:{") and b"}:" in key for key in keys)
    assert not any(b"ada" in key or b"conv_" in key for key in keys)
    assert all(0 < ms <= redis_store.KEEP_MS for ms in keys.values())


async def test_who_keeps_a_conversation_for_a_minute_does_not_end_it_for_the_others(
    server: RedisServer, store: RedisStore
) -> None:
    brief = RedisStore(store._link, "rt:", keep_ms=60_000, listed=False)
    await brief.save("ada", "conv_1", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    await store.take("ada", "conv_1")
    [ends_ms] = keys_of(server).values()
    assert ends_ms > 29 * 86_400_000
    await brief.take("ada", "conv_1")
    await brief.load("ada", "conv_1")
    await brief.save("ada", "conv_1", 9, Changes(["a", "b"], {"b": b"2"}))
    await brief.add_late("ada", "conv_1", ["a", "c"], {"c": LateItem(None, b"3")})
    [ends_ms] = keys_of(server).values()
    assert ends_ms > 29 * 86_400_000


async def test_a_redis_that_has_lost_items_gets_all_of_them_again(
    server: RedisServer, store: RedisStore
) -> None:
    conversation = Conversation()
    kept = Persistence(store, "me", "conv_1", conversation)
    said(conversation, "one")
    assert await kept.save_all()
    server.kill()
    server.start()
    said(conversation, "two")
    # The first one may meet the connection that is lost
    assert await kept.save_all() or await kept.save_all()
    assert len(await store.load("me", "conv_1") or ()) == 2
    with pytest.raises(ConversationForgotten):
        await store.save("me", "conv_2", FIRST_EPOCH, Changes(["a", "b"], {"b": b"2"}))


async def test_of_a_save_that_lacks_an_item_nothing_is_written(store: RedisStore) -> None:
    """Else the next save would find it in the order, and nobody would notice that it is lost."""
    await store.save("me", "conv_1", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    for _ in range(2):
        with pytest.raises(ConversationForgotten):
            await store.save("me", "conv_1", FIRST_EPOCH, Changes(["a", "b", "c"], {"c": b"3"}, {"a"}))
        assert await store.load("me", "conv_1") == (b"1",)
    await store.save("me", "conv_1", FIRST_EPOCH, Changes(["a", "b", "c"], {"b": b"2", "c": b"3"}))
    assert await store.load("me", "conv_1") == (b"1", b"2", b"3")


async def test_while_redis_is_away_a_save_is_tried_again_and_nothing_waits(
    server: RedisServer, store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persistence, "RETRY_S", 0.02)

    conversation = Conversation()
    kept = Persistence(store, "me", "conv_1", conversation)
    server.kill()
    with pytest.raises(ProviderUnavailable):
        await store.load("me", "conv_1")
    said(conversation, "one")
    saving = asyncio.create_task(kept.run())
    kept._changed.set()
    await until(lambda: not store._link.up and kept._failing)
    server.start()
    await until(lambda: store._link.up and not kept._failing)
    saving.cancel()
    await asyncio.gather(saving, return_exceptions=True)
    assert len(await store.load("me", "conv_1") or ()) == 1


async def test_a_deleted_item_does_not_come_back_with_what_was_said_late(store: RedisStore) -> None:
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a", "b"], {"a": b"1", "b": b"2"}))
    await store.save("me", "conv", FIRST_EPOCH, Changes(["b"], {}, {"a"}))
    await store.add_late("me", "conv", ["a", "b"], {"a": LateItem(None, b"again"), "b": LateItem(b"2", b"3")})
    assert await store.load("me", "conv") == (b"3",)


def losing(store: RedisStore, monkeypatch: pytest.MonkeyPatch, number: int) -> list[int]:
    """From now on Redis does everything, and the answers of round trips with scripts are lost, so many of them."""
    ask, lost = store._link._ask, []

    async def late(calls):
        answers = await ask(calls)
        if calls and len(lost) < number:
            lost.append(len(calls))
            raise TimeoutError
        return answers

    monkeypatch.setattr(store._link, "_ask", late)
    return lost


async def test_a_save_whose_answer_was_lost_is_listed(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "STALE_S", 0.0)  # so the link sends it once more by itself
    await store.load("me", "conv")
    lost = losing(store, monkeypatch, 1)
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    assert lost == [1]
    assert [each.id for each in await store.listing("me", 9)] == ["conv"]


async def test_a_save_that_is_tried_again_is_listed(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.load("me", "conv")
    losing(store, monkeypatch, 1)
    with pytest.raises(ProviderUnavailable):
        await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
    assert [each.id for each in await store.listing("me", 9)] == ["conv"]


async def test_a_redis_that_forgot_everything_lists_what_is_saved_again(
    server: RedisServer, store: RedisStore
) -> None:
    from redis import Redis

    for _ in range(2):
        await store.save("me", "conv", FIRST_EPOCH, Changes(["a"], {"a": b"1"}))
        assert [each.id for each in await store.listing("me", 9)] == ["conv"]
        with Redis(unix_socket_path=str(server.path)) as client:
            client.flushall()
        await asyncio.sleep(0.002)  # it is created at another time


def test_the_store_needs_an_address() -> None:
    with pytest.raises(ConfigError, match="REALTIME_REDIS"):
        redis_store.create(Settings(store="redis"))
