"""The platform's errors: both envelopes, HTTP statuses and gateway pages become one ProviderError.

Knows the codes (docs/minimax/README.md 3 and 4) and their codes on our wire (docs/wire.md 5.2). Knows
no endpoint and opens no connection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from realtime.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable

IDLE = 2201  # the server closed an idle socket: the normal end of a prewarmed connection
SOFT_CODES = frozenset({2203, 2204})  # the text was skipped, the session continues
OUTPUT_SENSITIVE = 1027
TOO_MANY_CONNECTIONS = 1041

# "(1004)" at the end of a message, perhaps followed by the HTTP status: "... (2064) (529)".
_INNER_CODE = re.compile(r"\((\d{4,5})\)\s*(?:\(\d{3}\))?\s*$")


@dataclass(frozen=True, slots=True)
class _Kind:
    error: type[ProviderError]
    code: str
    advice: str
    retryable: bool
    retry_after_s: float | None = None


def _unavailable(advice: str) -> _Kind:
    return _Kind(ProviderUnavailable, "upstream_unavailable", advice, True)


def _rejected(code: str, advice: str) -> _Kind:
    return _Kind(ProviderRejected, code, advice, False)


def _limited(advice: str, wait_s: float, retryable: bool = True) -> _Kind:
    return _Kind(ProviderRejected, "rate_limit_exceeded", advice, retryable, wait_s)


_TIMEOUT = _Kind(ProviderTimeout, "upstream_timeout", "the service timed out", True)
_KEY = _rejected(
    "invalid_api_key", "the API key was refused; check the key and that it belongs to this region"
)
_BALANCE = _rejected("insufficient_quota", "the account has no balance left; top it up")
_VOICE = _rejected("invalid_voice", "this voice cannot be used; choose another voice id")
_PARAMETERS = _rejected("upstream_rejected", "the request was refused")
_CONTEXT = _rejected("context_length_exceeded", "the conversation is too long for the model")
_CONTENT = _rejected("content_filter", "the content was refused as sensitive")
_FAULT = _unavailable("the service failed")
_OVERLOADED = _unavailable("the service is overloaded")
_RPM = _limited("too many requests a minute", 5.0)

_KINDS: Mapping[int, _Kind] = {
    1000: _FAULT,
    1001: _TIMEOUT,
    1002: _RPM,
    1004: _KEY,
    1008: _BALANCE,
    1013: _FAULT,
    1024: _FAULT,
    1026: _CONTENT,
    1027: _CONTENT,
    1033: _FAULT,
    1039: _limited("too many tokens a minute", 10.0),
    1041: _limited("too many connections at once", 5.0),
    1042: _rejected("upstream_rejected", "the text holds too many invisible characters"),
    2013: _PARAMETERS,
    2042: _VOICE,
    2044: _rejected("upstream_rejected", "this account may not use this interface"),
    2045: _limited("the request rate grows too fast", 10.0),
    2049: _KEY,
    2054: _VOICE,
    2056: _limited("the plan's quota is used up until its next window", 3600.0, retryable=False),
    2061: _rejected("upstream_rejected", "the plan does not include this model"),
    2064: _OVERLOADED,
    2201: _unavailable("the socket was idle for too long"),
    2202: _unavailable("the service got an unexpected event"),
    2205: _unavailable("too much text is queued"),
    2206: _unavailable("the service got an event in the wrong order"),
}

_STATUSES: Mapping[int, _Kind] = {
    401: _KEY,
    402: _BALANCE,
    403: _KEY,
    404: _rejected("upstream_rejected", "there is nothing at this address; check the base URL"),
    408: _TIMEOUT,
    413: _rejected("upstream_rejected", "the request is too large"),
    429: _RPM,
    504: _TIMEOUT,
    529: _OVERLOADED,
}


def error_for_code(
    code: int, message: str = "", *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError:
    """The error for one of the platform's codes (docs/minimax/README.md 4)."""
    kind = _KINDS.get(code, _PARAMETERS)
    if code == 2013 and _mentions_context(message):
        kind = _CONTEXT
    return _build(kind, message, f"code {code}", code, trace_id, service)


