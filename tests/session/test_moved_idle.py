"""The idle timeout of a session that goes on at another server: it stands still meanwhile, and counts on."""

from __future__ import annotations

import asyncio

import pytest

from realtime.errors import ProviderUnavailable
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat
from tests.session.moving import Left, Losable
from tests.session.test_idle_clock import IDLE, TIMEOUT_S, TRIGGERED, greeted, now_s, rings_at

COUNTED = {"extensions": "resume", "audio": {"input": {"turn_detection": IDLE}}}


def old_server(*answers) -> Losable:
    return Losable(chat=FakeChat([[(0.1, "Hello.")], *answers]), **COUNTED)


def new_server(left: Left, *answers) -> Talk:
    return Talk(chat=FakeChat(list(answers)), continues=left.continues(), ids="b", **COUNTED)


@scripted
async def test_it_counts_on_from_where_it_stood() -> None:
    async with old_server() as old:
        heard_s = await greeted(old)
        await asyncio.sleep(heard_s + 3.0 - now_s())
        left = old.lose()
    await asyncio.sleep(20.0)
    async with new_server(left) as new:
        back_s = now_s()
        assert await rings_at(new) == pytest.approx(back_s + TIMEOUT_S - 3.0, abs=0.05)


@scripted
async def test_it_counts_anew_after_an_answer_that_sounded_when_its_server_was_lost() -> None:
    async with old_server() as old:
        heard_s = await greeted(old)
        await asyncio.sleep((heard_s - now_s()) / 2)
        left = old.lose()
    async with new_server(left) as new:
        back_s = now_s()
        assert await rings_at(new) >= back_s + TIMEOUT_S


@scripted
async def test_before_the_first_reply_nothing_is_counted_there_either() -> None:
    async with old_server() as old:
        await old.silence(1.0)
        left = old.lose()
    async with new_server(left) as new:
        await new.silence(20.0)
        assert TRIGGERED not in new.types


@scripted
async def test_an_assistant_that_spoke_up_in_vain_does_not_try_again_there() -> None:
    async with old_server([(0.1, ProviderUnavailable("It is away."))]) as old:
        await greeted(old)
        await rings_at(old)
        await old.until("response.done", 2)
        left = old.lose()
    async with new_server(left) as new:
        await new.silence(20.0)
        assert TRIGGERED not in new.types
