"""How long to wait before something is tried again. Knows no request; whether to try again is its caller's."""

from __future__ import annotations

import random

from realtime.errors import ProviderError

MOST_S = 20.0


def doubled_s(first_s: float, failures: int, longest_s: float) -> float:
    """`first_s` after one failure, twice as long after each further one, at most `longest_s`."""
    return min(longest_s, first_s * 2.0 ** (min(failures, 16) - 1))


def delay_s(failures: int, backoff_s: float, error: ProviderError | None = None) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, spread by a fifth, at most MOST_S.

    What the service asked for (`retry_after_s` of the error) is the least. A `backoff_s` of 0 turns waiting off.
    """
    if not backoff_s:
        return 0.0
    wait = doubled_s(backoff_s, failures, MOST_S) * random.uniform(0.8, 1.2)
    asked = error.retry_after_s if error is not None else None
    return max(wait, asked or 0.0)
