"""Records of platform tasks on disk, so that a crash, Ctrl-C or a lost answer never loses what was paid for.

One JSON file a task, mode 0600, written before the request is sent. Whoever works on a task holds its lock, which the
system releases when the process ends; a record that still says "sending" while nobody holds the lock is "unknown, maybe
charged". While a request waits for its turn, or to be sent again after a refusal, it says "waiting": nothing is charged
then. Knows no endpoint and no environment: the folder is given. Keys and other secrets are never written.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets as random_names
import time
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from realtime.errors import InvalidArgument, RealtimeError
from realtime.file_lock import FileLock
from realtime.task_record import NOT_SENT, Record, RecordState, record_of, text_of
from realtime.task_work import Work, answer_came, request_leaves, request_waits

__all__ = [
    "MAX_LISTED", "Busy", "Listing", "Record", "RecordState", "TaskRecords", "Unreadable", "Work", "answer_came",
    "is_busy", "request_leaves", "request_waits",
]  # fmt: skip

MAX_LISTED = 200  # of a table; what searches looks at all of them
_ENDED = (RecordState.DONE, RecordState.FAILED)  # no record leaves these by itself
# arguments that do not say what the work is
_BESIDE = ("links", "used", "deleted", "replaces", "song", "force", "run")
# Who begins a task reads some records, and writes one
_BEGINS, _BEGINS_S, _BEGINS_PAUSE_S = ".begins.lock", 10.0, 0.02


@dataclass(frozen=True, slots=True)
class Listing:
    """Records, newest first, and files that cannot be read, each with a sentence. `more`: how many were left out."""

    records: tuple[Record, ...]
    broken: tuple[str, ...] = ()
    more: int = 0


class Busy(RealtimeError):
    """Another process works on this task."""


class Unreadable(InvalidArgument):
    """The record in the file `key` is damaged, or another version of this program wrote it."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message, param="task")
        self.key = key


def is_busy(record: Record) -> Busy:
    """The refusal to work on a task that another process works on."""
    return Busy(f"Another process works on task {record.name}: wait for it, or end it first.")


@dataclass(frozen=True, slots=True)
class _What:
    """What makes one piece of work the same as another."""

    kind: str
    platform: str
    arguments: Mapping[str, Any]

    @classmethod
    def of(cls, kind: str, platform: str, arguments: Mapping[str, Any]) -> _What:
        return cls(kind, platform, {name: value for name, value in arguments.items() if name not in _BESIDE})


