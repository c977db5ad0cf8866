"""Redis by its address: `redis://`, `rediss://`, `unix://`, `redis+sentinel://a,b,c/name`.

Credentials in the address go to Redis and nowhere else: no error here quotes it. Opens no connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from realtime.errors import ConfigError, install_extra
from realtime.settings.redis_url import SENTINEL, RedisUrl, read_redis_url

if TYPE_CHECKING:
    from redis.asyncio import Redis

LIMIT_S = 0.25  # for a connection, and for each answer
INSTALL = f"REALTIME_REDIS needs a package: {install_extra('redis')}."


def open_redis(address: str, limit_s: float = LIMIT_S) -> Redis:
    """A client that never tries again by itself, and waits for at most `limit_s`. Raises ConfigError."""
    try:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
    except ModuleNotFoundError:
        raise ConfigError(INSTALL) from None
    options: dict[str, Any] = {
        "socket_timeout": limit_s,
        "socket_connect_timeout": limit_s,
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        url = read_redis_url(address)
        if url.scheme == SENTINEL:
            return _master(url, options)
        if url.scheme == "unix":
            options.pop("socket_connect_timeout")
        return Redis.from_url(address, **options)
    except ValueError:
        raise ConfigError("REALTIME_REDIS is no address of a Redis.") from None


async def close_redis(client: Redis) -> None:
    """Close it, and its connections to the sentinels, which the library keeps apart."""
    await client.aclose()
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    for sentinel in manager.sentinels if manager is not None else ():
        await sentinel.aclose()


def _master(url: RedisUrl, options: dict[str, Any]) -> Redis:
    """Whichever server the sentinels call the master when a connection is opened. They have no password."""
    from redis.asyncio import sentinel as library

    open_sentinels: Any = library.Sentinel  # it has no types
    sentinels = open_sentinels(url.hosts, sentinel_kwargs=options, **options)
    master: Redis = sentinels.master_for(url.name, **url.options)
    return master
