"""Another file takes the place of the store that is open, as when a backup is restored: it stays whole, and is used."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sqlite3
import sys
import time
from pathlib import Path

import pytest

from realtime.errors import ProviderUnavailable
from realtime.providers import sqlite_store
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be replaced")


@pytest.fixture(autouse=True)
def looks_always(monkeypatch):
    monkeypatch.setattr(sqlite_store, "LOOK_S", 0.0)
    monkeypatch.setattr(sqlite_store, "TOGETHER_S", 0.0)


async def save(store: SqliteStore, conversation_id: str, body: bytes = b"1" * 500) -> None:
    await store.save("me", conversation_id, FIRST_EPOCH, Changes(["a"], {"a": body}))


async def saved(path: Path, *names: str) -> SqliteStore:
    store = SqliteStore(str(path))
    for name in names:
        await save(store, name)
    return store


def back_up(path: Path) -> Path:
    backup = path.with_name("backup.db")
    with (
        contextlib.closing(sqlite3.connect(path)) as file,
        contextlib.closing(sqlite3.connect(backup)) as copy,
    ):
        file.backup(copy)
    return backup


def checkpoint(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def names_in(path: Path) -> set[str]:
    """As a server finds them that is started anew."""
    store = SqliteStore(str(path))
    assert store._file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = {each.id for each in await store.listing("me", 1000)}
    await store.aclose()
    return found


BACKED_UP = [f"first_{number}" for number in range(60)]


@pytest.mark.parametrize("log", ["short", "of more than 1,000 pages", "after a checkpoint"])
async def test_a_backup_that_is_moved_over_an_open_store_is_whole_and_what_follows_is_saved_in_it(
    tmp_path: Path, log: str
):
    path = tmp_path / "talk.db"
    store = await saved(path, *BACKED_UP)
    backup = back_up(path)
    if log == "of more than 1,000 pages":
        await save(store, "long", b"x" * 6_000_000)
    for number in range(60):
        await save(store, f"second_{number}")
    if log == "after a checkpoint":
        checkpoint(path)
        for number in range(40):
            await save(store, f"third_{number}")
    backup.replace(path)
    for number in range(20):
        await save(store, f"after_{number}")
    here = {*BACKED_UP, *(f"after_{number}" for number in range(20))}
    assert {each.id for each in await store.listing("me", 1000)} == here
    await store.aclose()
    assert await names_in(path) == here


@pytest.mark.parametrize("to", ["itself", "a link to it"])
async def test_a_store_that_stops_right_then_leaves_nothing_of_its_own_beside_the_backup(
    tmp_path: Path, to: str
):
    path = named = tmp_path / "talk.db"
    if to == "a link to it":
        named = tmp_path / "link.db"
        named.symlink_to(path)
    store = await saved(named, *BACKED_UP)
    backup = back_up(path)
    await save(store, "second", b"x" * 100_000)
    backup.replace(path)
    await store.aclose()
    assert not [name for name in os.listdir(tmp_path) if name.startswith("talk.db-")]
    assert await names_in(named) == {*BACKED_UP}


async def test_the_log_of_a_worker_that_has_the_new_file_already_stays(tmp_path: Path):
    path = tmp_path / "talk.db"
    one, two = await saved(path, *BACKED_UP), await saved(path, "two")
    backup = back_up(path)
    await save(one, "second")
    backup.replace(path)
    for number in range(20):
        await save(one, f"one_{number}")
        await save(two, f"two_{number}")
    await one.aclose()
    await two.aclose()
    after = {f"{worker}_{number}" for worker in ("one", "two") for number in range(20)}
    assert await names_in(path) == {*BACKED_UP, "two", *after}


async def test_the_old_file_keeps_all_that_was_saved_where_it_was_moved_away(tmp_path: Path):
    path = tmp_path / "talk.db"
    store = await saved(path, "one", "two")
    path.rename(tmp_path / "old.db")
    await save(store, "three")
    await store.aclose()
    assert await names_in(path) == {"three"}
    assert await names_in(tmp_path / "old.db") == {"one", "two"}


async def test_a_file_of_another_program_takes_no_save_and_is_left_as_it_is(tmp_path: Path, caplog):
    path = tmp_path / "talk.db"
    store = await saved(path, "one")
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE conversation (id TEXT)")
    os.replace(tmp_path / "other.db", path)
    for _ in range(3):
        with pytest.raises(ProviderUnavailable, match="no such column"):
            await save(store, "two")
    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("conversation",)]
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING], "nothing goes on there"
    path.unlink()
    await save(store, "two")
    await store.aclose()
    assert await names_in(path) == {"two"}


async def test_a_new_file_that_is_locked_makes_all_wait_once(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sqlite_store, "BUSY_TIMEOUT_S", 0.2)
    path = tmp_path / "talk.db"
    store = await saved(path, "one")
    with contextlib.closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        os.replace(tmp_path / "new.db", path)
        began_s = time.monotonic()
        failed = await asyncio.gather(*(save(store, f"{n}") for n in range(20)), return_exceptions=True)
        took_s = time.monotonic() - began_s
        assert all("locked" in str(each) for each in failed)
        assert took_s < 20 * 0.2 / 2
    await save(store, "two")
    await store.aclose()
    assert await names_in(path) == {"two"}
