"""How much the items of one conversation hold, and which of them go when that is too much. Knows ids and sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# Of pictures (data URIs and addresses), texts and thoughts, in one conversation
MAX_HELD_BYTES = 12 * 1024 * 1024
LARGE_BYTES = 64 * 1024  # whoever makes room takes items of this size first: small ones would be many
HOLDS_TOO_MUCH = (
    f"The pictures and texts of a conversation have at most {MAX_HELD_BYTES} bytes in all, and the user's last message "
    "never makes room: delete some, send smaller ones, or set truncation to 'auto'."
)


class ItemRoom:
    """The sizes of items by their id."""

    def __init__(self) -> None:
        self._bytes: dict[str, int] = {}
        self.used_bytes = 0

    def __repr__(self) -> str:
        return f"<ItemRoom {self.used_bytes} bytes in {len(self._bytes)} items>"

    def holds(self, more_bytes: int, without: Iterable[str] = ()) -> bool:
        """Whether there is room for so many more once those are gone; for none always."""
        freed_bytes = sum(self._bytes[item_id] for item_id in without)
        return not more_bytes or self.used_bytes - freed_bytes + more_bytes <= MAX_HELD_BYTES

    def put(self, item_id: str, size_bytes: int) -> None:
        """The item holds so much, whatever it held before."""
        self.used_bytes += size_bytes - self._bytes.get(item_id, 0)
        self._bytes[item_id] = size_bytes

    def free(self, item_id: str) -> None:
        """The item is gone."""
        self.used_bytes -= self._bytes.pop(item_id, 0)

    def first(self, groups: Iterable[Sequence[str]], more_bytes: int) -> list[str]:
        """The groups that have to go so that there is room for `more_bytes`: the first large ones, then the others."""
        excess, found = self.used_bytes + more_bytes - MAX_HELD_BYTES, list[str]()
        sized = [(sum(self._bytes[item_id] for item_id in group), group) for group in groups]
        for size_bytes, group in sorted(sized, key=lambda each: each[0] < LARGE_BYTES):
            if excess <= 0:
                break
            if size_bytes:
                excess -= size_bytes
                found += group
        return found
