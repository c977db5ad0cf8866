"""Conversations in one SQLite file: they stay when the server stops, and several workers can share the file.

Only the user who runs the server can read the file. All work runs in one thread, with one transaction for each call: it
is in the file or not at all, also after a `kill -9`, on a full disk and while another process has locked the file.
Saves that come at nearly the same time share a transaction: it costs more than what is written in it. What is in the
file, and for how long, is `sqlite_tables.py`.
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

from realtime.errors import ConfigError, ConversationForgotten, ConversationTakenOver, ProviderUnavailable
from realtime.providers.private_file import keep_private
from realtime.providers.sqlite_place import Place
from realtime.providers.sqlite_tables import KEEP_DAYS, SqliteTables
from realtime.providers.store import Changes, LateItem, Store, StoredSummary, Taken
from realtime.settings import Settings

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 5.0  # while another worker writes
TOGETHER_S = 0.05  # a save waits so long for others (bench/README.md, "What a save costs")
BUSY_POLL_S = 0.02  # where SQLite does not wait by itself
LOOK_S = 1.0  # between two looks whether the path still leads to the file that is open

T = TypeVar("T")
_Save = Callable[[], None]
_Refusal = ConversationTakenOver | ConversationForgotten
_Outcome = _Refusal | sqlite3.Error | None  # None: it is in the file


class SqliteStore(Store):
    """Conversations in a file. Raises ConfigError if the file cannot be opened."""

    def __init__(self, path: str, *, keep_days: float = KEEP_DAYS) -> None:
        self._path, self._keep_days = Path(path).expanduser(), keep_days
        try:
            self._open(time.monotonic() + BUSY_TIMEOUT_S)
        except FileNotFoundError as error:
            raise ConfigError(
                f"REALTIME_STORE=sqlite:{path}: there is no folder {self._path.parent}. Make it, or mount it, first."
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"REALTIME_STORE=sqlite:{path} cannot be opened: {error}.") from error
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._waiting: list[tuple[_Save, asyncio.Future[None]]] = []
        self._looked_s = float("-inf")  # when the path led to this file

    def __repr__(self) -> str:
        return f"<SqliteStore {self._path}>"

    async def save(self, owner: str, conversation_id: str, epoch: int, changes: Changes) -> None:
        loop = asyncio.get_running_loop()
        saved: asyncio.Future[None] = loop.create_future()
        self._waiting.append((lambda: self._tables.save((owner, conversation_id), epoch, changes), saved))
        if len(self._waiting) == 1:
            loop.call_later(TOGETHER_S, self._write_waiting)
        await saved

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        return await self._do(lambda: self._tables.take((owner, conversation_id)))

    async def add_late(
        self, owner: str, conversation_id: str, order: Sequence[str], late: Mapping[str, LateItem]
    ) -> None:
        await self._do(lambda: self._tables.add_late((owner, conversation_id), order, late))

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        return await self._do(lambda: self._tables.load((owner, conversation_id)))

    async def listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
        return await self._do(lambda: self._tables.listing(owner, limit))

    async def forget(self, owner: str, conversation_id: str) -> None:
        await self._do(lambda: self._tables.forget((owner, conversation_id), for_good=True))

    async def aclose(self) -> None:
        """Finish the work that has begun, then close the file."""
        self._write_waiting()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
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

    def _open(self, until_s: float, *, another: bool = False) -> None:
        """Raises sqlite3.Error and OSError, and has changed nothing here then."""
        keep_private(self._path)
        place = Place.of_store(self._path)
        file = sqlite3.connect(
            self._path, timeout=_left_s(until_s), isolation_level=None, check_same_thread=False
        )
        try:
            _write_ahead(file, until_s)
            file.execute("PRAGMA synchronous=NORMAL")
            tables = SqliteTables(file, self._keep_days, may_lack_items=another)
            place = place.with_beside()
            if not place.is_still():
                raise sqlite3.OperationalError("the file was replaced while it was opened")
        except BaseException:
            file.close()
            raise
        self._file, self._tables, self._place = file, tables, place

    def _follow_the_path(self, until_s: float) -> None:
        """Open the file anew that somebody has put in the place of ours, or one where ours was removed: what is saved
        into a file that nobody finds is lost. Raises sqlite3.Error; the next call tries again then."""
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        before = self._file
        try:
            if not self._place.is_still():
                self._leave()
                self._open(until_s, another=True)
        except OSError as error:
            raise sqlite3.OperationalError(str(error)) from error
        self._looked_s = now_s
        if self._file is not before:
            before.close()
            log.warning(
                "the store %s was removed or replaced: what goes on is saved in the file there now",
                self._path,
            )

    def _leave(self) -> None:
        """Take our log away from the path, where another file is. Raises OSError."""
        with contextlib.suppress(sqlite3.Error):  # whoever has moved the old file away keeps all of it
            self._file.execute("PRAGMA wal_checkpoint(PASSIVE)")
        self._place.clear()

    def _close(self) -> None:
        try:
            if not self._place.is_still():
                self._leave()
        except OSError as error:
            log.warning("what belongs to another file may stay beside the store %s: %s", self._path, error)
        self._file.close()

    def _in_transaction(self, work: Callable[[], T], until_s: float) -> T:
        self._follow_the_path(until_s)
        self._file.execute(f"PRAGMA busy_timeout={int(_left_s(until_s) * 1000)}")
        self._file.execute("BEGIN IMMEDIATE")
        try:
            self._tables.prune()
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
                return self._in_transaction(lambda: [_refused(save) for save in saves], until_s)
        return [self._save_alone(save, until_s) for save in saves]

    def _save_alone(self, save: _Save, until_s: float) -> _Outcome:
        try:
            return self._in_transaction(lambda: _refused(save), until_s)
        except sqlite3.Error as error:
            return error


def _refused(save: _Save) -> _Refusal | None:
    """Why this was not saved; it wrote nothing then."""
    try:
        save()
    except (ConversationTakenOver, ConversationForgotten) as error:
        return error
    return None


def _left_s(until_s: float) -> float:
    return max(0.0, until_s - time.monotonic())


def _write_ahead(file: sqlite3.Connection, until_s: float) -> None:
    """Let the file have a write-ahead log. Raises sqlite3.Error, at the latest at that time.

    SQLite itself does not wait here while others write: of workers that make a new file together, one would fail.
    """
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
