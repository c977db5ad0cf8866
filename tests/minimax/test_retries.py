"""How long a request that somebody waits for pauses before it is sent again: by the kind of the error."""

from __future__ import annotations

import pytest

from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_for_code
from realtime.minimax.retries import BUSY_S, MINUTE_S, delay_s, live_pause_s
from realtime.minimax.retry_after import with_wait

LOST: list[ProviderError] = [
    ProviderUnavailable("lost"),
    ProviderTimeout("silent"),
    *map(error_for_code, (2201, 2202, 2206)),
]
REFUSED = [1000, 1001, 1013, 1024, 1033, 1041, 2064, 2205]


def pauses(error: ProviderError, *, elsewhere: bool, jitter: float = 0.5) -> list[float]:
    return [live_pause_s(error, n, elsewhere=elsewhere, jitter=lambda: jitter) for n in (1, 2, 3)]


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_a_lost_connection_pauses_only_where_no_other_way_is_left(error: ProviderError) -> None:
    assert pauses(error, elsewhere=True) == [0.0, 0.0, 0.0]
    assert pauses(error, elsewhere=False) == [BUSY_S, 2 * BUSY_S, 4 * BUSY_S]


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_refusal_of_the_service_pauses_on_every_way(elsewhere: bool) -> None:
    for code in REFUSED:
        assert pauses(error_for_code(code), elsewhere=elsewhere) == [BUSY_S, 2 * BUSY_S, 4 * BUSY_S], code
    for code in (1002, 1039, 2045):
        assert pauses(error_for_code(code), elsewhere=elsewhere) == [MINUTE_S, 2.0, 4.0], code


def test_pauses_are_spread_and_what_the_service_asks_for_is_the_least() -> None:
    busy = error_for_code(2064)
    assert pauses(busy, elsewhere=True, jitter=0.0)[0] == BUSY_S / 2
    assert pauses(busy, elsewhere=True, jitter=1.0)[0] == 1.5 * BUSY_S
    assert pauses(with_wait(error_for_code(1002), 7.0), elsewhere=True, jitter=0.0) == [7.0, 7.0, 7.0]


def test_a_wait_that_a_service_asks_for_is_the_least_and_has_a_bound() -> None:
    busy = with_wait(ProviderUnavailable("busy"), 50.0)
    assert delay_s(1, 1.0, busy) == 50.0
    assert delay_s(1, 0.0, busy) == 0.0
    endless = with_wait(ProviderUnavailable("busy"), 86_400.0)
    for backoff_s in (0.0, 1.0):
        with pytest.raises(ProviderUnavailable, match=r"Try again in about 86400 s\."):
            delay_s(1, backoff_s, endless)
