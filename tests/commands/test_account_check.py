"""`realtime doctor` with several accounts: one row for each, whether it answers, and no key."""

from realtime.commands.account_check import account_findings
from realtime.commands.checks import Verdict, _reach
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.settings import Settings
from realtime.settings.accounts import key_name, with_default
from realtime.settings.model import Account
from tests.server.harness import QUICK

KEYS = ("sk-platform-one-12345", "sk-platform-two-12345")


async def test_one_account_has_no_row():
    assert await account_findings(Settings(api_key="k"), _reach) == []


async def test_each_account_tells_its_limits_its_keys_and_whether_it_answers():
    name = key_name(b"sk-beta-1234567")
    async with Sandbox(SandboxOptions.parse("local", QUICK)) as sandbox:
        accounts = (
            Account("one", KEYS[0], sandbox.url, speech_rpm=7, chat_rpm=8),
            Account("two", KEYS[1], sandbox.url, speech_connections=9, for_keys=(name,)),
            Account("three", "sk-bad", sandbox.url),
        )
        settings = with_default(Settings(accounts=accounts, api_keys=("sk-beta-1234567",)))
        found = await account_findings(settings, _reach)
    texts = {each.text.partition(" ")[0]: each.text for each in found if each.part == "account"}
    assert list(texts) == ["one", "two", "three"]
    assert texts["one"].endswith("8 chat and 7 speech requests a minute, 20 connections, for all keys")
    assert texts["two"].endswith(f"9 connections, for {name}")
    answers = {each.part: each.verdict for each in found if each.part != "account"}
    assert answers == {
        "two, chat": Verdict.GOOD,
        "two, speech": Verdict.GOOD,
        "three, chat": Verdict.BAD,
        "three, speech": Verdict.BAD,
    }
    assert not [key for key in (*KEYS, "sk-bad") if any(key in f"{each.text}{each.advice}" for each in found)]
