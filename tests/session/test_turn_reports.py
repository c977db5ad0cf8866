"""What a turn is reported with when it is over, and when that is."""

import asyncio

from realtime.core.messages import ChatFinish
from realtime.core.turn_marks import MARKS
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, call
from tests.session.stories import STORY

CALL = [(0.1, call("get_weather", '{"city":"Oslo"}')), (0.0, ChatFinish("tool_calls", trace_id="chat-1"))]
ANSWER = [(0.1, "It is four degrees in Oslo."), (0.0, ChatFinish("stop", trace_id="chat-2"))]


async def get_weather(city: str) -> str:
    """The weather in a city."""
    await asyncio.sleep(2.0)
    return "four degrees"


@scripted
async def test_a_spoken_turn_has_its_marks_in_their_order():
    told = []
    async with Talk(transcriber=FakeTranscriber(["Hello there."]), on_turn=told.append) as talk:
        await talk.speak(0.8)
        await talk.silence(2.0)
        await talk.until("response.done")
        ((reply,),) = told
    assert list(reply.marks.since_origin_ms()) == list(MARKS[:-1]), "all but what only a player can say"
    assert (reply.status, reply.error_code, reply.spoken) == ("completed", "", True)
    assert reply.ended_s >= reply.marks.reached_s["first_audio_sent"]
    assert reply.session_id == talk.session.id
    assert len(told) == 1, "the end of the session tells of nothing twice"


@scripted
async def test_the_replies_before_and_after_a_tool_are_one_turn():
    told = []
    chat = FakeChat([CALL, ANSWER])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather]), on_turn=told.append) as talk:
        await talk.ask("What's the weather in Oslo?")
        await talk.until("response.done", 2)
    ((first, second),) = told
    assert (first.tool_round, second.tool_round) == (0, 1)
    (run,) = first.tools
    assert (run.name, run.call_id, run.output) == ("get_weather", "call_1", "four degrees")
    assert run.ended_s is not None
    assert run.ended_s - run.began_s == 2.0
    assert second.tools == ()
    assert (first.finish_reason, second.finish_reason) == ("tool_calls", "stop")
    assert (first.trace_ids, second.trace_ids) == (("chat-1",), ("chat-2",))


@scripted
async def test_the_player_is_waited_for():
    told = []
    async with Talk(extensions="playback", on_turn=told.append) as talk:
        await talk.ask("Hello?")
        await talk.until("response.done")
        assert told == []
        item_id = talk.of("response.output_audio.delta")[0]["item_id"]
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0)
        ((reply,),) = told
        assert "playback_started" in reply.marks.reached_s
        assert "response.latency.done" not in talk.types, "nobody asked for it"


@scripted
async def test_a_player_that_says_nothing_is_not_waited_for_longer_than_the_session():
    told = []
    async with Talk(extensions="playback", on_turn=told.append) as talk:
        await talk.ask("Hello?")
        await talk.until("response.done")
        assert told == []
    ((reply,),) = told
    assert reply.status == "completed"


@scripted
async def test_a_reply_that_is_stopped_while_its_tool_runs_is_reported_with_it():
    told = []
    chat = FakeChat([CALL])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather]), on_turn=told.append) as talk:
        await talk.ask("What's the weather in Oslo?")
        await asyncio.sleep(1.0)
        await talk.send("response.cancel")
        await talk.until("response.done")
        ((reply,),) = told
        assert (reply.status, reply.tools[0].name) == ("cancelled", "get_weather")


@scripted
async def test_each_interrupted_reply_is_a_turn_of_its_own():
    told = []
    chat = FakeChat([STORY, [(0.1, "Yes?")]])
    transcriber = FakeTranscriber(["Stop, please."])
    async with Talk(chat=chat, transcriber=transcriber, on_turn=told.append) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.8)
        await talk.silence(2.0)
        await talk.until("response.done", 2)
    assert [[reply.status for reply in replies] for replies in told] == [["cancelled"], ["completed"]]
    assert [replies[0].marks.origin for replies in told] == ["response_create", "speech_ended"]


@scripted
async def test_a_turn_that_failed_says_why():
    told = []
    async with Talk(chat=FakeChat([[(0.1, ChatFinish("stop"))]]), on_turn=told.append) as talk:
        await talk.ask("Hello?")
        await talk.until("response.done")
    assert [[reply.error_code for reply in replies] for replies in told] == [["empty_answer"]]


@scripted
async def test_a_tool_reply_tells_its_waterfall_at_once():
    """Without sound no player will say when it began."""
    chat = FakeChat([CALL, ANSWER])
    tools = Toolbox([get_weather])
    async with Talk(chat=chat, server_tools=tools, extensions="playback,latency") as talk:
        await talk.ask("What's the weather in Oslo?")
        done, latency = await talk.until("response.done"), await talk.until("response.latency.done")
        assert latency["at"] == done["at"]


@scripted
async def test_whoever_is_told_may_break():
    def breaks(replies) -> None:
        raise RuntimeError("no collector")

    async with Talk(on_turn=breaks) as talk:
        await talk.ask("Hello?")
        await talk.until("response.done")
        await asyncio.sleep(10)
        assert not talk._run.done(), "the session lives"
