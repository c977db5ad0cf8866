"""A place for what came with its answer and does not fit where it was asked for: no second request brings it again.

A full disk, a folder that was taken away: the file goes into a folder of its own in `kept`, which is beside the
records, or in the one for temporary files, which is often on another disk, and the user is told where it is.
"""

from __future__ import annotations

import asyncio
import errno
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from realtime.commands.platform import Platform
from realtime.errors import InvalidArgument, StorageError
from realtime.minimax.download import save_bytes
from realtime.task_records import TaskRecords

T = TypeVar("T")
FULL = (errno.ENOSPC, errno.EDQUOT)


def other_places(records: TaskRecords, path: Path) -> Iterator[Path]:
    """Names for this file in other folders, which are made for it: what else belongs to it has room beside it. Those
    that cannot be made are left out."""
    made: list[Path] = []
    try:
        for parent in (records.folder.parent / "kept", temporary()):
            try:
                made.append(private_folder(parent))
            except OSError:
                continue
            yield made[-1] / path.name
    finally:
        for folder in made:
            with suppress(OSError):  # something is in it
                folder.rmdir()


def temporary() -> Path:
    """The folder for temporary files of this machine."""
    return Path(tempfile.gettempdir())


def private_folder(parent: Path) -> Path:
    """A new folder that only this user can read: others may read its parent. Raises OSError."""
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="realtime-", dir=parent))


def told(path: Path, error: Exception, kept: Path) -> str:
    """The sentence for a file that is somewhere else now."""
    return f"{path} cannot be written ({reason(error)}). It is kept in {kept}"


def reason(error: BaseException | None) -> str:
    """Why a file was not written, in few words."""
    while error is not None:
        if isinstance(error, OSError):
            return "the disk is full" if error.errno in FULL else error.strerror or type(error).__name__
        if isinstance(error, StorageError) and error.__cause__ is None:
            return "the disk is full"  # it was too small, and nothing was tried
        if error.__cause__ is None:
            return str(error).rstrip(".")
        error = error.__cause__
    return "it failed"


async def to_its_end(saving: Awaitable[T], note: Callable[[T], None]) -> T:
    """Save what came with its answer, also if Ctrl-C comes meanwhile: it is saved and noted before that goes on."""
    task = asyncio.ensure_future(saving)
    try:
        saved = await asyncio.shield(task)
    except asyncio.CancelledError:
        note(await task)
        raise
    note(saved)
    return saved


async def keep(platform: Platform, data: bytes, path: Path, *, force: bool = False) -> Path:
    """Bytes as a file: `path`, or another place that is told. Raises as `save_bytes` does if there is none."""

    async def write(target: Path) -> Path:
        return (await save_bytes(data, target, force=force and target == path)).path

    return await keep_by(platform, write, path)


async def keep_by(platform: Platform, write: Callable[[Path], Awaitable[Path]], path: Path) -> Path:
    """As `keep`, for what `write` writes. Raises what it raises besides about the disk."""
    try:
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        return await write(path)
    except (OSError, StorageError, InvalidArgument) as error:
        for other in other_places(platform.records, path):
            try:
                kept = await write(other)
            except (OSError, StorageError, InvalidArgument):
                continue
            platform.records.warn(told(path, error, kept))
            return kept
        platform.records.warn(
            f"{path} cannot be written ({reason(error)}), and no other folder takes it: the platform does not send it "
            "again."
        )
        raise
