"""Seats at accounts, with fakes in virtual time: what counts, and for how long an account is dry."""

import asyncio

import pytest

from realtime.core.dry_account import ASK_AGAIN_S, DRY_S
from realtime.metrics import Metrics
from realtime.server.access import AccessDenied
from realtime.server.accounts import Accounts
from tests import virtual_time
from tests.server.account_kit import (
    OTHER,
    account,
    no_balance,
    scripted,
)


@scripted
async def test_a_seat_counts_from_its_taking_to_its_leaving_wherever_it_is():
    one, two = account("one"), account("two")
    accounts = Accounts([one, two])
    try:
        first, second = accounts.seat_for("k"), accounts.seat_for("k")
        assert first.account is second.account is one, "a seat that is not taken counts nowhere"
        first.take()
        assert accounts.seat_for("k").account is two
        assert (one.use.sessions, one.use.new) == (1, 1)
        await asyncio.sleep(61)
        assert (one.use.sessions, one.use.new) == (1, 0)
        one.failed("chat", no_balance())
        assert first.instead("ada") == (two.settings, two.providers)
        assert first.instead("ada") is None, "it has moved already"
        assert (one.use.sessions, two.use.sessions, two.use.new) == (0, 1, 0)
        first.leave()
        first.leave()
        assert two.use.sessions == 0
    finally:
        await accounts.aclose()


@scripted
async def test_a_session_that_is_over_takes_no_seat_by_moving():
    one, two = account("one"), account("two")
    accounts = Accounts([one, two])
    try:
        seat = accounts.seat_for("k")
        seat.take()
        seat.leave()
        one.failed("chat", no_balance())
        assert seat.instead("ada") is not None
        assert two.use.sessions == 0
    finally:
        await accounts.aclose()


@pytest.mark.parametrize(("more", "dry_s"), [({}, DRY_S), ({"retry_after_s": 3600.0}, 3600.0)])
def test_a_dry_account_is_asked_again_after_a_while(more, dry_s):
    async def run():
        one = account("one")
        one.failed("speech", no_balance(**more))
        await asyncio.sleep(dry_s - 1)
        one.failed("speech", no_balance(**more))  # told by a session that stays there
        await asyncio.sleep(dry_s - 1)
        assert one.dry
        await asyncio.sleep(2)
        assert not one.dry

    virtual_time.run(run())


@pytest.mark.parametrize(
    ("kind", "own", "error", "dry"),
    [
        ("chat", OTHER, {}, True),
        ("speech", OTHER, {"code": "invalid_api_key", "upstream_code": 1004}, True),
        ("speech", OTHER, {"code": "rate_limit_exceeded", "upstream_code": 2056}, True),
        (
            "speech",
            OTHER,
            {"code": "upstream_rejected", "upstream_code": 2061},
            True,
        ),  # a plan for text alone
        ("chat", OTHER, {"code": "upstream_rejected", "upstream_code": 2044}, True),
        ("chat", OTHER, {"code": "upstream_rejected", "upstream_code": 404}, False),
        ("speech", OTHER, {"code": "rate_limit_exceeded", "upstream_code": 1002}, False),
        ("speech", OTHER, {"code": "rate_limit_exceeded", "upstream_code": None}, False),
        ("speech", OTHER, {"code": "invalid_voice", "upstream_code": 2054}, False),
        ("transcription", OTHER, {}, False),
        ("transcription", (*OTHER, "transcription"), {}, True),
        ("chat", ("speech",), {}, False),  # the key of another service
    ],
)
def test_only_what_lasts_and_is_the_account_s_makes_it_dry(kind, own, error, dry):
    async def run():
        one = account("one", own=own)
        one.failed(kind, no_balance(**error))
        assert one.dry is dry

    virtual_time.run(run())


