"""When the client is told how long each step of a reply took (extension `latency`)."""

import pytest

from realtime.core.turn_marks import Marks
from realtime.replying.latency import Waterfalls
from tests.contexts import Bench
from tests.conversing import scripted


def marks() -> Marks:
    begun = Marks("response_create", 10.0)
    begun.reach("chat_request", 10.5)
    return begun


@scripted
async def test_it_is_told_at_the_end_where_no_player_says_when_it_began():
    bench = Bench(extensions="latency")
    assert Waterfalls(bench.context).ended("resp_1", marks(), sounds=True) is False
    (told,) = bench.sent()
    assert (told["type"], told["response_id"]) == ("response.latency.done", "resp_1")
    assert (told["origin"], told["marks"]) == ("response_create", {"chat_request": 500})


@pytest.mark.parametrize(("sounds", "began"), [(False, False), (True, True)])
def test_nothing_is_waited_for_without_sound_or_after_it_began(sounds: bool, began: bool):
    @scripted
    async def end():
        bench = Bench(extensions="latency,playback")
        reached = marks()
        if began:
            reached.reach("playback_started", 11.0)
        assert Waterfalls(bench.context).ended("resp_1", reached, sounds=sounds) is False
        assert ("playback_started" in bench.sent()[0]["marks"]) is began

    end()


@scripted
async def test_it_waits_for_the_player_and_is_told_once():
    bench = Bench(extensions="latency,playback")
    waterfalls = Waterfalls(bench.context)
    reached = marks()
    waterfalls.tell("resp_1")  # the player began before the reply has ended
    assert waterfalls.ended("resp_1", reached, sounds=True) is True
    assert bench.sent() == []
    reached.reach("playback_started", 11.0)
    waterfalls.tell("resp_1")
    waterfalls.tell("resp_1")
    (told,) = bench.sent()
    assert told["marks"]["playback_started"] == 1000


@scripted
async def test_nothing_is_told_without_the_extension():
    bench = Bench(extensions="playback")
    waterfalls = Waterfalls(bench.context)
    assert waterfalls.ended("resp_1", marks(), sounds=True) is False
    waterfalls.tell("resp_1")
    assert bench.sent() == []
