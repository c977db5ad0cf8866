"""Context managers of requests, which a program may leave open: their ends come in any order, and each only once.

A stream that nobody closed is closed by the event loop when the program ends, and with it, at the same time, everything
that it holds. `contextlib` calls it a fault when the generator inside has been closed before its block.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, _AsyncGeneratorContextManager, asynccontextmanager
from types import AsyncGeneratorType, TracebackType
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


def request_context(
    function: Callable[P, AsyncGenerator[T, None]],
) -> Callable[P, AbstractAsyncContextManager[T]]:
    """`contextlib.asynccontextmanager` for what is open inside a generator."""
    make = asynccontextmanager(function)

    @functools.wraps(function)
    def new(*args: P.args, **kwargs: P.kwargs) -> AbstractAsyncContextManager[T]:
        return _RequestContext(make(*args, **kwargs))

    return new


class _RequestContext(AbstractAsyncContextManager[T]):
    def __init__(self, steps: _AsyncGeneratorContextManager[T]) -> None:
        self._steps = steps

    async def __aenter__(self) -> T:
        return await self._steps.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        inner = cast("AsyncGeneratorType[T, None]", self._steps.gen)
        if isinstance(error, GeneratorExit) and (inner.ag_frame is None or inner.ag_running):
            return False  # it was closed by the loop, or is being closed
        return await self._steps.__aexit__(kind, error, trace)
