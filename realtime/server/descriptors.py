"""How many files and sockets this process may still open. Where there are few, those who are inside keep them.

A conversation needs sockets for its services in every turn: so that there are some left, new connections are refused
first. Counts where the system tells (Linux, macOS); elsewhere there is always room.
"""

from __future__ import annotations

import logging
import os
import time

log = logging.getLogger(__name__)

RESERVE = 64  # kept for those inside ...
RESERVE_SHARE = 0.25  # ... but at most this share of what the process may open
PER_CONNECTION = 4  # its own, and those of its services
COUNT_EVERY_S = 0.5
WARN_EVERY_S = 60.0
FOLDER = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


class Descriptors:
    """Counts twice a second, or always where more than half are in use; assumes what was admitted since."""

    def __init__(self) -> None:
        self._used = 0
        self._counted_s = self._warned_s = float("-inf")

    def admit(self) -> bool:
        """Whether one more connection may come in. If not, the log says so, at most once a minute."""
        now_s, limit = time.monotonic(), _limit()
        if limit is None:
            return True
        reserve = min(RESERVE, int(limit * RESERVE_SHARE))
        self._used += PER_CONNECTION
        if now_s - self._counted_s >= COUNT_EVERY_S or self._used > limit / 2:
            self._used, self._counted_s = _open(), now_s
        if limit - self._used >= reserve:
            return True
        if now_s - self._warned_s >= WARN_EVERY_S:
            self._warned_s = now_s
            log.warning(
                "files run out: %d of %d are left, new connections are refused (raise `ulimit -n`)",
                max(0, limit - self._used),
                limit,
            )
        return False


def _limit() -> int | None:
    """How many files the process may open; None: nobody knows, or any number."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if limit == resource.RLIM_INFINITY else limit


def _open() -> int:
    try:
        return len(os.listdir(FOLDER))
    except OSError:  # none is left even for this
        return 1 << 30
