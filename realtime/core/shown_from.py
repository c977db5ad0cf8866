"""From which item on a chat model is shown a conversation that was too long once.

It moves when the conversation is too long again. So the beginning of the requests stays the same for many turns, and a
platform that keeps the beginnings of requests has the most of them. Where the client deletes that item, puts something
before it, or changes `truncation`, the conversation counts from its first item again; so it does at another server that
goes on with the session.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.core.items import Item


class ShownFrom:
    """`item_id` None: from the first one."""

    def __init__(self, item_id: str | None = None) -> None:
        self.item_id = item_id

    def __repr__(self) -> str:
        return f"<ShownFrom {self.item_id}>"

    def forget(self) -> None:
        """That item is gone, or there is another rule by which a conversation is too long."""
        self.item_id = None

    def moves_to(self, item: Item) -> None:
        """One without an id, the words of an early answer, will have another one."""
        if item.id:
            self.item_id = item.id

    def insert(self, place: int, items: Sequence[Item]) -> None:
        """Something is put in before the item in this place: who puts it before what is shown wants it to be seen."""
        if place <= self.place(items):
            self.item_id = None

    def place(self, items: Sequence[Item]) -> int:
        """Where it is among these items: the first place if it is gone."""
        if self.item_id is None:
            return 0
        return next((place for place, item in enumerate(items) if item.id == self.item_id), 0)
