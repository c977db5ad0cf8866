"""Conversations in one SQLite file: they stay when the server stops, and several workers can share the file.

Only the user who runs the server can read the file. All work runs in one thread, with one transaction for each call: it
is in the file or not at all, also after a `kill -9`, on a full disk and while another process has locked the file.
Saves that come at nearly the same time share a transaction: it costs more than what is written in it.
Conversations not saved for 30 days are deleted. The days are those of the store's own clock: it follows the system's,
but takes no step of more than a day and none back. So a system clock that is wrong for a while deletes nothing, and a
month in which nobody used the store counts as a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

from realtime.errors import ConfigError, ConversationTakenOver, ProviderUnavailable
from realtime.providers.private_file import keep_private
from realtime.providers.store import (
    FIRST_EPOCH,
    OPENING_ITEM_BYTES,
    OPENING_ITEMS,
    Changes,
    LateItem,
    Store,
    StoredSummary,
    Taken,
)
from realtime.providers.stored_order import accepted, merged, with_late
from realtime.settings import Settings

log = logging.getLogger(__name__)

KEEP_DAYS = 30
PRUNE_EVERY_S = 3600.0
# No conversation has so many owners: an epoch from here on is the time of its deletion
FIRST_TIME = 1_000_000_000
LONGEST_STEP_S = 86_400.0  # of the store's clock: a longer one may be a system clock that was set
TOUCH_EVERY_S = 10.0  # a conversation of which only items change
BUSY_TIMEOUT_S = 5.0  # while another worker writes
TOGETHER_S = 0.05  # a save waits so long for others (bench/README.md, "What a save costs")
BUSY_POLL_S = 0.02  # where SQLite does not wait by itself

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

T = TypeVar("T")
_Key = tuple[str, str]  # the owner and the id of a conversation
_Save = Callable[[], None]
_Outcome = ConversationTakenOver | sqlite3.Error | None  # None: it is in the file


class SqliteStore(Store):
    """Conversations in a file. Raises ConfigError if the file cannot be opened."""

    def __init__(self, path: str, *, keep_days: float = KEEP_DAYS) -> None:
        self._path = Path(path).expanduser()
        self._keep_s = keep_days * 86_400
        self._pruned_s = float("-inf")
        try:
            keep_private(self._path)
            self._file = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            _write_ahead(self._file)
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.executescript(SCHEMA)
        except FileNotFoundError as error:
            raise ConfigError(
                f"REALTIME_STORE=sqlite:{path}: there is no folder {self._path.parent}. Make it, or mount it, first."
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"REALTIME_STORE=sqlite:{path} cannot be opened: {error}.") from error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._waiting: list[tuple[_Save, asyncio.Future[None]]] = []

    def __repr__(self) -> str:
        return f"<SqliteStore {self._path}>"

    async def save(self, owner: str, conversation_id: str, epoch: int, changes: Changes) -> None:
        loop = asyncio.get_running_loop()
        saved: asyncio.Future[None] = loop.create_future()
        self._waiting.append((lambda: self._save((owner, conversation_id), epoch, changes), saved))
        if len(self._waiting) == 1:
            loop.call_later(TOGETHER_S, self._write_waiting)
        await saved

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        return await self._do(lambda: self._take((owner, conversation_id)))

    async def add_late(
        self, owner: str, conversation_id: str, order: Sequence[str], late: Mapping[str, LateItem]
    ) -> None:
        await self._do(lambda: self._add_late((owner, conversation_id), order, late))

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        return await self._do(lambda: self._load((owner, conversation_id)))

    async def listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
        return await self._do(lambda: self._listing(owner, limit))

    async def forget(self, owner: str, conversation_id: str) -> None:
        await self._do(lambda: self._forget((owner, conversation_id), for_good=True))

    async def aclose(self) -> None:
        """Finish the work that has begun, then close the file."""
        self._write_waiting()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._file.close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[], T]) -> T:
        """Run a function in the store's thread. Raises ProviderUnavailable, at the latest BUSY_TIMEOUT_S from now if
        another process has locked the file, however many calls wait."""
        self._write_waiting()  # what was to be saved before
        until_s = time.monotonic() + BUSY_TIMEOUT_S
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._thread, self._in_transaction, work, until_s
            )
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: sqlite3.Error) -> ProviderUnavailable:
        return ProviderUnavailable(f"The store {self._path} failed: {error}.")

    def _write_waiting(self) -> None:
        """Let the thread write all saves that wait."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        until_s = time.monotonic() + BUSY_TIMEOUT_S
        writing = asyncio.get_running_loop().run_in_executor(
            self._thread, self._save_all, [save for save, _ in waiting], until_s
        )
        writing.add_done_callback(lambda written: self._tell([saved for _, saved in waiting], written))

    def _tell(self, saves: list[asyncio.Future[None]], written: asyncio.Future[list[_Outcome]]) -> None:
        """Tell those who wait what has become of their saves."""
        failed = None if written.cancelled() else written.exception()
        outcomes = [failed] * len(saves) if failed or written.cancelled() else written.result()
        for saved, outcome in zip(saves, outcomes, strict=True):
            if saved.done():  # nobody waits any more
                continue
            if isinstance(outcome, sqlite3.Error):
                saved.set_exception(self._failed(outcome))
            elif outcome is not None:
                saved.set_exception(outcome)
            elif written.cancelled():
                saved.cancel()
            else:
                saved.set_result(None)

    # -- in the thread ---------------------------------------------------------------------------------------------

    def _in_transaction(self, work: Callable[[], T], until_s: float) -> T:
        left_ms = max(0, int((until_s - time.monotonic()) * 1000))
        self._file.execute(f"PRAGMA busy_timeout={left_ms}")
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._prune()
            result = work()
            self._file.execute("COMMIT")  # which can fail too, and then leaves the transaction open
        except BaseException:
            if self._file.in_transaction:  # SQLite has ended it by itself on a full disk
                self._file.execute("ROLLBACK")
            raise
        return result

    def _save_all(self, saves: Sequence[_Save], until_s: float) -> list[_Outcome]:
        """All in one transaction; if the file does not take that, each in its own: a large one may be to blame."""
        if len(saves) > 1:
            with contextlib.suppress(sqlite3.Error):
                return self._in_transaction(lambda: [_taken_over(save) for save in saves], until_s)
        return [self._save_alone(save, until_s) for save in saves]

    def _save_alone(self, save: _Save, until_s: float) -> _Outcome:
        try:
            return self._in_transaction(lambda: _taken_over(save), until_s)
        except sqlite3.Error as error:
            return error

    def _save(self, key: _Key, epoch: int, changes: Changes) -> None:
        if epoch < self._epoch(key):
            raise ConversationTakenOver(f"The conversation {key[1]} has a newer session.")
        self._put(key, changes.changed)
        if changes.deleted:
            self._file.executemany(
                "DELETE FROM item WHERE owner = ? AND conversation_id = ? AND id = ?",
                [(*key, item_id) for item_id in changes.deleted],
            )
        elif self._is_fresh(key, changes.order):  # as every second, while a reply sounds
            return
        self._put_order(key, merged(changes.order, self._order(key) or (), gone=changes.deleted))

    def _is_fresh(self, key: _Key, order: Sequence[str]) -> bool:
        """Whether the conversation has this order, and was changed just now: only the items are to be written."""
        row = self._file.execute(
            "SELECT item_order, touched_unix_s FROM conversation WHERE owner = ? AND id = ?", key
        ).fetchone()
        if row is None or not 0 <= time.time() - row[1] < TOUCH_EVERY_S:
            return False
        return bool(row[0] == msgspec.json.encode(list(order)))

    def _epoch(self, key: _Key) -> int:
        """Of the conversation's owner."""
        row = self._file.execute(
            "SELECT epoch FROM ownership WHERE owner = ? AND conversation_id = ?", key
        ).fetchone()
        return FIRST_EPOCH if row is None else int(row[0])

    def _put(self, key: _Key, items: Mapping[str, bytes]) -> None:
        self._file.executemany(
            "INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?)",
            [(*key, item_id, body) for item_id, body in items.items()],
        )

    def _order(self, key: _Key) -> list[str] | None:
        """The ids of its items; None if there is no such conversation."""
        row = self._file.execute(
            "SELECT item_order FROM conversation WHERE owner = ? AND id = ?", key
        ).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=list[str])

    def _put_order(self, key: _Key, order: Sequence[str]) -> None:
        self._file.execute(
            "INSERT OR REPLACE INTO conversation VALUES (?, ?, ?, ?)",
            (*key, msgspec.json.encode(list(order)), self._tick()),
        )

    def _items(self, key: _Key) -> dict[str, bytes]:
        rows = self._file.execute("SELECT id, body FROM item WHERE owner = ? AND conversation_id = ?", key)
        return dict(rows.fetchall())

    def _load(self, key: _Key) -> tuple[bytes, ...] | None:
        order = self._order(key)
        if order is None:
            return None
        bodies = self._items(key)
        return tuple(bodies[item_id] for item_id in order if item_id in bodies)

    def _take(self, key: _Key) -> Taken | None:
        items = self._load(key)
        if items is None:
            return None
        epoch = self._epoch(key) + 1
        self._file.execute("INSERT OR REPLACE INTO ownership VALUES (?, ?, ?)", (*key, epoch))
        return Taken(items, epoch)

    def _add_late(self, key: _Key, said: Sequence[str], late: Mapping[str, LateItem]) -> None:
        order = self._order(key)
        if order is not None:
            new = accepted(late, self._items(key))
            self._put(key, new)
            self._put_order(key, with_late(order, said, new))

    def _forget(self, key: _Key, *, for_good: bool = False) -> None:
        """`for_good`: a session of another process that still has it cannot bring it back, until its time is over."""
        known = self._order(key) is not None
        self._file.execute("DELETE FROM item WHERE owner = ? AND conversation_id = ?", key)
        self._file.execute("DELETE FROM ownership WHERE owner = ? AND conversation_id = ?", key)
        self._file.execute("DELETE FROM conversation WHERE owner = ? AND id = ?", key)
        if for_good and known:
            self._file.execute(
                "INSERT INTO ownership VALUES (?, ?, ?)", (*key, max(FIRST_TIME, int(self._tick())))
            )

    def _listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
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

    def _prune(self) -> None:
        now_s = time.monotonic()
        if now_s - self._pruned_s < PRUNE_EVERY_S:
            return
        self._pruned_s = now_s
        old = self._file.execute(
            "SELECT owner, id FROM conversation WHERE touched_unix_s < ?", (self._tick() - self._keep_s,)
        ).fetchall()
        for key in old:
            self._forget(key)
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


def _taken_over(save: _Save) -> ConversationTakenOver | None:
    """Why this was not saved; it wrote nothing then."""
    try:
        save()
    except ConversationTakenOver as error:
        return error
    return None


def _write_ahead(file: sqlite3.Connection) -> None:
    """Let the file have a write-ahead log. Raises sqlite3.Error, at the latest after BUSY_TIMEOUT_S.

    SQLite itself does not wait here while others write: of workers that make a new file together, one would fail.
    """
    until_s = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            file.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until_s:
                raise
            time.sleep(BUSY_POLL_S)
        else:
            return


def create(settings: Settings) -> SqliteStore:
    """The store for `REALTIME_STORE=sqlite:PATH`. Raises ConfigError."""
    return SqliteStore(settings.store.partition(":")[2])
