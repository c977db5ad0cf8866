"""Tools that the server runs, in conversations on virtual time."""

import asyncio
from typing import Annotated

import pytest

from realtime.core.messages import ChatFinish, ChatRequest
from realtime.replying.output_items import STOPPED
from realtime.tools import Toolbox
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber, call

CALL = [(0.1, call("get_weather", '{"city":"Oslo"}')), (0.0, ChatFinish("tool_calls"))]
CALLED: list[str] = []


async def get_weather(city: Annotated[str, "Name of the city"]) -> str:
    """The weather in a city."""
    CALLED.append(city)
    await asyncio.sleep(2.0)
    return "four degrees"


async def get_time(city: str) -> str:
    """The time in a city."""
    await asyncio.sleep(2.0)
    return "noon"


def outputs(request: ChatRequest) -> list[str]:
    """What the model was told of its calls."""
    return [message.content for message in request.messages if message.role == "tool"]


def items(talk: Talk, type: str = "conversation.item.done") -> list[dict]:
    return [event["item"] for event in talk.of(type)]


@scripted
async def test_a_tool_is_run_and_the_user_hears_the_answer_in_the_same_turn():
    chat = FakeChat([CALL, [(0.1, "It is four degrees in Oslo.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("What's the weather in Oslo?")
        done = await talk.until("response.done", 2)
        assert done["response"]["output"][0]["content"][0]["transcript"] == "It is four degrees in Oslo."
        assert talk.audio_ms() > 0
        assert [tool.name for tool in chat.requests[0].tools] == ["get_weather"]
        roles = [message.role for message in chat.requests[1].messages]
        assert roles == ["system", "user", "assistant", "tool"]
        assert chat.requests[1].messages[-1].content == "four degrees"
        assert [item["type"] for item in items(talk)] == [
            "message",
            "function_call",
            "function_call_output",
            "message",
        ]


@scripted
async def test_the_call_and_its_output_are_items_of_the_conversation_and_of_no_response():
    """A stock client runs every call that it sees in a response; it must not see this one there."""
    chat = FakeChat([CALL, [(0.1, "Four.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Weather?")
        first = await talk.until("response.done")
        assert first["response"]["status"] == "completed"
        assert first["response"]["output"] == []
        added, done = items(talk, "conversation.item.added")[1:], items(talk)[1:]
        assert (added[0]["status"], added[0]["arguments"]) == ("in_progress", "")
        assert (done[0]["status"], done[0]["arguments"]) == ("completed", '{"city":"Oslo"}')
        assert done[1] == {
            **done[1],
            "type": "function_call_output",
            "call_id": "call_1",
            "output": "four degrees",
        }
        previous = [event["previous_item_id"] for event in talk.of("conversation.item.done")]
        assert previous[2] == done[0]["id"]
        await talk.until("response.done", 2)
        assert "response.function_call_arguments.done" not in talk.types
        assert [event["item"]["type"] for event in talk.of("response.output_item.done")] == ["message"]
        created = [talk.events.index(event) for event in talk.of("response.created")]
        assert talk.types[created[1] - 1] == "response.done", "nothing comes between the two responses"


@scripted
async def test_parallel_calls_run_at_the_same_time():
    calls = [
        (0.1, call("get_weather", '{"city":"Oslo"}')),
        (0.0, call("get_time", '{"city":"Rome"}', "call_2", 1)),
    ]
    chat = FakeChat([calls, [(0.1, "Four, and noon.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather, get_time])) as talk:
        begin = talk.events[0]["at"]
        await talk.ask("Weather in Oslo, time in Rome?")
        first = await talk.until("response.done")
        assert first["at"] - begin == pytest.approx(2.1, abs=0.05)
        await talk.until("response.done", 2)
        tools = [message for message in chat.requests[1].messages if message.role == "tool"]
        assert [(message.tool_call_id, message.content) for message in tools] == [
            ("call_1", "four degrees"),
            ("call_2", "noon"),
        ]


@scripted
async def test_a_barge_in_ends_the_tool_and_the_next_turn_works():
    CALLED.clear()
    chat = FakeChat([CALL, [(0.1, "Never mind then.")]])
    transcriber = FakeTranscriber(["Forget it, please."])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather]), transcriber=transcriber) as talk:
        await talk.ask("Weather?")
        await asyncio.sleep(0.5)
        await talk.speak(1.0)
        done = await talk.until("response.done")
        assert done["response"]["status_details"]["reason"] == "turn_detected"
        assert CALLED == ["Oslo"]
        await talk.silence(4.0)
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert outputs(chat.requests[1]) == [STOPPED]
        assert len(chat.requests) == 2


@scripted
async def test_a_cancel_ends_the_tool():
    chat = FakeChat([CALL])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Weather?")
        await asyncio.sleep(0.5)
        await talk.send("response.cancel")
        await talk.until("response.done")
        await asyncio.sleep(10)
        assert len(talk.of("response.created")) == 1
        await talk.ask("And?")
        await talk.until("response.done", 2)
        assert outputs(chat.requests[1]) == [STOPPED]


@scripted
async def test_what_goes_wrong_is_told_to_the_model():
    async def broken(city: str) -> str:
        raise RuntimeError("no network")

    chat = FakeChat([[(0.1, call("broken", '{"city":"Oslo"}'))], [(0.1, "Sorry.")]])
    async with Talk(chat=chat, server_tools=Toolbox([broken])) as talk:
        await talk.ask("Weather?")
        assert (await talk.until("response.done", 2))["response"]["status"] == "completed"
        assert chat.requests[1].messages[-1].content == '{"error":"broken failed: no network"}'


@scripted
async def test_a_tool_slower_than_our_patience_with_upstream_is_waited_for():
    async def slow() -> str:
        await asyncio.sleep(50)
        return "at last"

    chat = FakeChat([[(0.1, call("slow", "{}"))], [(0.1, "Done.")]])
    async with Talk(chat=chat, server_tools=Toolbox([slow], timeout_s=60)) as talk:
        await talk.ask("Take your time.")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"
        await talk.until("response.done", 2)
        assert chat.requests[1].messages[-1].content == "at last"


@scripted
async def test_a_filler_is_spoken_before_a_slow_result_and_stands_before_the_call_in_history():
    chat = FakeChat([CALL, [(0.1, "Four degrees.")]])
    tools = Toolbox([get_weather], filler="One moment, please.", filler_after_s=0.5)
    async with Talk(chat=chat, server_tools=tools) as talk:
        begin = talk.events[0]["at"]
        await talk.ask("Weather?")
        first = await talk.until("response.output_audio.delta")
        assert first["at"] - begin < 1.5
        await talk.until("response.done", 2)
        assert talk.speech.said == ["One moment, please.", "Four degrees."]
        roles = [(message.role, message.content) for message in chat.requests[1].messages[1:]]
        assert roles == [
            ("user", "Weather?"),
            ("assistant", "One moment, please."),
            ("tool", "four degrees"),
        ]


@scripted
async def test_no_filler_when_the_model_has_spoken_or_the_tool_is_quick():
    async def quick() -> str:
        return "now"

    tools = Toolbox([get_weather, quick], filler="One moment, please.", filler_after_s=0.5)
    spoke = [(0.1, "Let me look. "), *CALL]
    for answer in (spoke, [(0.1, call("quick", "{}"))]):
        async with Talk(chat=FakeChat([answer, [(0.1, "Done.")]]), server_tools=tools) as talk:
            await talk.ask("Weather?")
            await talk.until("response.done", 2)
            assert "One moment, please." not in talk.speech.said


@scripted
async def test_a_tool_of_the_client_with_the_same_name_goes_to_the_client():
    tools = [{"type": "function", "name": "get_weather", "parameters": {"type": "object"}}]
    async with Talk(chat=FakeChat([CALL]), server_tools=Toolbox([get_weather]), tools=tools) as talk:
        await talk.ask("Weather?")
        done = await talk.until("response.done")
        assert [item["type"] for item in done["response"]["output"]] == ["function_call"]
        await asyncio.sleep(10)
        assert len(talk.of("response.created")) == 1


@scripted
async def test_when_the_clients_tools_are_called_as_well_the_client_asks_for_the_answer():
    tools = [{"type": "function", "name": "dial", "parameters": {"type": "object"}}]
    calls = [(0.1, call("get_weather", '{"city":"Oslo"}')), (0.0, call("dial", "{}", "call_2", 1))]
    chat = FakeChat([calls, [(0.1, "Both done.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather]), tools=tools) as talk:
        await talk.ask("Weather, and dial.")
        done = await talk.until("response.done")
        assert [item["name"] for item in done["response"]["output"]] == ["dial"]
        await asyncio.sleep(5)
        assert len(talk.of("response.created")) == 1
        output = {"type": "function_call_output", "call_id": "call_2", "output": "ringing"}
        await talk.send("conversation.item.create", item=output)
        await talk.send("response.create")
        await talk.until("response.done", 2)
        answers = [message.content for message in chat.requests[1].messages if message.role == "tool"]
        assert answers == ["four degrees", "ringing"]


@scripted
async def test_a_model_that_only_calls_has_to_answer_in_the_end():
    async def quick() -> str:
        return "again"

    chat = FakeChat([[(0.1, call("quick", "{}", f"call_{n}"))] for n in range(20)])
    async with Talk(chat=chat, server_tools=Toolbox([quick])) as talk:
        await talk.ask("Loop.")
        await asyncio.sleep(60)
        assert len(chat.requests) == 9
        assert chat.requests[-1].tool_choice == "none"
        failed = talk.of("response.done")[-1]["response"]
        assert failed["status_details"]["error"]["code"] == "empty_answer", "a call is no answer"
        assert len(outputs(chat.requests[-1])) == 8
        assert items(talk)[-1]["type"] == "function_call_output", "and is not carried out"


@scripted
async def test_a_forced_tool_is_forced_once():
    chat = FakeChat([CALL, [(0.1, "Four.")]])
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Weather?", tool_choice="required", metadata={"a": "b"})
        await talk.until("response.done", 2)
        assert [request.tool_choice for request in chat.requests] == ["required", "auto"]
        assert talk.of("response.created")[1]["response"]["metadata"] is None


@scripted
async def test_a_response_with_its_own_input_goes_on_with_it():
    chat = FakeChat([CALL, [(0.1, "Four.")]])
    context = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Weather in Oslo?"}]}
    ]
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.ask("Hello.", input=context)
        await talk.until("response.done", 2)
        seen = [(message.role, message.content) for message in chat.requests[1].messages[1:]]
        assert seen == [("user", "Weather in Oslo?"), ("assistant", ""), ("tool", "four degrees")]


@scripted
async def test_out_of_band_responses_are_not_offered_our_tools():
    chat = FakeChat()
    async with Talk(chat=chat, server_tools=Toolbox([get_weather])) as talk:
        await talk.send("response.create", response={"conversation": "none", "output_modalities": ["text"]})
        await talk.until("response.done")
        assert chat.requests[0].tools == ()


@scripted
async def test_an_early_answer_runs_its_tool_only_when_the_turn_is_certain():
    from realtime.settings import Settings

    CALLED.clear()
    settings = Settings(instructions="Be brief.", voice_id="v1", speculate="chat")
    chat, transcriber = FakeChat([CALL, [(0.1, "Four.")]]), FakeTranscriber(["Weather in Oslo?"])
    async with Talk(
        chat=chat, transcriber=transcriber, server_tools=Toolbox([get_weather]), settings=settings
    ) as talk:
        await talk.speak(1.0)
        await talk.silence(0.4)
        assert CALLED == []
        await talk.silence(4.0)
        await talk.until("response.done", 2)
        assert CALLED == ["Oslo"]


@scripted
async def test_what_is_said_after_a_call_that_is_the_first_item_comes_before_it():
    chat, toolbox = (
        FakeChat([CALL, [(0.1, "Four.")]]),
        Toolbox([get_weather], filler="Let me see.", filler_after_s=0.5),
    )
    async with Talk(chat=chat, server_tools=toolbox) as talk:
        await talk.send("response.create")
        await talk.until("response.done", 2)
        kinds = [type(item).__name__ for item in talk.session.conversation.items]
        assert kinds == ["Message", "FunctionCall", "FunctionCallOutput", "Message"]
