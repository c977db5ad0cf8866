"""Records of platform tasks on disk, so that a crash, Ctrl-C or a lost answer never loses what was paid for.

One JSON file a task, mode 0600, written before the request is sent. Whoever works on a task holds its lock, which the
system releases when the process ends; a record that still says "sending" while nobody holds the lock is "unknown, maybe
charged". While a request waits for its turn, or to be sent again after a refusal, it says "waiting": nothing is charged
then. Knows no endpoint and no environment: the folder is given. Keys and other secrets are never written.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets as random_names
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from realtime.errors import AnswerLost, InvalidArgument, RealtimeError, TaskFailed

MAX_LISTED = 200
_VERSION = 1
_NOT_SENT = "interrupted before it was sent: nothing is charged"
_LOCK_TRIES, _LOCK_PAUSE_S = 10, 0.02


class RecordState(StrEnum):
    """How far a task has come, as far as this machine knows."""

    WAITING = "waiting"  # certainly not sent: it waits for its turn, perhaps after a refusal
    SENDING = "sending"  # written before the request leaves
    SENT = "sent"  # the platform gave an id
    DONE = "done"  # the result is saved
    FAILED = "failed"  # refused, or ended without a result
    UNKNOWN = "unknown"  # the answer was lost: maybe charged


@dataclass(frozen=True, slots=True)
class Record:
    """One task. `key` names it here, `task_id` at the platform; times are seconds since 1970.

    `platform` is the address that answers, `arguments` what the command needs to save the result later.
    """

    key: str
    kind: str
    state: RecordState
    created_s: float
    platform: str
    prompt: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    task_id: str | None = None
    paths: tuple[str, ...] = ()
    reason: str | None = None
    busy: bool = False  # some process works on it now; not on disk

    @property
    def name(self) -> str:
        """What a user types to name it: the platform's id where there is one."""
        return self.task_id or self.key


@dataclass(frozen=True, slots=True)
class Listing:
    """Records, newest first, and files that cannot be read, each with a sentence. `more`: how many were left out."""

    records: tuple[Record, ...]
    broken: tuple[str, ...] = ()
    more: int = 0


class Busy(RealtimeError):
    """Another process works on this task."""