@scripted
async def test_an_account_that_the_platform_limits_against_our_count_is_used_up_for_a_while():
    """Somebody else uses it: the count knows of requests that are left."""
    limit = {"code": "rate_limit_exceeded", "upstream_code": 1002}
    one, two = account("one"), account("two")
    accounts = Accounts([one, two])
    try:
        seat = accounts.seat_for("k")
        one.failed("chat", no_balance(code="rate_limit_exceeded", upstream_code=None))
        assert seat.instead("ada") is None, "our own count knows when it is over"
        one.failed("chat", no_balance(**limit))
        assert not one.dry
        assert seat.instead("ada") is not None
        two.failed("chat", no_balance(**limit))
        assert seat.instead("ada") is None, "not to and fro"
        await asyncio.sleep(ASK_AGAIN_S - 1)
        two.failed("chat", no_balance(**limit))
        assert seat.instead("ada") is None
        await asyncio.sleep(2)
        assert seat.instead("ada") is not None
    finally:
        await accounts.aclose()


@scripted
async def test_an_answer_says_that_the_account_is_not_dry_any_more():
    one = account("one")
    one.failed("chat", no_balance())
    one.answered("chat", asyncio.get_running_loop().time() - 1)
    assert one.dry, "that was asked before"
    await asyncio.sleep(5)
    one.answered("chat", asyncio.get_running_loop().time())
    assert not one.dry


@scripted
async def test_where_all_have_run_dry_the_one_that_was_asked_longest_ago_is_asked_again():
    one, two = account("one"), account("two")
    accounts = Accounts([one, two])
    try:
        seat = accounts.seat_for("k")
        one.failed("chat", no_balance())
        assert seat.instead("ada") is not None
        two.failed("chat", no_balance(retry_after_s=3600.0))
        assert seat.instead("ada") is None, "it has just refused"
        await asyncio.sleep(ASK_AGAIN_S + 1)
        two.failed("chat", no_balance(retry_after_s=3600.0))
        assert seat.instead("ada") is not None
        assert seat.account is one
        assert seat.instead("ada") is None, "and not to and fro"
    finally:
        await accounts.aclose()


@scripted
async def test_where_no_request_is_left_in_this_minute_a_session_goes_to_an_account_that_has_a_turn():
    one, two, three = account("one"), account("two"), account("three")
    accounts = Accounts([one, two, three])
    try:
        seat = accounts.seat_for("k")
        one.providers.speech.budget = 1.0
        assert seat.instead("ada") is None, "a request can be sent"
        one.providers.speech.budget, two.providers.chat.budget = 0.0, 1.0
        assert seat.instead("ada") is not None
        assert seat.account is three
        three.providers.chat.budget = 0.0
        assert seat.instead("ada") is None, "the others have no whole turn either"
    finally:
        await accounts.aclose()


@scripted
async def test_a_key_moves_only_to_accounts_that_are_for_it():
    one, two = account("one"), account("two", for_keys=("b",))
    accounts = Accounts([one, two])
    try:
        seat = accounts.seat_for("a")
        one.failed("chat", no_balance())
        assert seat.instead("ada") is None
        assert accounts.seat_for("a").account is one, "it is told so, as with one account"
        assert accounts.seat_for("b").account is two
    finally:
        await accounts.aclose()


@scripted
async def test_the_key_of_another_server_that_has_no_account_here_is_refused():
    accounts = Accounts([account("one", for_keys=("b",))])
    try:
        with pytest.raises(AccessDenied, match="no account"):
            accounts.seat_for("a")
    finally:
        await accounts.aclose()


@scripted
async def test_a_chat_of_another_service_is_full_by_the_sessions_of_all_accounts():
    accounts = Accounts([account("one", own=("speech",)), account("two", own=("speech",))])
    chat = accounts.of("k")[0].providers.chat
    try:
        for _ in range(2):
            seat = accounts.seat_for("k")
            assert not seat.exhausted
            seat.take()
        chat.requests_per_minute, chat.budget = lambda: 4.0, 4.0
        assert accounts.seat_for("k").exhausted
    finally:
        await accounts.aclose()


@scripted
async def test_a_chat_of_another_service_is_counted_once_and_without_an_account():
    metrics = Metrics()
    accounts = Accounts([account("one", own=("speech",)), account("two", own=("speech",))])
    try:
        accounts.observe(metrics)
    finally:
        await accounts.aclose()
    values = {
        (sample.labels["kind"], sample.labels["account"])
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "realtime_budget_requests_left"
    }
    assert values == {("chat", ""), ("speech", "one"), ("speech", "two")}
