"""Several accounts of the platform on one server (docs/scale.md 5): their providers, and which session has which.

A session has a seat at one account: the one, of those its key may use, where most is left. It goes to another one if
that has run dry or its minute is used up, unless its voice is the account's own, and to the one that has its voice. The
choice itself is `core/account.py`. Imported only where there are several accounts.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from realtime import context
from realtime.core.account import AccountUse, roomiest
from realtime.metrics import Metrics, SeveralAccounts
from realtime.protocol.capabilities import OfferedVoice
from realtime.providers.base import Providers, Speech
from realtime.providers.catalog import Source
from realtime.providers.minimax.transcriber import MiniMaxTranscriber
from realtime.providers.roles import close
from realtime.server.access import AccessDenied
from realtime.server.observed import observed
from realtime.server.offered_voices import RETRY_S
from realtime.server.open_account import AccountUpstream, OpenAccount
from realtime.server.wrapped import Later
from realtime.settings import Settings
from realtime.settings.accounts import every_account, may_use, settings_for
from realtime.upstream import CHAT, SPEECH, TRANSCRIPTION

if TYPE_CHECKING:
    from realtime.providers.shared_quotas import SharedQuotas

log = logging.getLogger(__name__)

DRY, VOICE, USED_UP = REASONS = "dry", "voice", "used_up"  # why a session goes to another account
TRANSCRIBER = "transcriber"  # the role


class Seat(context.Seat):
    """See `realtime.context.Seat`. It counts from `take` to `leave`."""

    def __init__(self, accounts: Accounts, key: str, account: OpenAccount, *, exhausted: bool) -> None:
        self._accounts, self._key = accounts, key
        self.account = account
        self.exhausted = exhausted  # when it was looked for, no account had a turn a minute left for it

    def __repr__(self) -> str:
        return f"<Seat at {self.name}>"

    @property
    def name(self) -> str:
        """That of the account."""
        return self.account.name

    def take(self) -> None:
        self.account.seats[self] = asyncio.get_running_loop().time()

    def leave(self) -> None:
        self.account.seats.pop(self, None)

    def instead(self, voice_id: str | None) -> tuple[Settings, Providers] | None:
        account = self._accounts.instead_of(self.account, self._key, voice_id)
        if account is None:
            return None
        since_s = self.account.seats.pop(self, None)
        self.account = account
        if since_s is not None:
            account.seats[self] = since_s
        return account.settings, account.providers


class Accounts:
    """All accounts of one server, the default one first."""

    def __init__(self, accounts: Sequence[OpenAccount]) -> None:
        self._all = tuple(accounts)
        self._metrics: SeveralAccounts | None = None
        self._asking = asyncio.create_task(self._keep_voices(), name="voices of accounts")

    def __repr__(self) -> str:
        return f"<Accounts {', '.join(each.name for each in self._all)}>"

    def of(self, key: str) -> tuple[OpenAccount, ...]:
        """Those that the key of this name may use."""
        return tuple(each for each in self._all if may_use(key, each.account))

    def _usable(self, key: str) -> tuple[OpenAccount, ...]:
        """The same, at least one. Raises AccessDenied."""
        if not (usable := self.of(key)):
            raise AccessDenied("This key may use no account of this server.")
        return usable

    def seat_for(self, key: str) -> Seat:
        """A seat where most is left, not taken yet. If all have run dry, they count as if they had not.

        Raises AccessDenied for the key of another server, which has begun the session, if none is for it here.
        """
        usable = self._usable(key)
        account, use = _roomiest([each for each in usable if not each.dry] or usable)
        return Seat(self, key, account, exhausted=use.exhausted or self._use_of_others.exhausted)

    @property
    def _use_of_others(self) -> AccountUse:
        """Of what no account pays for, such as a chat of another service: all sessions use it together."""
        uses = [each.use for each in self._all]
        limits = self._all[0].limits({CHAT, SPEECH} - set(self._all[0].own))
        return AccountUse(limits, sum(use.sessions for use in uses), sum(use.new for use in uses))

    def instead_of(self, account: OpenAccount, key: str, voice_id: str | None) -> OpenAccount | None:
        """Where a session of this key goes on, if it should leave its account and another one can take it over.

        `voice_id` None: nothing will be spoken.
        """
        others = [each for each in self.of(key) if each is not account]
        reason, found = _better(account, others, voice_id)
        if not found:
            return None
        if self._metrics is not None:
            self._metrics.moves.labels(account.name, reason).inc()
        return _roomiest(found)[0]

    def speech_for(self, key: str, voice_id: str) -> Speech:
        """Who speaks with this voice for the key of this name outside of sessions. Raises AccessDenied."""
        usable = self._usable(key)
        able = [each for each in usable if each.has_voice(voice_id)] or usable
        return next((each for each in able if not each.dry), able[0]).providers.speech

    async def voices(self, key: str) -> tuple[OfferedVoice, ...]:
        """The voices of all accounts of the key: a session goes to the account that has its voice."""
        asked = (each.voices.get(each.providers.speech) for each in self.of(key))
        lists = await asyncio.gather(*asked)
        found: dict[str, OfferedVoice] = {}
        for voice in (voice for voices in lists for voice in voices):
            found.setdefault(voice.id, voice)
        return tuple(found.values())

    def observe(self, metrics: Metrics, later: Later | None = None) -> Providers:
        """Show them in these metrics, and let each learn from its requests. Returns the default one's providers."""
        self._metrics = metrics.add_accounts()
        for account in self._all:
            budgets = {kind: account.name for kind in (CHAT, SPEECH) if kind in account.own}
            if account is self._all[0]:
                budgets = {CHAT: "", SPEECH: "", **budgets}
            account.providers = observed(
                account.providers, metrics, AccountUpstream(metrics, account), budgets, later
            )
            self._show(account, self._metrics)
        return self._all[0].providers

    def _show(self, account: OpenAccount, metrics: SeveralAccounts) -> None:
        metrics.show(account.name, lambda: len(account.seats), lambda: not account.dry, REASONS)

    async def _keep_voices(self) -> None:
        """Know the voices of all accounts before they are needed. Who has a new list is not asked again soon."""
        while True:
            for account in self._all:
                await account.voices.get(account.providers.speech)
            await asyncio.sleep(RETRY_S)

    async def aclose(self) -> None:
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)
        for account in self._all:
            await account.voices.aclose()


