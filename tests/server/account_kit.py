"""Accounts with fakes for tests in virtual time, and voices that only some of them have."""

import functools

from realtime.errors import ProviderRejected, ProviderUnavailable
from realtime.providers import FakeChat, FakeSpeech
from realtime.providers.base import KnownVoice, Providers
from realtime.server.open_account import OpenAccount
from realtime.settings import Settings
from realtime.settings.model import Account
from tests import virtual_time

NO_BALANCE = {"code": "insufficient_quota", "upstream_code": 1008}
OTHER = ("chat", "speech")
ADA = KnownVoice("ada", kind="cloned")
BO = KnownVoice("bo", kind="cloned")
SYSTEM = KnownVoice("grace", kind="system")


def scripted(test):
    """Run a test in virtual time."""

    @functools.wraps(test)
    def run(**more):
        virtual_time.run(test(**more))

    return run


class Listing(FakeSpeech):
    """With a list of voices, or without an answer."""

    def __init__(self, *voices: KnownVoice, fails: bool = False) -> None:
        super().__init__()
        self._voices, self.fails = voices, fails

    async def voices(self):
        if self.fails:
            raise ProviderUnavailable("The platform is away.")
        return self._voices


def account(name: str, speech: FakeSpeech | None = None, own=OTHER, **more) -> OpenAccount:
    providers = Providers(None, None, FakeChat(), speech or FakeSpeech())
    return OpenAccount(Account(name, f"sk-{name}", **more), Settings(voice_id=name), providers, own)


def no_balance(**more) -> ProviderRejected:
    return ProviderRejected("Top it up.", **{**NO_BALANCE, **more})
