"""Which speech hosts to leave alone for a while. Time is an argument, in seconds of any clock that does not jump."""

from __future__ import annotations

from realtime.minimax.speech import Transport

SKIP_HOST_S = 30.0
DROPS_WITHIN_S = 10.0  # two lost connections within this time count as a failed host

Address = tuple[Transport, str]


class Breaker:
    """One short circuit-breaker for each way to each host."""

    def __init__(self) -> None:
        self._until_s: dict[Address, float] = {}
        self._dropped_s: dict[Address, float] = {}

    def allows(self, address: Address, now_s: float) -> bool:
        """Whether this host may be used."""
        return self._until_s.get(address, 0.0) <= now_s

    def failed(self, address: Address, now_s: float) -> None:
        self._until_s[address] = now_s + SKIP_HOST_S

    def dropped(self, address: Address, now_s: float) -> None:
        """A connection that worked was lost; once can be chance."""
        last_s = self._dropped_s.get(address)
        self._dropped_s[address] = now_s
        if last_s is not None and now_s - last_s < DROPS_WITHIN_S:
            self.failed(address, now_s)

    def worked(self, address: Address) -> None:
        self._until_s.pop(address, None)
