"""The one door to the platform for everything but live chat and live speech: a row of `operations` in, its answer out.

Paces requests to the account's limits, sends again what may be sent again, and says of a billed request whose answer
was lost that it may have been accepted. Knows no endpoint and no arguments.

    what happened                                    not billed             billed
    the connection was never made                    sent again             sent again
    certainly refused: 1002, 1039, 1041, 2045, 2064  sent again, later      sent again, later
    the platform failed: 1000, 1001, 502 ...         sent again             raised
    sent, and no answer came as a whole              sent again             AnswerLost
    answered, and the answer cannot be used          raised                 AnswerLost (`whole_answer`)
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeVar
from urllib.parse import quote

import aiohttp

from realtime import deadlines
from realtime.errors import AnswerLost, InvalidArgument, ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.codes import is_answer_lost, is_untouched
from realtime.minimax.errors import error_from_response
from realtime.minimax.field_tables import TABLES
from realtime.minimax.fields import check_text, python_name, refused
from realtime.minimax.http import HttpClient, Query, trace_header
from realtime.minimax.leaving import request_context
from realtime.minimax.loops import PerLoop
from realtime.minimax.operations import LIMITS, Limit, Operation
from realtime.minimax.pacing import Pace
from realtime.minimax.retries import doubled_s

T = TypeVar("T")

TRIES = 4  # of a request that failed
BUSY_S = 300.0  # how long a request that the platform has no room for is sent again
LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A wait before a request. `reason` is "limit" (the account's requests a minute), "busy" or "trouble".

    Or "in_flight": the account's number of unfinished tasks is reached, and `wait_s` is a guess.
    """

    operation: Operation
    wait_s: float
    reason: str
    error: ProviderError | None = None


@dataclass(slots=True)
class _Tries:
    """How often one call failed, and since when it is tried."""

    started_s: float
    failures: int = 0