def error_for_status(
    status: int, message: str = "", *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError:
    """The error for an HTTP status without a code inside its body."""
    kind = _STATUSES.get(status) or (_FAULT if status >= 500 else _PARAMETERS)
    if status in (400, 413) and _mentions_context(message):
        kind = _CONTEXT
    return _build(kind, message, f"HTTP {status}", status, trace_id, service)


def find_error(payload: Any, *, status: int = 200, service: str = "MiniMax") -> ProviderError | None:
    """The error in a decoded JSON answer or stream event, in either envelope; None if there is none."""
    if not isinstance(payload, Mapping):
        return None
    return _native_error(payload, service) or _openai_error(payload, status, service)


def error_from_response(
    status: int, body: bytes, *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError | None:
    """The error of a whole HTTP answer (JSON of either envelope, plain text or a gateway's HTML); None for success."""
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        payload = None
    error = find_error(payload, status=status, service=service)
    if error is None and status >= 400:
        error = error_for_status(status, _plain_text(body), trace_id=trace_id, service=service)
    if error is not None and error.trace_id is None:
        error.trace_id = trace_id
    return error


def trace_of(payload: Mapping[str, Any]) -> str | None:
    """The request's trace id, from any of the fields that may hold it."""
    base = payload.get("base_resp")
    inner = base.get("trace_id") if isinstance(base, Mapping) else None
    for value in (payload.get("trace_id"), inner, payload.get("request_id")):
        if isinstance(value, str) and value:
            return value
    return None


def code_of(payload: Mapping[str, Any]) -> int:
    """`base_resp.status_code`, 0 where it is missing."""
    base = payload.get("base_resp")
    code = base.get("status_code") if isinstance(base, Mapping) else 0
    if isinstance(code, int):
        return code
    return int(code) if isinstance(code, str) and code.isdigit() else 0


def _native_error(payload: Mapping[str, Any], service: str) -> ProviderError | None:
    code = code_of(payload)
    if code == 0:
        return None
    message = str(payload["base_resp"].get("status_msg") or "")
    return error_for_code(code, message, trace_id=trace_of(payload), service=service)


def _openai_error(payload: Mapping[str, Any], status: int, service: str) -> ProviderError | None:
    error: Any = payload.get("error")
    if error is None and payload.get("type") in ("overloaded_error", "error"):
        error = payload  # seen inside streams: the object itself, without its envelope
    if not error:
        return None
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, Mapping):
        return None
    message = str(error.get("message") or "")
    trace_id = trace_of(payload)
    inner = _INNER_CODE.search(message)
    if inner:
        return error_for_code(int(inner[1]), message, trace_id=trace_id, service=service)
    named = _named_error(error, message, trace_id, service)
    return named or error_for_status(_status_of(error, status), message, trace_id=trace_id, service=service)


def _named_error(
    error: Mapping[str, Any], message: str, trace_id: str | None, service: str
) -> ProviderError | None:
    """Errors that other OpenAI-compatible services name by a word only."""
    named = {
        "context_length_exceeded": _CONTEXT,
        "insufficient_quota": _BALANCE,
        "invalid_api_key": _KEY,
        "rate_limit_exceeded": _RPM,
        "content_filter": _CONTENT,
        "overloaded_error": _OVERLOADED,
        "rate_limit_error": _RPM,
        "authorized_error": _KEY,
        "insufficient_balance_error": _BALANCE,
    }
    for key in ("code", "type"):
        word = error.get(key)
        if isinstance(word, str) and word in named:
            return _build(named[word], message, word, None, trace_id, service)
    return None


def _status_of(error: Mapping[str, Any], status: int) -> int:
    if status >= 400:
        return status
    for value in (error.get("http_code"), error.get("code"), error.get("status")):
        if isinstance(value, int | str) and str(value).isdigit() and 400 <= int(value) < 600:
            return int(value)
    return 500


def _build(
    kind: _Kind,
    message: str,
    label: str,
    upstream_code: int | None,
    trace_id: str | None,
    service: str,
) -> ProviderError:
    detail = f" It said: {message.strip()[:300]}" if message.strip() else ""
    wait = f" Try again in about {kind.retry_after_s:.0f} s." if kind.retry_after_s else ""
    return kind.error(
        f"{service}: {kind.advice} ({label}).{wait}{detail}",
        code=kind.code,
        upstream_code=upstream_code,
        trace_id=trace_id,
        retryable=kind.retryable,
        retry_after_s=kind.retry_after_s,
    )


def _mentions_context(message: str) -> bool:
    lowered = message.lower()
    return "context window" in lowered or "context length" in lowered or "maximum context" in lowered


def _plain_text(body: bytes) -> str:
    """A short text without markup from a page that is not JSON."""
    text = body[:2000].decode("utf-8", "replace")
    return " ".join(re.sub(r"<[^>]*>", " ", text).split())[:200]
