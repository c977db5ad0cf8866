"""The store in Redis: conversations that every server with the same Redis can go on with.

One hash holds a conversation, and one script changes it (docs/scale.md): it refuses what an older owner saves, and says
so if Redis has lost items. While Redis is away every call fails within a moment, and who saves tries again. The list of
an owner's conversations is an index beside them (`redis_index.py`).
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from realtime.errors import ConfigError, ConversationForgotten, ConversationTakenOver, ProviderUnavailable
from realtime.providers.redis_address import open_redis
from realtime.providers.redis_index import LIST, RedisIndex, rehearsal_of
from realtime.providers.redis_link import (
    CLEAR,
    CONVERSATIONS,
    REHEARSED_MS,
    Argument,
    RedisLink,
    Rehearsed,
    Result,
    Script,
)
from realtime.providers.store import (
    OPENING_ITEM_BYTES,
    OPENING_ITEMS,
    Changes,
    LateItem,
    Store,
    StoredSummary,
    Taken,
)
from realtime.settings import Settings

if TYPE_CHECKING:
    from realtime.metrics import RedisMetrics

KEEP_DAYS = 30
KEEP_MS = KEEP_DAYS * 86_400_000
ANSWER_S = 1.0  # a long conversation takes longer than a permit

SCRIPT = Script(resources.files("realtime.providers").joinpath("lua/store.lua").read_text("utf-8"))


class RedisStore(Store):
    """Conversations under `prefix`, each for `keep_ms` after its last change. Without `listed` there is no index."""

    def __init__(
        self, link: RedisLink, prefix: str, *, keep_ms: int = KEEP_MS, listed: bool = True, own: bool = False
    ) -> None:
        """`own`: the link ends with the store."""
        self._link = link
        self._prefix = prefix
        self._keep_ms = keep_ms
        self._own = own
        self._index = RedisIndex(link, keep_ms) if listed else None
        link.rehearse_with(partial(rehearsal, prefix))

    def __repr__(self) -> str:
        return f"<RedisStore {self._prefix}, {self._link!r}>"

    async def save(self, owner: str, conversation_id: str, epoch: int, changes: Changes) -> None:
        lists = (msgspec.json.encode(list(changes.order)), msgspec.json.encode(list(changes.deleted)))
        bodies: list[Argument] = [part for pair in changes.changed.items() for part in pair]
        answer = await self._run((owner, conversation_id), "save", epoch, *lists, *bodies)
        match answer[0]:
            case b"taken":
                raise ConversationTakenOver(f"The conversation {conversation_id} has a newer session.")
            case b"forgotten":
                raise ConversationForgotten(f"Redis has lost items of the conversation {conversation_id}.")
        if self._index is not None:
            seen = hash((answer[1], *changes.order))  # another creation: Redis has begun it anew
            self._index.put(self._index_key(owner), conversation_id, seen, int(answer[2]))

    async def load(self, owner: str, conversation_id: str) -> tuple[bytes, ...] | None:
        found = await self._run((owner, conversation_id), "load")
        return tuple(found[3:]) if found else None

    async def take(self, owner: str, conversation_id: str) -> Taken | None:
        found = await self._run((owner, conversation_id), "take")
        return Taken(tuple(found[3:]), int(found[0])) if found else None

    async def add_late(
        self, owner: str, conversation_id: str, order: Sequence[str], late: Mapping[str, LateItem]
    ) -> None:
        parts: list[Argument] = []
        for item_id, item in late.items():
            parts += [item_id, int(item.before is not None), item.before or b"", item.now]
        await self._run((owner, conversation_id), "late", msgspec.json.encode(list(order)), *parts)

    async def forget(self, owner: str, conversation_id: str) -> None:
        await self._run((owner, conversation_id), "forget")
        if self._index is not None:
            self._index.remove(self._index_key(owner), conversation_id)

    async def listing(self, owner: str, limit: int) -> tuple[StoredSummary, ...]:
        """Each conversation is looked at: its last change is not in the index, which a change of an item leaves."""
        ids = await self._answer(self._link.send(LIST, [self._index_key(owner)]))
        names = [each.decode() for each in ids]
        found = await asyncio.gather(*(self._run((owner, name), "opening", OPENING_ITEMS) for name in names))
        summaries = [_summary(name, each) for name, each in zip(names, found, strict=True) if each]
        summaries.sort(key=lambda summary: summary.updated_unix_s, reverse=True)
        return tuple(summaries[:limit])

    def show(self, metrics: RedisMetrics) -> None:
        """Show the link in these metrics."""
        self._link.show(metrics)

    async def aclose(self) -> None:
        if self._own:
            await self._link.aclose()

    async def _run(self, of: tuple[str, str], operation: str, *arguments: Argument) -> list[bytes]:
        """Raises ProviderUnavailable."""
        key = f"{self._prefix}{{{_hash(*of)}}}:conversation"
        return await self._answer(self._link.send(SCRIPT, [key], operation, self._keep_ms, *arguments))

    async def _answer(self, answer: asyncio.Future[Result]) -> list[bytes]:
        result = await answer
        if result is None:
            raise ProviderUnavailable(self._link.problem or "Redis does not answer.")
        return result

    def _index_key(self, owner: str) -> str:
        return f"{self._prefix}{{{_hash(owner)}}}:conversations"


def _hash(*parts: str) -> str:
    """A name that tells neither the key's nor the conversation's."""
    return hashlib.sha256("\n".join(parts).encode(errors="surrogateescape")).hexdigest()[:32]


def _summary(name: str, found: list[bytes]) -> StoredSummary:
    opening = tuple(body for body in found[3:] if len(body) <= OPENING_ITEM_BYTES)
    return StoredSummary(name, int(found[1]) / 1000, int(found[2]) / 1000, opening)


def rehearsal(prefix: str, *, listed: bool = False) -> list[Rehearsed]:
    """What the store asks of Redis; `listed`: with the index, without which conversations are kept all the same."""
    look, keep = f"{prefix}{{look:{secrets.token_hex(8)}}}", REHEARSED_MS
    key, index = f"{look}:conversation", f"{look}:conversations"
    runs: list[tuple[Argument, ...]] = [
        ("save", keep, 1, '["a"]', "[]", "a", "{}"),
        ("take", keep),
        ("late", keep, '["b"]', "b", 0, "", "{}"),
        ("forget", keep),
    ]
    found = [*(Rehearsed(SCRIPT, [key], run) for run in runs), Rehearsed(CLEAR, [key])]
    if listed:
        found += rehearsal_of(index)
    return found


def open_link(address: str, name: str) -> RedisLink:
    """A connection for what is larger than a permit, so that a long conversation holds up none. Raises ConfigError."""
    return RedisLink(partial(open_redis, address, ANSWER_S), name=name, quiet=True)


def create(settings: Settings) -> RedisStore:
    """The store for `REALTIME_STORE=redis`. Raises ConfigError."""
    if settings.redis is None:
        raise ConfigError("REALTIME_STORE=redis needs REALTIME_REDIS, the address of a Redis.")
    return RedisStore(open_link(settings.redis, CONVERSATIONS), settings.redis_prefix, own=True)