class Door:
    """Calls of `operations`. `limits` replace the documented ones: requests a minute by the group's name.

    `fallback_urls` serve calls that are not billed when the main host fails. `on_pause` is told about every wait
    before a request.
    Raises InvalidArgument for limits of an unknown group, and for those that let nothing through.
    """

    def __init__(
        self,
        http: HttpClient,
        *,
        fallback_urls: tuple[str, ...] = (),
        limits: Mapping[str, Limit] | None = None,
        busy_s: float = BUSY_S,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.http = http
        self.on_pause: Callable[[Pause], None] | None = None
        self.on_send: Callable[[Operation], None] | None = None  # told right before each request; may raise
        known = {**LIMITS, **_checked(limits or {})}
        self._hosts = (http.base_url, *(url.rstrip("/").removesuffix("/v1") for url in fallback_urls))
        self._limits = known
        self._paces = {name: Pace(limit.per_minute) for name, limit in known.items()}
        self._rooms = {
            name: PerLoop(partial(asyncio.Semaphore, limit.in_flight))
            for name, limit in known.items()
            if limit.in_flight is not None
        }
        self._busy_s = busy_s
        self._jitter = jitter

    def __repr__(self) -> str:
        return f"<Door {' '.join(self._hosts)}>"

    def limit(self, name: str) -> Limit:
        """The limits of a group of operations: the account's own where they were given. Raises KeyError."""
        return self._limits[name]

    async def call(
        self,
        operation: Operation,
        *,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        path_values: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> dict[str, Any]:
        """The answer of one call. Raises ProviderError: InvalidArgument for a refused argument, AnswerLost."""
        path = _path(operation, path_values)
        wait_s = timeout_s or operation.timeout_s

        async def once(host: str) -> dict[str, Any]:
            return await self.http.json(
                operation.method, path, body=body, query=query, timeout_s=wait_s, base_url=host
            )

        return await self.attempts(operation, once)

    async def attempts(self, operation: Operation, once: Callable[[str], Awaitable[T]]) -> T:
        """`await once(host)` as often as the table above allows. Raises ProviderError, AnswerLost."""
        tries = _Tries(_now())
        async with self._room(operation):
            while True:
                await self._reserve(operation)
                self._leaves(operation)
                try:
                    return await once(self._host(operation, tries))
                except ProviderError as error:
                    pause = self._next_pause(operation, error, tries)
                    if pause is None:
                        _raise_final(operation, error)
                await self._pause(pause)

    async def stream(
        self, operation: Operation, once: Callable[[str], AsyncGenerator[T, None]]
    ) -> AsyncGenerator[T, None]:
        """What `once(host)` gives, begun again as the table above allows, but only while it gave nothing.

        `once` sends its request with `open`. A refusal that comes as the answer's first words counts like any other;
        a failure after the first part is AnswerLost if the call is billed. Raises ProviderError. Close it to stop.
        """
        tries = _Tries(_now())
        while True:
            given = False
            try:
                async with aclosing(once(self._host(operation, tries))) as parts:
                    async for part in parts:
                        given = True
                        yield part
                return
            except ProviderError as error:
                pause = None if given else self._next_pause(operation, error, tries)
                if pause is None:
                    _raise_final(operation, error, began=given)
            await self._pause(pause)

    @request_context
    async def open(
        self,
        operation: Operation,
        *,
        body: Mapping[str, Any] | None = None,
        query: Query | None = None,
        path_values: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
        base_url: str | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """An answer that is read inside the block, for `stream`. Sent once; the wait for its head is bounded.

        `base_url` is for operations with hosts of their own (speech). Raises ProviderError for an HTTP status of 400
        or more; the caller checks what comes after.
        """
        path = _path(operation, path_values)
        request = self.http.request(operation.method, path, body=body, query=query, base_url=base_url)
        async with self._room(operation), AsyncExitStack() as stack:
            await self._reserve(operation)
            self._leaves(operation)
            try:
                async with deadlines.timeout(timeout_s or operation.timeout_s):
                    response = await stack.enter_async_context(request)
                    refusal = await _refusal(response)
            except TimeoutError as error:
                late = ProviderTimeout(f"{self.http.service}: {operation.path} did not answer in time.")
                raise _final(operation, late) from error
            except ProviderError as error:
                _raise_final(operation, error)
            if refusal is not None:
                _raise_final(operation, refusal)
            yield response

    @request_context
    async def _room(self, operation: Operation) -> AsyncGenerator[None, None]:
        """A place among the calls in flight. A task's place is its namespace's own business."""
        room = None if operation.result == "Job" else self._rooms.get(operation.limit)
        if room is None:
            yield
            return
        async with room.here():
            yield

    async def _reserve(self, operation: Operation) -> None:
        pace = self._paces.get(operation.limit)
        if pace is None:
            return
        now_s = _now()
        wait_s = pace.reserve(now_s)
        if wait_s <= 0:
            return
        try:
            await self._pause(Pause(operation, wait_s, "limit"))
        except BaseException:
            pace.give_back(now_s + wait_s)
            raise

    def _leaves(self, operation: Operation) -> None:
        if self.on_send is not None:
            self.on_send(operation)

    async def _pause(self, pause: Pause) -> None:
        if self.on_pause is not None:
            self.on_pause(pause)
        await asyncio.sleep(pause.wait_s)

    def _host(self, operation: Operation, tries: _Tries) -> str:
        return self._hosts[0 if operation.billed else tries.failures % len(self._hosts)]

    def _next_pause(self, operation: Operation, error: ProviderError, tries: _Tries) -> Pause | None:
        """The wait before the request is sent again; None: it is not."""
        tries.failures += 1
        spread = 0.5 + self._jitter()
        if is_untouched(error):
            wait_s = doubled_s(error.retry_after_s or 1.0, tries.failures, LONGEST_PAUSE_S) * spread
            over = _now() - tries.started_s + wait_s > self._busy_s
            return None if over else Pause(operation, wait_s, "busy", error)
        if tries.failures >= TRIES or not error.retryable or (operation.billed and error.sent):
            return None
        return Pause(operation, doubled_s(0.5, tries.failures, LONGEST_PAUSE_S) * spread, "trouble", error)


@contextmanager
def whole_answer(operation: Operation) -> Iterator[None]:
    """A block that reads what a call of success answered. What cannot be used was charged all the same: AnswerLost."""
    try:
        yield
    except ProviderError as error:
        raise _final(operation, error, began=True) from error


async def _refusal(response: aiohttp.ClientResponse) -> ProviderError | None:
    if response.status < 400:
        return None
    return error_from_response(response.status, await response.read(), trace_id=trace_header(response))


def _raise_final(operation: Operation, error: ProviderError, *, began: bool = False) -> NoReturn:
    """Raise the error as the caller sees it. Where that is another one, this one is its cause; none is its own."""
    try:
        final = _final(operation, error, began=began)
        if final is error:
            raise error
        raise final from error
    finally:
        del final, error  # else its trace would hold it


def _final(operation: Operation, error: ProviderError, *, began: bool = False) -> ProviderError:
    """The error as the caller sees it. `began`: a part of the answer came, so the platform has worked for it."""
    if isinstance(error, AnswerLost):  # seen to already
        return error
    if isinstance(error, InvalidArgument) and error.param:
        error.param = python_name(TABLES.get(operation.name, ()), error.param) or error.param
    broke_off = began and isinstance(error, ProviderUnavailable | ProviderTimeout)
    if operation.billed and (is_answer_lost(error) or broke_off):
        lost = "The answer is not whole: it may have been"
        what = lost if began else "The request may have been accepted, and"
        return AnswerLost(
            f"{error.message} {what} charged, so it was not sent again.",
            upstream_code=error.upstream_code,
            trace_id=error.trace_id,
        )
    return error


def _checked(limits: Mapping[str, Limit]) -> Mapping[str, Limit]:
    for name, limit in limits.items():
        if name not in LIMITS:
            raise refused("limits", repr(name), f"allowed are {', '.join(LIMITS)}")
        if any(number is not None and number < 1 for number in (limit.per_minute, limit.in_flight)):
            raise refused("limits", f"{name}: {limit}", "a limit is 1 or more, or None")
    return limits


def _path(operation: Operation, values: Mapping[str, str] | None) -> str:
    """The address below the host. Raises InvalidArgument for an id that would make another address of it."""
    for name, value in (values or {}).items():
        check_text(name, value)
        if value in (".", ".."):
            raise refused(name, repr(value), "allowed is an id")
    return operation.path.format(**{name: quote(value, safe="") for name, value in (values or {}).items()})


def _now() -> float:
    return asyncio.get_running_loop().time()