class TaskRecords:
    """The records in one folder. `secrets` are texts (API keys) that are blanked wherever they would be written.

    `warn` is told when a record cannot be written and the work goes on all the same.
    """

    def __init__(
        self,
        folder: Path,
        *,
        secrets: Iterable[str] = (),
        now: Callable[[], float] = time.time,
        warn: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.folder = folder
        self._warn = warn
        self._secrets = tuple(secret for secret in secrets if secret)
        self._now = now
        self._works: dict[str, _What] = {}  # what the record of a key is for: that never changes
        self.lost = False  # whether the answer to something that was sent from here was lost

    def warn(self, sentence: str) -> None:
        """Tell the user of a record that could not be written."""
        self._warn(sentence)

    def create(
        self, kind: str, *, platform: str, prompt: str = "", arguments: Mapping[str, Any] | None = None
    ) -> Work:
        """A new record in state "sending", on disk and locked. Use it as a `with` block. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now_s = self._now()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now_s))
        # by name the newest comes last, also of those that were made in one second
        key = f"{stamp}-{int(now_s % 1 * 0x1000):03x}{random_names.token_hex(3)}"
        lock = FileLock.take(self._lock_path(key))
        assert lock is not None, "the name is new"
        record = Record(key, kind, RecordState.SENDING, now_s, platform, prompt, dict(arguments or {}))
        work = Work(self, record, lock)
        try:
            self.write(record)
        except BaseException:
            self._remove(key)
            lock.release()
            raise
        return work

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """A block in which no other process begins a task: who finds none in it may `create` one. It holds up all who
        begin, so nothing is awaited in it. Raises OSError and Busy."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, until_s = self.folder / _BEGINS, time.monotonic() + _BEGINS_S
        # A lock of the system wakes no task of asyncio, and Ctrl-C has to come through
        while (lock := FileLock.try_once(path)) is None and time.monotonic() < until_s:  # noqa: ASYNC110
            await asyncio.sleep(_BEGINS_PAUSE_S)
        if lock is None:
            raise Busy("Another process has been beginning a task for a while: end it first.")
        try:
            yield
        finally:
            lock.release()

    def work_on(self, name: str) -> Work:
        """The record with this id or prefix, locked: for one process only. Raises Busy and InvalidArgument."""
        record = self.find(name)
        lock = FileLock.take(self._lock_path(record.key))
        if lock is None:
            raise is_busy(record)
        try:
            return Work(self, self._settled(self._read(record.key)), lock)
        except FileNotFoundError:
            self._remove(record.key)
            lock.release()
            raise InvalidArgument(f"Task {record.name} was just forgotten.", param="task") from None
        except BaseException:
            lock.release()
            raise

    def find(self, name: str) -> Record:
        """The record whose platform id or key is `name`, or the only one that begins with it.

        Of several with the same id it is the newest: a voice that was made again, a sandbox that was started again.
        Raises InvalidArgument: Unreadable, if only the file of a record that cannot be read has this name.
        """
        if name.endswith(".json"):
            name = os.path.basename(name)[:-5]
        exact, begins, unreadable = [], [], {}
        for key in [name] if self._is_key(name) else self._keys():
            try:
                record = self._seen(key)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                if name and key.startswith(name):
                    unreadable[key] = error
                continue
            if name in (record.key, record.task_id):
                exact.append(record)
            elif name and any(each and each.startswith(name) for each in (record.key, record.task_id)):
                begins.append(record)
        found = exact or begins
        if not found and len(unreadable) == 1:
            ((key, why),) = unreadable.items()
            raise Unreadable(self._broken(key, why), key)
        if not found and not unreadable:
            raise InvalidArgument(f"There is no task {name!r} here: see `realtime tasks`.", param="task")
        names = list(dict.fromkeys(record.name for record in found)) or list(unreadable)
        if len(names) > 1:
            choices = f"{', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
            raise InvalidArgument(f"{name!r} means more than one task: type one of {choices}.", param="task")
        return max(found, key=lambda record: record.created_s)

    def same(
        self, kind: str, arguments: Mapping[str, Any], *, platform: str, strict: bool = True
    ) -> Record | None:
        """The newest record of the same work that has not failed, so that nothing is bought twice.

        Raises InvalidArgument if there is none and a record cannot be read that may be it, if `strict`.
        """
        wanted = _What.of(kind, platform, json.loads(self._blank(json.dumps(dict(arguments)))))
        unreadable = []
        for key in self._keys():
            try:
                if self._what(key) != wanted:
                    continue
                record = self._seen(key)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                if getattr(error, "kind", None) in (None, kind):
                    unreadable.append(key)
                continue
            if record.state is not RecordState.FAILED:
                return record
        if unreadable and strict:
            raise self._maybe_bought(unreadable)
        return None

    def all(
        self, *, kinds: Collection[str] | None = None, states: Collection[RecordState] | None = None
    ) -> Listing:
        """Every record of these kinds and states (None: of any), for those who search."""
        records, broken = [], []
        for key in self._keys():
            try:
                if kinds is not None and self._what(key).kind not in kinds:
                    continue
                record = self._read(key)
                if states is None or record.state in states or record.state not in _ENDED:
                    record = self._seen(key)
                    if states is None or record.state in states:
                        records.append(record)
            except FileNotFoundError:
                continue  # forgotten by another process in between
            except (OSError, ValueError) as error:
                broken.append(self._broken(key, error))
        return Listing(tuple(records), tuple(broken))

    def recent(self, limit: int = MAX_LISTED) -> Listing:
        """The newest records, for a table. A file that cannot be read is reported and skipped."""
        records, broken, keys = [], [], self._keys()
        for key in keys[:limit]:
            try:
                records.append(self._seen(key))
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as error:
                broken.append(self._broken(key, error))
        return Listing(tuple(records), tuple(broken), max(0, len(keys) - limit))

    def forget(self, name: str) -> Record:
        """Remove one record, also one that cannot be read; the platform's task is not touched.

        Raises Busy and InvalidArgument.
        """
        try:
            with self.work_on(name) as work:
                self._remove(work.record.key)
            return work.record
        except Unreadable as error:
            return self._forget_unreadable(error.key)

    def _forget_unreadable(self, key: str) -> Record:
        record = Record(key, "unreadable", RecordState.UNKNOWN, 0.0, "")
        lock = FileLock.take(self._lock_path(key))
        if lock is None:
            raise is_busy(record)
        try:
            self._remove(key)
        finally:
            lock.release()
        return record

    def _broken(self, key: str, error: Exception) -> str:
        return f"{self._path(key)} cannot be read ({error}). To remove it: realtime tasks forget {key}"

    def _maybe_bought(self, keys: Sequence[str]) -> InvalidArgument:
        named = " ".join(keys[:5])
        files = f"The record {named} cannot" if len(keys) == 1 else f"{len(keys)} records cannot"
        return InvalidArgument(
            f"{files} be read, so this may have been bought before, and would be bought again. See `realtime tasks`; "
            f"to buy it all the same, first: realtime tasks forget {named}",
            param="task",
        )

    def _keys(self) -> list[str]:
        """The keys of all records, newest first: they begin with the time they were made."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(
            (name[:-5] for name in names if name.endswith(".json") and name[0] != "."), reverse=True
        )

    def _is_key(self, name: str) -> bool:
        return name == os.path.basename(name) and name[:1] not in ("", ".") and self._path(name).exists()

    def _what(self, key: str) -> _What:
        """What this record is for, read once. Raises as `_read` does."""
        if (known := self._works.get(key)) is None:
            record = self._read(key)
            known = self._works[key] = _What.of(record.kind, record.platform, record.arguments)
        return known

    def _seen(self, key: str) -> Record:
        """A record as others see it: whether somebody works on it, and if nobody does, what "sending" means."""
        busy = FileLock.held(self._lock_path(key))  # before reading: whoever lets go has written before
        record = self._read(key)
        return replace(record, busy=True) if busy else self._settled(record)

    @staticmethod
    def _settled(record: Record) -> Record:
        if record.state is RecordState.WAITING:
            return replace(record, state=RecordState.FAILED, reason=NOT_SENT)
        if record.state is not RecordState.SENDING:
            return record
        reason = "the process ended before the answer came: maybe charged"
        return replace(record, state=RecordState.UNKNOWN, reason=reason)

    def _read(self, key: str) -> Record:
        """Raises OSError, and ValueError for what is no record."""
        return record_of(self._path(key).read_text(encoding="utf-8"), key)

    def write(self, record: Record) -> None:
        """Replace the file of this record in one step: readers and a crash see the old one or the new one.

        Raises OSError.
        """
        text = self._blank(text_of(record))
        path = self._path(record.key)
        partial = path.with_name(f".{path.name}.new")
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        self._name_is_safe()

    def _name_is_safe(self) -> None:
        """The name is on the disk too, so that a power cut after the request does not take the record away."""
        with suppress(OSError):  # not all systems open folders
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _blank(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(json.dumps(secret, ensure_ascii=False)[1:-1], "***")
        return text

    def _remove(self, key: str) -> None:
        path = self._path(key)
        for each in (path, path.with_name(f".{path.name}.new"), self._lock_path(key)):
            each.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _lock_path(self, key: str) -> Path:
        return self.folder / f".{key}.lock"
