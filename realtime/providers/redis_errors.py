"""What kind of trouble an error of Redis is: few words, for the metrics, the log and `realtime doctor`.

Knows the library's errors and Redis' own words, and nothing of what was asked. It never shows a message, which may
quote the address.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator

TIMEOUT, UNREACHABLE, TLS, PASSWORD, FORBIDDEN = "timeout", "unreachable", "tls", "password", "forbidden"
REPLICA, MEMORY, LOADING, NO_MASTER, CLUSTER = "replica", "memory", "loading", "no_master", "cluster"
REFUSES_WRITES, OTHER = "refuses_writes", "other"  # the first: no replica is there, or nothing can be saved
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
    REFUSES_WRITES,
    OTHER,
)
# The library knows an error by its first word. Inside a script that may be another one, by the version of Redis
_WORDS = (
    (FORBIDDEN, r"NOPERM|ACL failure|can't run this command|no permissions"),
    (REPLICA, r"READONLY|read.?only replica"),
    (MEMORY, r"OOM"),
    (REFUSES_WRITES, r"NOREPLICAS|MISCONF"),
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
        if isinstance(cause, of_redis.ResponseError):
            for kind, words in _WORDS:
                if re.search(rf"\b({words})\b", str(cause)):
                    return kind
    return UNREACHABLE if isinstance(error, of_redis.ConnectionError | OSError) else OTHER


def word_of(error: BaseException) -> str:
    """For the log: the kind of what Redis refuses, else the name of the error. Never its message."""
    kind = kind_of(error) if is_answer(error) else OTHER
    return type(error.__cause__ or error).__name__ if kind == OTHER else kind


def is_answer(error: BaseException) -> bool:
    """Whether Redis is there, and says no."""
    from redis.exceptions import ResponseError

    return isinstance(error, ResponseError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and what led to it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
