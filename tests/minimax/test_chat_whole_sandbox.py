"""Whole and structured answers against the sandbox: every model, faults, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from realtime.core.messages import Tool
from realtime.errors import InvalidArgument, ProviderRejected
from realtime.minimax import MiniMax, ParseFailed
from realtime.sandbox.server import Sandbox

WEATHER = Tool("get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})


class Invoice(msgspec.Struct):
    customer: str
    total: int


@dataclass(frozen=True)
class Order:
    item: str
    count: int


QUESTION = 'The customer "Ada Lovelace" owes us a total of 42 euros. Write the invoice as JSON.'


@pytest.mark.operation("chat.complete", "chat.stream")
@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("model", ["MiniMax-M3", "MiniMax-M2.7"])
async def test_a_whole_answer_is_the_text_of_the_stream(mm: MiniMax, model: str, dialect: str):
    question = "How much is 17 times 3?"
    whole = await mm.chat.complete(question, model=model, dialect=dialect)
    streamed = [event async for event in mm.chat.stream(question, model=model, dialect=dialect)]
    assert "51" in whole.text
    assert whole.text.strip() == "".join(getattr(event, "text", "") for event in streamed).strip()
    assert bool(whole.thinking) == model.startswith("MiniMax-M2")
    assert whole.finish == "stop"
    assert whole.usage is not None
    assert whole.usage.output_tokens > 0
    assert whole.trace_id
    assert not whole.input_sensitive


@pytest.mark.operation("chat.complete")
async def test_a_tool_call_and_its_result_go_round(mm: MiniMax):
    from realtime.core.messages import ChatMessage

    question = ChatMessage("user", "What's the weather in Paris?")
    asked = await mm.chat.complete([question], tools=[WEATHER])
    assert [call.name for call in asked.tool_calls] == ["get_weather"]
    result = ChatMessage("tool", '{"degrees": 12}', tool_call_id=asked.tool_calls[0].call_id)
    told = await mm.chat.complete([question, asked.message, result], tools=[WEATHER])
    assert "12" in told.text


@pytest.mark.operation("chat.parse")
@pytest.mark.parametrize("model", ["MiniMax-Text-01", "MiniMax-M3", "MiniMax-M2.7"])
async def test_an_answer_is_a_value_of_the_asked_type(mm: MiniMax, model: str):
    invoice = await mm.chat.parse(QUESTION, Invoice, model=model)
    assert invoice == Invoice("Ada Lovelace", 42)
    order = await mm.chat.parse('Order 3 pieces of "Red Sofa". Answer in JSON.', Order, model=model)
    assert order == Order("Red Sofa", 3)


@pytest.mark.operation("chat.parse")
async def test_a_json_schema_gives_plain_data(mm: MiniMax):
    schema = {
        "type": "object",
        "properties": {"total": {"type": "integer"}},
        "required": ["total"],
        "additionalProperties": False,
    }
    assert await mm.chat.parse(QUESTION, schema) == {"total": 42}


@pytest.mark.operation("chat.parse")
async def test_an_answer_that_does_not_fit_is_asked_for_again(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("chat.bad_json")
    assert await mm.chat.parse(QUESTION, Invoice) == Invoice("Ada Lovelace", 42)
    sandbox.inject("chat.bad_json_always")
    before = len(sandbox.state.requests)
    with pytest.raises(ParseFailed) as caught:
        await mm.chat.parse(QUESTION, Invoice)
    assert caught.value.text
    assert len(sandbox.state.requests) - before == 3


@pytest.mark.operation("chat.complete")
async def test_a_limit_is_waited_out_and_an_empty_balance_is_not(sandbox: Sandbox, mm: MiniMax):
    sandbox.inject("chat.error=1002", times=1)
    assert (await mm.chat.complete("Say hello.")).text
    sandbox.inject("chat.error=1008", times=1)
    with pytest.raises(ProviderRejected, match="top it up"):
        await mm.chat.complete("Say hello.")


@pytest.mark.operation("chat.count_tokens", "models")
async def test_tokens_and_models(mm: MiniMax):
    short, long = await mm.chat.count_tokens("Hello."), await mm.chat.count_tokens("Hello. " * 50)
    assert 0 < short < long
    assert "MiniMax-M3" in await mm.models()


@pytest.mark.operation("chat.complete")
async def test_wrong_arguments_are_refused_before_anything_is_sent(sandbox: Sandbox, mm: MiniMax):
    with pytest.raises(InvalidArgument) as caught:
        await mm.chat.complete("Hi", temperature=3.0)
    assert caught.value.param == "temperature"
    assert not sandbox.state.requests
