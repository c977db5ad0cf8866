"""The contract of every store, and the extra guarantees of the file."""

import asyncio
import sqlite3
import time

import pytest

from realtime.errors import ConfigError, ProviderError
from realtime.providers import sqlite_tables
from realtime.providers.catalog import find
from realtime.providers.checks import check_store
from realtime.providers.memory_store import MemoryStore
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes
from realtime.settings import Settings


async def saved(store, owner, conversation_id, order, changed, deleted=(), epoch=FIRST_EPOCH) -> None:
    await store.save(owner, conversation_id, epoch, Changes(order, changed, deleted))


@pytest.fixture(params=["memory", "sqlite", "redis"])
async def store(request, tmp_path):
    setting = f"sqlite:{tmp_path}/conversations.db" if request.param == "sqlite" else request.param
    redis = request.getfixturevalue("redis_url") if request.param == "redis" else None
    settings = Settings(store=setting, redis=redis, redis_prefix=f"{tmp_path.name}:")
    store = find("store", request.param).create(settings)
    yield store
    await store.aclose()


async def test_a_store_does_what_every_store_must(store):
    await check_store(store, shared=not isinstance(store, MemoryStore))


async def test_a_deleted_item_does_not_come_back(store):
    await saved(store, "me", "conv_1", ["a", "b"], {"a": b"1", "b": b"2"})
    await saved(store, "me", "conv_1", ["b"], {}, {"a"})
    await saved(store, "me", "conv_1", ["a", "b"], {})
    assert await store.load("me", "conv_1") == (b"2",)


# -- memory


async def test_memory_is_limited_and_the_least_recently_used_are_dropped_first():
    store = MemoryStore(max_bytes=20_000)
    for number in range(5):
        await saved(store, "me", f"conv_{number}", ["a"], {"a": b"x" * 6_000})
        assert await store.load("me", "conv_0") is not None
    assert await store.load("me", "conv_1") is None
    assert await store.load("me", "conv_4") is not None


# -- the file


async def test_the_file_outlives_the_server(tmp_path):
    path = str(tmp_path / "conversations.db")
    store = SqliteStore(path)
    await saved(store, "me", "conv_1", ["a"], {"a": b"1"})
    await store.aclose()
    again = SqliteStore(path)
    assert await again.load("me", "conv_1") == (b"1",)
    await again.aclose()


async def test_two_servers_share_the_file(tmp_path):
    path = str(tmp_path / "conversations.db")
    one, two = SqliteStore(path), SqliteStore(path)
    await saved(one, "me", "conv_1", ["a"], {"a": b"1"})
    assert await two.load("me", "conv_1") == (b"1",)
    await asyncio.gather(
        *(saved(s, "me", f"conv_{n}", ["a"], {"a": b"1"}) for n in range(20) for s in (one, two))
    )
    await one.aclose()
    await two.aclose()


async def test_a_conversation_not_saved_for_a_month_is_deleted(tmp_path):
    path = str(tmp_path / "conversations.db")
    store = SqliteStore(path)
    for number in range(2):
        await saved(store, "me", f"conv_{number}", ["a"], {"a": b"1"})
    await store.aclose()
    with sqlite3.connect(path) as file:
        file.execute(
            "UPDATE conversation SET touched_unix_s = touched_unix_s - 31 * 86400 WHERE id = 'conv_0'"
        )
    file.close()
    again = SqliteStore(path)
    assert await again.load("me", "conv_0") is None
    assert await again.load("me", "conv_1") == (b"1",)
    await again.aclose()


DAY_S = 86_400


class WrongClock:
    """The system's clock, `ahead_s` wrong."""

    def __init__(self, monkeypatch) -> None:
        self.ahead_s, real = 0.0, time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead_s)


async def opened_again(path: str, conversation_id: str, *, save: str = "") -> bool:
    """Whether a server that starts now still has this conversation; it saves another one first."""
    store = SqliteStore(path)
    if save:
        await saved(store, "me", save, ["a"], {"a": b"1"})
    found = await store.load("me", conversation_id)
    await store.aclose()
    return found is not None


@pytest.mark.parametrize("days", [29, 31, 365, 20_000, -31, -10_000])
async def test_a_wrong_clock_deletes_nothing(tmp_path, monkeypatch, days):
    """At a start and in the middle, and also when it is right again; conversations of that time stay too."""
    monkeypatch.setattr(sqlite_tables, "PRUNE_EVERY_S", 0.0)
    path, clock = str(tmp_path / "conversations.db"), WrongClock(monkeypatch)
    assert not await opened_again(path, "conv_none", save="conv_before")
    clock.ahead_s = days * DAY_S
    assert await opened_again(path, "conv_before", save="conv_meanwhile")
    assert await opened_again(path, "conv_before")
    clock.ahead_s = 0.0
    for conversation_id in ("conv_before", "conv_meanwhile"):
        assert await opened_again(path, conversation_id, save="conv_after")


async def test_a_file_of_an_older_version_is_not_emptied_by_a_wrong_clock(tmp_path, monkeypatch):
    path, clock = str(tmp_path / "conversations.db"), WrongClock(monkeypatch)
    await opened_again(path, "conv_none", save="conv_before")
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE clock")
    file.close()
    clock.ahead_s = 40 * DAY_S
    assert await opened_again(path, "conv_before", save="conv_meanwhile")


async def test_a_store_that_is_used_every_day_forgets_after_a_month(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_tables, "PRUNE_EVERY_S", 0.0)
    path, clock = str(tmp_path / "conversations.db"), WrongClock(monkeypatch)
    await opened_again(path, "conv_none", save="conv_old")
    kept_days = 0
    while await opened_again(path, "conv_old", save="conv_new"):
        clock.ahead_s += DAY_S
        kept_days += 1
    assert 30 <= kept_days <= 32


def test_an_unusable_path_is_a_configuration_error(tmp_path):
    (tmp_path / "file").write_text("no database")
    for path in (tmp_path, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match="REALTIME_STORE=sqlite"):
            SqliteStore(str(path))


@pytest.mark.parametrize("path", ["new/talk.db", "new/folder/talk.db"])
def test_a_folder_that_is_not_there_is_not_made(tmp_path, path):
    """It is a mistake in the name, or a volume that is not mounted: nobody would find the conversations again."""
    with pytest.raises(ConfigError, match="there is no folder"):
        SqliteStore(f"{tmp_path}/{path}")
    assert list(tmp_path.iterdir()) == []


async def test_a_new_file_is_told_of(tmp_path, caplog):
    caplog.set_level("INFO")
    for _ in range(2):
        await SqliteStore(str(tmp_path / "talk.db")).aclose()
    assert caplog.text.count("is a new store") == 1


async def test_a_broken_file_is_a_provider_error(tmp_path):
    store = SqliteStore(str(tmp_path / "conversations.db"))
    with sqlite3.connect(tmp_path / "conversations.db") as file:
        file.execute("DROP TABLE item")
    file.close()
    with pytest.raises(ProviderError, match="failed"):
        await saved(store, "me", "conv_1", ["a"], {"a": b"1"})
    await store.aclose()


def test_an_unknown_store_is_named():
    with pytest.raises(ConfigError, match="no store named 'papyrus'"):
        find("store", "papyrus")


async def test_memory_is_limited_for_conversations_without_items_too():
    store = MemoryStore(most=3)
    for number in range(10):
        await saved(store, "me", f"conv_{number}", [], {})
    assert [await store.load("me", f"conv_{number}") is None for number in range(10)] == [True] * 7 + [
        False
    ] * 3
