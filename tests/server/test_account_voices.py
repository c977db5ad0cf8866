"""Which account a session with a voice goes to: with fakes in virtual time."""

import asyncio

import pytest

from realtime.core.dry_account import ASK_AGAIN_S
from realtime.providers import FakeSpeech
from realtime.providers.base import KnownVoice
from realtime.server.accounts import Accounts
from tests import virtual_time
from tests.server.account_kit import (
    ADA,
    BO,
    SYSTEM,
    Listing,
    account,
    no_balance,
    scripted,
)


@pytest.mark.parametrize(
    ("voice", "here", "there", "moves"),
    [
        ("ada", Listing(ADA, SYSTEM), Listing(SYSTEM), False),
        ("ada", Listing(ADA, SYSTEM), Listing(ADA, SYSTEM), True),  # cloned at both
        ("grace", Listing(ADA, SYSTEM), Listing(SYSTEM), True),
        ("unlisted", Listing(ADA, SYSTEM), Listing(SYSTEM), True),  # the platform's list need not have all
        ("grace", Listing(fails=True), Listing(SYSTEM), True),
        ("grace", Listing(SYSTEM), Listing(fails=True), True),
        ("ada", Listing(ADA), Listing(fails=True), False),
        ("ada", Listing(fails=True), Listing(SYSTEM), False),  # perhaps it is theirs
        ("ada", Listing(ADA), FakeSpeech(), True),  # who lists none has no voices of its own
    ],
)
def test_a_voice_moves_unless_it_is_the_account_s_own(voice, here, there, moves):
    async def run():
        one, two = account("one", here), account("two", there)
        accounts = Accounts([one, two])
        try:
            await asyncio.sleep(5)  # the lists are asked for
            one.failed("chat", no_balance())
            seat = accounts.seat_for("k")
            seat.account = one
            assert (seat.instead(voice) is not None) is moves
        finally:
            await accounts.aclose()

    virtual_time.run(run())


@pytest.mark.parametrize(
    ("voice", "here", "there", "moves"),
    [
        ("ada", Listing(SYSTEM), Listing(ADA, SYSTEM), True),
        ("ada", Listing(ADA), Listing(ADA, SYSTEM), False),
        ("grace", Listing(ADA), Listing(SYSTEM), True),
        ("unlisted", Listing(SYSTEM), Listing(SYSTEM), False),
        ("ada", Listing(fails=True), Listing(ADA), False),  # perhaps it has it
        ("ada", FakeSpeech(), Listing(ADA), False),
        ("ada", Listing(SYSTEM), Listing(fails=True), False),
    ],
)
def test_a_session_goes_to_the_account_that_has_its_voice(voice, here, there, moves):
    async def run():
        one, two = account("one", here), account("two", there)
        accounts = Accounts([one, two])
        try:
            await asyncio.sleep(5)
            seat = accounts.seat_for("k")
            assert seat.account is one
            assert (seat.instead(voice) is not None) is moves
            assert seat.instead(voice) is None, "and stays there"
        finally:
            await accounts.aclose()

    virtual_time.run(run())


@pytest.mark.parametrize(("kind", "moves"), [("cloned", True), ("system", False)])
def test_an_account_that_has_run_dry_gets_a_session_only_for_a_voice_of_its_own(kind, moves):
    """There it is told what is wrong; with a voice of the platform the others may be able to speak."""

    async def run():
        one, two = account("one", Listing(ADA)), account("two", Listing(KnownVoice("bo", kind=kind)))
        accounts = Accounts([one, two])
        try:
            await asyncio.sleep(5)
            two.failed("chat", no_balance())
            seat = accounts.seat_for("k")
            assert (seat.instead("bo") is not None) is moves
            assert seat.instead("bo") is None
        finally:
            await accounts.aclose()

    virtual_time.run(run())


@pytest.mark.parametrize("dry", [(0,), (0, 1)])
def test_a_session_never_goes_to_an_account_that_cannot_speak_with_its_voice(dry):
    """One that has the voice says at least what is wrong with it."""

    async def run():
        one, two = account("one", Listing(SYSTEM)), account("two", Listing(BO))
        accounts = Accounts([one, two, account("three", Listing(SYSTEM))])
        try:
            await asyncio.sleep(5)
            seat = accounts.seat_for("k")
            assert seat.account is one
            for _ in range(3):
                two.seats[object()] = asyncio.get_running_loop().time()  # three has more left
            for number in dry:
                accounts.of("k")[number].failed("chat", no_balance())
            seat.instead("bo")
            assert seat.account is (one if 1 in dry else two)
            await asyncio.sleep(ASK_AGAIN_S + 1)
            one.failed("chat", no_balance())
            seat.instead("bo")
            assert seat.account is two
        finally:
            await accounts.aclose()

    virtual_time.run(run())


@scripted
async def test_a_session_without_a_voice_goes_to_any_account():
    one, two = account("one", Listing(ADA)), account("two", Listing(SYSTEM))
    accounts = Accounts([one, two])
    try:
        await asyncio.sleep(5)
        seat = accounts.seat_for("k")
        one.failed("chat", no_balance())
        assert seat.instead("ada") is None
        assert seat.instead(None) is not None
        assert seat.instead(None) is None
    finally:
        await accounts.aclose()


@scripted
async def test_a_voice_in_no_list_keeps_nobody_where_no_request_is_left():
    one, two = account("one", Listing(SYSTEM)), account("two", Listing(SYSTEM))
    accounts = Accounts([one, two])
    try:
        await asyncio.sleep(5)
        seat = accounts.seat_for("k")
        assert seat.instead("unlisted") is None
        one.providers.speech.budget = 0.0
        assert seat.instead("unlisted") is not None
    finally:
        await accounts.aclose()


@scripted
async def test_a_list_of_voices_that_could_not_be_read_is_asked_for_again_soon():
    speech = Listing(ADA, fails=True)
    accounts = Accounts([account("one", speech)])
    try:
        await asyncio.sleep(5)
        speech.fails = False
        await asyncio.sleep(60)
        assert accounts.of("k")[0].has_voice("ada")
    finally:
        await accounts.aclose()


@scripted
async def test_a_sample_is_spoken_by_an_account_that_has_the_voice_and_has_not_run_dry():
    one, two = account("one", Listing(SYSTEM)), account("two", Listing(SYSTEM, ADA))
    accounts = Accounts([one, two])
    try:
        await asyncio.sleep(5)
        assert accounts.speech_for("k", "grace") is one.providers.speech
        assert accounts.speech_for("k", "ada") is two.providers.speech
        one.failed("speech", no_balance())
        assert accounts.speech_for("k", "grace") is two.providers.speech
        two.failed("speech", no_balance())
        assert accounts.speech_for("k", "grace") is one.providers.speech, "it is told so"
    finally:
        await accounts.aclose()