class TaskRecords:
    """The records in one folder. `secrets` are texts (API keys) that are blanked wherever they would be written."""

    def __init__(
        self, folder: Path, *, secrets: Iterable[str] = (), now: Callable[[], float] = time.time
    ) -> None:
        self.folder = folder
        self._secrets = tuple(secret for secret in secrets if secret)
        self._now = now
        self.lost = False  # whether the answer to something that was sent from here was lost

    def create(
        self, kind: str, *, platform: str, prompt: str = "", arguments: Mapping[str, Any] | None = None
    ) -> Work:
        """A new record in state "sending", on disk and locked. Use it as a `with` block. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        now_s = self._now()
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now_s))
        key = f"{stamp}-{random_names.token_hex(3)}"
        lock = _Lock.take(self._lock_path(key))
        assert lock is not None, "the name is new"
        record = Record(key, kind, RecordState.SENDING, now_s, platform, prompt, dict(arguments or {}))
        work = Work(self, record, lock)
        try:
            work.save(record)
        except BaseException:
            self._remove(key)
            lock.release()
            raise
        return work

    def work_on(self, name: str) -> Work:
        """The record with this id or prefix, locked: for one process only. Raises Busy and InvalidArgument."""
        record = self.find(name)
        lock = _Lock.take(self._lock_path(record.key))
        if lock is None:
            raise Busy(f"Another process works on task {record.name}: wait for it, or end it first.")
        try:
            return Work(self, self._settled(self._read(self._path(record.key))), lock)
        except FileNotFoundError:
            self._remove(record.key)
            lock.release()
            raise InvalidArgument(f"Task {record.name} was just forgotten.", param="task") from None
        except BaseException:
            lock.release()
            raise

    def find(self, name: str) -> Record:
        """The record whose platform id or key is `name`, or the only one that begins with it. Raises InvalidArgument.

        Of several with the same id it is the newest: a voice that was made again, a sandbox that was started again.
        """
        keys = self._keys()
        exact, begins = [], []
        for record in self._readable(keys):
            if name in (record.key, record.task_id):
                exact.append(record)
            elif name and any(each and each.startswith(name) for each in (record.key, record.task_id)):
                begins.append(record)
        found = exact or begins
        if not found:
            raise InvalidArgument(f"There is no task {name!r} here: see `realtime tasks`.", param="task")
        names = list(dict.fromkeys(record.name for record in found))
        if len(names) > 1:
            choices = f"{', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
            raise InvalidArgument(f"{name!r} means more than one task: type one of {choices}.", param="task")
        return max(found, key=lambda record: record.created_s)

    def same(self, kind: str, arguments: Mapping[str, Any], *, platform: str) -> Record | None:
        """The newest record of the same work that has not failed, so that nothing is bought twice."""
        wanted = json.loads(self._blank(json.dumps(dict(arguments))))
        for record in self._readable(self._keys()):
            alike = (record.kind, record.platform, record.arguments) == (kind, platform, wanted)
            if alike and record.state is not RecordState.FAILED:
                return record
        return None

    def recent(self, limit: int = MAX_LISTED) -> Listing:
        """The newest records. A file that cannot be read is reported and skipped."""
        records, broken, keys = [], [], self._keys()
        for key in keys[:limit]:
            try:
                records.append(self._seen(key))
            except FileNotFoundError:
                continue  # forgotten by another process in between
            except (OSError, ValueError) as error:
                broken.append(f"{self._path(key)} cannot be read ({error}).")
        return Listing(tuple(records), tuple(broken), max(0, len(keys) - limit))

    def forget(self, name: str) -> Record:
        """Remove one record; the platform's task is not touched. Raises Busy and InvalidArgument."""
        with self.work_on(name) as work:
            self._remove(work.record.key)
        return work.record

    def _keys(self) -> list[str]:
        """The keys of all records, newest first: they begin with the time they were made."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(
            (name[:-5] for name in names if name.endswith(".json") and name[0] != "."), reverse=True
        )

    def _readable(self, keys: Iterable[str]) -> Iterator[Record]:
        for key in keys:
            try:
                yield self._seen(key)
            except (OSError, ValueError):
                continue

    def _seen(self, key: str) -> Record:
        """A record as others see it: whether somebody works on it, and if nobody does, what "sending" means."""
        busy = _Lock.held(self._lock_path(key))  # before reading: whoever lets go has written before
        record = self._read(self._path(key))
        return replace(record, busy=True) if busy else self._settled(record)

    @staticmethod
    def _settled(record: Record) -> Record:
        if record.state is RecordState.WAITING:
            return replace(record, state=RecordState.FAILED, reason=_NOT_SENT)
        if record.state is not RecordState.SENDING:
            return record
        reason = "the process ended before the answer came: maybe charged"
        return replace(record, state=RecordState.UNKNOWN, reason=reason)

    @staticmethod
    def _read(path: Path) -> Record:
        """Raises OSError, and ValueError for what is no record."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            if values.pop("version") != _VERSION:
                raise ValueError("another version of this program wrote it")
            record = Record(**values)
            return replace(record, state=RecordState(record.state), paths=tuple(record.paths))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"it is no record: {error}") from error

    def _write(self, record: Record) -> None:
        """Replace the file of this record in one step: readers and a crash see the old one or the new one."""
        values = {"version": _VERSION} | {name: getattr(record, name) for name in _ON_DISK}
        text = self._blank(json.dumps(values, ensure_ascii=False, indent=1))
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


def request_waits(*, billed: bool) -> None:
    """The task that is worked on here waits before a request."""
    if (work := _here.get()) is not None:
        work.waits(billed=billed)


