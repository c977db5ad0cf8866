"""The error family, on one screen, named by who can act.

    RealtimeError
    ├── ConfigError            the operator: one sentence, exit status 2
    ├── ProtocolError          the wire's client: an `error` event, the session lives
    └── ProviderError          an upstream service: `response.done` failed, the session lives
        ├── ProviderUnavailable    cannot be reached, or answers with a fault of its own
        ├── ProviderTimeout        did not answer in the time we wait
        └── ProviderRejected       answered, and refused this request

Anything else that escapes is our own bug.
"""

from __future__ import annotations


class RealtimeError(Exception):
    """Base of every error this package raises on purpose."""


class ConfigError(RealtimeError):
    """A setting is missing or wrong. The message says which, and what to do."""


class ProtocolError(RealtimeError):
    """A client of the wire sent something that cannot be done.

    `code`, `message` and `param` (a dotted path) go into the `error` event; `event_id` is the client's own.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "invalid_value",
        param: str | None = None,
        event_id: str | None = None,
        type: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.event_id = event_id
        self.type = type


class ProviderError(RealtimeError):
    """An upstream service failed.

    `code` is the wire's machine-readable reason (`upstream_unavailable`, `rate_limit_exceeded`, ...),
    `upstream_code` the service's own number, `trace_id` its name for the request,
    `retry_after_s` seconds to wait if a wait is known, `retryable` whether asking again makes sense.
    """

    code = "upstream_unavailable"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        upstream_code: int | None = None,
        trace_id: str | None = None,
        retryable: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
        self.upstream_code = upstream_code
        self.trace_id = trace_id
        self.retry_after_s = retry_after_s


class ProviderUnavailable(ProviderError):
    """The service cannot be reached, dropped the connection, or is overloaded."""


class ProviderTimeout(ProviderError):
    """The service did not answer in the time we wait."""

    code = "upstream_timeout"


class ProviderRejected(ProviderError):
    """The service refused this request; the same request again will be refused again."""

    code = "upstream_rejected"
    retryable = False


def provider_error(group: ExceptionGroup[Exception]) -> ProviderError:
    """The upstream's fault in a group of failures. Anything else in it is ours and is raised."""
    faults, others = group.split(ProviderError)
    if others is not None:
        raise others
    error: BaseException = faults if faults is not None else group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ProviderError)
    return error
