"""A file of SQLite that only its user can read, with what SQLite keeps beside it. Knows nothing of what is in it."""

from __future__ import annotations

import logging
import os
from pathlib import Path

log = logging.getLogger(__name__)

# What SQLite keeps beside the file, with parts of its content. It gives new ones the file's own mode.
_BESIDE = ("-wal", "-shm", "-journal")


def keep_private(path: Path) -> None:
    """Make the file, if there is none, and let only its user read it and what stands beside it.

    A file of somebody else keeps its mode, and the log says so. Raises OSError if there can be no file.
    """
    if str(path) == ":memory:":
        return
    if not path.exists():
        log.info("%s is a new store, without any conversation", path)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    for each in (path, *(path.with_name(path.name + suffix) for suffix in _BESIDE)):
        try:
            if each.exists() and each.stat().st_mode & 0o077:
                each.chmod(0o600)
        except PermissionError:
            log.warning("others may read %s, and this user cannot change that", each)