def _better(
    account: OpenAccount, others: Sequence[OpenAccount], voice_id: str | None
) -> tuple[str, list[OpenAccount]]:
    """Why a session should leave this account, and to which of the others it may go: to none if it should stay."""
    able = _able(account, others, voice_id)
    answering = [each for each in able if not each.dry]
    if account.dry:
        return DRY, answering or [each for each in able if each.worth_asking_before(account)]
    if voice_id is not None and account.lacks_voice(voice_id):
        having = [each for each in others if each.has_voice(voice_id)]
        found = [each for each in having if not each.dry]
        found = found or [each for each in having if each.owns_voice(voice_id)]  # which tells what is wrong
        if found:
            return VOICE, found
    return USED_UP, [each for each in answering if account.used_up and each.has_turn]


def _able(account: OpenAccount, others: Iterable[OpenAccount], voice_id: str | None) -> list[OpenAccount]:
    """Which others can take over a session of this account that speaks with this voice, or with none."""
    if voice_id is None:
        return list(others)
    having = [each for each in others if each.has_voice(voice_id)]
    if any(each.owns_voice(voice_id) for each in having):
        return having  # nobody else has it
    return [each for each in others if each.can_take_over(voice_id, account)]


def _roomiest(accounts: Sequence[OpenAccount]) -> tuple[OpenAccount, AccountUse]:
    uses = [each.use for each in accounts]
    best = roomiest(uses)
    return accounts[best], uses[best]


def paid_roles(sources: Mapping[str, Iterable[Source]]) -> list[str]:
    """The roles in which each account has a provider of its own: those that the platform plays."""
    return [role for role in (CHAT, SPEECH) if any(source.is_platform for source in sources.get(role, ()))]


async def open_accounts(
    settings: Settings,
    sources: Mapping[str, Sequence[Source]],
    providers: Providers,
    stack: AsyncExitStack,
    quotas: SharedQuotas | None = None,
) -> Accounts | None:
    """The accounts of these settings, until the stack closes; None if others chat and speak.

    `providers` are those of the default one. Raises ConfigError.
    """
    roles = paid_roles(sources)
    if not roles:
        log.warning("the accounts are not used: neither CHAT_PROVIDER nor SPEECH_PROVIDER is MiniMax")
        return None
    # Of several candidates it depends on what is installed
    hears = TRANSCRIBER in sources and isinstance(providers.transcriber, MiniMaxTranscriber)
    own = [*roles, TRANSCRIPTION] if hears else roles
    first, *others = every_account(settings)
    opened = [OpenAccount(first, settings, providers, own)]
    for account in others:
        theirs = settings_for(settings, account)
        shared = None if quotas is None else quotas.add(theirs, roles, account.name)
        by_role = {}
        for role in [*roles, TRANSCRIBER] if hears else roles:
            source = next(each for each in sources[role] if each.is_platform)
            provider = by_role[role] = await source.provide(theirs)
            stack.push_async_callback(close, provider)
            if shared is not None:
                shared.give_to(role, provider)
        opened.append(OpenAccount(account, theirs, dataclasses.replace(providers, **by_role), own))
    accounts = Accounts(opened)
    stack.push_async_callback(accounts.aclose)
    return accounts
