"""How much the pictures of one conversation hold, and which items go when that is too much. Knows ids and sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterable

MAX_PICTURES_BYTES = 12 * 1024 * 1024  # of data URIs and addresses, in one conversation
PICTURES_FULL_MESSAGE = (
    f"The pictures of a conversation have at most {MAX_PICTURES_BYTES} bytes in all: delete some, send smaller ones, "
    "or set truncation to 'auto'."
)


class PictureRoom:
    """The sizes of pictures by the id of their item."""

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<PictureRoom {self.used_bytes} bytes in {len(self._bytes)} items>"

    @property
    def used_bytes(self) -> int:
        return sum(self._bytes.values())

    def holds(self, more_bytes: int) -> bool:
        """Whether there is room for so many more; for none always."""
        return not more_bytes or self.used_bytes + more_bytes <= MAX_PICTURES_BYTES

    def put(self, item_id: str, size_bytes: int) -> None:
        if size_bytes:
            self._bytes[item_id] = size_bytes

    def free(self, item_id: str) -> None:
        """The item is gone, if it had pictures at all."""
        self._bytes.pop(item_id, None)

    def oldest(self, order: Iterable[str], more_bytes: int, keep: Collection[str]) -> list[str]:
        """The first items of this order that have to go so that there is room for `more_bytes`; none of `keep`."""
        excess, found = self.used_bytes + more_bytes - MAX_PICTURES_BYTES, []
        for item_id in order:
            if excess <= 0:
                break
            if item_id in self._bytes and item_id not in keep:
                excess -= self._bytes[item_id]
                found.append(item_id)
        return found
