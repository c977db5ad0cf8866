"""The net under every reader of the platform's answers: what cannot be read is one error of the service, no crash.

The readers allow what services are known to send. This is for what nobody has seen yet: it says what was odd, the log
has the trace, and who asked goes on as after any other failure of the service. It reads nothing itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from realtime.errors import ProviderError, ProviderUnavailable

MAX_SHOWN = 120  # characters of what was odd

log = logging.getLogger(__name__)


P = ParamSpec("P")
T = TypeVar("T")


class reading:
    """A block, or as a decorator a function, that reads what a service sent. Raises nothing but ProviderError.

    A class, because every frame and every event passes it: a generator would be made anew for each.
    """

    __slots__ = ("_what",)

    def __init__(self, what: str) -> None:
        self._what = what

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, ProviderError):
            log.warning("%s cannot be read", self._what, exc_info=error)
            raise ProviderUnavailable(
                f"The service sent something odd: {self._what} cannot be read ({_odd(error)})."
            ) from error

    def __call__(self, read: Callable[P, T]) -> Callable[P, T]:
        @wraps(read)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with self:
                return read(*args, **kwargs)

        return guarded


def _odd(error: Exception) -> str:
    said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return said if len(said) <= MAX_SHOWN else f"{said[: MAX_SHOWN - 1]}…"
