"""How many sockets we allow ourselves when the platform refuses more of them."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.errors import error_for_code
from realtime.minimax.speech import Transport
from realtime.providers.minimax.speech_limit import LOWERED_FOR_S, SocketLimit
from tests import virtual_time
from tests.providers.minimax.scripted_speech import Fate, ScriptedClient
from tests.providers.minimax.test_speech_losses import provider, speak


def test_refusals_of_what_began_before_the_limit_was_lowered_are_one() -> None:
    limit = SocketLimit(20)
    assert [limit.refused(0.0, 1.0 + n / 10) for n in range(5)] == [True, False, False, False, False]
    assert limit.at(2.0, 0) == 10
    assert limit.refused(1.5, 2.0), "this one began when the limit was lower"
    assert limit.at(2.0, 0) == 5


def test_what_is_open_was_accepted_so_the_limit_is_not_below_it() -> None:
    limit = SocketLimit(20)
    for second in range(9):
        limit.refused(second, second + 0.5)
    assert [limit.at(10.0, open) for open in (0, 1, 7, 12, 30)] == [1, 1, 7, 12, 20]


def test_all_refusals_of_a_time_are_forgotten_together() -> None:
    limit = SocketLimit(20)
    for second in range(9):
        limit.refused(second, second + 0.5)
    assert limit.at(LOWERED_FOR_S, 0) == 1
    assert limit.at(LOWERED_FOR_S + 10.0, 0) == 20
    limit.use(6)
    assert limit.at(LOWERED_FOR_S + 10.0, 0) == 6


@given(st.lists(st.tuples(st.floats(0, 900), st.integers(0, 40)), max_size=40), st.integers(-3, 40))
def test_it_is_never_below_one_nor_above_what_is_configured(refusals, configured) -> None:
    limit = SocketLimit(configured)
    for at_s, open in sorted(refusals):
        limit.refused(at_s - 0.1, at_s)
        assert min(open, limit.configured) <= limit.at(at_s, open) <= limit.configured
        assert limit.at(at_s, open) >= 1


def test_a_burst_on_a_smaller_account_keeps_every_socket_that_was_accepted() -> None:
    """14 replies at once, where we may have 20 sockets and the account has 10: round for round ten of them go on."""

    async def rounds() -> None:
        client = ScriptedClient()
        client.most_sockets = 10
        speech = provider(client, connections=20)
        for number in range(4):
            opened = len(client.opened)
            await asyncio.gather(*(speak(speech, ["Good evening."]) for _ in range(14)))
            assert client.open_now == 10
            assert speech._pool.limit == 10
            others = [transport for transport, _, _ in client.opened[opened:]]
            if number:
                assert others == [Transport.HTTP] * 4, "nobody opens a socket to be refused again"
        await speech.aclose()

    virtual_time.run(rounds())


def test_a_refusal_over_http_says_nothing_of_sockets() -> None:
    async def reply() -> None:
        client = ScriptedClient(Fate(frames=0, error=error_for_code(1041)), Fate())
        speech = provider(client, "http", connections=8)
        await speak(speech, ["Good evening."])
        assert speech._pool.limit == 8
        await speech.aclose()

    virtual_time.run(reply())
