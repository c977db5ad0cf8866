"""What Redis tells an operator: how fast it answers, version and clock, what is left of the account, what it refuses.

For `realtime doctor`. It changes nothing: who looks is no node, no permit is asked for, and what servers write is tried
with keys of its own, which are gone at once (docs/scale.md).
"""

from __future__ import annotations

import secrets
import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from realtime.providers import redis_journal, redis_store
from realtime.providers.redis_address import close_redis, open_redis
from realtime.providers.redis_errors import kind_of
from realtime.providers.redis_link import CONVERSATIONS, SESSIONS, Rehearsed
from realtime.providers.redis_quota import SCRIPT, keys_of
from realtime.providers.shared_quotas import accounts_of
from realtime.settings import Settings
from realtime.settings.accounts import every_account, settings_for

if TYPE_CHECKING:
    from redis.asyncio import Redis

ANSWERS = 5  # of which the median counts
LIMIT_S = 2.0  # longer than that of a server, so that a slow Redis is told from one that is away
EVICTS_NOTHING = "noeviction"


@dataclass(frozen=True, slots=True)
class AccountView:
    """One limit of the account as Redis knows it."""

    kind: str  # chat or speech
    nodes: int  # that share it
    left: int  # requests that can be sent now
    limit: int  # a minute, as it is now: lowered after refusals, or because a node is silent
    account: str = ""  # its name, where there are several


@dataclass(frozen=True, slots=True)
class Refused:
    """What servers ask of Redis, and do not get."""

    link: str  # sessions or conversations
    kind: str  # of the error


@dataclass(frozen=True, slots=True)
class RedisReport:
    latency_ms: float  # the median of some answers
    clock_ahead_s: float  # of ours
    version: str | None  # None: this user may not ask
    engine: str  # Redis or Valkey
    eviction: str | None  # the policy, where Redis may delete what we keep
    accounts: tuple[AccountView, ...]
    refused: tuple[Refused, ...] = ()


async def report(settings: Settings) -> RedisReport:
    """Raises ConfigError for an address that is none, and whatever the library raises."""
    assert settings.redis is not None
    client = open_redis(settings.redis, LIMIT_S)
    try:
        await client.ping()  # opens the connection
        latency_ms, clock_ahead_s = await _timed(client)
        about = await _about(client)
        accounts = [await _view(client, *of_one) for of_one in _limits(settings)]
        refused = [
            each for link, runs in _rehearsals(settings) for each in await _refused(client, link, runs)
        ]
    finally:
        await close_redis(client)
    valkey = about.get("valkey_version")
    version = valkey or about.get("redis_version")
    return RedisReport(
        latency_ms,
        clock_ahead_s,
        str(version) if version else None,
        "Valkey" if valkey else "Redis",
        _eviction(about),
        tuple(accounts),
        tuple(refused),
    )


async def _timed(client: Redis) -> tuple[float, float]:
    """The median latency in ms, and how far the clock of Redis is ahead of ours in seconds."""
    latencies_s, ahead_s = [], []
    for _ in range(ANSWERS):
        began_s, local_s = time.perf_counter(), time.time()
        seconds, microseconds = await client.time()
        latencies_s.append(time.perf_counter() - began_s)
        ahead_s.append(int(seconds) + int(microseconds) / 1e6 - local_s - latencies_s[-1] / 2)
    return statistics.median(latencies_s) * 1000, statistics.median(ahead_s)


async def _about(client: Redis) -> dict[str, Any]:
    """What `INFO` says; nothing where the user may not ask, because a server does not need it."""
    from redis.exceptions import NoPermissionError

    try:
        return dict(await client.info())
    except NoPermissionError:
        return {}


def _eviction(about: dict[str, Any]) -> str | None:
    policy = str(about.get("maxmemory_policy", EVICTS_NOTHING))
    return policy if about.get("maxmemory") and policy != EVICTS_NOTHING else None


def _limits(settings: Settings) -> list[tuple[str, str, int, str]]:
    """For each limit its key in Redis, its kind, the requests a minute, and the account's name. Each once: a chat of
    another service belongs to no account."""
    several = [(settings_for(settings, each), each.name) for each in every_account(settings)]
    found: dict[tuple[str, str], tuple[str, str, int, str]] = {}
    for its, name in several or [(settings, "")]:
        for key, kind, limit in accounts_of(its):
            known = (key, kind) in found
            found[key, kind] = (key, kind, limit, "" if known else name)
    return list(found.values())


async def _view(client: Redis, key: str, kind: str, limit: int, account: str) -> AccountView:
    """A farewell of a node that never was: it changes nothing and returns what there is."""
    keys, nobody = keys_of(key, kind), f"doctor:{secrets.token_hex(4)}"
    answer: Any = client.eval(SCRIPT.text, len(keys), *keys, "leave", nobody, "0", "1", str(limit))
    _, left, nodes, usable, *_ = await answer
    return AccountView(kind, nodes, left, usable, account)


def _rehearsals(settings: Settings) -> list[tuple[str, list[Rehearsed]]]:
    """What servers with these settings ask of Redis beside the account."""
    found, prefix = list[tuple[str, list[Rehearsed]]](), settings.redis_prefix
    if settings.resume_window_s > 0:
        found.append((SESSIONS, [*redis_journal.rehearsal(prefix), *redis_store.rehearsal(prefix)]))
    if settings.store == "redis":
        found.append((CONVERSATIONS, redis_store.rehearsal(prefix, listed=True)))
    return found


async def _refused(client: Redis, link: str, runs: list[Rehearsed]) -> list[Refused]:
    """Raises what the library raises of a connection."""
    from redis.exceptions import ResponseError

    try:
        for run in runs:
            answer: Any = client.eval(run.script.text, len(run.keys), *run.keys, *run.arguments)
            await answer
    except ResponseError as error:
        return [Refused(link, kind_of(error))]
    return []
