"""What is asked of the services behind the server: requests, failures and waits, counted and logged.

`kind` is chat, speech or transcription. It asks nothing itself, and it never sees a text.
"""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from realtime.errors import ProviderError
from realtime.logs import story
from realtime.metrics import Metrics
from realtime.minimax.codes import CODES as PLATFORM_CODES

CHAT, SPEECH, TRANSCRIPTION = "chat", "speech", "transcription"
LONG_WAIT_S = 0.5  # a shorter wait is counted, but not worth a line

# The values of the label `code`: a provider of another package may have any words of its own.
CODES = frozenset(
    "upstream_unavailable upstream_timeout upstream_rejected rate_limit_exceeded invalid_api_key "
    "insufficient_quota invalid_voice content_filter context_length_exceeded overloaded empty_answer".split()
)
OTHER = "other"
# More reasons why a reply fails
OURS = frozenset({"transcription_failed", "transcription_unavailable", "internal_error", "server_draining"})

log = logging.getLogger(__name__)


class Upstream:
    """Counts in the metrics of one server; without metrics it only logs."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self._metrics = metrics

    def asked(self, kind: str) -> None:
        """One request was sent."""
        if self._metrics is not None:
            self._metrics.upstream_requests.labels(kind).inc()

    def failed(self, kind: str, error: ProviderError, address: str | None = None) -> None:
        """A request or a connection failed, at this URL. The error remembers the host."""
        error.host = error.host or host_of(address)
        if self._metrics is not None:
            self._metrics.upstream_errors.labels(kind, _label(error), number_of(error.upstream_code)).inc()

    def answered(self, kind: str, asked_s: float) -> None:
        """A request that was sent at this time of the loop is being answered."""

    def lost(self, kind: str, error: ProviderError, address: str | None = None) -> None:
        """It failed, and another connection may take over: nobody else tells of it."""
        self.failed(kind, error, address)
        story(log, f"{kind} connection failed", facts_of(error), logging.WARNING)

    def waited(self, kind: str, reason: str, wait_s: float) -> None:
        """A request waits for so long before it is sent: for the `budget`, or because one was `refused`."""
        if self._metrics is not None:
            self._metrics.upstream_waits.labels(kind, reason).observe(wait_s)
        if wait_s >= LONG_WAIT_S:
            story(log, f"{kind} waits", {"reason": reason, "wait_s": wait_s})


def _label(error: ProviderError) -> str:
    """Its code; if that is a word for clients only (`transcription_failed`), the code of its kind."""
    return next((code for code in (error.code, type(error).code) if code in CODES), OTHER)


def facts_of(error: ProviderError) -> dict[str, object]:
    """What the log tells of an error: never its message, which may quote the text that was sent, but our own words."""
    return {
        "code": error.code,
        "upstream_code": error.upstream_code,
        "trace_id": error.trace_id,
        "host": error.host,
        "retry_after_s": error.retry_after_s,
        "reason": error.reason,
    }


def host_of(address: str | None) -> str | None:
    """The host and port of a URL, without a user and a password."""
    if address is None:
        return None
    try:
        return urlsplit(address).netloc.rpartition("@")[2] or None
    except ValueError:
        return None


def label_of(code: str) -> str:
    """The code of an error as a label: "" for none, and `other` for one that is not ours. Labels are kept for ever."""
    return code if not code or code in CODES or code in OURS else OTHER


def number_of(upstream_code: int | None) -> str:
    """The service's number as a label: those of HTTP and of the platform, anything else is `other`."""
    if upstream_code is None:
        return ""
    return str(upstream_code) if upstream_code in PLATFORM_CODES or 100 <= upstream_code < 600 else OTHER
