"""A provider in a wrapper that looks at what it gives: what every role's wrapper has in common.

Knows no role. `Later` keeps what a provider gave to be waited for where nobody waits, as an `async def` in the place of
a plain method does.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from realtime import deadlines
from realtime.contained import awaited, contained
from realtime.errors import ProviderError
from realtime.providers.roles import close
from realtime.server import given
from realtime.tasks import cancel

log = logging.getLogger(__name__)

ENDS_S = 60.0  # for what can be left out: a service that is silent must not keep it for ever
MOST_AT_ONCE = 100  # of one kind that can be left out: more wait for a service that does not answer

Tell = Callable[[str, Exception | None], None]


class Later:
    """The tasks of one server for such work. They end by themselves, at their limit, or with the server."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Later {len(self._running)}>"

    def do(self, work: Any, what: str, tell: Tell, limit_s: float | None = None) -> None:
        """Wait for this work, if it is any, and for so long. `tell` is told what it raises; `what` names it there."""
        if not inspect.isawaitable(work):
            return
        task = asyncio.create_task(_done(work, what, tell, limit_s), name=what)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def running(self, what: str) -> int:
        """How many tasks of this name run."""
        return sum(task.get_name() == what for task in self._running)

    async def aclose(self) -> None:
        await cancel(self._running)


async def _done(work: Awaitable[Any], what: str, tell: Tell, limit_s: float | None) -> None:
    limit = deadlines.timeout(limit_s)
    try:
        async with limit:
            await contained(work)
    except Exception as error:  # of a provider from anywhere
        if limit.expired():
            tell(f"{what} took longer than {limit_s:g} s and is cancelled", None)
        else:
            tell(f"{what} failed", error)


class Wrapper:
    """What is not wrapped is asked of the provider itself."""

    def __init__(self, provider: Any, later: Later | None = None) -> None:
        self._provider = provider
        self._later = later or Later()
        self._told: set[str] = set()  # what the log has of it

    def __repr__(self) -> str:
        return f"<observed {self._provider!r}>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)

    def _tell(self, message: str, error: Exception | None = None) -> None:
        """The operator, once: nobody else learns of it."""
        if message not in self._told:
            self._told.add(message)
            log.error("%s", message, exc_info=error)

    def _count(self, method: str) -> float:
        """How many requests there are, by this method: without it, or where it fails, there is no limit."""
        ask: Callable[[], Any] | None = getattr(self._provider, method, None)
        what = self._what(method)
        try:
            count = None if ask is None else given.at_once(ask(), what, "a number is needed")
            return float("inf") if count is None or count != count else float(count)
        except ProviderError as error:
            self._tell(f"{error.message} It counts as no limit.")
        except Exception as error:
            self._tell(f"{what} failed: it counts as no limit", error)
        return float("inf")

    def _start(self, method: str, *arguments: Any) -> None:
        """Call a method that gives nothing and that nobody waits for. What it raises is told."""
        self._call(method, arguments, None)

    def _start_if_room(self, method: str, *arguments: Any) -> None:
        """The same with a method that only prepares something, so that it can be left out.

        It is not called while `MOST_AT_ONCE` of its calls are not done, and each is cancelled after `ENDS_S`.
        """
        what = self._what(method)
        if self._later.running(what) < MOST_AT_ONCE:
            self._call(method, arguments, ENDS_S)
        else:
            self._tell(
                f"{what} has {MOST_AT_ONCE} calls that do not end: it is not called again before one does"
            )

    def _call(self, method: str, arguments: tuple[Any, ...], limit_s: float | None) -> None:
        call = getattr(self._provider, method, None)
        if call is None:
            return
        what = self._what(method)
        try:
            self._later.do(call(*arguments), what, self._tell, limit_s)
        except Exception as error:  # of a provider from anywhere
            self._tell(f"{what} failed", error)

    def _what(self, method: str) -> str:
        return f"{method}() of {class_of(self._provider)}"

    async def aclose(self) -> None:
        await close(self._provider)

    async def _ask(self, method: str) -> None:
        ask = getattr(self._provider, method, None)
        await awaited(None if ask is None else ask())


def class_of(provider: Any) -> str:
    return type(provider).__name__
