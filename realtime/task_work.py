"""The work of this process on one task: what becomes of its record while a request waits, leaves, is answered, ends.

Knows how a record is written only by the `Store` that it is given.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from types import TracebackType
from typing import Protocol, Self

from realtime.errors import AnswerLost, RealtimeError, TaskFailed
from realtime.file_lock import FileLock
from realtime.task_record import CHARGED, NOT_SENT, Record, RecordState


class Store(Protocol):
    """Where records are written. `lost` is whether the answer to something that was sent from here was lost."""

    lost: bool

    def warn(self, sentence: str) -> None: ...
    def write(self, record: Record) -> None: ...  # raises OSError


def request_waits(*, billed: bool) -> None:
    """The task that is worked on here waits before a request."""
    if (work := _here.get()) is not None:
        work.waits(billed=billed)


def request_leaves(*, billed: bool) -> None:
    """A request for the task that is worked on here leaves now. Raises OSError: then it must not leave."""
    if (work := _here.get()) is not None:
        work.leaves(billed=billed)


def answer_came(links: Sequence[str] | None = None, paths: Iterable[str | os.PathLike[str]] = ()) -> None:
    """The answer for the task that is worked on here has begun: it is charged. What goes on with it: see `answered`."""
    if (work := _here.get()) is not None:
        work.answered(links, paths)


class Work:
    """One task that this process works on: its record, and the lock until the end of the `with` block.

    An exception that leaves the block is written into the record: a refusal as failed, and any end while the request
    waits; an answer that was lost, or any other end in the middle of the request, as unknown. Once its answer has begun
    nothing is a refusal any more. A task that has its id stays "sent": it goes on.

    Only `create` and `leaves` need the disk. After them a record that cannot be written is kept in memory and told of:
    what was bought is worth more than the note of it.
    """

    def __init__(self, store: Store, record: Record, lock: FileLock) -> None:
        self._store = store
        self._lock = lock
        self._left = False  # a billed request
        self._answered = False
        self._unwritten = False  # the disk has an older record than this process
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
            if self._unwritten:  # there may be room again
                self.save(self.record)
        finally:
            self._lock.release()

    def waits(self, *, billed: bool) -> None:
        """Nothing billed is on its way: a billed request waits, or another one before any of them has left."""
        if self.record.state is RecordState.SENDING and not self._answered and (billed or not self._left):
            with contextlib.suppress(OSError):  # "sending" is not wrong, only more careful
                self._note(replace(self.record, state=RecordState.WAITING))

    def leaves(self, *, billed: bool) -> None:
        """A request leaves now. Raises OSError."""
        if not billed:
            return
        if self.record.state is RecordState.WAITING:
            self._note(replace(self.record, state=RecordState.SENDING))
        self._left = True

    def answered(
        self, links: Sequence[str] | None = None, paths: Iterable[str | os.PathLike[str]] = ()
    ) -> None:
        """The answer has begun, so it is charged.

        `links` is what a later process needs, in `paths` is what is saved already; the next record on disk has them.
        """
        self._answered = True
        if links is not None:
            arguments = {**self.record.arguments, "links": list(links)}
            self.record = replace(self.record, arguments=arguments)
        self.record = replace(self.record, paths=_absolute(paths) or self.record.paths)

    def replaces(self) -> None:
        """From here on the files at its place are its own: also those that a crash left half-done."""
        if not self.record.arguments.get("replaces"):
            self.save(replace(self.record, arguments={**self.record.arguments, "replaces": True}))

    def sent(self, task_id: str | None) -> None:
        """The platform accepted the task and gave this id, or answered (where it gave none, it is the key)."""
        name = task_id or self.record.key
        self.save(replace(self.record, state=RecordState.SENT, task_id=name, reason=None))

    def done(self, paths: Iterable[str | os.PathLike[str]] = ()) -> None:
        """The result is saved in these files."""
        self.save(replace(self.record, state=RecordState.DONE, paths=_absolute(paths), reason=None))

    def failed(self, reason: str) -> None:
        """There will be no result."""
        self.save(replace(self.record, state=RecordState.FAILED, reason=reason))

    def unknown(self, reason: str) -> None:
        """The answer was lost, or came and could not be kept."""
        self._store.lost = True
        self.save(replace(self.record, state=RecordState.UNKNOWN, reason=reason))

    def save(self, record: Record) -> None:
        """Keep this record, and write it to disk if that takes it; the user hears if not."""
        try:
            self._note(record)
        except OSError as error:
            self.record = record
            if not self._unwritten:
                self._unwritten = True
                self._store.warn(_unwritten(record, error))

    def _note(self, record: Record) -> None:
        """Write the record to disk, then keep it. Raises OSError."""
        self._store.write(record)
        self.record, self._unwritten = record, False

    def _ended_by(self, error: BaseException) -> None:
        sending = self.record.state is RecordState.SENDING
        waiting = self.record.state is RecordState.WAITING
        refused = isinstance(error, RealtimeError) and not isinstance(error, AnswerLost)
        if isinstance(error, TaskFailed):
            self.failed(str(error))
        elif sending and self._answered:
            self.unknown(f"{CHARGED}{error or 'it was interrupted'}")
        elif (sending or waiting) and refused:
            self.failed(str(error))
        elif waiting:
            self.failed(NOT_SENT)
        elif sending and isinstance(error, OSError) and not self._left:
            self.failed(f"{NOT_SENT} ({error})")
        elif sending:
            self.unknown(str(error) or "interrupted before the answer came: maybe charged")


def _absolute(paths: Iterable[str | os.PathLike[str]]) -> tuple[str, ...]:
    return tuple(os.path.abspath(path) for path in paths)


def _unwritten(record: Record, error: OSError) -> str:
    why = error.strerror or type(error).__name__
    told = f"The record of this task could not be written ({why}): `realtime tasks` does not know how it went on."
    return told if record.task_id is None else f"{told} Write down its id: {record.task_id}"


_here: ContextVar[Work | None] = ContextVar("work", default=None)  # of this asyncio task
