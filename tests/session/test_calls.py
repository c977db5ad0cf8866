"""Calls that the model should not have made, and ids that it should not have used twice."""

import asyncio

import pytest

from realtime.core.messages import ChatFinish
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, call
from tests.session.test_server_tools import CALL, CALLED, get_time, get_weather, items, outputs

DIAL = [{"type": "function", "name": "dial", "parameters": {"type": "object"}}]


@pytest.mark.parametrize(("tools", "there"), [(None, "get_weather"), (DIAL, "dial, get_weather")])
def test_the_model_is_told_that_a_function_does_not_exist_and_goes_on(tools, there):
    """A client could not carry it out either."""

    @scripted
    async def run():
        chat = FakeChat([[(0.1, call("get_wether", "{}"))], CALL, [(0.1, "Four.")]])
        session = {"tools": tools} if tools else {}
        async with Talk(chat=chat, server_tools=Toolbox([get_weather]), **session) as talk:
            await talk.ask("Weather?")
            done = await talk.until("response.done", 3)
            assert done["response"]["output"][0]["content"][0]["transcript"] == "Four."
            error = f'{{"error":"There is no function get_wether. There are: {there}."}}'
            assert outputs(chat.requests[-1]) == [error, "four degrees"]
            assert [each["response"]["output"] for each in talk.of("response.done")[:2]] == [[], []]
            assert "response.function_call_arguments.done" not in talk.types

    run()


@scripted
async def test_a_function_that_does_not_exist_counts_as_a_round():
    chat = FakeChat([[(0.1, call("nothing", "{}", f"call_{n}"))] for n in range(20)])
    async with Talk(chat=chat) as talk:
        await talk.ask("Loop.")
        await asyncio.sleep(60)
        assert len(chat.requests) == 9
        assert talk.of("response.done")[-1]["response"]["status"] == "failed"


