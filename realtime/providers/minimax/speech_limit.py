"""How many speech sockets we allow ourselves, by what the platform refuses (1041). Time is an argument, in seconds of
any monotonic clock. Knows no connection."""

from __future__ import annotations

LOWERED_FOR_S = 300.0  # each lowering counts for this long


class SocketLimit:
    """The configured limit, halved by each refusal of the last minutes; never below the sockets that are open.

    The platform has accepted those, so they are no proof of a smaller limit. Refusals of what began before the limit
    was lowered are one refusal with the one that lowered it: nothing could heed it by then.
    """

    def __init__(self, configured: int) -> None:
        self.configured = max(1, configured)
        self._lowered_s: list[float] = []

    def __repr__(self) -> str:
        return f"<SocketLimit {self.configured}, lowered {len(self._lowered_s)} times>"

    def use(self, configured: int) -> None:
        """Start from this one from now on."""
        self.configured = max(1, configured)

    def at(self, now_s: float, open: int) -> int:
        """The limit now, with so many sockets open."""
        self._forget(now_s)
        lowered = max(1, self.configured >> len(self._lowered_s))
        return max(lowered, min(open, self.configured))

    def refused(self, began_s: float, now_s: float) -> bool:
        """The platform refused what we began then. Whether that lowers the limit."""
        self._forget(now_s)
        if self._lowered_s and began_s <= self._lowered_s[-1]:
            return False
        if self.configured >> len(self._lowered_s) <= 1:
            return False
        self._lowered_s.append(now_s)
        return True

    def _forget(self, now_s: float) -> None:
        self._lowered_s = [at_s for at_s in self._lowered_s if at_s > now_s - LOWERED_FOR_S]
