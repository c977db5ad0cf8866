"""The items of one reply: what the client is told of them, in which order, and what the conversation keeps."""

import pytest

from realtime.core.conversation import Message, Text
from realtime.core.messages import ToolCallDelta
from realtime.tools import Toolbox
from tests.contexts import Bench
from tests.conversing import scripted
from tests.fakes import FakeChat, call
from tests.replying.test_responses import Side

SPOKEN = "Fine."


def of_items(sent: list[dict]) -> list[tuple[str, str]]:
    """The events about items, each with the id of its item."""
    return [(event["type"], event["item"]["id"]) for event in sent if "item" in event]


def kept(bench: Bench) -> list[tuple[str, str]]:
    """What is in the conversation: the kind and the id of each item."""
    return [(type(item).__name__, item.id) for item in bench.context.conversation.items]


@scripted
async def test_a_message_is_told_as_an_item_of_the_response_and_of_the_conversation():
    bench = Bench(chat=FakeChat([[(0.01, SPOKEN)]]))
    side = Side(bench)
    sent = await side.ended(side.reply())
    assert of_items(sent) == [
        ("response.output_item.added", "item_2"),
        ("conversation.item.added", "item_2"),
        ("response.output_item.done", "item_2"),
        ("conversation.item.done", "item_2"),
    ]
    assert kept(bench) == [("Message", "item_2")]
    await side.close()


@scripted
async def test_a_message_out_of_band_is_an_item_of_the_response_alone():
    bench = Bench(chat=FakeChat([[(0.01, SPOKEN)]]))
    side = Side(bench)
    sent = await side.ended(side.reply(conversation="none"))
    assert of_items(sent) == [
        ("response.output_item.added", "item_2"),
        ("response.output_item.done", "item_2"),
    ]
    assert kept(bench) == []
    await side.close()


@scripted
async def test_a_call_for_the_client_is_whole_before_it_is_done():
    rest = ToolCallDelta(0, "", "", "5}")  # only the first fragment has the name and the id
    chat = FakeChat([[(0.01, call("dim", '{"to":', "call_7")), (0.01, rest)]])
    bench = Bench(chat=chat, tools=[{"type": "function", "name": "dim"}])
    side = Side(bench)
    sent = await side.ended(side.reply())
    assert [event["type"] for event in sent][1:-1] == [
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
    ]
    assert sent[1]["item"]["arguments"] == ""
    done = sent[5]["item"]
    assert (done["name"], done["call_id"], done["arguments"]) == ("dim", "call_7", '{"to":5}')
    assert sent[-1]["response"]["output"] == [done]
    await side.close()


@scripted
async def test_a_call_that_the_server_runs_is_an_item_of_the_conversation_alone():
    async def weather() -> str:
        """The weather."""
        return "rain"

    bench = Bench(chat=FakeChat([[(0.01, "Wait. "), (0.01, call("weather", "{}"))]]))
    side = Side(bench, Toolbox([weather], timeout_s=1.0))
    sent = await side.ended(side.reply())
    assert [event for event in of_items(sent) if event[1] != "item_2"] == [
        ("conversation.item.added", "item_3"),
        ("conversation.item.done", "item_3"),
        ("conversation.item.added", "item_4"),
        ("conversation.item.done", "item_4"),
    ]
    assert [item["type"] for item in sent[-1]["response"]["output"]] == ["message"]
    assert kept(bench) == [
        ("Message", "item_2"),
        ("FunctionCall", "item_3"),
        ("FunctionCallOutput", "item_4"),
    ]
    await side.close()


@pytest.mark.parametrize(
    ("deleted", "order"),
    [
        (False, ["u", "message", "call_1", "call_1", "call_2", "call_2"]),
        (True, ["call_1", "call_1", "message", "call_2", "call_2"]),
    ],
)
def test_what_is_said_stands_before_the_calls_unless_that_place_is_gone(deleted: bool, order: list[str]):
    """A chat model wants its words and its calls in one message, and calls next to what came of them."""

    @scripted
    async def answer():
        async def weather() -> str:
            """The weather."""
            if deleted and "u" in conversation:
                conversation.remove("u")
            return "rain"

        calls = [(0.01, call("weather", "{}", f"call_{number}", number)) for number in (1, 2)]
        bench = Bench(chat=FakeChat([[*calls, (0.5, "Wait.")]]))
        conversation = bench.context.conversation
        conversation.add(Message("u", "user", (Text("And the weather?"),)))
        side = Side(bench, Toolbox([weather], timeout_s=1.0))
        (message,) = (await side.ended(side.reply()))[-1]["response"]["output"]
        names = {"u": "u", message["id"]: "message"}
        assert [names.get(item.id) or item.call_id for item in conversation.items] == order
        await side.close()

    answer()