def request_leaves(*, billed: bool) -> None:
    """A request for the task that is worked on here leaves now. Raises OSError: then it must not leave."""
    if (work := _here.get()) is not None:
        work.leaves(billed=billed)


_ON_DISK = tuple(name for name in Record.__dataclass_fields__ if name != "busy")


class Work:
    """One task that this process works on: its record, and the lock until the end of the `with` block.

    An exception that leaves the block is written into the record: a refusal as failed, and any end while the request
    waits; an answer that was lost, or any other end in the middle of the request, as unknown. A task that has its id
    stays "sent": it goes on.
    """

    def __init__(self, records: TaskRecords, record: Record, lock: _Lock) -> None:
        self._records = records
        self._lock = lock
        self._left = False  # a billed request
        self._outer: Work | None = None
        self.record = record

    def __enter__(self) -> Self:
        self._outer = _here.get()
        _here.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _here.set(self._outer)
        try:
            if error is not None:
                self._ended_by(error)
        finally:
            self._lock.release()

    def waits(self, *, billed: bool) -> None:
        """Nothing billed is on its way: a billed request waits, or another one before any of them has left."""
        if self.record.state is RecordState.SENDING and (billed or not self._left):
            with contextlib.suppress(OSError):  # "sending" is not wrong, only more careful
                self.save(replace(self.record, state=RecordState.WAITING))

    def leaves(self, *, billed: bool) -> None:
        """A request leaves now. Raises OSError."""
        if not billed:
            return
        self._left = True
        if self.record.state is RecordState.WAITING:
            self.save(replace(self.record, state=RecordState.SENDING))

    def sent(self, task_id: str) -> None:
        """The platform accepted the task and gave this id. Raises OSError."""
        self.save(replace(self.record, state=RecordState.SENT, task_id=task_id, reason=None))

    def done(self, paths: Iterable[str | os.PathLike[str]] = ()) -> None:
        """The result is saved in these files. Raises OSError."""
        absolute = tuple(os.path.abspath(path) for path in paths)
        self.save(replace(self.record, state=RecordState.DONE, paths=absolute, reason=None))

    def failed(self, reason: str) -> None:
        """There will be no result. Raises OSError."""
        self.save(replace(self.record, state=RecordState.FAILED, reason=reason))

    def unknown(self, reason: str) -> None:
        """The answer was lost: nobody knows whether it is charged. Raises OSError."""
        self.save(replace(self.record, state=RecordState.UNKNOWN, reason=reason))
        self._records.lost = True

    def save(self, record: Record) -> None:
        """Write the record to disk, then keep it. Raises OSError."""
        self._records._write(record)
        self.record = record

    def _ended_by(self, error: BaseException) -> None:
        sending = self.record.state is RecordState.SENDING
        waiting = self.record.state is RecordState.WAITING
        refused = isinstance(error, RealtimeError) and not isinstance(error, AnswerLost)
        if isinstance(error, TaskFailed) or ((sending or waiting) and refused):
            self.failed(str(error))
        elif waiting:
            self.failed(_NOT_SENT)
        elif sending:
            self.unknown(str(error) or "interrupted before the answer came: maybe charged")


_here: ContextVar[Work | None] = ContextVar("work", default=None)  # of this asyncio task


class _Lock:
    """An exclusive lock on a file; the system releases it when the process ends, however that happens."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> _Lock | None:
        """The lock, or None while somebody else holds it. Raises OSError."""
        for _ in range(_LOCK_TRIES):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            # without a link: the record was forgotten between opening and locking, the lock file is another one now
            if _locked(handle, fcntl.LOCK_EX) and os.fstat(handle).st_nlink:
                return cls(handle)
            os.close(handle)
            time.sleep(_LOCK_PAUSE_S)  # a process that only looks (`held`) lets go at once
        return None

    @staticmethod
    def held(path: Path) -> bool:
        """Whether somebody holds the lock now."""
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not _locked(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def release(self) -> None:
        os.close(self._handle)


def _locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
