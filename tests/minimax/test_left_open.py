"""A request that a program leaves open: the loop closes what it holds in any order, and nothing is said about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from realtime.minimax.leaving import request_context


class Request:
    """A request inside another one, as the client's are. `ended` counts the ends of each."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    @request_context
    async def inner(self) -> AsyncGenerator[str, None]:
        try:
            yield "answer"
        finally:
            self.ended.append("inner")

    @request_context
    async def outer(self) -> AsyncGenerator[str, None]:
        async with self.inner() as answer:
            try:
                yield answer
            finally:
                self.ended.append("outer")

    async def parts(self) -> AsyncGenerator[str, None]:
        async with self.outer() as answer:
            for _ in range(3):
                yield answer


async def _left(request: Request, held: list[Any]) -> None:
    parts = request.parts()
    held.append(parts)  # as a global does, or the traceback of an exception
    async for part in parts:
        assert part == "answer"
        break


def _run(main: Callable[[], Any]) -> list[dict[str, Any]]:
    """What the loop complained about until its end."""
    complaints: list[dict[str, Any]] = []
    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
        runner.run(main())
    return complaints


def test_the_end_of_the_loop_closes_a_request_in_silence() -> None:
    for _ in range(20):  # the loop closes the generators in the order of their addresses
        request, held = Request(), []
        assert _run(lambda request=request, held=held: _left(request, held)) == []
        assert sorted(request.ended) == ["inner", "outer"]


async def test_a_request_that_is_closed_in_order_ends_from_the_inside_out() -> None:
    request = Request()
    async with aclosing(request.parts()) as parts:
        assert await anext(parts) == "answer"
    assert request.ended == ["outer", "inner"]


async def test_what_goes_wrong_in_the_block_comes_through() -> None:
    request = Request()
    with pytest.raises(ValueError, match="mine"):
        async with request.outer():
            raise ValueError("mine")
    assert request.ended == ["outer", "inner"]
