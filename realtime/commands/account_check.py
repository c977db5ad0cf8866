"""The rows of `realtime doctor` for several accounts: what each may do, who may use it, and whether it answers.

It shows no key, neither the platform's nor one of the server's (docs/scale.md 5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from realtime.commands.checks import Finding, Verdict
from realtime.settings import Settings
from realtime.settings.accounts import every_account, settings_for
from realtime.settings.model import Account
from realtime.upstream import host_of

Reach = Callable[[Settings], Awaitable[list[Finding]]]


async def account_findings(settings: Settings, reach: Reach) -> list[Finding]:
    """Nothing where there is one account. `reach` asks the platform; the default account has been asked already."""
    found = []
    for number, account in enumerate(every_account(settings)):
        its = settings_for(settings, account)
        found.append(_about(account, its))
        if number:
            found += [replace(each, part=f"{account.name}, {each.part}") for each in await reach(its)]
    return found


def _about(account: Account, its: Settings) -> Finding:
    limits = f"{its.chat_rpm} chat and {its.speech_rpm} speech requests a minute"
    keys = ", ".join(account.for_keys) or "all keys"
    text = f"{account.name} at {host_of(its.base_url)}: {limits}, {its.speech_connections} connections, for {keys}"
    return Finding("account", Verdict.GOOD, text)
