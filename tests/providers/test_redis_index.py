"""The list of conversations in Redis: an entry is sent until Redis has answered, and then no more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from realtime.providers import redis_index
from realtime.providers.redis_index import INDEX, TRIES, RedisIndex


class Link:
    """Keeps what is sent; `answers`: whether Redis does."""

    def __init__(self) -> None:
        self.answers = True
        self.listed: list[str] = []
        self.back: Callable[[], None] = lambda: None

    def on_connection(self, listener: Callable[[], None]) -> None:
        self.back = listener

    def send(self, script, keys, *arguments) -> asyncio.Future[list[bytes] | None]:
        result = asyncio.get_running_loop().create_future()
        result.set_result([] if self.answers else None)
        if script is INDEX:
            self.listed.append(arguments[1])
        return result


@pytest.fixture
def link() -> Link:
    return Link()


async def put(index: RedisIndex, name: str, seen: int = 1) -> None:
    index.put("me", name, seen, 0)
    await asyncio.sleep(0)


async def test_what_is_listed_is_sent_again_only_if_it_is_new(link: Link) -> None:
    index = RedisIndex(link, 1000)
    for seen in (1, 1, 2, 2):
        await put(index, "conv", seen)
    assert link.listed == ["conv"] * 2


async def test_a_lost_entry_is_sent_with_the_next_save_and_when_redis_is_back(link: Link) -> None:
    index = RedisIndex(link, 1000)
    link.answers = False
    await put(index, "conv")
    await put(index, "conv")
    link.answers = True
    link.back()
    await asyncio.sleep(0)
    await put(index, "conv")
    assert link.listed == ["conv"] * 3


async def test_an_entry_that_redis_refuses_is_not_sent_for_ever(link: Link) -> None:
    index = RedisIndex(link, 1000)
    link.answers = False
    await put(index, "conv")
    for _ in range(9):
        link.back()
        await asyncio.sleep(0)
    assert link.listed == ["conv"] * TRIES


async def test_a_redis_that_was_away_may_be_another_one(link: Link) -> None:
    index = RedisIndex(link, 1000)
    await put(index, "conv")
    link.back()
    assert link.listed == ["conv"]
    await put(index, "conv")
    await put(index, "conv")
    assert link.listed == ["conv"] * 2


async def test_what_was_deleted_is_not_listed_again(link: Link) -> None:
    index = RedisIndex(link, 1000)
    link.answers = False
    await put(index, "conv")
    index.remove("me", "conv")
    link.back()
    assert link.listed == ["conv"]


async def test_only_so_many_are_remembered(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_index, "REMEMBERED", 2)
    index = RedisIndex(link, 1000)
    for name in ("a", "b", "a", "c", "a", "b"):
        await put(index, name)
    assert link.listed == ["a", "b", "c", "b"]
