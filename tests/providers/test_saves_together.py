"""Saves that come at nearly the same time share one transaction; each learns what has become of its own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from realtime.errors import ConversationTakenOver, ProviderUnavailable
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes

MOST_BYTES = 10_000


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[SqliteStore, list[str]]]:
    """A store whose file takes no value of more than MOST_BYTES, and the beginnings of its transactions."""
    store, begun = SqliteStore(str(path)), list[str]()
    store._file.set_trace_callback(
        lambda statement: begun.append(statement) if "BEGIN" in statement else None
    )
    store._file.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES)
    try:
        yield store, begun
    finally:
        await store.aclose()


def saving(
    store: SqliteStore, name: str, body: bytes = b"One.", epoch: int = FIRST_EPOCH
) -> asyncio.Task[None]:
    return asyncio.create_task(store.save("me", name, epoch, Changes(["reply"], {"reply": body})))


async def test_many_at_once_are_one_transaction(tmp_path: Path):
    async with opened(tmp_path / "talk.db") as (store, begun):
        await asyncio.gather(*(saving(store, f"conv_{number}") for number in range(20)))
        assert len(begun) == 1
        for number in range(20):
            assert await store.load("me", f"conv_{number}") == (b"One.",)


async def test_one_that_is_refused_and_one_that_does_not_fit_are_told_and_the_others_are_saved(
    tmp_path: Path,
):
    async with opened(tmp_path / "talk.db") as (store, _):
        await saving(store, "taken")
        await store.take("me", "taken")
        for large in (b"x" * 2 * MOST_BYTES, b"fits"):
            kept, late, other, fine = await asyncio.gather(
                saving(store, "one"),
                saving(store, "taken", b"Two."),
                saving(store, "large", large),
                saving(store, "two", large[:10]),
                return_exceptions=True,
            )
            assert (kept, fine) == (None, None)
            assert isinstance(late, ConversationTakenOver)
            assert isinstance(other, ProviderUnavailable) == (len(large) > MOST_BYTES)
            assert await store.load("me", "two") == (large[:10],)
        assert await store.load("me", "taken") == (b"One.",)
        assert await store.load("me", "large") == (b"fits",)


async def test_what_is_asked_after_a_save_and_the_end_find_it_in_the_file(tmp_path: Path):
    async with opened(tmp_path / "talk.db") as (store, _):
        first = saving(store, "one")
        await asyncio.sleep(0)
        taken = await store.take("me", "one")
        assert taken is not None
        assert taken.items == (b"One.",)
        await first
        last = saving(store, "one", b"Two.", taken.epoch)
        await asyncio.sleep(0)
    await last
    async with opened(tmp_path / "talk.db") as (store, _):
        assert await store.load("me", "one") == (b"Two.",)


async def test_one_whom_nobody_waits_for_any_more_does_no_harm(tmp_path: Path):
    async with opened(tmp_path / "talk.db") as (store, _):
        given_up, other = saving(store, "one"), saving(store, "two")
        await asyncio.sleep(0)
        given_up.cancel()
        await other
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert await store.load("me", "two") == (b"One.",)
