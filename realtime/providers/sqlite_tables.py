"""Conversations in the tables of an SQLite file. Knows no thread and no transaction: `sqlite_store.py` has these.

Conversations not saved for 30 days are deleted. The days are those of the file's own clock: it follows the system's,
but takes no step of more than a day and none back. So a system clock that is wrong for a while deletes nothing, and a
month in which nobody used the file counts as a day.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping, Sequence

import msgspec

from realtime.errors import ConversationForgotten, ConversationTakenOver
from realtime.providers.store import (
    FIRST_EPOCH,
    OPENING_ITEM_BYTES,
    OPENING_ITEMS,
    Changes,
    LateItem,
    StoredSummary,
    Taken,
)
from realtime.providers.stored_order import accepted, merged, with_late

KEEP_DAYS = 30
PRUNE_EVERY_S = 3600.0
# No conversation has so many owners: an epoch from here on is the time of its deletion
FIRST_TIME = 1_000_000_000
LONGEST_STEP_S = 86_400.0  # of the file's clock: a longer one may be a system clock that was set
TOUCH_EVERY_S = 10.0  # a conversation of which only items change

SCHEMA = """
CREATE TABLE IF NOT EXISTS conversation (
    owner TEXT NOT NULL, id TEXT NOT NULL, item_order BLOB NOT NULL, touched_unix_s REAL NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS item (
    owner TEXT NOT NULL, conversation_id TEXT NOT NULL, id TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (owner, conversation_id, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS clock (
    one INTEGER PRIMARY KEY CHECK (one = 1), system_unix_s REAL NOT NULL, store_unix_s REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (
    owner TEXT NOT NULL, conversation_id TEXT NOT NULL, created_unix_s REAL NOT NULL, updated_unix_s REAL NOT NULL,
    PRIMARY KEY (owner, conversation_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_updated ON seen (owner, updated_unix_s);
CREATE TRIGGER IF NOT EXISTS conversation_saved AFTER INSERT ON conversation BEGIN
    INSERT INTO seen SELECT NEW.owner, NEW.id, NOW_S, NOW_S
        WHERE NOT EXISTS (SELECT 1 FROM seen WHERE owner = NEW.owner AND conversation_id = NEW.id);
    UPDATE seen SET updated_unix_s = NOW_S WHERE owner = NEW.owner AND conversation_id = NEW.id;
END;
CREATE TRIGGER IF NOT EXISTS conversation_gone AFTER DELETE ON conversation BEGIN
    DELETE FROM seen WHERE owner = OLD.owner AND conversation_id = OLD.id;
END;
INSERT INTO seen SELECT owner, id, touched_unix_s, touched_unix_s FROM conversation
    WHERE NOT EXISTS (SELECT 1 FROM seen WHERE owner = conversation.owner AND conversation_id = conversation.id);
CREATE INDEX IF NOT EXISTS conversation_touched ON conversation (touched_unix_s);
CREATE TABLE IF NOT EXISTS ownership (
    owner TEXT NOT NULL, conversation_id TEXT NOT NULL, epoch INTEGER NOT NULL,
    PRIMARY KEY (owner, conversation_id)
) WITHOUT ROWID;
""".replace("NOW_S", "(julianday('now') - 2440587.5) * 86400.0")
# `seen` has the system's times, for people; `touched_unix_s` is the store's own clock. Triggers keep it, so that
# versions without it can use the same file. A REPLACE deletes without the trigger. `ownership` has no row before a
# conversation is taken for the first time; it is a table of its own for the same reason.

Key = tuple[str, str]  # the owner and the id of a conversation


class SqliteTables:
    """The tables of this file, made where they are missing. Every method may raise sqlite3.Error; those with the names
    of `Store` do what it says."""

    def __init__(
        self, file: sqlite3.Connection, keep_days: float = KEEP_DAYS, *, may_lack_items: bool = False
    ) -> None:
        """`may_lack_items`: it stands in the place of the file in which sessions have saved before."""
        self._file = file
        self._may_lack_items = may_lack_items
        self._keep_s = keep_days * 86_400
        self._pruned_s = float("-inf")
        # All of it or nothing: a file of another program has no half of our tables then
        file.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")

    def save(self, key: Key, epoch: int, changes: Changes) -> None:
        """Raises ConversationTakenOver and ConversationForgotten, and has written nothing then."""
        if epoch < self._epoch(key):
            raise ConversationTakenOver(f"The conversation {key[1]} has a newer session.")
        stored = self._order(key)
        looks = stored is None or self._may_lack_items
        if looks and not changes.changed.keys() >= set(changes.order).difference(stored or ()):
            raise ConversationForgotten(f"The file has lost items of the conversation {key[1]}.")
        self._put(key, changes.changed)
        if changes.deleted:
            self._file.executemany(
                "DELETE FROM item WHERE owner = ? AND conversation_id = ? AND id = ?",
                [(*key, item_id) for item_id in changes.deleted],
            )
        elif self._is_fresh(key, changes.order):  # as every second, while a reply sounds
            return
        self._put_order(key, merged(changes.order, self._order(key) or (), gone=changes.deleted))

    def _is_fresh(self, key: Key, order: Sequence[str]) -> bool:
        """Whether the conversation has this order, and was changed just now: only the items are to be written."""
        row = self._file.execute(
            "SELECT item_order, touched_unix_s FROM conversation WHERE owner = ? AND id = ?", key
        ).fetchone()
        if row is None or not 0 <= time.time() - row[1] < TOUCH_EVERY_S:
            return False
        return bool(row[0] == msgspec.json.encode(list(order)))

    def _epoch(self, key: Key) -> int:
        """Of the conversation's owner."""
        row = self._file.execute(
            "SELECT epoch FROM ownership WHERE owner = ? AND conversation_id = ?", key
        ).fetchone()
        return FIRST_EPOCH if row is None else int(row[0])

    def _put(self, key: Key, items: Mapping[str, bytes]) -> None:
        self._file.executemany(
            "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?)",
            [(*key, item_id, body) for item_id, body in items.items()],
        )

    def _order(self, key: Key) -> list[str] | None:
        """The ids of its items; None if there is no such conversation."""
        row = self._file.execute(
            "SELECT item_order FROM conversation WHERE owner = ? AND id = ?", key
        ).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=list[str])

    def _put_order(self, key: Key, order: Sequence[str]) -> None:
        self._file.execute(
            "INSERT OR REPLACE INTO conversation VALUES (?, ?, ?, ?)",
            (*key, msgspec.json.encode(list(order)), self._tick()),
        )

    def _items(self, key: Key) -> dict[str, bytes]:
        rows = self._file.execute("SELECT id, body FROM item WHERE owner = ? AND conversation_id = ?", key)
        return dict(rows.fetchall())

    def load(self, key: Key) -> tuple[bytes, ...] | None:
        order = self._order(key)
        if order is None:
            return None
        bodies = self._items(key)
        return tuple(bodies[item_id] for item_id in order if item_id in bodies)

    def take(self, key: Key) -> Taken | None:
        items = self.load(key)
        if items is None:
            return None
        epoch = self._epoch(key) + 1
        self._file.execute("INSERT OR REPLACE INTO ownership VALUES (?, ?, ?)", (*key, epoch))
        return Taken(items, epoch)

    def add_late(self, key: Key, said: Sequence[str], late: Mapping[str, LateItem]) -> None:
        order = self._order(key)
        if order is not None:
            new = accepted(late, self._items(key))
            self._put(key, new)
            self._put_order(key, with_late(order, said, new))

    def forget(self, key: Key, *, for_good: bool = False) -> None:
        """`for_good`: a session of another process that still has it cannot bring it back, until its time is over."""
        known = self._order(key) is not None
        self._file.execute("DELETE FROM item WHERE owner = ? AND conversation_id = ?", key)
        self._file.execute("DELETE FROM ownership WHERE owner = ? AND conversation_id = ?", key)
        self._file.execute("DELETE FROM conversation WHERE owner = ? AND id = ?", key)
        if for_good and known:
            self._file.execute(
                "INSERT INTO ownership VALUES (?, ?, ?)", (*key, max(FIRST_TIME, int(self._tick())))
            )

    def listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
        rows = self._file.execute(
            "SELECT id, created_unix_s, updated_unix_s, item_order FROM seen JOIN conversation"
            " ON conversation.owner = seen.owner AND conversation.id = seen.conversation_id"
            " WHERE seen.owner = ? ORDER BY updated_unix_s DESC LIMIT ?",
            (owner, limit),
        ).fetchall()
        return tuple(
            StoredSummary(name, created_s, updated_s, self._opening(owner, name, order))
            for name, created_s, updated_s, order in rows
        )

    def _opening(self, owner: str, conversation_id: str, order: bytes) -> tuple[bytes, ...]:
        first = msgspec.json.decode(order, type=list[str])[:OPENING_ITEMS]
        rows = self._file.execute(
            "SELECT id, body FROM item WHERE owner = ? AND conversation_id = ? AND length(body) <= ?"
            f" AND id IN ({', '.join('?' * len(first))})",
            (owner, conversation_id, OPENING_ITEM_BYTES, *first),
        )
        bodies = dict(rows.fetchall())
        return tuple(bodies[item_id] for item_id in first if item_id in bodies)

    def prune(self) -> None:
        """Delete what was not saved for so long, if it was not looked for in this hour."""
        now_s = time.monotonic()
        if now_s - self._pruned_s < PRUNE_EVERY_S:
            return
        self._pruned_s = now_s
        old = self._file.execute(
            "SELECT owner, id FROM conversation WHERE touched_unix_s < ?", (self._tick() - self._keep_s,)
        ).fetchall()
        for key in old:
            self.forget(key)
        self._file.execute(
            "DELETE FROM ownership WHERE epoch BETWEEN ? AND ? AND NOT EXISTS (SELECT 1 FROM conversation"
            " WHERE conversation.owner = ownership.owner AND conversation.id = ownership.conversation_id)",
            (FIRST_TIME, self._tick() - self._keep_s),
        )

    def _tick(self) -> float:
        """The time of the store's clock, in Unix seconds. It begins with the newest conversation."""
        now_s = time.time()
        row = self._file.execute("SELECT system_unix_s, store_unix_s FROM clock").fetchone()
        if row is None:
            (newest_s,) = self._file.execute("SELECT max(touched_unix_s) FROM conversation").fetchone()
            row = (now_s, now_s) if newest_s is None else (newest_s, newest_s)
        seen_s, store_s = row
        store_s += min(LONGEST_STEP_S, max(0.0, now_s - seen_s))
        self._file.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?)", (now_s, store_s))
        return float(store_s)
