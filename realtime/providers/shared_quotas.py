"""The quotas of a server that shares its account with others through Redis: made from the settings, in one place.

Without `REALTIME_REDIS` nothing of this is imported. Knows which account a provider uses, and nothing of requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from realtime.metrics import RedisMetrics
from realtime.providers.connection_share import ConnectionShare
from realtime.providers.nodes import node_of
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_link import RedisLink
from realtime.providers.redis_quota import RedisQuota
from realtime.settings import Settings

KINDS = ("chat", "speech")


class AccountQuotas:
    """For the providers of one account. `name` is "" where there are not several."""

    def __init__(self, link: RedisLink, settings: Settings, kinds: Collection[str], name: str = "") -> None:
        """`kinds` of requests are those that the account pays for."""
        other_chat = _chat_account(settings) != _platform(settings)
        self._names = {"chat": "" if other_chat else name, "speech": name}
        self._connections = settings.speech_connections
        self._share: ConnectionShare | None = None
        node = node_of(settings)
        self._by_role = {
            kind: RedisQuota(link, key, kind, limit, node, spare=True)
            for key, kind, limit in accounts_of(settings)
            if kind in kinds
        }

    def give_to(self, role: str, provider: Any) -> None:
        """Let this provider use what nodes share, if its role has it and it can (`TakesQuota`, `TakesConnections`)."""
        use_quota = getattr(provider, "use_quota", None)
        if role in self._by_role and use_quota is not None:
            use_quota(self._by_role[role])
        use_connections = getattr(provider, "use_connections", None)
        if role == "speech" and use_connections is not None:
            quota = self._by_role[role]
            self._share = ConnectionShare(self._connections, quota.nodes(), use_connections)
            quota.on_nodes(self._share.heard)

    def show(self, shared: RedisMetrics) -> None:
        """Show the account in these metrics."""
        for kind, quota in self._by_role.items():
            shared.show(kind, quota.nodes, quota.limit_now, self._names[kind])

    async def aclose(self) -> None:
        """Say farewell. Connections are shared no more."""
        if self._share is not None:
            self._share.close()
        for quota in self._by_role.values():
            await quota.aclose()


class SharedQuotas:
    """For all accounts of one server, on one connection to Redis."""

    def __init__(self, link: RedisLink, settings: Settings) -> None:
        self._link = link
        self._accounts: list[AccountQuotas] = []
        self._first = self.add(settings, KINDS, settings.accounts[0].name if settings.accounts else "")

    def add(self, settings: Settings, kinds: Collection[str], name: str) -> AccountQuotas:
        """One account more, with the settings that hold there."""
        self._accounts.append(AccountQuotas(self._link, settings, kinds, name))
        return self._accounts[-1]

    def give_to(self, role: str, provider: Any) -> None:
        """Let a provider of the first account use what nodes share."""
        self._first.give_to(role, provider)

    def show(self, metrics: RedisMetrics) -> None:
        """Show the accounts and their link in these metrics."""
        self._link.show(metrics)
        for account in self._accounts:
            account.show(metrics)

    def not_ready(self) -> str | None:
        """Why this server should get no sessions yet: it has never heard of the others."""
        return None if self._link.seen else self._link.problem or "Redis has not answered yet."

    async def aclose(self) -> None:
        """The server stops."""
        for account in self._accounts:
            await account.aclose()


@asynccontextmanager
async def shared_quotas(settings: Settings) -> AsyncIterator[SharedQuotas]:
    """Until the end of the block. Raises ConfigError for an address that is none, or where a package is missing."""
    assert settings.redis is not None
    link = RedisLink(partial(open_redis, settings.redis))
    shared = SharedQuotas(link, settings)
    try:
        yield shared
    finally:
        await shared.aclose()
        await link.aclose()


def accounts_of(settings: Settings) -> list[tuple[str, str, int]]:
    """For each kind of request (chat, then speech): the key of its account, the kind, and the limit a minute."""
    chat, speech = (
        f"{settings.redis_prefix}{{{account}}}" for account in (_chat_account(settings), _platform(settings))
    )
    return [(chat, "chat", settings.chat_rpm), (speech, "speech", settings.speech_rpm)]


def _platform(settings: Settings) -> str:
    return _account(settings.api_key)


def _chat_account(settings: Settings) -> str:
    other = settings.chat_base_url if settings.chat_provider in ("auto", "openai") else None
    return _account(other, settings.chat_api_key) if other else _platform(settings)


def _account(*parts: str | None) -> str:
    """A name for an account that does not tell its key."""
    return hashlib.sha256("\n".join(["account", *(part or "" for part in parts)]).encode()).hexdigest()[:16]
