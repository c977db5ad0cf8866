"""The order of items when a store knows more of them than the session that saves. Pure, for every store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from realtime.providers.store import LateItem


def merged(order: Sequence[str], others: Sequence[str], gone: Collection[str] = ()) -> list[str]:
    """`order`, and what else stands in `others` but is not `gone`: each after the one it follows there."""
    known, left_out = set(order), set(gone)
    after: dict[str | None, list[str]] = {}
    before: str | None = None
    for item_id in others:
        if item_id in known:
            before = item_id
        elif item_id not in left_out:
            after.setdefault(before, []).append(item_id)
    return [*after.get(None, ()), *(each for item_id in order for each in (item_id, *after.get(item_id, ())))]


def accepted(late: Mapping[str, LateItem], stored: Mapping[str, bytes]) -> dict[str, bytes]:
    """The late items that may be written: of those nobody has written anything else meanwhile."""
    return {item_id: item.now for item_id, item in late.items() if stored.get(item_id) == item.before}


def with_late(order: Sequence[str], said: Sequence[str], late: Collection[str]) -> list[str]:
    """The stored `order` with the late items, where they stood in the order `said` of their session."""
    return merged(order, said, gone=set(said) - set(late))
