"""The file of conversations on bad days: killed writers, a full disk, a lock of somebody else. What was saved is there."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from realtime.errors import ConversationForgotten, ProviderUnavailable
from realtime.providers import sqlite_store
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes

WRITER = """
import asyncio, sys
from realtime.providers.store import FIRST_EPOCH, Changes
from realtime.providers.sqlite_store import SqliteStore
async def main():
    store, order = SqliteStore(sys.argv[1]), []
    for number in range(100_000):
        order = [*order[-20:], f"item_{number}"]
        gone = {f"item_{number - 21}"}
        body = str(number).encode() * 500
        await store.save("me", "conv", FIRST_EPOCH, Changes(order, {order[-1]: body}, gone))
        print(number, flush=True)
asyncio.run(main())
"""


async def saved(store: SqliteStore, item_id: str, body: bytes, conversation_id: str = "conv") -> None:
    await store.save("me", conversation_id, FIRST_EPOCH, Changes([item_id], {item_id: body}))


def replace_file(path: Path, copy: Path | None) -> None:
    for each in path.parent.glob(f"{path.name}*"):
        each.unlink()
    if copy is not None:
        copy.rename(path)


def killed_after(lines: int, path: str) -> int:
    """Kill a writer of this file when it has told of so many saves; returns the last one that it told of."""
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(lines):
            writer.stdout.readline()
        writer.kill()
        told = writer.stdout.read().split()
        return int(told[-1]) if told else lines - 1


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("lines", [1, 60])
async def test_a_writer_that_is_killed_leaves_every_save_whole(tmp_path: Path, lines: int):
    """While it writes, at a moment that nobody chose; what it was told to be saved is there."""
    path = str(tmp_path / "talk.db")
    told = await asyncio.to_thread(killed_after, lines, path)
    store = SqliteStore(path)
    items = await store.load("me", "conv")
    assert items is not None
    numbers = [int(body[: len(body) // 500]) for body in items]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[-1] in (told, told + 1)  # the last one perhaps was not told any more
    assert store._file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    await saved(store, "after", b"1")
    await store.aclose()


async def test_a_full_disk_loses_nothing_and_the_store_goes_on_when_there_is_room(tmp_path: Path):
    store = SqliteStore(str(tmp_path / "talk.db"))
    await saved(store, "a", b"1")
    pages = store._file.execute("PRAGMA page_count").fetchone()[0]
    store._file.execute(f"PRAGMA max_page_count={pages + 1}")
    for _ in range(3):
        with pytest.raises(ProviderUnavailable, match="full"):
            await saved(store, "b", b"x" * 100_000)
        assert await store.load("me", "conv") == (b"1",)
    store._file.execute("PRAGMA max_page_count=100000")
    await store.save("me", "conv", FIRST_EPOCH, Changes(["a", "b"], {"b": b"x" * 100_000}))
    assert await store.load("me", "conv") == (b"1", b"x" * 100_000)
    await store.aclose()


class RefusesOnce:
    """A connection whose first COMMIT fails, as on a disk that fills up right there."""

    def __init__(self, file: sqlite3.Connection) -> None:
        self._file = file
        self._refused = False

    def __getattr__(self, name):
        return getattr(self._file, name)

    def execute(self, sql: str, *args):
        if sql == "COMMIT" and not self._refused:
            self._refused = True
            raise sqlite3.OperationalError("database or disk is full")
        return self._file.execute(sql, *args)


async def test_a_commit_that_fails_is_undone_and_can_be_made_again(tmp_path: Path):
    store = SqliteStore(str(tmp_path / "talk.db"))
    await saved(store, "a", b"1")
    store._file = RefusesOnce(store._file)  # type: ignore[assignment]
    with pytest.raises(ProviderUnavailable, match="full"):
        await saved(store, "a", b"2")
    assert await store.load("me", "conv") == (b"1",)
    await saved(store, "a", b"2")
    assert await store.load("me", "conv") == (b"2",)
    await store.aclose()


async def test_a_lock_of_somebody_else_makes_all_wait_once_and_nothing_is_lost(tmp_path: Path, monkeypatch):
    """Ten calls do not wait ten times as long as one."""
    monkeypatch.setattr(sqlite_store, "BUSY_TIMEOUT_S", 0.3)
    path = tmp_path / "talk.db"
    store = SqliteStore(str(path))
    await saved(store, "a", b"1")
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        begin_s = time.monotonic()
        calls = (saved(store, "a", b"2", f"conv_{number}") for number in range(40))
        failed = await asyncio.gather(*calls, return_exceptions=True)
        took_s = time.monotonic() - begin_s
        assert all(isinstance(each, ProviderUnavailable) and "locked" in str(each) for each in failed)
        assert took_s < 40 * 0.3 / 2
        other.execute("ROLLBACK")
    other.close()
    assert await store.load("me", "conv") == (b"1",)
    await saved(store, "a", b"2")
    await store.aclose()


def test_workers_that_make_a_new_file_together_wait_for_each_other(tmp_path: Path, monkeypatch):
    """Another one has the lock of a file without a write-ahead log: SQLite would give up at once."""
    path = tmp_path / "talk.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(sqlite_store, "time", _Releases(other))
    store = SqliteStore(str(path))
    assert store._file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    store._file.close()


class _Releases:
    """The module `time`; the first sleep ends a transaction of somebody else."""

    monotonic = staticmethod(time.monotonic)

    def __init__(self, other: sqlite3.Connection) -> None:
        self._other = other

    def sleep(self, seconds: float) -> None:
        if self._other.in_transaction:
            self._other.execute("ROLLBACK")


async def test_a_file_of_a_version_without_owners_is_read_and_can_go_back(tmp_path: Path):
    path = tmp_path / "talk.db"
    store = SqliteStore(str(path))
    await saved(store, "a", b"1")
    await store.aclose()
    with sqlite3.connect(path) as file:
        file.execute("DROP TABLE ownership")
        # As the version before wrote it
        assert len(file.execute("SELECT * FROM conversation").fetchone()) == 4
    file.close()
    store = SqliteStore(str(path))
    taken = await store.take("me", "conv")
    assert taken is not None
    assert (taken.items, taken.epoch) == ((b"1",), FIRST_EPOCH + 1)
    await store.aclose()


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be removed")
@pytest.mark.parametrize("instead", ["nothing", "an older copy"])
async def test_a_file_that_is_removed_or_replaced_is_followed_and_the_conversation_is_saved_whole(
    tmp_path: Path, instead: str, monkeypatch, caplog
):
    monkeypatch.setattr(sqlite_store, "LOOK_S", 0.0)
    path = tmp_path / "talk.db"
    store = SqliteStore(str(path))
    await saved(store, "one", b"1")
    with sqlite3.connect(path) as file, sqlite3.connect(tmp_path / "copy.db") as copy:
        file.backup(copy)
    file.close()
    copy.close()
    await store.save("me", "conv", FIRST_EPOCH, Changes(["one", "two"], {"two": b"2"}))
    replace_file(path, (tmp_path / "copy.db") if instead == "an older copy" else None)
    with pytest.raises(ConversationForgotten):
        await store.save("me", "conv", FIRST_EPOCH, Changes(["one", "two", "three"], {"three": b"3"}))
    every = {"one": b"1", "two": b"2", "three": b"3"}
    await store.save("me", "conv", FIRST_EPOCH, Changes(list(every), every))
    await store.aclose()
    assert "removed or replaced" in caplog.text
    again = SqliteStore(str(path))
    assert await again.load("me", "conv") == (b"1", b"2", b"3")
    await again.aclose()


@pytest.mark.skipif(sys.platform == "win32", reason="a file that is open cannot be removed")
async def test_where_no_file_can_be_made_in_its_place_saves_fail_and_then_go_on(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sqlite_store, "LOOK_S", 0.0)
    folder = tmp_path / "data"
    folder.mkdir()
    store = SqliteStore(str(folder / "talk.db"))
    await saved(store, "one", b"1")
    folder.rename(tmp_path / "away")
    with pytest.raises(ProviderUnavailable):
        await saved(store, "two", b"2")
    folder.mkdir()
    await saved(store, "two", b"2")
    assert await store.load("me", "conv") == (b"2",)
    await store.aclose()
