"""The platform's errors: both envelopes, HTTP statuses and gateway pages become one ProviderError.

Knows the envelopes (docs/minimax/README.md 3); the codes are in `codes`. Knows no endpoint and opens no connection.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from realtime.errors import InvalidArgument, ProviderError
from realtime.minimax.codes import (
    CODES,
    CONTEXT,
    FAULT,
    NAMES,
    PARAMETERS,
    STATUSES,
    Code,
)
from realtime.minimax.json_text import decode_json, digits
from realtime.minimax.reading import reading

# "expr_path=messages, cause=..." and "invalid params, invalid params: voice_setting emotion"
_PARAM = re.compile(r"expr_path=([\w.\[\]]+)|invalid params: (\w+(?: \w+)?)\s*(?:,|\(\d+\)|$)")
# "(1004)" at the end of a message, perhaps followed by the HTTP status: "... (2064) (529)".
_INNER_CODE = re.compile(r"\((\d{4,5})\)\s*(?:\(\d{3}\))?\s*$")


# A key in the words of a service: some repeat the one that they refuse
_KEY = re.compile(r"\b(?:sk-[\w-]{8,}|eyJ[\w-]{8,}(?:\.[\w-]+)+)")


# The words of services for a prompt that is too long, the platform's own first ("context window exceeds limit").
_CONTEXT = re.compile(
    r"context.?(?:window|length|size|limit)|maximum context|exceeds? .{0,40}context|context the overflows"
    r"|(?:prompt|input|inputs|messages?|conversation|request) (?:is|are) too (?:long|large)(?! for .{0,30}per minute)"
    r"|(?:prompt|input) too long|maximum (?:prompt|input) length|range of input length"
    r"|reduce (?:the length|your prompt)|too many (?:input )?tokens"
    r"|(?:input|prompt) token count .{0,30}exceeds|tokens \+ `?max_new_tokens|max_prompt_tokens"
    r"|上下文.{0,6}(?:长度|超|过长)|输入.{0,6}(?:过长|超长|超过)|(?:prompt|提示词?) ?(?:超长|过长)",
    re.IGNORECASE,
)
_HALF_WORD = re.compile(r"[!-~]{1,199}$")  # of ASCII, as keys are; what is longer is no word
# The parts of a page that nobody sees.
_UNSEEN = re.compile(r"<!--.*?(?:-->|$)|<(script|style)\b.*?(?:</\1\s*>|$)", re.IGNORECASE | re.DOTALL)
# Anthropic's names, for an error inside a stream, where the HTTP status is 200 (docs/minimax/anthropic.md 4).
_NAMED_STATUSES: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}


def error_for_code(
    code: int, message: str = "", *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError:
    """The error for one of the platform's codes (docs/minimax/README.md 4)."""
    kind = CODES.get(code, PARAMETERS)
    if code == 2013 and _mentions_context(message):
        kind = CONTEXT
    return _build(kind, message, f"code {code}", code, trace_id, service)


