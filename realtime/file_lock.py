"""An exclusive lock on a file; the system releases it when the process ends, however that happens."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

_WAIT_S, _PAUSE_S = 0.2, 0.02


class FileLock:
    """A lock that this process holds until `release`."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, path: Path, wait_s: float = _WAIT_S) -> FileLock | None:
        """The lock, or None if somebody else holds it for all of `wait_s`. Raises OSError."""
        for _ in range(round(wait_s / _PAUSE_S)):
            if (lock := cls.try_once(path)) is not None:
                return lock
            time.sleep(_PAUSE_S)  # a process that only looks (`held`) lets go at once
        return None

    @classmethod
    def try_once(cls, path: Path) -> FileLock | None:
        """The lock, or None if somebody else holds it now. Raises OSError."""
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        # without a link: the file was removed between opening and locking, the lock file is another one now
        if _locked(handle, fcntl.LOCK_EX) and os.fstat(handle).st_nlink:
            return cls(handle)
        os.close(handle)
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
