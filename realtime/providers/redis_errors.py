"""What kind of trouble an error of Redis is: few words, for the metrics and for `realtime doctor`.

Knows the library's errors, and nothing of what was asked. It never shows a message, which may quote the address.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator

TIMEOUT, UNREACHABLE, TLS, PASSWORD, FORBIDDEN = "timeout", "unreachable", "tls", "password", "forbidden"
REPLICA, MEMORY, LOADING, NO_MASTER, CLUSTER = "replica", "memory", "loading", "no_master", "cluster"
OTHER = "other"
KINDS = (
    TIMEOUT,
    UNREACHABLE,
    TLS,
    PASSWORD,
    FORBIDDEN,
    REPLICA,
    MEMORY,
    LOADING,
    NO_MASTER,
    CLUSTER,
    OTHER,
)


def kind_of(error: BaseException) -> str:
    """One of KINDS."""
    from redis import exceptions as of_redis
    from redis.asyncio.sentinel import MasterNotFoundError, SlaveNotFoundError

    # The library hides some inside a ConnectionError
    kinds: list[tuple[str, tuple[type[BaseException], ...]]] = [
        (PASSWORD, (of_redis.AuthenticationError, of_redis.AuthenticationWrongNumberOfArgsError)),
        (FORBIDDEN, (of_redis.NoPermissionError, of_redis.AuthorizationError)),
        (REPLICA, (of_redis.ReadOnlyError,)),
        (MEMORY, (of_redis.OutOfMemoryError,)),
        (LOADING, (of_redis.BusyLoadingError,)),
        (NO_MASTER, (MasterNotFoundError, SlaveNotFoundError, of_redis.MasterDownError)),
        (CLUSTER, (of_redis.AskError, of_redis.ClusterDownError)),
        (TIMEOUT, (of_redis.TimeoutError, TimeoutError)),
        (TLS, (ssl.SSLError,)),
    ]
    for cause in _causes(error):
        for kind, classes in kinds:
            if isinstance(cause, classes):
                return kind
    return UNREACHABLE if isinstance(error, of_redis.ConnectionError | OSError) else OTHER


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