def error_for_status(
    status: int, message: str = "", *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError:
    """The error for an HTTP status without a code inside its body."""
    kind = STATUSES.get(status) or (FAULT if status >= 500 else PARAMETERS)
    if status in (400, 413) and _mentions_context(message):
        kind = CONTEXT
    return _build(kind, message, f"HTTP {status}", status, trace_id, service)


def find_error(payload: Any, *, status: int = 200, service: str = "MiniMax") -> ProviderError | None:
    """The error in a decoded JSON answer or stream event, in either envelope; None if there is none."""
    if not isinstance(payload, dict):
        return None
    return _native_error(payload, service) or _openai_error(payload, status, service)


def payload_of(body: bytes) -> Any:
    """The JSON of a whole HTTP answer; None where it is none."""
    try:
        return decode_json(body)
    except msgspec.DecodeError:
        return None


def error_from_response(
    status: int, body: bytes, *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError | None:
    """The error of a whole HTTP answer (JSON of either envelope, plain text or a gateway's HTML); None for success."""
    return error_of_answer(status, body, payload_of(body), trace_id=trace_id, service=service)


@reading("the refusal")
def error_of_answer(
    status: int, body: bytes, payload: Any, *, trace_id: str | None = None, service: str = "MiniMax"
) -> ProviderError | None:
    """As `error_from_response`, for an answer that is decoded already."""
    error = find_error(payload, status=status, service=service)
    if error is None and status >= 400:
        error = loose_error(payload, status=status, service=service)
    if error is None and status >= 400:
        error = error_for_status(status, plain_text(body), trace_id=trace_id, service=service)
    if error is not None and error.trace_id is None:
        error.trace_id = trace_id
    return error


def trace_of(payload: Mapping[str, Any]) -> str | None:
    """The request's trace id, from any of the fields that may hold it."""
    base = payload.get("base_resp")
    inner = base.get("trace_id") if isinstance(base, dict) else None
    for value in (payload.get("trace_id"), inner, payload.get("request_id")):
        if isinstance(value, str) and value:
            return value
    return None


def loose_error(payload: Any, *, status: int = 200, service: str = "MiniMax") -> ProviderError | None:
    """The error in an object of another service that is known to be no answer: no envelope, but a message."""
    if isinstance(payload, list):
        return next((found for one in payload if (found := any_error(one, status, service))), None)
    if not isinstance(payload, dict):
        return None
    message = _message_in(payload)
    code = payload.get("code", payload.get("error_code"))
    if not message:
        return None
    word = next((value for value in (code, payload.get("type")) if isinstance(value, str)), "")
    return _openai_error(
        {**payload, "error": {"message": message, "code": code, "type": word}}, status, service
    )


def any_error(payload: Any, status: int, service: str) -> ProviderError | None:
    """The error in a JSON value that is known to be no answer, in an envelope or without one."""
    found = find_error(payload, status=status, service=service)
    return found or loose_error(payload, status=status, service=service)


def _message_in(payload: Mapping[str, Any]) -> str:
    """The words of an error in the fields where services without an envelope put them."""
    for key in ("message", "detail", "error_msg", "error_message", "errorMessage", "msg", "title", "errors"):
        value = payload.get(key)
        items = value if isinstance(value, list) else [value]
        texts = [item if isinstance(item, str) else _item_text(item) for item in items[:3]]
        if any(texts):
            return "; ".join(text for text in texts if text)
    return ""


def _item_text(item: object) -> str:
    """One complaint of a list: its message, with the place of the field that is wrong."""
    if not isinstance(item, dict):
        return ""
    text = item.get("msg") or item.get("message")
    place = item.get("loc")
    where = ".".join(map(str, place)) if isinstance(place, list) else ""
    return f"{where}: {text}" if isinstance(text, str) and where else str(text or "")


def code_of(payload: Mapping[str, Any]) -> int:
    """`base_resp.status_code`, 0 where it is missing."""
    base = payload.get("base_resp")
    code = base.get("status_code") if isinstance(base, dict) else 0
    if isinstance(code, int) and not isinstance(code, bool):
        return code
    return (digits(code) or 0) if isinstance(code, str) else 0


def _native_error(payload: Mapping[str, Any], service: str) -> ProviderError | None:
    code = code_of(payload)
    if code == 0:
        return None
    message = str(payload["base_resp"].get("status_msg") or "")
    return error_for_code(code, message, trace_id=trace_of(payload), service=service)


def _openai_error(payload: Mapping[str, Any], status: int, service: str) -> ProviderError | None:
    error: Any = payload.get("error")
    named = payload.get("type") == "error" or payload.get("object") == "error"
    if error is None and (named or str(payload.get("type")) in _NAMED_STATUSES):
        error = payload  # seen inside streams: the object itself, without its envelope
    if not error:
        return None
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        return None
    message = str(error.get("message") or "")
    trace_id = trace_of(payload)
    inner = _INNER_CODE.search(message)
    if inner:
        return error_for_code(int(inner[1]), message, trace_id=trace_id, service=service)
    named = _named_error(error, message, status, trace_id, service)
    return named or error_for_status(_status_of(error, status), message, trace_id=trace_id, service=service)


def _named_error(
    error: Mapping[str, Any], message: str, status: int, trace_id: str | None, service: str
) -> ProviderError | None:
    """Errors that are named by a word only."""
    for key in ("code", "type"):
        word = error.get(key)
        if isinstance(word, str) and word in NAMES:
            code = status if status >= 400 else _NAMED_STATUSES.get(word)
            return _build(NAMES[word], message, word, code, trace_id, service)
    return None


def _status_of(error: Mapping[str, Any], status: int) -> int:
    if status >= 400:
        return status
    for value in (error.get("http_code"), error.get("code"), error.get("status")):
        number = digits(value) if isinstance(value, str) else value
        if isinstance(number, int) and 400 <= number < 600:
            return number
    return _NAMED_STATUSES.get(str(error.get("type")), 500)


def _build(
    kind: Code,
    message: str,
    label: str,
    upstream_code: int | None,
    trace_id: str | None,
    service: str,
) -> ProviderError:
    said = cut(_KEY.sub("[hidden]", message).strip(), 300)
    detail = f" It said: {said}" if said else ""
    wait = f" Try again in about {kind.wait_s:.0f} s." if kind.wait_s else ""
    error = kind.error(
        f"{service}: {kind.text} ({label}).{wait}{detail}",
        code=kind.code,
        upstream_code=upstream_code,
        trace_id=trace_id,
        retryable=kind.retryable,
        retry_after_s=kind.wait_s,
    )
    error.reason = kind.text
    if isinstance(error, InvalidArgument):
        error.param = _param_of(message)
    return error


def _param_of(message: str) -> str | None:
    """The field that a refusal names, as on the wire ("voice_setting.emotion"), if it names one."""
    found = _PARAM.search(message)
    if not found:
        return None
    return re.sub(r"\s+", ".", (found[1] or found[2]).strip())


def _mentions_context(message: str) -> bool:
    return _CONTEXT.search(message) is not None


def plain_text(page: bytes | str) -> str:
    """A short text without markup from a page that is not JSON."""
    text = page[:20_000] if isinstance(page, str) else page[:20_000].decode("utf-8", "replace")
    bare = re.sub(r"<[^>]*>", " ", _UNSEEN.sub(" ", text))
    return cut(" ".join(html.unescape(bare).split()), 200)


def cut(text: str, most: int) -> str:
    """At most so many characters of a text, and no half of a word: nobody would find half a key, to hide it."""
    return text if len(text) <= most else _HALF_WORD.sub("", text[:most])
