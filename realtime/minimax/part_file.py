"""`NAME.part` beside a target: bytes that are still coming, and how they become the target.

Knows the disk: names that are taken, folders that cannot be written, a full disk, two processes at once, and the
sidecar `NAME.part.json` with what a later process needs to go on. Knows no network. Everything here blocks: the large
steps are called in a thread.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from realtime.errors import InvalidArgument, RealtimeError, StorageError
from realtime.minimax.fetching import Mark
from realtime.minimax.fields import shown
from realtime.minimax.file_source import readable_size
from realtime.minimax.sniff import SNIFF_BYTES, Kind, sniff

if sys.platform != "win32":
    import fcntl

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@dataclass(frozen=True, slots=True)
class Disk:
    """The calls of the system that can fail for want of room or rights, so that a test can let them fail."""

    write: Callable[[int, memoryview], int] = os.write
    free_bytes: Callable[[Path], int] = _free_bytes
    link: Callable[[Path, Path], None] = os.link


def as_path(target: str | os.PathLike[str]) -> Path:
    """The target as a path. Raises InvalidArgument for what is none."""
    try:
        return Path(target)
    except TypeError:
        raise InvalidArgument(
            f"target is {shown(target)}: allowed is a text or a Path.", param="target"
        ) from None


def part_path(target: str | os.PathLike[str]) -> Path:
    """Where the bytes are until all of them are here."""
    path = Path(target)
    return path.with_name(path.name + ".part")


class PartFile:
    """An open, locked part. `size` bytes of it are good; `mark` says of which file, if they can be continued."""

    def __init__(self, target: Path, *, force: bool = False, disk: Disk | None = None) -> None:
        """Raises InvalidArgument for a target that cannot be written or is taken (`force` takes it), StorageError if
        another process writes it now."""
        self.target = target
        self._force = force
        self._disk = disk or Disk()
        self._published = False
        self._check_target()
        self.path = part_path(target)
        self.sidecar = self.path.with_name(self.path.name + ".json")
        self._fd = self._open()
        try:
            self._check_target()  # the process that had the lock may just have finished
            self.mark = self._read_sidecar()
        except BaseException:
            self.close()
            raise
        self.size = os.fstat(self._fd).st_size if self.mark is not None else 0

    def restart(self, mark: Mark | None) -> None:
        """Forget the bytes; the file that comes now has this mark."""
        self.sidecar.unlink(missing_ok=True)
        os.ftruncate(self._fd, 0)
        self.size, self.mark = 0, mark
        if mark is not None:
            with suppress(OSError):  # a full disk is the news of the next write
                self.sidecar.write_bytes(msgspec.json.encode(mark))

    def check_room(self, total: int | None) -> None:
        """Raise StorageError if the rest of a file of `total` bytes does not fit on the disk."""
        try:
            free = self._disk.free_bytes(self.target.parent)
        except OSError:
            return  # the file system does not say: the writes will
        if total is not None and total - self.size > free:
            short = total - self.size - free
            raise StorageError(
                f"{self.target.name} has {readable_size(total)}, and {readable_size(short)} are missing on the disk of "
                f"{self.target.parent}. Make room there and save it again, or choose another folder."
            )

    def write(self, data: bytes, total: int | None = None) -> None:
        """Add to the end. A full disk removes the part and raises StorageError with how much of `total` is missing."""
        rest = memoryview(data)
        os.lseek(self._fd, self.size, os.SEEK_SET)
        try:
            while rest:
                written = self._disk.write(self._fd, rest)
                self.size += written
                rest = rest[written:]
        except OSError as error:
            raise self._failed(error, total) from error

    def publish(self) -> Kind:
        """Make the part the target; its kind by its first bytes. Never replaces a file without force.

        Raises InvalidArgument if the name was taken meanwhile: all bytes stay in the part.
        """
        try:
            os.ftruncate(self._fd, self.size)
            os.fsync(self._fd)
            os.lseek(self._fd, 0, os.SEEK_SET)
            kind = sniff(os.read(self._fd, SNIFF_BYTES))
            if os.name == "nt":
                self.close()  # an open file cannot be renamed there
            self._rename()
        except FileExistsError:
            raise InvalidArgument(
                f"{self.target} was made by somebody else meanwhile. The whole file is in {self.path}.",
                param="target",
            ) from None
        except OSError as error:
            raise self._failed(error, self.size) from error
        self.sidecar.unlink(missing_ok=True)
        self._published = True
        return kind

    def take_back(self) -> None:
        """Make a published target the part again, for a call that was cancelled meanwhile: the same call goes on then.

        What `force` has replaced stays replaced: there the same call finds no name that is taken.
        """
        if not self._published or self._force or self._fd < 0:
            return
        self._published = False
        with suppress(OSError):
            if os.path.samestat(os.fstat(self._fd), os.stat(self.target)):
                if self.mark is not None:
                    self.sidecar.write_bytes(msgspec.json.encode(self.mark))
                self.target.replace(self.path)

    def discard(self) -> None:
        """Remove the part and its sidecar."""
        self.path.unlink(missing_ok=True)
        self.sidecar.unlink(missing_ok=True)

    def close(self) -> None:
        """Give the lock back. What is in the part stays there, unless it is nothing."""
        if self._fd < 0:
            return
        with suppress(OSError):
            if os.fstat(self._fd).st_size == 0 and self._is_current(self._fd):
                self.discard()
        os.close(self._fd)
        self._fd = -1

    def _check_target(self) -> None:
        folder = self.target.parent
        if os.path.isdir(self.target) or not self.target.name:
            raise InvalidArgument(f"{self.target} is a folder. Give the name of a file.", param="target")
        if not os.path.isdir(folder):
            raise InvalidArgument(f"There is no folder {folder}.", param="target")
        if os.path.lexists(self.target) and not self._force:
            raise InvalidArgument(
                f"{self.target} exists already. Choose another name, or allow to replace it (force).",
                param="target",
            )

    def _open(self) -> int:
        while True:
            try:
                fd = os.open(self.path, _FLAGS, 0o666)
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise InvalidArgument(f"{self.path} cannot be written: {reason}.", param="target") from error
            if not self._lock(fd):
                os.close(fd)
                raise StorageError(f"Another process is saving {self.target} now.")
            if self._is_current(fd):
                return fd
            os.close(fd)  # it was finished and renamed between our opening and our lock

    def _lock(self, fd: int) -> bool:
        if sys.platform != "win32":  # no locks there, everything else works
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                return error.errno not in (errno.EAGAIN, errno.EACCES)  # others: no locks on this file system
        return True

    def _is_current(self, fd: int) -> bool:
        try:
            return os.path.samestat(os.fstat(fd), os.stat(self.path))
        except FileNotFoundError:
            return False

    def _read_sidecar(self) -> Mark | None:
        try:
            mark = msgspec.json.decode(self.sidecar.read_bytes(), type=Mark)
        except (OSError, msgspec.DecodeError):
            return None
        too_long = mark.total is not None and os.fstat(self._fd).st_size > mark.total
        return None if too_long or not (mark.validator.isascii() and mark.validator.isprintable()) else mark

    def _rename(self) -> None:
        if self._force:
            os.replace(self.path, self.target)
        else:
            self._rename_to_free_name()
        with suppress(OSError):  # the name is safe on the disk too; not all systems open folders
            folder = os.open(self.target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _rename_to_free_name(self) -> None:
        """A hard link fails where the name is taken. Without links, an empty file claims the name first."""
        try:
            self._disk.link(self.path, self.target)
        except FileExistsError:
            raise
        except OSError:
            os.close(os.open(self.target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
            os.replace(self.path, self.target)
        else:
            self.path.unlink()

    def _failed(self, error: OSError, total: int | None) -> RealtimeError:
        reason = error.strerror or type(error).__name__
        if error.errno not in _FULL:
            return StorageError(f"{self.path} could not be written: {reason}.")
        self.discard()
        missing = (
            "an unknown number of bytes are" if total is None else f"{readable_size(total - self.size)} are"
        )
        return StorageError(
            f"The disk of {self.target.parent} is full: {readable_size(self.size)} of {self.target.name} fitted, "
            f"{missing} missing. The part was removed. Make room there and save it again."
        )
