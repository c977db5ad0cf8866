"""Which items of a full conversation may go, and which of them go together."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from realtime.core.items import Item, Message, outputs_of_calls, says_something


def may_go(items: Sequence[Item], keep: Collection[str], *, asks_anew: bool = False) -> list[list[str]]:
    """The ids of items that go together, oldest first.

    There stay: the user's last message, unless a new one follows (`asks_anew`), what is in progress, and `keep` (ids of
    items or calls).
    """
    stays = {*keep, *(item.id for item in items if item.status == "in_progress")}
    if not asks_anew:
        users = [item for item in items if isinstance(item, Message) and item.role == "user"]
        # The last one may be noise, or speech that will turn out to be
        spoken = [item for item in users if says_something(item)]
        stays.update(item.id for item in (*users[-1:], *spoken[-1:]))
    return [
        [item.id for item in group]
        for group in _together(items)
        if not any(item.id in stays or _call_id(item) in stays for item in group)
    ]


def _together(items: Sequence[Item]) -> list[list[Item]]:
    """All of them, in order: a call with its outputs, any other item alone."""
    outputs = outputs_of_calls(items)
    with_calls = {place for places in outputs.values() for place in places}
    return [
        [item, *(items[output] for output in outputs.get(place, ()))]
        for place, item in enumerate(items)
        if place not in with_calls
    ]


def _call_id(item: Item) -> str | None:
    return None if isinstance(item, Message) else item.call_id
