"""Where the SQLite file of a store is, and what is beside it: `-wal`, the log of what is not in it yet, and `-shm`.

SQLite goes by their names alone: where another file takes the place of the store, it reads the old log as that of the
new file, which damages it. So this knows which of the files at the path are the store's own. Knows nothing of what is
in them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_BESIDE = ("-wal", "-shm")

_Inode = tuple[int, int] | None  # None: there is no such file


@dataclass(frozen=True, slots=True)
class Place:
    """A path, and the files that were there when it was looked at."""

    path: Path
    store: _Inode
    beside: tuple[_Inode, ...] = ()

    @classmethod
    def of_store(cls, path: Path) -> Place:
        """Before the file is opened. Raises OSError if nobody can tell."""
        return cls(path, _inode(path))

    def with_beside(self) -> Place:
        """The same file, and what SQLite has opened beside it. Raises OSError if nobody can tell."""
        return Place(self.path, self.store, tuple(_inode(each) for each in _beside(self.path)))

    def is_still(self) -> bool:
        """Whether the path leads to the same file. Raises OSError if nobody can tell."""
        return _inode(self.path) == self.store

    def clear(self) -> None:
        """Remove what this store has left beside the file of somebody else. Raises OSError.

        Another worker may have done so and opened the file already: what is beside it then is another log, and stays.
        """
        with _alone(_real(self.path).parent):
            for each, ours in zip(_beside(self.path), self.beside, strict=True):
                if ours is not None and _inode(each) == ours:
                    each.unlink(missing_ok=True)


def _real(path: Path) -> Path:
    """SQLite follows links, and has its files beside the file itself."""
    return Path(os.path.realpath(path))


def _beside(path: Path) -> tuple[Path, ...]:
    real = _real(path)
    return tuple(real.with_name(real.name + suffix) for suffix in _BESIDE)


def _inode(path: Path) -> _Inode:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _alone(folder: Path) -> Generator[None]:
    """No other worker is here at the same time: between a look and a removal it could make a new log.

    Without locks on this file system, or without the folder, we go on: the moment is short.
    """
    if sys.platform == "win32":  # a file that is open cannot be replaced there
        yield
        return
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            fd = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, fd)
            fcntl.flock(fd, fcntl.LOCK_EX)
        yield
