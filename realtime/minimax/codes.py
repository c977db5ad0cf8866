"""The platform's codes in one table: what each means, what to do, who can do it, and whether to ask again.

Used for all three error envelopes. The numbers are those of docs/minimax/README.md 4; the words `code` are those of
our own wire (docs/wire.md 5.2). Knows no request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from realtime.errors import (
    InvalidArgument,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)

IDLE = 2201  # the server closed an idle socket: the normal end of a prewarmed connection
UNEXPECTED, WRONG_ORDER = 2202, 2206  # the server has lost its place in this socket's events
SOFT_CODES = frozenset({2203, 2204})  # the text was skipped, the session continues
OUTPUT_SENSITIVE = 1027
TOO_MANY_CONNECTIONS = 1041
PLAN_USED_UP = 2056
NOT_ALLOWED = frozenset({2044, 2061})  # this interface, this model: not to this account


class Who(Enum):
    """Who can do something about an error."""

    CALLER = "the caller"
    OWNER = "the owner of the account"
    PLATFORM = "the platform; wait"


@dataclass(frozen=True, slots=True)
class Code:
    """One kind of refusal. `meaning` is what happened; `advice` the next step, empty where the meaning says it.

    `retryable`: the same request may succeed later; `wait_s` how long to wait first. `untouched`: the platform
    certainly did nothing, so that even a billed request may be sent again.
    """

    error: type[ProviderError]
    code: str
    meaning: str
    advice: str = ""
    who: Who = Who.CALLER
    retryable: bool = False
    wait_s: float | None = None
    untouched: bool = False

    @property
    def text(self) -> str:
        return f"{self.meaning}; {self.advice}" if self.advice else self.meaning


def _failed(meaning: str, advice: str = "", untouched: bool = False) -> Code:
    error = ProviderUnavailable
    return Code(error, "upstream_unavailable", meaning, advice, Who.PLATFORM, True, untouched=untouched)


def _rejected(code: str, meaning: str, advice: str = "", who: Who = Who.CALLER) -> Code:
    return Code(ProviderRejected, code, meaning, advice, who)


def _wrong(meaning: str, advice: str = "") -> Code:
    return Code(InvalidArgument, "upstream_rejected", meaning, advice)


def _limited(meaning: str, wait_s: float, advice: str = "") -> Code:
    limit = "rate_limit_exceeded"
    return Code(ProviderRejected, limit, meaning, advice, Who.PLATFORM, True, wait_s, untouched=True)


TIMEOUT = Code(ProviderTimeout, "upstream_timeout", "the service timed out", "", Who.PLATFORM, True)
KEY = _rejected(
    "invalid_api_key",
    "the API key was refused",
    "check the key and that it belongs to this region",
    Who.OWNER,
)
BALANCE = _rejected("insufficient_quota", "the account has no balance left", "top it up", Who.OWNER)
QUOTA = _rejected(
    "insufficient_quota", "the account's quota is used up", "raise it or wait for its renewal", Who.OWNER
)
VOICE = _rejected("invalid_voice", "this voice cannot be used", "choose another voice id")
PARAMETERS = _wrong("the request was refused")
CONTEXT = _rejected("context_length_exceeded", "the conversation is too long for the model", "shorten it")
CONTENT = _rejected("content_filter", "the content was refused as sensitive", "change the wording")
OUTPUT = _rejected(
    "content_filter",
    "the content was refused as sensitive",
    "what was made is not given out; change the prompt",
)
FAULT = _failed("the service failed")
OVERLOADED = _failed("the service is overloaded", untouched=True)
RPM = _limited("too many requests a minute", 5.0)

CODES: Mapping[int, Code] = {
    1000: FAULT,
    1001: TIMEOUT,
    1002: RPM,
    1004: KEY,
    1008: BALANCE,
    1013: FAULT,
    1024: FAULT,
    1026: CONTENT,
    1027: OUTPUT,
    1028: QUOTA,
    1030: QUOTA,
    1033: FAULT,
    1039: _limited(
        "too many tokens a minute", 10.0, "if it comes at once, ask for fewer tokens or send less text"
    ),
    1041: _limited(
        "too many connections or tasks at once", 5.0, "the platform's sales team can raise the number"
    ),
    1042: _wrong("more than a tenth of the text are invisible or illegal characters", "remove them"),
    1043: _wrong(
        "the recording does not say what `text_validation` says", "correct the text, or lower `accuracy`"
    ),
    1044: _wrong(
        "the prompt audio and its text, or its speaker, do not fit the recording",
        "use a sample of the same speaker and the exact words",
    ),
    2013: PARAMETERS,
    20132: _wrong("the recording or the voice id is not valid", "check both"),
    2037: _wrong("the recording is too short or too long", "cloning wants 10 s to 5 min"),
    2038: _rejected(
        "upstream_rejected",
        "this account may not clone voices yet",
        "verify the account on the platform's site (api-support@minimaxi.com helps)",
        Who.OWNER,
    ),
    2039: _wrong("this voice id is taken", "choose another id; ids of deleted voices stay taken"),
    2042: _rejected(
        "invalid_voice", "only the maker of a voice can use it", "choose a voice of this account"
    ),
    2044: _rejected("upstream_rejected", "this account may not use this interface", "", Who.OWNER),
    2045: _limited("the request rate grows too fast", 10.0, "raise it slowly"),
    2048: _wrong("the prompt audio is too long", "it must be shorter than 8 s"),
    2049: KEY,
    2054: VOICE,
    PLAN_USED_UP: Code(
        ProviderRejected,
        "rate_limit_exceeded",
        "the plan's quota is used up until its next window",
        "wait up to five hours, or use a key that pays as it goes",
        Who.OWNER,
        False,
        3600.0,
    ),
    2061: _rejected(
        "upstream_rejected",
        "the plan does not include this model",
        "choose another model or plan",
        Who.OWNER,
    ),
    2064: OVERLOADED,
    2201: _failed("the socket was idle for too long"),
    2202: _failed("the service got an unexpected event"),
    2203: _rejected("upstream_rejected", "the text was empty and was skipped"),
    2204: _rejected("upstream_rejected", "the text had more than 10,000 characters and was skipped"),
    2205: _failed("too much text is queued"),
    2206: _failed("the service got an event in the wrong order"),
}

STATUSES: Mapping[int, Code] = {
    401: KEY,
    402: BALANCE,
    403: KEY,
    404: _rejected("upstream_rejected", "there is nothing at this address", "check the base URL"),
    408: TIMEOUT,
    413: _rejected("upstream_rejected", "the request is too large"),
    429: RPM,
    504: TIMEOUT,
    529: OVERLOADED,
}

# The words of OpenAI-style and Anthropic-style envelopes that stand without a number.
NAMES: Mapping[str, Code] = {
    "context_length_exceeded": CONTEXT,
    "context_window_exceeded": CONTEXT,
    "exceed_context_size_error": CONTEXT,
    "string_above_max_length": CONTEXT,
    "insufficient_quota": BALANCE,
    "invalid_api_key": KEY,
    "rate_limit_exceeded": RPM,
    "content_filter": CONTENT,
    "overloaded_error": OVERLOADED,
    "rate_limit_error": RPM,
    "authorized_error": KEY,
    "insufficient_balance_error": BALANCE,
}


def is_dry(error: ProviderError) -> bool:
    """Whether the account gives nobody the same until its owner does something, or its plan begins anew."""
    if error.code in (KEY.code, BALANCE.code):
        return True
    return error.upstream_code == PLAN_USED_UP or error.upstream_code in NOT_ALLOWED


def is_overload(error: ProviderError) -> bool:
    """Whether the service as a whole has too much to do, which is no fault of one request."""
    number = error.upstream_code
    return number is not None and OVERLOADED in (CODES.get(number), STATUSES.get(number))


def is_untouched(error: ProviderError) -> bool:
    """Whether the platform certainly did nothing for this request, so that a billed one may be sent again."""
    number = error.upstream_code
    if number is None:
        return False
    code = CODES.get(number) or STATUSES.get(number)
    return code is not None and code.untouched


def is_of_connection(error: ProviderError) -> bool:
    """Whether it tells of one connection alone: another one may do at once. A code tells of the whole service."""
    if error.upstream_code is None:
        return error.code != RPM.code
    return error.upstream_code in (IDLE, UNEXPECTED, WRONG_ORDER)


def is_answer_lost(error: ProviderError) -> bool:
    """No answer of the platform itself came back: a lost connection, a timeout, or a gateway's page."""
    if not error.retryable or not error.sent:
        return False
    return error.upstream_code is None or error.upstream_code in (500, 502, 503, 504)
