"""The last requests of a sandbox, kept for whoever tests with it: bounded in number and in bytes.

Whether anything is kept at all is decided where the sandbox is made. It knows neither requests nor endpoints.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Generic, TypeVar

T = TypeVar("T")

KEPT_REQUESTS = 10_000
KEPT_BYTES = 32 * 1024 * 1024  # of all records together, as JSON would be
NODE_BYTES = 64  # what a value costs besides its characters


class Records(deque[T], Generic[T]):
    """The newest records. `wanted` False: none is kept."""

    def __init__(
        self, *, wanted: bool = True, most: int = KEPT_REQUESTS, most_bytes: int = KEPT_BYTES
    ) -> None:
        super().__init__()
        self._wanted = wanted
        self._most = most
        self._most_bytes = most_bytes
        self._sizes: deque[int] = deque()
        self.size = 0  # bytes, estimated

    def keep(self, record: T, *values: Any) -> None:
        """Keep a record, whose large parts are these values; the oldest ones make room. The newest always stays."""
        if not self._wanted:
            return
        size = sum(map(size_of, values))
        self.append(record)
        self._sizes.append(size)
        self.size += size
        while len(self) > 1 and (len(self) > self._most or self.size > self._most_bytes):
            self.popleft()
            self.size -= self._sizes.popleft()

    def clear(self) -> None:
        super().clear()
        self._sizes.clear()
        self.size = 0


def size_of(value: Any) -> int:
    """About how many bytes a decoded JSON value takes. Without recursion: it may be nested deeply."""
    size, waiting = 0, [value]
    while waiting:
        each = waiting.pop()
        size += NODE_BYTES
        match each:
            case str() | bytes():
                size += len(each)
            case dict():
                waiting += each.keys()
                waiting += each.values()
            case list() | tuple():
                waiting += each
    return size
