"""What was read of speech that is not open here: for how long something may go on with it."""

from __future__ import annotations

import asyncio

from realtime.core.snapshot import SettledSnapshot
from realtime.listening.comes_again import AGAIN_S
from realtime.listening.user_input import UserInput
from realtime.listening.user_items import Unheard
from tests.contexts import Bench
from tests.conversing import LOUD, scripted
from tests.listening.test_user_input import speak

BEFORE = Unheard(20_000.0, 20_000.0, settled=SettledSnapshot("It was", 20.0, 20_000.0))


@scripted
async def test_a_noise_gives_it_no_more_time():
    bench = Bench()
    subject = UserInput(bench.context)
    subject.go_on(BEFORE, 20_000.0)
    await asyncio.sleep(AGAIN_S - 2)
    await speak(subject, LOUD * 10)
    assert subject._carried.settled.text == ""
    subject.drop_speech()
    assert subject._carried.settled.text == "It was"
    await asyncio.sleep(2.1)
    assert subject._carried.settled.text == ""
    assert len(bench.context.conversation.items) == 1


@scripted
async def test_where_the_client_ends_the_turns_it_stays_for_its_commit():
    bench = Bench(audio={"input": {"turn_detection": None}})
    subject = UserInput(bench.context)
    subject.go_on(BEFORE, 20_000.0)
    await asyncio.sleep(5 * AGAIN_S)
    subject.goes_on_otherwise()
    assert subject._settled.text == "It was"
    assert bench.context.conversation.items == ()
