"""How long a service asks to wait, from the headers of its answer, without I/O.

Knows the two forms of `Retry-After` and the milliseconds of OpenAI and Azure. What is malformed counts as not said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from realtime.errors import ProviderError

LONGEST_S = 86_400.0  # a longer one is a fault of the service
_SENTENCE = re.compile(r" Try again in about [\d.]+ s\.")
_LABEL = re.compile(r" \((?:HTTP|code) \d+\)\.|$")


def asked_wait_s(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """The seconds to wait; None if the headers do not say. `now` is for tests."""
    for name, unit_s in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        text = headers.get(name, "").strip()
        wait_s = _number(text)
        wait_s = wait_s * unit_s if wait_s is not None else _until(text, now)
        if wait_s is not None and 0 <= wait_s <= LONGEST_S:
            return wait_s
    return None


def with_wait(error: ProviderError, wait_s: float | None) -> ProviderError:
    """The error, which now says how long the service asked to wait instead of what we would guess."""
    if wait_s is None or not error.retryable:
        return error
    sentence = f" Try again in about {math.ceil(wait_s)} s."
    bare = _SENTENCE.sub("", error.message, count=1)
    error.message = _LABEL.sub(lambda found: found[0] + sentence, bare, count=1)
    error.args = (error.message,)
    error.retry_after_s = wait_s
    error.wait_is_asked = True
    return error


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text, re.ASCII) else None


def _until(text: str, now: datetime | None) -> float | None:
    """The seconds up to a date; one that is over means that nothing is to be waited for."""
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - (now or datetime.now(UTC))).total_seconds())
