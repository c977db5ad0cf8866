"""Several accounts of the platform on one server (docs/scale.md 5): their providers, and which session has which.

A session has a seat at one account: the one, of those its key may use, where most is left. An account that has run dry
gets no sessions for a while, and its own go on at another one, at their next reply, unless their voice is its own. The
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
from realtime.core.account import NEW_S, AccountUse, Limit, roomiest
from realtime.errors import ProviderError
from realtime.logs import story
from realtime.metrics import Metrics, SeveralAccounts
from realtime.minimax.codes import is_dry
from realtime.protocol.capabilities import OfferedVoice
from realtime.providers.base import ChatModel, Providers, Speech
from realtime.providers.catalog import Source
from realtime.server.access import AccessDenied
from realtime.server.observed import observed, per_minute
from realtime.server.offered_voices import FRESH_S, OfferedVoices
from realtime.settings import Settings
from realtime.settings.accounts import every_account, may_use, settings_for
from realtime.settings.model import Account
from realtime.upstream import CHAT, SPEECH, Upstream, facts_of

if TYPE_CHECKING:
    from realtime.providers.shared_quotas import SharedQuotas

log = logging.getLogger(__name__)

DRY_S = 600.0  # an account that has run dry is asked again after so long, if the platform names no time


class OpenAccount:
    """One account with its providers. `own` are the kinds of requests that it pays for."""

    def __init__(
        self, account: Account, settings: Settings, providers: Providers, own: Sequence[str]
    ) -> None:
        self.account, self.settings, self.providers = account, settings, providers
        self.own = own
        self.seats: dict[Seat, float] = {}  # with the loop's time at which each was taken
        self.voices = OfferedVoices()
        self._dry_until_s = float("-inf")

    def __repr__(self) -> str:
        return f"<OpenAccount {self.name} {len(self.seats)} seats>"

    @property
    def name(self) -> str:
        return self.account.name

    @property
    def dry(self) -> bool:
        """Whether it answers nobody now."""
        return asyncio.get_running_loop().time() < self._dry_until_s

    @property
    def use(self) -> AccountUse:
        """Of what the account pays for."""
        young_since_s = asyncio.get_running_loop().time() - NEW_S
        new = sum(since_s > young_since_s for since_s in self.seats.values())
        return AccountUse(self.limits(self.own), len(self.seats), new)

    def limits(self, kinds: Iterable[str]) -> tuple[Limit, ...]:
        """Those of requests of these kinds."""
        roles: dict[str, ChatModel | Speech] = {CHAT: self.providers.chat, SPEECH: self.providers.speech}
        return tuple(Limit(per_minute(roles[kind]), roles[kind].requests_left()) for kind in kinds)

    def failed(self, kind: str, error: ProviderError) -> None:
        """A request of this kind failed. That the account has run dry is logged once."""
        if kind not in self.own or not is_dry(error) or self.dry:
            return
        wait_s = error.retry_after_s or DRY_S
        self._dry_until_s = asyncio.get_running_loop().time() + wait_s
        facts = {"account": self.name, "kind": kind, **facts_of(error), "retry_after_s": wait_s}
        story(log, "account has run dry", facts, logging.WARNING)

    def can_take_over(self, voice_id: str, other: OpenAccount) -> bool:
        """Whether it speaks with this voice of a session of the other account, as far as the lists of voices tell."""
        if SPEECH not in self.own or getattr(self.providers.speech, "voices", None) is None:
            return True
        if any(voice.id == voice_id for voice in self.voices.known):
            return True
        theirs = other.voices.known
        return bool(theirs) and all(voice.id != voice_id or voice.kind == "system" for voice in theirs)


class _AccountUpstream(Upstream):
    """Also tells the account what failed."""

    def __init__(self, metrics: Metrics, account: OpenAccount) -> None:
        super().__init__(metrics)
        self._account = account

    def failed(self, kind: str, error: ProviderError, address: str | None = None) -> None:
        super().failed(kind, error, address)
        self._account.failed(kind, error)


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

    def instead(self, voice_id: str) -> tuple[Settings, Providers] | None:
        if not self.account.dry:
            return None
        account = self._accounts.instead_of(self.account, self._key, voice_id)
        if account is None:
            return None
        log.info("a session goes on at the account %s instead of %s", account.name, self.name)
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
        """Those that the key of this name may use; the first one is for what belongs to no session."""
        return tuple(each for each in self._all if may_use(key, each.account))

    def seat_for(self, key: str) -> Seat:
        """A seat where most is left, not taken yet. If all have run dry, they count as if they had not.

        Raises AccessDenied for the key of another server, which has begun the session, if none is for it here.
        """
        usable = self.of(key)
        if not usable:
            raise AccessDenied("This key may use no account of this server.")
        account, use = _roomiest([each for each in usable if not each.dry] or usable)
        return Seat(self, key, account, exhausted=use.exhausted or self._use_of_others.exhausted)

    @property
    def _use_of_others(self) -> AccountUse:
        """Of what no account pays for, such as a chat of another service: all sessions use it together."""
        uses = [each.use for each in self._all]
        limits = self._all[0].limits({CHAT, SPEECH} - set(self._all[0].own))
        return AccountUse(limits, sum(use.sessions for use in uses), sum(use.new for use in uses))

    def instead_of(self, account: OpenAccount, key: str, voice_id: str) -> OpenAccount | None:
        """Where a session of this key goes on, if there is an account that can take it over."""
        others = [each for each in self.of(key) if not each.dry and each.can_take_over(voice_id, account)]
        if not others:
            return None
        if self._metrics is not None:
            self._metrics.moves.labels(account.name).inc()
        return _roomiest(others)[0]

    async def voices(self, key: str) -> tuple[OfferedVoice, ...]:
        """The voices that a session of this key has at whichever account it gets. An unknown list does not count."""
        asked = (each.voices.get(each.providers.speech) for each in self.of(key))
        first, *others = [voices for voices in await asyncio.gather(*asked) if voices] or [()]
        known = [{voice.id for voice in voices} for voices in others]
        return tuple(voice for voice in first if all(voice.id in ids for ids in known))

    def observe(self, metrics: Metrics) -> Providers:
        """Show them in these metrics, and let each learn from what fails. Returns the providers of the default one."""
        self._metrics = metrics.add_accounts()
        for account in self._all:
            budgets = dict.fromkeys(account.own, account.name)
            if account is self._all[0]:
                budgets = {CHAT: "", SPEECH: "", **budgets}
            account.providers = observed(
                account.providers, metrics, _AccountUpstream(metrics, account), budgets
            )
            self._show(account, self._metrics)
        return self._all[0].providers

    def _show(self, account: OpenAccount, metrics: SeveralAccounts) -> None:
        metrics.show(account.name, lambda: len(account.seats), lambda: not account.dry)

    async def _keep_voices(self) -> None:
        """Know the voices of all accounts before one runs dry."""
        while True:
            for account in self._all:
                await account.voices.get(account.providers.speech)
            await asyncio.sleep(FRESH_S)

    async def aclose(self) -> None:
        self._asking.cancel()
        await asyncio.gather(self._asking, return_exceptions=True)
        for account in self._all:
            await account.voices.aclose()


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
    own = paid_roles(sources)
    if not own:
        log.warning("the accounts are not used: neither CHAT_PROVIDER nor SPEECH_PROVIDER is MiniMax")
        return None
    first, *others = every_account(settings)
    opened = [OpenAccount(first, settings, providers, own)]
    for account in others:
        theirs = settings_for(settings, account)
        shared = None if quotas is None else quotas.add(theirs, own, account.name)
        by_role = {}
        for role in own:
            provider = by_role[role] = sources[role][0].create(theirs)
            stack.push_async_callback(provider.aclose)
            if shared is not None:
                shared.give_to(role, provider)
        opened.append(OpenAccount(account, theirs, dataclasses.replace(providers, **by_role), own))
    accounts = Accounts(opened)
    stack.push_async_callback(accounts.aclose)
    return accounts
