"""What messages tell the client is kept as long as it may not have them."""

from __future__ import annotations

import asyncio

from realtime.server.told_messages import ARRIVES_S, MOST, ToldMessages
from tests.virtual_time import run


def test_what_waits_comes_after_what_was_sent() -> None:
    async def told() -> tuple[str, ...]:
        messages: ToldMessages[str] = ToldMessages()
        for each in ("a", "b", "c"):
            messages.queued(each)
        messages.sent("a", "a as 1")
        return messages.now()

    assert run(told()) == ("a as 1", "b", "c")


def test_what_was_sent_long_ago_is_forgotten_when_something_is_sent_after_it() -> None:
    async def told() -> list[tuple[str, ...]]:
        messages: ToldMessages[str] = ToldMessages()
        messages.queued("waits")
        messages.sent("first", "first")
        await asyncio.sleep(ARRIVES_S + 1)
        nobody_there = messages.now()
        messages.sent("second", "second")
        return [nobody_there, messages.now()]

    assert run(told()) == [("first", "waits"), ("second", "waits")]


def test_there_are_never_more_than_of_the_longest_conversation() -> None:
    async def told() -> int:
        messages: ToldMessages[int] = ToldMessages()
        for number in range(2 * MOST):
            messages.queued(number)
            messages.sent(number, number)
        return len(messages.now())

    assert run(told()) == MOST
