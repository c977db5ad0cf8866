"""Two accounts, each with a platform of its own: who gets which, and what happens when one has run dry."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.sandbox.voices import create_voice
from realtime.server.run import running
from realtime.server.state import METRICS, runtime_of
from realtime.settings import Settings
from realtime.settings.accounts import key_name
from realtime.settings.model import Account
from tests.eventually import eventually
from tests.server.door_kit import error_of, rejection
from tests.server.harness import QUICK, Harness

ADA = "AdaOwnVoice1"
ALPHA, BETA = "sk-alpha-123456", "sk-beta-1234567"
KEYS = ("sk-platform-one-12345", "sk-platform-two-12345")


@dataclass(frozen=True)
class Two(Harness):
    """`sandbox` is the platform of the account `one`, `other` that of `two`."""

    other: Sandbox

    @property
    def accounts(self):
        return runtime_of(self.server.app).accounts

    def metric(self, name: str, **labels: str) -> float:
        return self.server.app[METRICS].registry.get_sample_value(name, labels)

    async def know_voices(self) -> None:
        """Until the lists of both are known."""
        await eventually(lambda: all(each.voices.kinds for each in self.accounts._all))

    @property
    def asked(self) -> tuple[int, int]:
        """How many chat requests each platform has had."""
        return tuple(
            sum(request.path.endswith("/chat/completions") for request in each.state.requests)
            for each in (self.sandbox, self.other)
        )


@asynccontextmanager
async def two_accounts(
    for_one: tuple[str, ...] = (),
    for_two: tuple[str, ...] = (),
    rpm: tuple[int, int] = (6000, 6000),
    ada: int | None = None,
    **settings,
) -> AsyncIterator[Two]:
    """`ada`: which of the two has the voice ADA, cloned before the server reads the lists."""
    async with AsyncExitStack() as stack:
        one, two = [
            await stack.enter_async_context(Sandbox(SandboxOptions.parse("local", QUICK))) for _ in range(2)
        ]
        if ada is not None:
            _clone((one, two)[ada], ADA)
        accounts = (
            Account("one", KEYS[0], one.url, speech_rpm=rpm[0], chat_rpm=6000, for_keys=for_one),
            Account("two", KEYS[1], two.url, speech_rpm=rpm[1], chat_rpm=6000, for_keys=for_two),
        )
        chosen = Settings(port=0, transcriber="none", accounts=accounts, **settings)
        yield Two(await stack.enter_async_context(running(chosen)), one, two)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_sessions_go_where_most_is_left_until_no_account_has_a_turn_a_minute():
    async with two_accounts(rpm=(4, 2)) as both, AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(both.connect())
        assert both.metric("realtime_account_sessions", account="one") == 2
        assert both.metric("realtime_account_sessions", account="two") == 1
        response = await rejection(both)
        assert response.status_code == 503
        assert error_of(response)["code"] == "account_exhausted"
        await stack.aclose()
        await both.no_sessions()
        assert both.metric("realtime_account_sessions", account="one") == 0
        async with both.connect() as wire:
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        assert both.asked == (1, 0)


@pytest.mark.parametrize(
    "fault",
    ["chat.error=1008", "chat.error=2049", "chat.error=2056", "speech.error=2056", "speech.start_error=2061"],
)
async def test_a_turn_that_meets_a_dry_account_is_answered_by_the_other_one(fault, caplog):
    caplog.set_level(logging.INFO)
    async with two_accounts(rpm=(6000, 600)) as both, both.connect() as wire, both.connect() as idle:
        await both.know_voices()
        assert (await wire.ask("My name is Ada."))["status"] == "completed"
        both.fault(fault)
        await wire.send(  # a voice that no open socket has: these do not have the fault
            "session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.1}}}
        )
        answered = await wire.ask("What is two plus two?")
        assert answered["status"] == "completed"
        assert wire.audio(answered["id"])
        assert (await wire.ask("And four plus four?"))["status"] == "completed"
        told = [r.body for r in both.other.state.requests if r.path.endswith("/chat/completions")][-1]
        said = [message["content"] for message in told["messages"] if message["role"] == "user"]
        assert said == ["My name is Ada.", "What is two plus two?", "And four plus four?"]

        before = both.asked
        assert (await idle.ask("And three plus three?"))["status"] == "completed"
        async with both.connect() as newcomer:
            assert (await newcomer.ask("And you?"))["status"] == "completed"
        assert both.asked == (before[0], before[1] + 2), "these need not meet it first"
        assert both.metric("realtime_account_usable", account="one") == 0
        assert both.metric("realtime_account_usable", account="two") == 1
        assert both.metric("realtime_account_moves_total", account="one", reason="dry") == 2
        assert both.metric("realtime_account_sessions", account="one") == 0
        assert both.metric("realtime_responses_total", status="failed", code="insufficient_quota") is None
    assert "account has run dry" in caplog.text
    assert not any(key in caplog.text for key in KEYS)


async def test_a_key_that_is_not_good_costs_no_turn():
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(SandboxOptions.parse("local", QUICK)))
        keys = dict(zip(("one", "bad", "three"), (KEYS[0], "sk-bad", KEYS[1]), strict=True))
        accounts = [
            Account(name, key, sandbox.url, speech_rpm=60 if name == "bad" else 30, chat_rpm=6000)
            for name, key in keys.items()
        ]
        settings = Settings(port=0, transcriber="none", accounts=tuple(accounts))
        harness = Harness(await stack.enter_async_context(running(settings)), sandbox)
        one, _, three = runtime_of(harness.server.app).accounts._all
        await eventually(lambda: one.voices.kinds and three.voices.kinds)
        for _ in range(4):
            async with harness.connect() as wire:
                assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        usable = [
            harness.server.app[METRICS].registry.get_sample_value(
                "realtime_account_usable", {"account": name}
            )
            for name in keys
        ]
        assert usable == [1, 0, 1]


@pytest.mark.parametrize("fault", ["chat.error=1002", "speech.error=1002"])
async def test_a_turn_that_the_platform_limits_for_long_is_answered_by_the_other_account(fault):
    """Somebody else uses the account, so that our count does not know."""
    async with two_accounts(rpm=(6000, 600)) as both, both.connect() as wire:
        await both.know_voices()
        both.fault(fault)
        await wire.send(  # a voice that no open socket has: these do not have the fault
            "session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.1}}}
        )
        for _ in range(2):
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        assert both.metric("realtime_account_moves_total", account="one", reason="used_up") == 1
        assert both.metric("realtime_account_usable", account="one") == 1
        assert both.metric("realtime_responses_total", status="completed", code="") == 2


async def test_a_voice_that_the_platform_limits_goes_on_at_the_other_account_without_a_wait():
    async with two_accounts(rpm=(6000, 600)) as both, both.connect() as wire:
        await both.know_voices()
        both.fault("speech.error=1002")
        await wire.send("session.update", session={"type": "realtime", "audio": {"output": {"speed": 1.1}}})
        assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        assert (
            both.metric(
                "realtime_upstream_errors_total",
                kind="speech",
                code="rate_limit_exceeded",
                upstream_code="1002",
            )
            == 1
        )
        assert both.metric("realtime_account_moves_total", account="one", reason="used_up") == 1


@pytest.mark.parametrize("fault", ["chat.error=1008", "speech.error=1008"])
async def test_an_account_that_answers_again_gets_sessions_at_once(fault):
    async with two_accounts(rpm=(6000, 600)) as both:
        await both.know_voices()
        both.fault(fault)
        both.other.inject(fault)
        async with both.connect() as wire:
            assert (await wire.ask("What is two plus two?"))["status"] == "failed"
            both.fault()
            both.other.inject()
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        usable = [both.metric("realtime_account_usable", account=name) for name in ("one", "two")]
        assert sorted(usable) == [0, 1]


async def test_where_all_have_run_dry_each_turn_is_told_so_and_the_first_that_is_topped_up_answers():
    async with two_accounts() as both, both.connect() as wire:
        await both.know_voices()
        both.fault("chat.error=1008")
        both.other.inject("chat.error=1008")
        for _ in range(3):
            failed = await wire.ask("What is two plus two?")
            assert failed["status_details"]["error"]["code"] == "insufficient_quota"
        async with both.connect() as late:
            assert (await late.ask("Hello"))["status"] == "failed"
        both.fault()
        both.other.inject()
        assert (await wire.ask("What is two plus two?"))["status"] == "completed"


async def test_a_key_uses_the_accounts_that_are_for_it_and_no_other():
    async with (
        two_accounts((ALPHA,), (key_name(BETA.encode()),), api_keys=(ALPHA, BETA)) as both,
        both.connect(headers=bearer(BETA)) as wire,
    ):
        await both.know_voices()
        assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        secret = await _client_secret(both, BETA)
        async with both.connect(headers=bearer(secret)) as page:
            assert (await page.ask("What is two plus two?"))["status"] == "completed"
        assert both.asked == (0, 2)
        both.other.inject("chat.error=1008")
        for _ in range(2):
            failed = await wire.ask("What is two plus two?")
            assert failed["status_details"]["error"]["code"] == "insufficient_quota"
        assert both.asked[0] == 0
        async with both.connect(headers=bearer(ALPHA)) as alpha:
            assert (await alpha.ask("What is two plus two?"))["status"] == "completed"
        assert both.asked[0] == 1


async def test_a_key_is_refused_where_its_own_account_is_full():
    async with (
        two_accounts((ALPHA,), (BETA,), (2, 6000), api_keys=(ALPHA, BETA)) as both,
        both.connect(headers=bearer(ALPHA)),
    ):
        response = await rejection(both, headers=bearer(ALPHA))
        assert error_of(response)["code"] == "account_exhausted"
        async with both.connect(headers=bearer(BETA)):
            assert both.sessions == 2


async def test_a_session_goes_to_the_account_that_has_its_voice():
    """Wherever its name comes from: the settings, a client secret, or the session."""
    async with two_accounts(rpm=(6000, 600), ada=1, api_keys=(ALPHA,)) as both:
        await both.know_voices()
        own = {"session": {"type": "realtime", "audio": {"output": {"voice": ADA}}}}
        async with both.connect(headers=bearer(ALPHA)) as wire:
            await wire.send("session.update", **own)
            await wire.until("session.updated")
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        secret = await _client_secret(both, ALPHA, **own)
        async with both.connect(headers=bearer(secret)) as page:
            assert (await page.ask("What is two plus two?"))["status"] == "completed"
        assert both.asked == (0, 2)
        assert both.metric("realtime_account_moves_total", account="one", reason="voice") == 2


async def test_a_session_whose_voice_is_the_account_s_own_stays_there():
    async with two_accounts(rpm=(6000, 600), ada=0) as both:
        await both.know_voices()
        async with both.connect() as wire:
            await wire.send(
                "session.update",
                session={"type": "realtime", "audio": {"output": {"voice": ADA}}},
            )
            await wire.until("session.updated")
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
            both.fault("chat.error=1008")
            for _ in range(3):
                failed = await wire.ask("What is two plus two?")
                assert failed["status_details"]["error"]["code"] == "insufficient_quota"
            assert both.asked[1] == 0
            both.fault()
            assert (await wire.ask("What is two plus two?"))["status"] == "completed", "it was topped up"


async def test_the_capabilities_have_the_voices_of_all_accounts_of_a_key():
    async with two_accounts((BETA,), (ALPHA, BETA), ada=0, api_keys=(ALPHA, BETA)) as both:
        offered = {key: await _get(both, "/v1/capabilities", key) for key in (ALPHA, BETA)}
        voices = {key: {voice["id"] for voice in offered[key]["voices"]} for key in offered}
        assert voices[BETA] - voices[ALPHA] == {ADA}
        assert "English_Graceful_Lady" in voices[ALPHA]


async def test_a_sample_of_a_voice_is_spoken_by_an_account_of_the_key():
    async with two_accounts((BETA,), (ALPHA, BETA), ada=0, api_keys=(ALPHA, BETA)) as both:
        await both.know_voices()
        path = "/v1/voice_samples/English_Graceful_Lady"
        assert [await _status(both, path, key) for key in (ALPHA, BETA, ALPHA)] == [200, 200, 200]
        spoken = [len(each.state.speech_requests) for each in (both.sandbox, both.other)]
        assert spoken == [1, 1], "once at each account: a voice of this name may be another one there"
        assert await _status(both, f"/v1/voice_samples/{ADA}", ALPHA) == 404
        assert await _status(both, f"/v1/voice_samples/{ADA}", BETA) == 200


async def test_a_sample_is_spoken_by_the_other_account_when_the_first_has_run_dry():
    async with two_accounts() as both:
        await both.know_voices()
        both.fault("speech.error=1008")
        assert await _status(both, "/v1/voice_samples/English_Graceful_Lady", "k") == 200


async def test_the_metrics_name_the_account_of_a_budget():
    async with two_accounts(rpm=(60, 30)) as both:
        assert both.metric("realtime_budget_requests_left", kind="speech", account="one") == 60
        assert both.metric("realtime_budget_requests_left", kind="speech", account="two") == 30
        assert both.metric("realtime_budget_permits_total", kind="chat", outcome="asked", account="two") == 0
        text = both.server.app[METRICS].text().decode()
        assert not re.search(r'budget_requests_left{kind="\w+"}', text)


async def test_two_keys_at_one_platform_have_twice_the_requests():
    options = SandboxOptions.parse("local", (*QUICK, "limit.speech_rpm=4"))
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(Sandbox(options))
        more = {"base_url": sandbox.url, "speech_rpm": 4, "chat_rpm": 6000}
        accounts = tuple(Account(name, key, **more) for name, key in zip(("one", "two"), KEYS, strict=True))
        settings = Settings(port=0, transcriber="none", accounts=accounts)
        harness = Harness(await stack.enter_async_context(running(settings)), sandbox)
        talking = [await stack.enter_async_context(harness.connect()) for _ in range(2)]
        for wire in talking * 3:
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
        assert len(sandbox.state.speech_requests) > 4


def _clone(sandbox: Sandbox, voice_id: str) -> None:
    """A voice that was cloned there, and used once."""
    create_voice(sandbox.state, voice_id, "voice_cloning", [])
    sandbox.state.voices[voice_id]["used"] = True


async def _get(both: Two, path: str, key: str) -> dict:
    async with aiohttp.ClientSession(both.server.url) as http, http.get(path, headers=bearer(key)) as answer:
        return dict(await answer.json())


async def _status(both: Two, path: str, key: str) -> int:
    async with aiohttp.ClientSession(both.server.url) as http, http.get(path, headers=bearer(key)) as answer:
        return answer.status


async def _client_secret(both: Two, key: str, **body) -> str:
    async with (
        aiohttp.ClientSession(both.server.url) as http,
        http.post("/v1/realtime/client_secrets", json=body, headers=bearer(key)) as answer,
    ):
        return str((await answer.json())["value"])
