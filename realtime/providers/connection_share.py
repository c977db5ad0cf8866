"""How many speech connections a node may have of those of its account: an equal part for each node that is known.

No connection is counted for all: an account has more of them than its requests can use at once (docs/scale.md). Knows
neither Redis nor connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

GROW_S = 2.0  # until then the other nodes have heard of a new one, and have given up what was theirs


class TakesConnections(Protocol):
    """What a provider may offer as well: to use fewer connections than its settings allow."""

    def use_connections(self, limit: int) -> None:
        """Have at most so many from now on; unused ones above it are closed at once."""
        ...


def part_of(limit: int, nodes: int) -> int:
    """The part of each of so many nodes; at least 1."""
    return max(1, limit // max(1, nodes))


class ConnectionShare:
    """A smaller part holds at once, a larger one after GROW_S."""

    def __init__(self, limit: int, nodes: int, use: Callable[[int], None]) -> None:
        self._limit, self._use = limit, use
        self._part = part_of(limit, nodes)
        self._growing: asyncio.TimerHandle | None = None
        use(self._part)

    def __repr__(self) -> str:
        return f"<ConnectionShare {self._part} of {self._limit}>"

    def heard(self, nodes: int) -> None:
        """So many nodes use the account now."""
        self.close()
        part = part_of(self._limit, nodes)
        if part > self._part:
            self._growing = asyncio.get_running_loop().call_later(GROW_S, self._have, part)
        else:
            self._have(part)

    def close(self) -> None:
        """Grow no more."""
        if self._growing is not None:
            self._growing.cancel()
            self._growing = None

    def _have(self, part: int) -> None:
        self._growing = None
        if part != self._part:
            self._part = part
            self._use(part)