@scripted
async def test_beside_a_tool_that_exists():
    calls = [(0.1, call("get_weather", '{"city":"Oslo"}')), (0.0, call("get_tme", "{}", "call_2", 1))]
    chat = FakeChat([calls, [(0.1, "Four.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Weather?")
        await talk.until("response.done", 2)
        weather, error = outputs(chat.requests[1])
        assert weather == "four degrees"
        assert "There is no function get_tme" in error


@scripted
async def test_a_name_that_no_model_takes_does_not_stay_in_the_conversation():
    names = ["get weather!", "", "x" * 300, "smile \ud83d"]
    chat = FakeChat([[(0.1, call(name, "{}"))] for name in names])
    async with Talk(chat=chat) as talk:
        await talk.ask("Weather?")
        await talk.until("response.done", 5)
        called = [message.tool_calls[0].name for message in chat.requests[-1].messages if message.tool_calls]
        assert called == ["get_weather_", "unnamed", "x" * 64, "smile__"]


@scripted
async def test_a_function_that_is_forced_is_the_only_one():
    chat = FakeChat([CALL, [(0.1, call("dial", "{}"))]])
    choice = {"type": "function", "name": "dial"}
    async with Talk(chat=chat, server_tools=Toolbox([get_weather]), tools=DIAL) as talk:
        await talk.ask("Weather?", tool_choice=choice)
        done = await talk.until("response.done", 2)
        assert outputs(chat.requests[1]) == ['{"error":"There is no function get_weather. There are: dial."}']
        assert done["response"]["output"][0]["name"] == "dial"


@pytest.mark.parametrize("name", ["get_weather", "dial"])
@pytest.mark.parametrize("said", ["", "Four, I think."])
def test_a_call_that_was_forbidden_counts_for_nothing(said: str, name: str):
    @scripted
    async def run():
        CALLED.clear()
        chat = FakeChat([[(0.1, said), (0.1, call(name, '{"city":"Oslo"}'))]])
        async with Talk(chat=chat, server_tools=Toolbox([get_weather]), tools=DIAL) as talk:
            await talk.ask("Weather?", tool_choice="none")
            done = (await talk.until("response.done"))["response"]
            await asyncio.sleep(10)
            assert done["status"] == ("completed" if said else "failed")
            assert said or done["status_details"]["error"]["code"] == "empty_answer"
            assert [item["type"] for item in done["output"]] == (["message"] if said else [])
            assert (CALLED, len(chat.requests)) == ([], 1)
            assert "function_call" not in [item["type"] for item in items(talk)]

    run()


@scripted
async def test_out_of_band_nobody_answers_a_call_that_was_not_offered():
    chat = FakeChat([[(0.1, call("get_weather", '{"city":"Oslo"}'))]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.send("response.create", response={"conversation": "none"})
        done = (await talk.until("response.done"))["response"]
        assert done["status_details"]["error"]["code"] == "empty_answer"
        assert done["output"] == []


# -- ids of calls


@scripted
async def test_calls_with_one_id_get_ids_of_their_own():
    """Some models count anew in each answer, or not at all."""
    calls = [
        (0.1, call("get_weather", '{"city":"Oslo"}', "call_0", 0)),
        (0.0, call("get_time", '{"city":"Rome"}', "call_0", 1)),
    ]
    chat = FakeChat([calls, calls, [(0.1, "Done.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather, get_time])) as talk:
        await talk.ask("Weather in Oslo, time in Rome?")
        await talk.until("response.done", 3)
        assert outputs(chat.requests[2]) == ["four degrees", "noon"] * 2
        ids = [made.call_id for message in chat.requests[2].messages for made in message.tool_calls]
        assert (ids[0], len(set(ids))) == ("call_0", 4)


OWN = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Dial."}]}


@pytest.mark.parametrize("given", [None, [OWN]])
@scripted
async def test_a_call_beside_the_conversation_has_an_id_of_its_own(given: list[dict] | None):
    """The client files what it is given by the id, and the model sees the conversation."""
    chat = FakeChat([[(0.1, call("dial", "{}", "call_0"))]] * 4)
    beside = {"conversation": "none"} if given is None else {"conversation": "none", "input": given}
    async with Talk(chat=chat, tools=DIAL) as talk:
        await talk.ask("Dial.")
        await talk.until("response.done")
        for _ in range(2):  # at the same time
            await talk.send("response.create", response=beside)
        await talk.until("response.done", 3)
        await talk.send("response.create")
        done = await talk.until("response.done", 4)
        made = [item["call_id"] for each in talk.of("response.done") for item in each["response"]["output"]]
        assert done["response"]["status"] == "completed"
        assert (made[0], len(set(made))) == ("call_0", 4)


@pytest.mark.parametrize("call_id", ["functions.dial:0", "x" * 129])
def test_what_a_client_gives_is_the_output_of_the_call_that_it_saw(call_id: str):
    @scripted
    async def run():
        chat = FakeChat([[(0.1, call("dial", "{}", call_id))]] * 2)
        async with Talk(chat=chat, tools=DIAL) as talk:
            for number in (1, 2):
                await talk.ask("Dial.")
                (made,) = (await talk.until("response.done", number))["response"]["output"]
                output = {
                    "type": "function_call_output",
                    "call_id": made["call_id"],
                    "output": f"result {number}",
                }
                await talk.send("conversation.item.create", item=output)
            await talk.send("response.create")
            await talk.until("response.done", 3)
            assert outputs(chat.requests[2]) == ["result 1", "result 2"]
            assert not talk.of("error")

    run()


@scripted
async def test_out_of_band_a_call_has_another_id_than_those_of_the_input():
    chat = FakeChat([[(0.1, call("dial", "{}", "c1"))]])
    before = {"type": "function_call", "call_id": "c1", "name": "dial", "arguments": "{}"}
    async with Talk(chat=chat, tools=DIAL) as talk:
        await talk.send("response.create", response={"conversation": "none", "input": [before]})
        (made,) = (await talk.until("response.done"))["response"]["output"]
        assert made["call_id"] not in ("", "c1")


# -- what the model thought


@scripted
async def test_half_an_emoji_in_what_the_model_thought_costs_that_half_alone():
    thought = ChatFinish("tool_calls", reasoning={"reasoning_content": "Look \ud83d", "steps": ["\ude00"]})
    chat = FakeChat([[(0.1, call("get_weather", '{"city":"Oslo"}')), (0.0, thought)], [(0.1, "Four.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Weather in Oslo?")
        done = await talk.until("response.done", 2)
        assert done["response"]["status"] == "completed"
        (made,) = [message for message in chat.requests[1].messages if message.tool_calls]
        assert made.reasoning == {"reasoning_content": "Look \ufffd", "steps": ["\ufffd"]}
