"""The quotas of a server that shares its account with others through Redis: made from the settings, in one place.

Without `REALTIME_REDIS` nothing of this is imported. Knows which account a provider uses, and nothing of requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from realtime.metrics import Metrics
from realtime.providers.connection_share import ConnectionShare
from realtime.providers.nodes import node_of
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_link import RedisLink
from realtime.providers.redis_quota import RedisQuota
from realtime.settings import Settings


class SharedQuotas:
    """For the providers of one server."""

    def __init__(self, link: RedisLink, chat: RedisQuota, speech: RedisQuota, connections: int) -> None:
        """`connections` are the speech connections of the account."""
        self._link, self._speech = link, speech
        self._connections = connections
        self._share: ConnectionShare | None = None
        self._by_role = {"chat": chat, "speech": speech}

    def give_to(self, role: str, provider: Any) -> None:
        """Let this provider use what nodes share, if its role has it and it can (`TakesQuota`, `TakesConnections`)."""
        use_quota = getattr(provider, "use_quota", None)
        if role in self._by_role and use_quota is not None:
            use_quota(self._by_role[role])
        use_connections = getattr(provider, "use_connections", None)
        if role == "speech" and use_connections is not None:
            self._share = ConnectionShare(self._connections, self._speech.nodes(), use_connections)
            self._speech.on_nodes(self._share.heard)

    def close(self) -> None:
        """Connections are shared no more."""
        if self._share is not None:
            self._share.close()

    def observe(self, metrics: Metrics) -> None:
        """Show the account and Redis in these metrics."""
        shared = metrics.add_redis(lambda: self._link.up and self._link.seen)
        self._link.observe = shared.round_trip
        for kind, quota in self._by_role.items():
            shared.show(kind, quota.nodes, quota.limit_now)

    def not_ready(self) -> str | None:
        """Why this server should get no sessions yet: it has never heard of the others."""
        return None if self._link.seen else self._link.problem or "Redis has not answered yet."


@asynccontextmanager
async def shared_quotas(settings: Settings) -> AsyncIterator[SharedQuotas]:
    """Until the end of the block. Raises ConfigError for an address that is none, or where a package is missing."""
    assert settings.redis is not None
    link, node = RedisLink(partial(open_redis, settings.redis)), node_of(settings)
    of_chat, of_speech = accounts_of(settings)
    chat = RedisQuota(link, *of_chat, node, spare=True)
    speech = RedisQuota(link, *of_speech, node)
    shared = SharedQuotas(link, chat, speech, settings.speech_connections)
    try:
        yield shared
    finally:
        shared.close()
        await chat.aclose()
        await speech.aclose()
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
