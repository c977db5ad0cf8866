"""How long to wait before something is tried again. Knows no request; whether to try again is its caller's."""

from __future__ import annotations

import random
from collections.abc import Callable

from realtime.errors import ProviderError
from realtime.minimax.codes import RPM, TOO_MANY_CONNECTIONS, is_of_connection

MOST_S = 20.0
MOST_ASKED_S = 60.0  # of a wait that a service asks for: nobody is told about it meanwhile
MINUTE_S = 1.0  # first pause where the account's minute is used up ...
BUSY_S = 0.3  # ... and where the service is busy or failed: somebody listens


def doubled_s(first_s: float, failures: int, longest_s: float) -> float:
    """`first_s` after one failure, twice as long after each further one, at most `longest_s`."""
    return min(longest_s, first_s * 2.0 ** (min(failures, 16) - 1))


def delay_s(failures: int, backoff_s: float, error: ProviderError | None = None) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, spread by a fifth, at most MOST_S.

    What the service asked for (`retry_after_s` of the error) is the least. If that is more than MOST_ASKED_S, the error
    is raised instead: whoever reads when to come back decides. A `backoff_s` of 0 turns waiting off.
    """
    asked_s = (error.retry_after_s if error is not None else None) or 0.0
    if error is not None and asked_s > MOST_ASKED_S:
        raise error
    if not backoff_s:
        return 0.0
    return max(doubled_s(backoff_s, failures, MOST_S) * random.uniform(0.8, 1.2), asked_s)


def live_pause_s(
    error: ProviderError, failures: int, *, elsewhere: bool, jitter: Callable[[], float] = random.random
) -> float:
    """Seconds before a request for which somebody waits is sent again, after so many failures in a row.

    None after a lost connection, if the next try goes `elsewhere`. A refusal needs time, because every host would give
    it: what the service asked for, else a first pause that doubles, spread so that clients do not come back together.
    """
    if error.wait_is_asked:
        return (error.retry_after_s or 0.0) + BUSY_S * jitter()
    if elsewhere and is_of_connection(error):
        return 0.0
    minute = error.code == RPM.code and error.upstream_code != TOO_MANY_CONNECTIONS
    return doubled_s(MINUTE_S if minute else BUSY_S, failures, MOST_S) * (0.5 + jitter())
