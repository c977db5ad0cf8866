"""What a reply costs that is saved every second while it sounds, and what a deletion leaves in the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from realtime.errors import ConversationTakenOver
from realtime.providers import sqlite_tables
from realtime.providers.memory_store import MemoryStore
from realtime.providers.sqlite_store import SqliteStore
from realtime.providers.store import FIRST_EPOCH, Changes

ORDER = ["question", "reply"]


async def test_in_memory_a_longer_reply_counts_and_other_conversations_make_room():
    store = MemoryStore(max_bytes=100_000)
    await store.save("me", "other", FIRST_EPOCH, Changes(["a"], {"a": b"x" * 30_000}))
    await store.save("me", "talk", FIRST_EPOCH, Changes(ORDER, {"question": b"?", "reply": b"One,"}))
    for length in (10_000, 90_000, 5_000, 60_000):
        await store.save("me", "talk", FIRST_EPOCH, Changes(ORDER, {"reply": b"x" * length}))
        kept = await store.load("me", "talk")
        assert kept == (b"?", b"x" * length)
        assert (await store.load("me", "other") is None) is (length != 10_000)
        others = 30_000 if length == 10_000 else 0
        assert length + others < int(repr(store).split()[-2]) < length + others + 3_000
    await store.forget("me", "talk")
    assert repr(store) == "<MemoryStore 0 conversations, 0 bytes>"


async def test_in_a_file_only_its_item_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "talk.db"
    store = SqliteStore(str(path))

    def times() -> tuple[float, float]:
        with sqlite3.connect(path) as file:
            found = file.execute(
                "SELECT touched_unix_s, updated_unix_s FROM conversation JOIN seen ON conversation_id = id"
            ).fetchone()
        file.close()
        return found

    await store.save("me", "talk", FIRST_EPOCH, Changes(ORDER, {"question": b"?", "reply": b"One,"}))
    begun = times()
    await store.save("me", "talk", FIRST_EPOCH, Changes(ORDER, {"reply": b"One, two,"}))
    assert times() == begun
    assert await store.load("me", "talk") == (b"?", b"One, two,")
    monkeypatch.setattr(sqlite_tables, "TOUCH_EVERY_S", 0.0)  # it was long ago
    await store.save("me", "talk", FIRST_EPOCH, Changes(ORDER, {"reply": b"One, two, three."}))
    assert times() > begun
    await store.save("me", "talk", FIRST_EPOCH, Changes(["reply"], {}, {"question"}))
    assert await store.load("me", "talk") == (b"One, two, three.",)
    await store.aclose()


async def test_what_was_deleted_stays_so_and_its_trace_goes_after_a_month(tmp_path: Path):
    path = str(tmp_path / "talk.db")
    store = SqliteStore(path)
    changes = Changes(["reply"], {"reply": b"One."})
    await store.save("me", "talk", FIRST_EPOCH, changes)
    taken = await store.take("me", "talk")
    assert taken is not None
    await store.forget("me", "talk")
    await store.forget("me", "never")
    for epoch in (FIRST_EPOCH, taken.epoch):
        with pytest.raises(ConversationTakenOver):
            await store.save("me", "talk", epoch, changes)
    assert await store.take("me", "talk") is None
    await store.aclose()
    left = []
    for older_s in (0, 31 * 86_400):
        with sqlite3.connect(path) as file:
            file.execute("UPDATE ownership SET epoch = epoch - ?", (older_s,))
        file.close()
        store = SqliteStore(path)
        await store.load("me", "talk")  # which cleans up, once an hour
        await store.aclose()
        with sqlite3.connect(path) as file:
            left.append(file.execute("SELECT count(*) FROM ownership").fetchone()[0])
        file.close()
    assert left == [1, 0]
