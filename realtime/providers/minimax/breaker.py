"""A circuit breaker for speech hosts, and which errors tell of a host. Time is an argument, in seconds of any
monotonic clock."""

from __future__ import annotations

from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.codes import IDLE, TOO_MANY_CONNECTIONS
from realtime.minimax.speech import Transport

OPEN_S = 30.0  # an open breaker refuses its host for this long
DROPS_WITHIN_S = 10.0  # two lost connections within this time count as a failed host
NOT_FOUND = 404

Address = tuple[Transport, str]


class NoSound(ProviderUnavailable):
    """A text that can be spoken has ended without sound."""

    def __init__(self, trace_id: str | None = None) -> None:
        problem = "the voice sent no sound for a text"
        super().__init__(f"MiniMax: {problem}.", trace_id=trace_id)
        self.reason = problem


class CircuitBreaker:
    """One circuit breaker for each transport and host."""

    def __init__(self) -> None:
        self._open_until_s: dict[Address, float] = {}
        self._dropped_s: dict[Address, float] = {}

    def allows(self, address: Address, now_s: float) -> bool:
        """Whether this host may be used: its breaker is closed."""
        return self._open_until_s.get(address, 0.0) <= now_s

    def failed(self, address: Address, now_s: float) -> None:
        self._open_until_s[address] = now_s + OPEN_S

    def dropped(self, address: Address, now_s: float) -> None:
        """An open connection was lost. One loss can be chance; a second one soon after it opens the breaker."""
        last_s = self._dropped_s.get(address)
        self._dropped_s[address] = now_s
        if last_s is not None and now_s - last_s < DROPS_WITHIN_S:
            self.failed(address, now_s)

    def worked(self, address: Address) -> None:
        self._open_until_s.pop(address, None)


def same_on_all_hosts(error: ProviderError) -> bool:
    """Whether every other host would give the same error."""
    if error.upstream_code in (NOT_FOUND, TOO_MANY_CONNECTIONS):
        return False
    return not error.retryable or error.code == "rate_limit_exceeded"


def tells_of_host(error: ProviderError) -> bool:
    """Whether it tells of the host: not of the account, the text, or a socket that has waited for too long."""
    return error.upstream_code != IDLE and not isinstance(error, NoSound) and not same_on_all_hosts(error)
