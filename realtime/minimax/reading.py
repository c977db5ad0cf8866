"""The net under every reader of the platform's answers: what cannot be read is one error of the service, no crash.

The readers allow what services are known to send. This is for what nobody has seen yet: it says what was odd, the log
has the trace, and who asked goes on as after any other failure of the service. It reads nothing itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from realtime.errors import ProviderError, ProviderUnavailable

MAX_SHOWN = 120  # characters of what was odd

log = logging.getLogger(__name__)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """A block, or as a decorator a function, that reads what a service sent. Raises nothing but ProviderError."""
    try:
        yield
    except ProviderError:
        raise
    except Exception as error:
        log.warning("%s cannot be read", what, exc_info=error)
        raise ProviderUnavailable(
            f"The service sent something odd: {what} cannot be read ({_odd(error)})."
        ) from error


def _odd(error: Exception) -> str:
    said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return said if len(said) <= MAX_SHOWN else f"{said[: MAX_SHOWN - 1]}…"
